//! # What was missed is replayed, all of it and in order
//!
//! A client that lost its connection names the last event that it has had, and takes what comes for the rest of the
//! stream. Where a message is missing in between, or comes in another order, it has no way to notice: the id is a
//! cursor, and whatever follows is taken for what stands behind it.
//!
//! A server that keeps responses and no progress loses nothing that matters much: that is advice.
//!
//! What stands behind an event is known from another connection that carried the same stream. What a message belongs
//! to is known for the response and for progress; others are not looked at. No server has to replay anything: one that
//! refuses is not judged, and one that gives ids, accepts them and sends nothing is told so as advice.
//!
//! ## How to fix it
//! Keep the events of each stream in the order in which they were sent, record an event before it is written to the
//! socket, and go on from the replay to the live stream under one lock, so that no event falls in between. Where
//! nothing is kept, send no ids.

use std::collections::{HashMap, HashSet};

use super::streams::{Leg, Own, Stream, Streams};
use crate::catalogue::{Check, Kind};
use crate::checks::question::telling;
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
#[cfg(test)]
use crate::trace::Exchange;
use crate::trace::{Ending, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Resumption),
    cites: &[CURSOR, Cite::Advice],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: super::NEEDS,
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CURSOR: Cite = Cite::Clause("resume.event-id.per-stream-cursor");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let streams = Streams::of(trace);
    if super::is_not_offered(trace, &streams, judge) {
        return;
    }
    if streams.all.iter().any(Stream::repeats_itself) {
        judge.not_exercised("the tool tells the same more than once: what is missing cannot be told");
        return;
    }
    if !streams.replays() {
        return nothing_comes(trace, &streams, judge);
    }
    let mut is_found = false;
    for (stream, nth) in streams.resumptions() {
        let leg = &stream.legs[nth];
        let Some(last) = leg.own.last() else { continue };
        judge.examined();
        // What a server does once it does again and again: once is told.
        if is_found {
            continue;
        }
        let missing = missing(stream, nth);
        if !missing.is_empty() {
            is_found = true;
            judge
                .finding(
                    if keeps_progress(&streams) { CURSOR } else { Cite::Advice },
                    "everything comes that follows the event on its stream",
                    format!("{} was missing", missing.join(", ")),
                )
                .shown_at(leg.exchange, last.moment);
        } else if let Some(own) = out_of_order(stream, nth) {
            is_found = true;
            judge
                .finding(
                    CURSOR,
                    "what follows the event comes in the order of its stream",
                    format!("{} came behind what had come after it on another connection", own.what),
                )
                .shown_at(leg.exchange, own.moment);
        }
    }
}

/// Whether a dropped stream was asked for again before half the time had passed that the whole one took.
fn resumed_in_time(trace: &Trace) -> bool {
    let first = |label| trace.labelled(label).next();
    let took = first("whole").and_then(|whole| Some(whole.response()?.moment.best().since(whole.asked.at)));
    let pairs = [("one", "rest-of-one"), ("other", "rest-of-other")];
    took.is_some_and(|took| {
        pairs.iter().any(|(dropped, rest)| {
            first(dropped).zip(first(rest)).is_some_and(|(dropped, rest)| rest.asked.at.since(dropped.asked.at) < took / 2)
        })
    })
}

/// Whether progress is replayed of a stream that had been answered, or nothing is of such a stream. A server may find
/// that only the response is worth keeping.
fn keeps_progress(streams: &Streams<'_>) -> bool {
    let answered_before = |stream: &Stream<'_>, nth: usize| {
        let asked = stream.legs[nth].exchange.asked.seq;
        let mut before = stream.legs[..nth].iter().flat_map(|leg| &leg.own);
        before.any(|own| own.is_response && own.moment.seq < asked)
    };
    let replayed = || streams.resumptions().filter(|(stream, nth)| answered_before(stream, *nth));
    let mut own = replayed().flat_map(|(stream, nth)| &stream.legs[nth].own).peekable();
    own.peek().is_none() || own.any(|own| !own.is_response)
}

/// What is known of the stream, follows the cursor and did not come, where something came that stands behind it.
fn missing<'a>(stream: &'a Stream<'_>, nth: usize) -> Vec<&'a str> {
    let leg = &stream.legs[nth];
    let (had, known) = (stream.had(nth), stream.known());
    let came: HashSet<&str> = leg.own.iter().map(|own| own.text.as_str()).collect();
    let end = match leg.has_response() {
        // The response stands behind everything else.
        true => known.len(),
        false => known.iter().rposition(|own| came.contains(own.text.as_str())).unwrap_or_default(),
    };
    let missed = known[..end].iter().filter(|own| !had.contains(own.text.as_str()) && !came.contains(own.text.as_str()));
    missed.map(|own| own.what.as_str()).take(NAMED).collect()
}

/// So many messages are named that are missing.
const NAMED: usize = 3;

/// The first message that came earlier or later than on a connection before.
fn out_of_order<'a>(stream: &'a Stream<'_>, nth: usize) -> Option<&'a Own> {
    let leg = &stream.legs[nth];
    stream.legs[..nth].iter().find_map(|before| {
        let places: HashMap<&str, usize> =
            before.own.iter().enumerate().map(|(place, own)| (own.text.as_str(), place)).collect();
        let mut last = None;
        leg.own.iter().find(|own| {
            let Some(place) = places.get(own.text.as_str()) else { return false };
            let is_behind = last.is_some_and(|last| *place < last);
            last = Some(*place);
            is_behind
        })
    })
}

