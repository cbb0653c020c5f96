//! # The rest of a finished stream can be fetched, and ends
//!
//! A client that loses its connection comes back some time later, and its request may have been answered in between.
//! The response is what it comes for: a server that drops the events of a stream when that ends has lost it. And where
//! the response comes on a resumed stream, the stream ends behind it as it would have done the first time: a client that
//! reads to the end waits for ever otherwise, and holds a connection meanwhile.
//!
//! That anything is kept is nobody's duty, so that what cannot be fetched is advice; and only where streams that have
//! not ended can be resumed. Whether a stream ends from which nothing is left to fetch is not asked.
//!
//! ## How to fix it
//! Keep the events of a stream for some minutes after it has ended, within bounds. Behind the last event of the replay
//! look whether the stream has ended, and end the answer then, before it is entered as a listener for what comes.

use std::time::Duration;

use super::streams::{Leg, Stream, Streams};
use crate::catalogue::{Check, Kind};
use crate::checks::question::{BUSY, came, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, PeerEnd, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Resumption),
    cites: &[ENDS, Cite::Advice],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: super::NEEDS,
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const ENDS: Cite = Cite::Clause("http.post.sse.close-after-response");

/// The driver counts its patience from a moment of its own.
const SLACK: Duration = Duration::from_millis(50);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let streams = Streams::of(trace);
    if super::is_not_offered(trace, &streams, judge) {
        return;
    }
    let (mut fetched, mut left_open) = (false, false);
    for (stream, nth) in streams.resumptions() {
        let leg = &stream.legs[nth];
        fetched |= leg.has_response() && is_finished(stream, nth);
        // The control: where no stream ends, those that are resumed do not either.
        if leg.has_response() && !left_open && !streams.never_end() {
            left_open = ends(leg, judge);
        }
    }
    let is_dropped = |exchange: &Exchange| ["rest-of-one", "rest-of-other"].contains(&exchange.label.as_str());
    let resumes = streams.resumptions().any(|(stream, nth)| {
        let leg = &stream.legs[nth];
        is_dropped(leg.exchange) && !leg.own.is_empty()
    });
    if !fetched && resumes {
        is_lost(trace, &streams, judge);
    }
}

/// Whether the response had come on the stream before this resumption was asked for, and stands behind its cursor.
fn is_finished(stream: &Stream<'_>, nth: usize) -> bool {
    let leg = &stream.legs[nth];
    let had = stream.had(nth);
    let responses = stream.legs[..nth].iter().flat_map(|leg| &leg.own).filter(|own| own.is_response);
    let mut before = responses.filter(|response| response.moment.seq < leg.exchange.asked.seq);
    before.any(|response| !had.contains(response.text.as_str()))
}

/// Judges how a resumed stream ended behind its response; says whether it is in the wrong.
fn ends(leg: &Leg<'_>, judge: &mut Judge<'_>) -> bool {
    let grace = judge.manifest().options.stream_end_grace;
    let Some(response) = leg.own.iter().find(|own| own.is_response) else { return false };
    let since = |at: crate::trace::Moment| at.best().since(response.moment.best());
    let late = match leg.exchange.ending {
        Ending::Complete(end) | Ending::Cut(PeerEnd::Fin, end) => {
            (since(end) > grace).then(|| (end, format!("the stream ended only {} after the response", Span(since(end)))))
        }
        Ending::Cut(PeerEnd::Reset, end) => Some((end, "the server reset the connection instead".to_owned())),
        Ending::Open { watched: Some(look) } if since(look) >= grace.saturating_sub(SLACK) => {
            Some((look, format!("still open {} after the response", Span(since(look)))))
        }
        Ending::Open { .. } | Ending::Unreadable(_) | Ending::NotKept(_) => return false,
    };
    judge.examined();
    let Some((moment, observed)) = late else { return false };
    let expected = format!("a stream that was resumed ends within {} of its response", Span(grace));
    judge.finding(ENDS, expected, observed).shown_at(leg.exchange, response.moment).event(moment.seq);
    true
}

/// Streams that have not ended can be resumed, and the one that had ended could not.
fn is_lost(trace: &Trace, streams: &Streams<'_>, judge: &mut Judge<'_>) {
    let Some(get) = trace.labelled("whole-from-first").next() else { return };
    if get.status().is_some_and(|status| BUSY.contains(&status)) {
        return;
    }
    let is_attached = streams.resumptions().any(|(stream, nth)| {
        stream.legs[nth].exchange.asked.seq == get.asked.seq && stream.legs[nth].own.is_empty() && is_finished(stream, nth)
    });
    let is_settled = matches!(get.ending, Ending::Complete(_) | Ending::Open { watched: Some(_) });
    if !is_settled || get.is_streamed() && !is_attached {
        return;
    }
    let observed = match get.is_streamed() {
        true => "nothing of it came".to_owned(),
        false => format!("the GET was answered with {}", came(get)),
    };
    judge.examined();
    judge
        .finding(Cite::Advice, "the rest of a stream that has ended can be fetched, as that of one that has not", observed)
        .shown_at(get, telling(get));
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-replay-never-ends", Scenario::Resumption, |edit| {
        edit.first(|exchange| exchange.label == "whole-from-first").drop_end().watched_for(Duration::from_secs(3));
    }),
    mutant("the-finished-stream-is-forgotten", Scenario::Resumption, |edit| {
        edit.each(
            |exchange| exchange.label.starts_with("whole-from") || exchange.label == "one-again",
            |exchange| {
                exchange.body(|_| ": welcome\n\n".to_owned());
            },
        );
    }),
    mutant("the-finished-stream-is-refused", Scenario::Resumption, |edit| {
        edit.each(
            |exchange| exchange.label.starts_with("whole-from") || exchange.label == "one-again",
            |exchange| {
                exchange.answer_with(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            },
        );
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{edited, judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "resumption/finished-stream-can-be-fetched";

    #[test]
    fn what_is_not_kept_is_advice() {
        for (revision, outcome) in edited(ID, Scenario::Resumption, |edit| {
            edit.each(
                |exchange| exchange.label.starts_with("whole-from") || exchange.label == "one-again",
                |exchange| {
                    exchange.body(|_| ": welcome\n\n".to_owned());
                },
            );
        }) {
            assert!(outcome.findings.iter().all(|finding| finding.cite == Cite::Advice), "{revision}: {outcome:#?}");
        }
    }

    #[test]
    fn behind_the_last_event_a_stream_may_stay_open() {
        tolerates(ID, Scenario::Resumption, |edit| {
            edit.each(
                |exchange| exchange.label == "whole-from-last",
                |exchange| {
                    exchange.drop_end().watched_for(Duration::from_secs(3));
                },
            );
        });
    }

    #[test]
    fn whoever_replays_nothing_forgets_nothing() {
        let verdicts = judged_in(ID, Scenario::Resumption, |edit| {
            edit.each(
                |exchange| exchange.request_field("last-event-id").is_some() && exchange.is_streamed(),
                |exchange| {
                    exchange.body(|_| ": welcome\n\n".to_owned());
                },
            );
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
