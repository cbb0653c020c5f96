//! # Event ids are unique in their session
//!
//! Whoever resumes a stream has nothing but the id of an event to say which stream is meant, and where it broke. An
//! id that events on two streams of the session have names neither: the client gets the rest of another stream, or
//! nothing. Without sessions the same holds for all streams of the client.
//!
//! An event that is replayed may keep its id, or get another one, and one id may come again on its own stream where
//! it carries nothing, as a sign of life does.
//!
//! ## How to fix it
//! Give each stream a number that is counted for the session, priming events and the GET stream included, and make it
//! part of the ids: `stream/event` is unique, and leads back to its stream.

use std::collections::HashMap;

use super::streams::{Session, Streams, session_of};
use crate::catalogue::{Check, Kind};
use crate::codec::sse::SseEvent;
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Moment, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SequentialCalls, Scenario::Resumption]),
    cites: &[CLAUSE],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "two streams whose events have ids",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("resume.event-id.unique");

/// Where an id was seen first.
struct Place<'a> {
    stream: usize,
    /// It came on a stream that was resumed.
    resumed: bool,
    exchange: &'a Exchange,
    moment: Moment,
    data: Option<&'a str>,
}

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let streams = Streams::of(trace);
    let mut seen: HashMap<(&Session, &str), Place<'_>> = HashMap::new();
    let mut with_ids = 0;
    let mut twice: Vec<(&str, Place<'_>, Place<'_>)> = Vec::new();
    for (stream, opened) in streams.all.iter().enumerate() {
        // Who is behind a proxy, and whether it is one client, nobody knows.
        if opened.session.is_none() && trace.scenario() == Scenario::Proxied {
            continue;
        }
        let mut has_ids = false;
        for (nth, leg) in opened.legs.iter().enumerate().filter(|(_, leg)| !is_over(trace, leg.exchange)) {
            for (id, moment, data) in events(leg.exchange) {
                has_ids = true;
                let place = Place { stream, resumed: nth > 0, exchange: leg.exchange, moment, data };
                let Some(first) = seen.get(&(&opened.session, id)) else {
                    seen.insert((&opened.session, id), place);
                    continue;
                };
                let tells_another = first.data.is_some() && data.is_some() && first.data != data;
                // What is replayed with its id is the same event, wherever that happens.
                let is_replay = first.resumed || place.resumed;
                if tells_another || first.stream != stream && !is_replay {
                    twice.push((id, Place { ..*first }, place));
                } else if first.resumed && !place.resumed {
                    seen.insert((&opened.session, id), place);
                }
            }
        }
        with_ids += u32::from(has_ids);
    }
    if with_ids >= 2 || !twice.is_empty() {
        (0..with_ids).for_each(|_| judge.examined());
    }
    // One habit of numbering makes many of them.
    if let Some((id, first, again)) = twice.into_iter().min_by_key(|(_, _, again)| again.moment.seq) {
        let where_else = if first.stream == again.stream { "another event of the stream" } else { "another stream" };
        judge
            .finding(
                CLAUSE,
                "no two events of a session have the same id",
                format!("the id `{id}` came again on {where_else}"),
            )
            .shown_at(first.exchange, first.moment)
            .shown_at(again.exchange, again.moment);
    }
}

/// Whether the session of a request had been deleted when it was made.
fn is_over(trace: &Trace, exchange: &Exchange) -> bool {
    let session = session_of(exchange);
    session.is_some()
        && trace.exchanges().take_while(|other| other.asked.seq < exchange.asked.seq).any(|other| {
            other.http_method() == "DELETE" && other.succeeded() && session_of(other) == session
        })
}

/// The events with an id: the id, and the data, where there is any.
fn events(exchange: &Exchange) -> impl Iterator<Item = (&str, Moment, Option<&str>)> {
    let stream = exchange.answer.as_ref().and_then(|answer| answer.stream.as_ref());
    let events = stream.map_or(&[][..], |stream| &stream.events);
    events.iter().filter_map(|(event, moment)| match event {
        SseEvent::Dispatch(event) | SseEvent::NoData(event) => {
            let id = event.id.as_deref().filter(|id| !id.is_empty())?;
            Some((id, *moment, Some(event.data.as_str()).filter(|data| !data.is_empty())))
        }
        _ => None,
    })
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("numbered-afresh", Scenario::SequentialCalls, |edit| {
        edit.each(Exchange::is_streamed, |exchange| {
            exchange.body(numbered_afresh);
        });
    }),
    mutant("all-priming-events-have-one-id", Scenario::Resumption, |edit| {
        edit.each(
            |exchange| exchange.is_streamed() && exchange.request_id().is_some(),
            |exchange| {
                exchange.body(|body| body.replacen("id: ", "id: 0\ndata:\n\nid: ", 1));
            },
        );
    }),
    mutant("one-id-for-two-messages", Scenario::Resumption, |edit| {
        edit.first(|exchange| exchange.label == "whole").body(|body| {
            let ids: Vec<&str> = body.lines().filter(|line| line.starts_with("id: ")).collect();
            let [.., before, last] = ids[..] else { return body };
            body.replace(last, before)
        });
    }),
];

/// An event stream whose ids count from 0.
#[cfg(test)]
fn numbered_afresh(body: String) -> String {
    let mut next = 0;
    let mut lines = Vec::new();
    for line in body.split('\n') {
        match line.starts_with("id: ") {
            true => {
                lines.push(format!("id: {next}"));
                next += 1;
            }
            false => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "resumption/ids-unique-in-session";

    #[test]
    fn a_sign_of_life_may_carry_the_id_of_the_event_before() {
        tolerates(ID, Scenario::Resumption, |edit| {
            edit.each(
                |exchange| exchange.label == "whole",
                |exchange| {
                    exchange.body(|body| {
                        let last = body.lines().rfind(|line| line.starts_with("id: ")).unwrap_or_default().to_owned();
                        format!("{body}{last}\ndata:\n\n")
                    });
                },
            );
        });
    }

    #[test]
    fn streams_without_ids_show_nothing() {
        let verdicts = judged_in(ID, Scenario::SequentialCalls, |edit| {
            edit.each(Exchange::is_streamed, |exchange| {
                exchange.body(|body| body.split_inclusive('\n').filter(|line| !line.starts_with("id: ")).collect());
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }

    #[test]
    fn two_sessions_may_count_alike() {
        tolerates(ID, Scenario::Resumption, |edit| {
            // What the other session gets has ids of the first.
            edit.each(
                |exchange| exchange.label == "of-another-session" && exchange.is_streamed(),
                |exchange| {
                    exchange.body(|_| "id: 0-0\ndata:\n\n".to_owned());
                },
            );
        });
    }
}
