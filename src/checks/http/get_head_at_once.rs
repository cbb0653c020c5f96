//! # The head of the GET stream comes at once
//!
//! A stream that a GET opens may have nothing to say for hours. Its head need not wait for that: as long as it
//! has not come, a client cannot tell a stream from a server that hangs, and many give up or block their start.
//! Frameworks that send the head with the first bytes of the body hold it back until the first event or
//! keep-alive. Where neither comes for a while, the session is deleted: a head that comes then was held back.
//!
//! ## How to fix it
//! Flush the head when the stream is opened (Node: `res.flushHeaders()`, servlets: `response.flushBuffer()`), or write a
//! comment line as first bytes.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::GetStream),
    cites: &[Cite::Advice],
    revisions: Revision::LEGACY,
    elsewhere: "2026-07-28 has no stream that is opened by GET",
    needs: "a GET that is answered with an event stream",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// Servers that flush the head need a few milliseconds; those that do not wait for their first keep-alive, 15 s in
/// the Python and TypeScript SDKs. The claim holds up to the shortest keep-alive, some 5 s.
const AT_ONCE: Duration = Duration::from_millis(1_000);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let Some(exchange) = trace.labelled("get").last() else { return };
    let (Some(answer), Some((_, asked))) = (&exchange.answer, exchange.written) else {
        if let Ending::Open { watched: Some(look) } = exchange.ending {
            let waited = Span(look.at.since(exchange.asked.at));
            judge.not_exercised(format!("no head came within {waited}: whether it would be that of a stream is open"));
        }
        return;
    };
    if !exchange.succeeded() || answer.stream.is_none() {
        return;
    }
    let took = answer.head_at.best().since(asked.at);
    if took > AT_ONCE && answer.head_at.kernel.is_none() {
        return judge.not_exercised("the head came late by our own clock, which alone judges nobody");
    }
    judge.examined();
    if took > AT_ONCE {
        let then = match super::is_after_the_session(trace, &answer.head_at) {
            true => ", when its session had been deleted",
            false => "",
        };
        judge
            .finding(
                Cite::Advice,
                format!("the head comes within {} of the request, whenever the first event does", Span(AT_ONCE)),
                format!("it came after {}{then}", Span(took)),
            )
            .shown_at(exchange, answer.head_at);
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("head-waits-for-a-keep-alive", Scenario::GetStream, |edit| {
        edit.part("get", crate::trace::Part::Plain).delay_answer(Duration::from_secs(15));
    }),
    mutant("head-comes-with-the-end-of-the-session", Scenario::GetStream, |edit| {
        let get = edit.part("get", crate::trace::Part::Plain).body(|_| String::new());
        get.delay_answer_alone(Duration::from_secs(15));
    }),
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::checks::proofs::{edited, tolerates};
    use crate::scenario::Scenario;
    use crate::trace::Part;
    use crate::verdict::Verdict;

    const ID: &str = "http/get-head-at-once";

    #[test]
    fn a_busy_machine_may_need_a_while() {
        tolerates(ID, Scenario::GetStream, |edit| {
            edit.part("get", Part::Plain).delay_answer(Duration::from_millis(700));
        });
    }

    #[test]
    fn a_refusal_may_take_its_time() {
        for (_, outcome) in edited(ID, Scenario::GetStream, |edit| {
            edit.part("get", Part::Plain).status("405 Method Not Allowed").delay_answer(Duration::from_secs(15));
        }) {
            assert_eq!(outcome.verdict(), Verdict::NotExercised);
        }
    }
}