/// A server that accepts ids and replays nothing, although there was something to replay.
fn nothing_comes(trace: &Trace, streams: &Streams<'_>, judge: &mut Judge<'_>) {
    let has_more = |stream: &Stream<'_>, nth: usize| {
        let had = stream.had(nth);
        stream.known().iter().any(|own| !had.contains(own.text.as_str()))
    };
    let in_vain = streams.resumptions().find(|(stream, nth)| {
        let exchange = stream.legs[*nth].exchange;
        let is_settled = matches!(exchange.ending, Ending::Complete(_) | Ending::Open { watched: Some(_) });
        let is_finished = exchange.label == "whole-from-first" && stream.legs[..*nth].iter().any(Leg::has_response);
        is_finished && is_settled && has_more(stream, *nth)
    });
    let Some((stream, nth)) = in_vain else { return };
    if !resumed_in_time(trace) {
        // A server that drops what has ended, and replays what has not, looks the same.
        judge.not_exercised("the streams that were dropped may have ended before they were resumed");
        return;
    }
    let get = stream.legs[nth].exchange;
    judge.examined();
    judge
        .finding(
            Cite::Advice,
            "a server that gives ids and accepts them replays what was missed",
            "it sent a stream on which nothing of what was missed came, neither from a stream that was dropped nor \
             from one that had ended",
        )
        .shown_at(get, telling(get));
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("one-event-is-lost", Scenario::Resumption, |edit| {
        edit.last(|exchange| exchange.label == "whole-from-first").body(|body| without(&body, 1));
    }),
    mutant("one-event-is-lost-where-a-stream-was-dropped", Scenario::Resumption, |edit| {
        edit.last(|exchange| exchange.label == "one-again").body(|body| without(&body, 0));
    }),
    mutant("the-latest-comes-first", Scenario::Resumption, |edit| {
        edit.last(|exchange| exchange.label == "whole-from-first").body(|body| {
            let mut events: Vec<&str> = body.split_inclusive("\n\n").collect();
            events.reverse();
            events.concat()
        });
    }),
    mutant("nothing-is-replayed", Scenario::Resumption, |edit| {
        // On a busy machine the recorded one may have been too quick to tell.
        edit.first(|exchange| exchange.label == "whole").delay_answer(std::time::Duration::from_secs(1));
        edit.each(
            |exchange| exchange.request_field("last-event-id").is_some() && exchange.is_streamed(),
            |exchange| {
                exchange.body(|_| ": welcome\n\n".to_owned());
            },
        );
    }),
];

/// An event stream without one of its events.
#[cfg(test)]
fn without(body: &str, nth: usize) -> String {
    let events = body.split_inclusive("\n\n").enumerate().filter(|(index, _)| *index != nth);
    events.map(|(_, event)| event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{edited, judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "resumption/replays-what-was-missed";

    fn is_resumption(exchange: &Exchange) -> bool {
        exchange.request_field("last-event-id").is_some()
    }

    #[test]
    fn replayed_events_may_have_ids_of_their_own() {
        tolerates(ID, Scenario::Resumption, |edit| {
            edit.each(is_resumption, |exchange| {
                exchange.body(|body| body.replace("id: ", "id: again-"));
            });
        });
    }

    #[test]
    fn a_replay_may_begin_with_a_priming_event_and_comments() {
        tolerates(ID, Scenario::Resumption, |edit| {
            edit.each(is_resumption, |exchange| {
                exchange.body(|body| format!(": welcome back\n\nid: fresh\ndata:\n\n{body}"));
            });
        });
    }

    #[test]
    fn nobody_has_to_replay() {
        for status in ["405 Method Not Allowed", "404 Not Found", "400 Bad Request"] {
            let verdicts = match status {
                "405 Method Not Allowed" => judged_in(ID, Scenario::Resumption, |edit| refuse(edit, "405 No")),
                "404 Not Found" => judged_in(ID, Scenario::Resumption, |edit| refuse(edit, "404 No")),
                _ => judged_in(ID, Scenario::Resumption, |edit| refuse(edit, "400 No")),
            };
            assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{status}: {verdicts:?}");
        }
    }

    fn refuse(edit: &mut crate::trace::edit::Edit, status: &str) {
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        edit.each(is_resumption, |exchange| {
            exchange.answer_with(answer.as_bytes());
        });
    }

    #[test]
    fn to_keep_nothing_but_responses_is_advice() {
        let outcomes = edited(ID, Scenario::Resumption, |edit| {
            edit.each(is_resumption, |exchange| {
                exchange.body(|body| {
                    let is_kept = |event: &&str| !event.contains("notifications/progress");
                    body.split_inclusive("\n\n").filter(is_kept).collect()
                });
            });
        });
        for (revision, outcome) in outcomes {
            assert!(outcome.findings.iter().all(|finding| finding.cite == Cite::Advice), "{revision}: {outcome:#?}");
        }
    }

    #[test]
    fn what_is_replayed_may_be_cut_off() {
        // A server that polls ends the connection where it likes: the rest is fetched from there.
        tolerates(ID, Scenario::Resumption, |edit| {
            edit.last(|exchange| exchange.label == "whole-from-first")
                .body(|body| body.split_inclusive("\n\n").next().unwrap_or_default().to_owned());
        });
    }

    #[test]
    fn a_tool_that_repeats_itself_proves_nothing() {
        let verdicts = judged_in(ID, Scenario::Resumption, |edit| {
            edit.first(|exchange| exchange.label == "whole").body(|body| {
                let report = body.split_inclusive("\n\n").find(|event| event.contains("progress")).unwrap_or_default();
                format!("{}{body}", report.lines().filter(|line| !line.starts_with("id")).map(|line| format!("{line}\n")).collect::<String>() + "\n")
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
