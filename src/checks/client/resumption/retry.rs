//! # A stream is resumed no sooner than the server asks
//!
//! With `retry` a server says after how many milliseconds it wants to be asked again; the last one of a stream counts.
//! A client that comes back at once turns a server that closes connections to save them into one that does nothing
//! but open them.
//!
//! Measured is from our last write before the end of the stream to the kernel's time of the GET, so that the gap can
//! only come out too long. That goes for streams that end in order and for those that break off. Before 2025-11-25 MCP
//! does not mention `retry`, and it is advice. A tenth less than was asked for is let pass, and so is any wait that is longer.
//!
//! ## How to fix it
//! Keep the value of the last `retry` field of the stream, and begin to wait when the body has ended; back off from
//! there, not from zero.

use std::time::Duration;

use super::{ended, resumptions};
use crate::catalogue::{Check, Kind};
use crate::checks::client::{calls, reads_answers};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, Nanos, Span, Trace, What};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientResumption),
    cites: &[RESPECT, Cite::Advice],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "a client that resumes streams",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const RESPECT: Cite = Cite::Clause("sse.client.respect-retry");

const ENDED_EARLY: [&str; 3] = ["closed", "broken", "endless"];

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let mut gaps = Vec::new();
    for label in ENDED_EARLY {
        let mut bodies: Vec<&Exchange> =
            calls(trace).filter(|call| call.label == label).chain(resumptions(trace, label)).collect();
        bodies.sort_by_key(|body| body.asked.seq);
        let mut retry = None;
        for pair in bodies.windows(2) {
            let (before, get) = (pair[0], pair[1]);
            retry = asked_for(before).or(retry);
            if let (Some(retry), Some(end)) = (retry, end(trace, before))
                && get.http_method() == "GET"
            {
                gaps.push((before, get, retry, get.asked.best().since(end)));
            }
        }
    }
    if gaps.is_empty() {
        return judge.not_exercised("the client resumed no stream");
    }
    if !reads_answers(trace, judge) {
        return;
    }
    let cite = if trace.revision() == Revision::R20251125 { RESPECT } else { Cite::Advice };
    let all = gaps.len();
    let is_too_soon = |(_, _, retry, gap): &(_, _, u64, Duration)| gap.as_millis() * 10 < u128::from(*retry) * 9;
    gaps.iter().for_each(|_| judge.examined());
    gaps.retain(is_too_soon);
    let too_soon = gaps.len();
    // A client that asks again and again does so for one reason.
    if let Some((before, get, retry, gap)) = gaps.into_iter().next() {
        let how = match &before.ending {
            Ending::Complete(_) => "that ended in order",
            _ => "that broke off",
        };
        let observed = match all {
            1 => format!("the GET came {} after a stream {how}", Span(gap)),
            _ => format!("{too_soon} of {all} GET requests came too soon, the first {} after a stream {how}", Span(gap)),
        };
        let expected = format!("the stream is resumed no sooner than {retry} ms after its end, as `retry` asks");
        judge.finding(cite, expected, observed).shown_by(before).shown_by(get);
    }
}

fn asked_for(body: &Exchange) -> Option<u64> {
    body.answer.as_ref()?.stream.as_ref()?.retry()
}

/// A moment before which the end of this body cannot have been seen: the last write of its content began then.
fn end(trace: &Trace, body: &Exchange) -> Option<Nanos> {
    ended(trace, body)?;
    let last = body.answer.as_ref()?.pieces.last()?.moment;
    trace.events.iter().find(|event| event.seq == last.seq).map(|event| match event.what {
        What::Wrote { began, .. } => began,
        _ => event.at,
    })
}

#[cfg(test)]
const MUTANTS: &[Mutant] =
    &[mutant("resumed-at-once", Scenario::ClientResumption, |edit| edit.ten_times_as_fast())];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "client/resumption/retry";

    #[test]
    fn to_wait_longer_is_legal() {
        tolerates(ID, Scenario::ClientResumption, |edit| {
            edit.events(|event| {
                event.at = Nanos(event.at.0 * 4);
                if let What::Read { kernel: Some(at), .. } | What::Wrote { began: at, .. } = &mut event.what {
                    *at = Nanos(at.0 * 4);
                }
                true
            });
        });
    }

    #[test]
    fn whoever_resumes_nothing_resumes_nothing_too_soon() {
        let verdicts = judged_in(ID, Scenario::ClientResumption, |edit| {
            edit.each(
                |exchange| exchange.request_field("last-event-id").is_some(),
                |get| {
                    get.never_asked();
                },
            );
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
