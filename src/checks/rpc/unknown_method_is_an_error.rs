//! # A method that does not exist is answered with -32601
//!
//! A request for a method that the server does not know gets the JSON-RPC error -32601, and in 2026-07-28 HTTP
//! status 404 with it; before, the status is open. Clients probe for features this way: with another code they
//! take a missing method for a broken call, and with no JSON-RPC error they cannot tell it from a broken server.
//!
//! ## How to fix it
//! Look the method up before the parameters are read, and answer an unknown one with a JSON-RPC error that has
//! the code -32601 and the id of the request. A parser that knows only the union of the known requests reports
//! every unknown method as bad parameters: take the method out of the message first.

use crate::catalogue::{Check, Kind};
use crate::checks::question::{Question, hung_up, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Moment, Part, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::UnknownMethod),
    cites: &[CODE, STATUS, super::REPLY],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "an answer to a request for a method that does not exist",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CODE: Cite = Cite::Clause("jsonrpc2.code.method-not-found");
const STATUS: Cite = Cite::Clause("rpc.method-not-found.http-404");

/// The code of JSON-RPC 2.0, section 5.1.
const METHOD_NOT_FOUND: i64 = -32601;

/// What a gate in front of the server may say to a method that it does not let through, or to too many
/// requests: the server itself has not answered then.
const GATE: [u16; 5] = [401, 403, 407, 429, 503];

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let part = |part| trace.part("unknown-method", part).map(|exchange| Question::of(trace, exchange));
    let Some(probe) = part(Part::Probe) else { return };
    if !part(Part::Control).is_some_and(|control| control.has_result()) {
        judge.inconclusive("the same request for a method that exists was not answered with a result");
        return;
    }
    if let Some(observed) = wrong(trace.revision(), &probe, judge) {
        let (cite, expected, observed, moment) = observed;
        let shown = probe.response().map_or(probe.exchange, |(stream, _)| stream);
        judge.finding(cite, expected, observed).shown_at(shown, moment);
    }
    super::goes_on_answering(trace, judge, "after-unknown-method", "one for a method that does not exist");
}

type Wrong = (Cite, String, String, Moment);

/// What is wrong with the answer, if anything is and it could be seen.
fn wrong(revision: Revision, probe: &Question<'_>, judge: &mut Judge<'_>) -> Option<Wrong> {
    let exchange = probe.exchange;
    let observed = format!("it was answered with {}", probe.came());
    let Some((stream, response)) = probe.response() else {
        let status = exchange.status().filter(|_| !exchange.succeeded());
        if let Some(status) = status.filter(|status| GATE.contains(status)) {
            judge.not_exercised(format!("the request for an unknown method was stopped at the gate: HTTP {status}"));
            return None;
        }
        // A 4xx or 5xx alone is no JSON-RPC error: the control got past the transport with all but the method.
        let timeout = judge.manifest().options.timeout;
        let without = status.filter(|_| exchange.is_complete()).map(|_| telling(exchange));
        let moment = without
            .or_else(|| probe.unanswered().map(telling))
            .or_else(|| probe.in_vain(timeout))
            .or_else(|| hung_up(exchange));
        let Some(moment) = moment else {
            judge.inconclusive("the answer to the request for an unknown method was not seen to its end");
            return None;
        };
        judge.examined();
        let expected = "an unknown method is answered with JSON-RPC error -32601".to_owned();
        return Some((CODE, expected, observed, moment));
    };
    judge.examined();
    if response.message.error_code() != Some(METHOD_NOT_FOUND) {
        let expected = "an unknown method is answered with JSON-RPC error -32601".to_owned();
        return Some((CODE, expected, observed, response.moment));
    }
    let modern = STATUS.level(revision).is_some();
    (modern && stream.status() != Some(404)).then(|| {
        let expected = "JSON-RPC error -32601 comes with HTTP status 404".to_owned();
        (STATUS, expected, observed, telling(stream))
    })
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("unknown-method-succeeds", Scenario::UnknownMethod, |edit| {
        let id = edit.trace().part("unknown-method", Part::Probe).and_then(|probe| probe.request_id());
        let Some(id) = id else { return };
        edit.part("unknown-method", Part::Probe)
            .answer_with(&json(200, &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)));
    }),
    mutant("taken-for-bad-parameters", Scenario::UnknownMethod, |edit| {
        edit.part("unknown-method", Part::Probe).body(|body| body.replace("-32601", "-32602"));
    }),
    mutant("an-http-error-alone", Scenario::UnknownMethod, |edit| {
        edit.part("unknown-method", Part::Probe)
            .answer_with(b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nNot Found");
    }),
    mutant("accepted-and-forgotten", Scenario::UnknownMethod, |edit| {
        edit.part("unknown-method", Part::Probe)
            .answer_with(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    }),
    mutant("the-status-is-200-in-2026-07-28", Scenario::UnknownMethod, |edit| {
        if edit.trace().revision() == Revision::R20260728 {
            edit.part("unknown-method", Part::Probe).head(|head| head.replace("404 Not Found", "200 OK"));
        }
    }),
    mutant("the-next-request-fails", Scenario::UnknownMethod, |edit| {
        edit.last(|exchange| exchange.label == "after-unknown-method")
            .answer_with(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    }),
];

#[cfg(test)]
fn json(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal};
    use crate::trace::PeerEnd;
    use crate::verdict::Verdict;

    const ID: &str = "rpc/unknown-method-is-an-error";
    const ERROR: &str = r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32601,"message":"Method not found"}}"#;

    #[test]
    fn the_status_is_open_in_the_legacy_revisions_only() {
        for status in [json_200 as fn(&mut crate::trace::edit::Edit), json_404, json_400] {
            for (revision, verdict) in judged_in(ID, Scenario::UnknownMethod, status) {
                let fine = revision.is_legacy() || std::ptr::fn_addr_eq(status, json_404 as fn(&mut _));
                assert_eq!(verdict, if fine { Verdict::Pass } else { Verdict::Fail }, "{revision}");
            }
        }
    }

    fn json_200(edit: &mut crate::trace::edit::Edit) {
        edit.part("unknown-method", Part::Probe).answer_with(&json(200, ERROR));
    }

    fn json_400(edit: &mut crate::trace::edit::Edit) {
        edit.part("unknown-method", Part::Probe).answer_with(&json(400, ERROR));
    }

    fn json_404(edit: &mut crate::trace::edit::Edit) {
        edit.part("unknown-method", Part::Probe).answer_with(&json(404, ERROR));
    }

    #[test]
    fn a_gate_that_lets_only_known_methods_through_says_nothing_about_the_server() {
        legal(ID, Scenario::UnknownMethod, |edit| {
            edit.part("unknown-method", Part::Probe)
                .answer_with(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        });
    }

    #[test]
    fn without_a_control_there_is_no_verdict() {
        let verdicts = judged_in(ID, Scenario::UnknownMethod, |edit| {
            edit.part("unknown-method", Part::Probe).answer_with(&json(200, r#"{"jsonrpc":"2.0","id":3,"result":{}}"#));
            edit.part("unknown-method", Part::Control)
                .answer_with(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }

    #[test]
    fn a_reused_connection_that_ends_before_the_answer_may_have_been_idle_too_long() {
        let verdicts = judged_in(ID, Scenario::UnknownMethod, |edit| {
            edit.part("unknown-method", Part::Probe).drop_answer().then_ends(PeerEnd::Fin);
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }
}
