//! # A session that has ended is followed by a new one
//!
//! A server may end a session at any time: it restarts, it is scaled down, it tidies up. It then answers 404 to the id,
//! and the client starts over with an `initialize` that carries no id. A client that does not is dead from then on,
//! however often its caller asks: only a restart of the whole program helps.
//!
//! Whether the call that met the 404 is made again, or handed to the caller as an error, is the client's own affair.
//!
//! ## How to fix it
//! On 404 to a request with a session id forget the id, and shake hands again before the next request; no caller has
//! to ask for it.

use super::FIELD;
use crate::catalogue::{Check, Kind};
use crate::checks::client::{caller::how_it_ended, reads_answers, requests};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSessionExpiry),
    cites: &[CLAUSE],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "calls before and after the end of the session",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("session.client.reinit-on-404");

const EXPECTED: &str = "after a 404 to the id of its session, the client sends `initialize` without an id";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let session_ended = trace.labelled("last").next().map(|last| last.asked.seq);
    let met_it = |request: &&Exchange| {
        request.status() == Some(404)
            && request.http_method() == "POST"
            && session_ended.is_some_and(|ended| request.asked.seq > ended)
            && trace.in_session(request)
    };
    let Some(refused) = requests::to_endpoint(trace).find(met_it) else { return };
    let Ending::Complete(end) = refused.ending else { return };
    if !reads_answers(trace, judge) {
        return;
    }
    let since = |seq: u32| requests::posts(trace).filter(move |request| request.asked.seq > seq);
    // A client may have read the 404 before it is on record that we have written it. And what is under way in that
    // moment is not held against anybody: the new handshake may come behind it.
    let handshake = since(refused.asked.seq).find(|request| request.rpc_method().as_deref() == Some("initialize"));
    let next = since(end.seq).find(|request| requests::request(request).is_some());
    if let Some(handshake) = handshake {
        judge.examined();
        if handshake.request_field(FIELD).is_some() {
            let observed = "its `initialize` carried one";
            judge.finding(CLAUSE, EXPECTED, observed).shown_by(refused).shown_by(handshake);
        }
    } else if let Some(next) = next {
        judge.examined();
        let with = match next.request_field(FIELD) {
            Some(_) => "with the id of the session that had ended",
            None => "without a session",
        };
        let observed = format!("it went on with {} {with}, and never sent `initialize`", requests::name(next));
        judge.finding(CLAUSE, EXPECTED, observed).shown_by(refused).shown_by(next);
    } else if let Some(told) = trace.told("after-expiry") {
        judge.examined();
        let observed = "its caller asked for another call, and it sent nothing more";
        judge.finding(CLAUSE, EXPECTED, observed).shown_by(refused).event(told.moment.seq);
    } else {
        let how = how_it_ended(trace).map(|(how, _)| format!("; it {how}")).unwrap_or_default();
        judge.not_exercised(format!("after the 404 nobody asked the client for anything more{how}"));
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("goes-on-with-the-dead-id", Scenario::ClientSessionExpiry, |edit| {
        without_new_session(edit);
        let dead = dead_id(edit);
        let body = r#"{"jsonrpc":"2.0","id":99,"method":"tools/list"}"#;
        let head = format!("POST /mcp HTTP/1.1\r\nHost: a\r\n{FIELD}: {dead}\r\nContent-Length: {}", body.len());
        let request = format!("{head}\r\n\r\n{body}");
        edit.client_asks("tools/list", request.as_bytes(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }),
    mutant("never-again", Scenario::ClientSessionExpiry, without_new_session),
    mutant("initializes-with-the-dead-id", Scenario::ClientSessionExpiry, |edit| {
        let dead = dead_id(edit);
        edit.last(|exchange| exchange.label == "initialize").request_field(FIELD, &dead);
    }),
];

/// The client asks for nothing once its session has ended.
#[cfg(test)]
fn without_new_session(edit: &mut crate::trace::edit::Edit) {
    // A stream that it asks for by GET may meet its 404 before the call does.
    let is_refused = |exchange: &&Exchange| exchange.status() == Some(404) && exchange.http_method() == "POST";
    let Some(refused) = edit.trace().exchanges().find(is_refused).map(|exchange| exchange.asked.seq) else { return };
    let later = edit.trace().exchanges().filter(|exchange| exchange.asked.seq > refused).count();
    for _ in 0..later {
        edit.last(|exchange| exchange.asked.seq > refused).never_asked();
    }
}

#[cfg(test)]
fn dead_id(edit: &crate::trace::edit::Edit) -> String {
    let granted = edit.trace().exchanges().find_map(Exchange::grants).unwrap_or_default();
    String::from_utf8_lossy(granted).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::trace::What;
    use crate::verdict::Verdict;

    const ID: &str = "client/session/reinitializes-on-404";

    #[test]
    fn a_goodbye_to_the_dead_session_is_in_order() {
        tolerates(ID, Scenario::ClientSessionExpiry, |edit| {
            let request = format!("DELETE /mcp HTTP/1.1\r\nHost: a\r\n{FIELD}: {}\r\n\r\n", dead_id(edit));
            edit.client_asks("DELETE", request.as_bytes(), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        });
    }

    #[test]
    fn the_new_session_may_be_asked_for_before_our_404_is_on_record() {
        tolerates(ID, Scenario::ClientSessionExpiry, |edit| {
            let mut events = edit.trace().events.clone();
            let is_404 = |what: &What| matches!(what, What::Wrote { bytes, .. } if bytes.0.starts_with(b"HTTP/1.1 404"));
            let Some(at) = events.iter().position(|event| is_404(&event.what)) else { return };
            let is_handshake = |what: &What| {
                matches!(what, What::Read { bytes, .. } if String::from_utf8_lossy(&bytes.0).contains("initialize"))
            };
            let Some(behind) = events[at..].iter().position(|event| is_handshake(&event.what)) else { return };
            let wrote = events.remove(at);
            events.insert(at + behind, wrote);
            edit.replace(events);
        });
    }

    #[test]
    fn the_call_itself_need_not_be_made_again() {
        tolerates(ID, Scenario::ClientSessionExpiry, |edit| {
            edit.last(|exchange| exchange.label == "expired").never_asked();
            edit.told_error(|step| step == "expired", None);
        });
    }

    #[test]
    fn a_client_that_is_asked_for_nothing_more_may_end() {
        let verdicts = judged_in(ID, Scenario::ClientSessionExpiry, |edit| {
            without_new_session(edit);
            edit.told_nothing(|step| step == "after-expiry");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
