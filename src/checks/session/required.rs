//! # A request without the session id gets 400
//!
//! A server that needs the session id answers a request without it with HTTP 400. With 404 a client believes
//! that its session has ended and starts over, and with 5xx it tries again; both go on forever.
//!
//! Issuing an id is not requiring it: a server that serves requests without one is not asked. A method that the
//! server does not offer may be answered 405, and so may anything that a request with the id meets as well.
//!
//! ## How to fix it
//! Look at the header before the body is parsed or the session looked up: no header, 400; a header with an id
//! that is not known, 404.

use crate::catalogue::{Check, Kind};
use crate::checks::question::{BUSY, Question, came, hung_up, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, MessageKind, Part, Trace};
use crate::verdict::{Cite, Judge};
use crate::codec::sse::SseEvent;

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::SessionLifecycle),
    cites: &[CLAUSE],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "a session, and requests without its id",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("session.server.400-missing");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if trace.learned("session").is_some() {
        judge.not_applicable(super::NONE_ISSUED);
        return;
    }
    let Some(probe) = trace.part("post-without-session", Part::Probe) else { return };
    let control = trace.part("post-without-session", Part::Control);
    if !control.is_some_and(|control| Question::of(trace, control).has_result()) {
        judge.inconclusive("a request with the session id was not answered with a result");
        return;
    }
    let served = Question::of(trace, probe);
    let refused = served.response().is_some_and(|(_, received)| received.message.kind == MessageKind::Error);
    if probe.succeeded() && !refused {
        judge.not_applicable("the server serves requests without the session id");
        return;
    }
    let late = served.in_vain(judge.manifest().options.timeout).or_else(|| hung_up(probe));
    if probe.answer.is_none() && late.is_none() {
        judge.inconclusive("the answer to a request without the session id was not seen");
        return;
    }
    if let Some(status) = probe.status().filter(|status| BUSY.contains(status)) {
        judge.inconclusive(format!("a request without the session id was answered with HTTP {status}: come again later"));
        return;
    }
    expect_400(judge, probe, "POST", control);
    // Nothing but the id differs: the same method in the same session.
    let was_told = |probe: &Exchange| probe.status().is_some_and(|status| !BUSY.contains(&status));
    let get = trace.part("get-without-session", Part::Probe).zip(trace.part("get-without-session", Part::Control));
    if let Some((probe, control)) = get.filter(|(probe, _)| was_told(probe) && !is_old_transport(probe)) {
        expect_400(judge, probe, "GET", Some(control));
    }
    let delete = trace.part("delete-without-session", Part::Probe).zip(trace.part("delete", Part::Control));
    if let Some((probe, control)) = delete.filter(|(probe, _)| was_told(probe)) {
        expect_400(judge, probe, "DELETE", Some(control));
    }
}

fn expect_400(judge: &mut Judge<'_>, probe: &Exchange, method: &str, control: Option<&Exchange>) {
    judge.examined();
    let same = |control: &Exchange| !control.succeeded() && control.status() == probe.status();
    if probe.status() == Some(400) || (probe.answer.is_some() && control.is_some_and(same)) {
        return;
    }
    let expected = format!("a {method} without the session id is answered with HTTP 400");
    let observed = format!("it was answered with {}", came(probe));
    judge.finding(CLAUSE, expected, observed).shown_at(probe, telling(probe));
}

/// The transport of 2024-11-05 may live at the same address: there a GET begins with the event `endpoint`.
fn is_old_transport(exchange: &Exchange) -> bool {
    let stream = exchange.answer.as_ref().and_then(|answer| answer.stream.as_ref());
    stream.is_some_and(|stream| {
        stream.events.iter().any(|(event, _)| match event {
            SseEvent::Dispatch(event) => event.kind.as_deref() == Some("endpoint"),
            _ => false,
        })
    })
}

#[cfg(test)]
fn status(edit: &mut crate::trace::edit::Edit, label: &str, part: Part, status: &str) {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    edit.part(label, part).answer_with(answer.as_bytes());
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("missing-means-unknown", Scenario::SessionLifecycle, |edit| {
        status(edit, "post-without-session", Part::Probe, "404 Not Found");
    }),
    mutant("missing-means-initialize", Scenario::SessionLifecycle, |edit| {
        status(edit, "post-without-session", Part::Probe, "422 Unprocessable Entity");
    }),
    mutant("missing-breaks-the-handler-of-get", Scenario::SessionLifecycle, |edit| {
        status(edit, "get-without-session", Part::Probe, "500 Internal Server Error");
    }),
    mutant("delete-of-nothing-succeeds", Scenario::SessionLifecycle, |edit| {
        status(edit, "delete-without-session", Part::Probe, "200 OK");
    }),
    mutant("an-error-that-calls-itself-200", Scenario::SessionLifecycle, |edit| {
        edit.part("post-without-session", Part::Probe).head(|head| head.replace("400 Bad Request", "200 OK"));
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal};
    use crate::verdict::Verdict;

    const ID: &str = "session/required";

    #[test]
    fn a_server_that_serves_requests_without_the_id_does_not_require_it() {
        let verdicts = judged_in(ID, Scenario::SessionLifecycle, |edit| {
            let served = r#"{"jsonrpc":"2.0","id":3,"result":{}}"#;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}", served.len());
            edit.part("post-without-session", Part::Probe).answer_with(format!("{head}\r\n\r\n{served}").as_bytes());
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotApplicable), "{verdicts:?}");
    }

    #[test]
    fn what_the_control_meets_as_well_is_legal() {
        legal(ID, Scenario::SessionLifecycle, |edit| {
            for (label, control) in [("get-without-session", "get-without-session"), ("delete-without-session", "delete")] {
                status(edit, label, Part::Probe, "405 Method Not Allowed");
                status(edit, control, Part::Control, "405 Method Not Allowed");
            }
        });
        legal(ID, Scenario::SessionLifecycle, |edit| {
            status(edit, "get-without-session", Part::Probe, "406 Not Acceptable");
            status(edit, "get-without-session", Part::Control, "406 Not Acceptable");
        });
    }

    #[test]
    fn the_old_transport_at_the_same_address_needs_no_session() {
        legal(ID, Scenario::SessionLifecycle, |edit| {
            edit.part("get-without-session", Part::Probe).answer_with(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 38\r\n\r\n\
                  event: endpoint\ndata: /messages?id=1\n\n",
            );
        });
    }

    #[test]
    fn a_server_that_is_busy_has_not_missed_the_id() {
        let verdicts = judged_in(ID, Scenario::SessionLifecycle, |edit| {
            status(edit, "post-without-session", Part::Probe, "429 Too Many Requests");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
        legal(ID, Scenario::SessionLifecycle, |edit| {
            status(edit, "delete-without-session", Part::Probe, "503 Service Unavailable");
        });
    }

    #[test]
    fn without_a_control_there_is_no_verdict() {
        let verdicts = judged_in(ID, Scenario::SessionLifecycle, |edit| {
            status(edit, "post-without-session", Part::Control, "401 Unauthorized");
            status(edit, "post-without-session", Part::Probe, "401 Unauthorized");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }
}
