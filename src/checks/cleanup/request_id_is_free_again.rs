//! # A request id can be used again
//!
//! In 2026-07-28 an id must differ from those of the requests that still wait for their response, and from no other:
//! clients that have nothing to do with each other begin at 1, and reach a server through one connection when a proxy
//! stands in between. A server that has kept the entry of the first request refuses the next one, or sends its
//! response where nobody waits for it.
//!
//! The id is used again on the same connection and on another one, behind the response to its first request.
//!
//! ## How to fix it
//! Take the entry of a request out of the table of requests in flight when its response or error has been written, and
//! when its connection has gone.

use super::REPLY;
use crate::catalogue::{Check, Kind};
use crate::checks::question::{BUSY, Question, hung_up, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Part, Trace};
use crate::verdict::Judge;

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ReusedIds),
    cites: &[REPLY],
    revisions: &[Revision::R20260728],
    elsewhere: "no id may be used twice in a session of this revision",
    needs: "a call that is answered with a result",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for kind in ["cheapest", "tool"] {
        let with_another_id = format!("{kind}-with-another-id");
        let controls = trace.part(kind, Part::Control).zip(trace.part(&with_another_id, Part::Control));
        let Some((first, other)) = controls else { continue };
        let (first, other) = (Question::of(trace, first), Question::of(trace, other));
        if let Some(control) = [&first, &other].into_iter().find(|control| !control.has_result()) {
            judge.inconclusive(format!("a request with an id that is new was answered with {}", control.came()));
            continue;
        }
        for label in [format!("{kind}-again"), format!("{kind}-again-elsewhere")] {
            let Some(again) = trace.part(&label, Part::Probe) else { continue };
            used_again(judge, &Question::of(trace, again));
        }
    }
}

fn used_again(judge: &mut Judge<'_>, again: &Question<'_>) {
    let exchange = again.exchange;
    if again.has_result() {
        judge.examined();
        return;
    }
    if let Some(status) = exchange.status().filter(|status| BUSY.contains(status)) {
        judge.inconclusive(format!("a request with the id was answered with HTTP {status}: come again later"));
        return;
    }
    let timeout = judge.manifest().options.timeout;
    let refused = again.response().is_some() || exchange.status().is_some_and(|_| !exchange.succeeded());
    if refused || again.unanswered().is_some() || again.in_vain(timeout).is_some() || hung_up(exchange).is_some() {
        judge.examined();
        judge
            .finding(
                REPLY,
                "a request whose id was used before, by one that has its response, is answered with a result as well",
                format!("it was answered with {}", again.came()),
            )
            .shown_at(exchange, telling(exchange));
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-id-is-said-to-be-in-use", Scenario::ReusedIds, |edit| {
        let error = r#"{"jsonrpc":"2.0","id":"mcpwire-tool","error":{"code":-32600,"message":"in use"}}"#;
        let head =
            format!("HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}", error.len());
        edit.part("tool-again", Part::Probe).answer_with(format!("{head}\r\n\r\n{error}").as_bytes());
    }),
    mutant("the-response-goes-to-the-first", Scenario::ReusedIds, |edit| {
        edit.part("cheapest-again-elsewhere", Part::Probe)
            .drop_answer()
            .watched_for(std::time::Duration::from_secs(60));
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal};
    use crate::verdict::Verdict;

    const ID: &str = "cleanup/request-id-is-free-again";

    #[test]
    fn a_request_that_was_lost_with_its_connection_was_not_refused() {
        legal(ID, Scenario::ReusedIds, |edit| {
            edit.part("tool-again", Part::Probe).drop_answer().then_ends(crate::trace::PeerEnd::Fin);
        });
    }

    #[test]
    fn a_server_that_is_busy_has_not_refused_the_id() {
        let verdicts = judged_in(ID, Scenario::ReusedIds, |edit| {
            edit.part("tool-again", Part::Probe)
                .answer_with(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }

    #[test]
    fn what_a_new_id_meets_as_well_is_not_the_id() {
        let verdicts = judged_in(ID, Scenario::ReusedIds, |edit| {
            for (label, part) in [("tool-with-another-id", Part::Control), ("tool-again", Part::Probe)] {
                edit.part(label, part).answer_with(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            }
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }
}
