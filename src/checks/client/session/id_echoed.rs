//! # Every request carries the id of the session
//!
//! Where the answer to `initialize` names a session, every later request carries its id: each POST with a request, a
//! notification or a response in it, each GET, and the DELETE. A server refuses the rest with 400, and where it is a
//! notification or a response nobody may ever notice.
//!
//! ## How to fix it
//! Add the header field in the one place through which all requests go, not where calls are made.

use super::FIELD;
use crate::catalogue::{Check, Kind};
use crate::checks::client::requests::{self, Wrong, look_at};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::ClientCalls]),
    cites: &[CLAUSE],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "requests after the handshake",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("session.client.echo-header");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    // There the session ends, or an answer misleads about its id.
    if matches!(trace.scenario(), Scenario::ClientSessionExpiry | Scenario::ClientRedirect) {
        return;
    }
    let in_session = requests::to_endpoint(trace)
        .filter(|request| requests::handshake(trace, request).is_some_and(|handshake| handshake.grants().is_some()));
    look_at(trace, judge, in_session, |request| {
        let what = match request.request_field(FIELD) {
            Some(_) if trace.in_session(request) => return None,
            Some(_) => "with an id that no answer to `initialize` had named",
            None => "without it",
        };
        let expected = format!("every {} after `initialize` carries the id of the session", request.http_method());
        Some(Wrong::new(CLAUSE, expected, format!("{} went out {what}", requests::name(request))))
    });
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("calls-without-id", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2").without_request_field(FIELD);
    }),
    mutant("notifies-without-id", Scenario::ClientCalls, |edit| {
        edit.first(|exchange| exchange.label == "notifications/initialized").without_request_field(FIELD);
    }),
    mutant("listens-without-id", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.http_method() == "GET").without_request_field(FIELD);
    }),
    mutant("deletes-nothing-in-particular", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.http_method() == "DELETE").without_request_field(FIELD);
    }),
    mutant("another-id", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2").request_field(FIELD, "0123456789");
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::trace::PeerEnd;
    use crate::verdict::Verdict;

    const ID: &str = "client/session/id-echoed";

    #[test]
    fn a_session_that_is_not_granted_is_not_echoed() {
        let verdicts = judged_in(ID, Scenario::ClientCalls, |edit| {
            edit.events(|event| {
                let crate::trace::What::Wrote { bytes, .. } = &mut event.what else { return false };
                let named = bytes.0.windows(FIELD.len()).position(|window| window == FIELD.as_bytes());
                named.map(|at| bytes.0[at] = b'X').is_some()
            });
            edit.each(|exchange| exchange.request_field(FIELD).is_some(), |exchange| {
                exchange.without_request_field(FIELD);
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }

    #[test]
    fn a_new_session_may_be_begun_at_any_time() {
        tolerates(ID, Scenario::ClientCalls, |edit| {
            let body = r#"{"jsonrpc":"2.0","id":99,"method":"initialize","params":{}}"#;
            let request = format!("POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let result = r#"{"jsonrpc":"2.0","id":99,"result":{"protocolVersion":"2025-06-18"}}"#;
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: another-one";
            let answer = format!("{head}\r\nContent-Length: {}\r\n\r\n{result}", result.len());
            edit.client_asks("initialize", request.as_bytes(), answer.as_bytes());
            let request = "DELETE /mcp HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: another-one\r\n\r\n";
            edit.client_asks("DELETE", request.as_bytes(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
    }

    #[test]
    fn what_goes_to_another_path_is_of_no_session() {
        tolerates(ID, Scenario::ClientCalls, |edit| {
            let request = b"GET /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: a\r\n\r\n";
            edit.client_asks("GET", request, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
            edit.client_ends_connections(PeerEnd::Reset);
        });
    }
}
