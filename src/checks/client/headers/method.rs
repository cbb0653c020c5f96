//! # `Mcp-Method` says which method is called
//!
//! Gateways route and meter by this field, so that they need not read bodies; a server refuses a request in which it
//! is missing, or says something else than the body.
//!
//! ## How to fix it
//! Set `Mcp-Method` from the message that is sent, in the place where it is turned into a POST.

use crate::catalogue::{Check, Kind};
use crate::checks::client::requests::{self, Wrong, look_at};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::ClientCalls]),
    cites: &[CLAUSE],
    revisions: &[Revision::R20260728],
    elsewhere: super::ELSEWHERE,
    needs: "a client that makes requests",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("headers.mcp-method");

const FIELD: &str = "Mcp-Method";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    look_at(trace, judge, requests::modern(trace), wrong);
}

fn wrong(request: &Exchange) -> Option<Wrong> {
    let method = request.rpc_method()?;
    let observed = match request.request_field(FIELD) {
        Some(field) if field == method => return None,
        Some(field) => format!("`{method}` went out with `{FIELD}: {field}`"),
        None => format!("`{method}` went out without it"),
    };
    Some(Wrong::new(CLAUSE, format!("`{FIELD}` of every request names the method in its body"), observed))
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("none", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2").without_request_field(FIELD);
    }),
    mutant("another", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2" && exchange.request_field(FIELD).is_some())
            .request_field(FIELD, "tools/list");
    }),
    mutant("other-capitals", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2" && exchange.request_field(FIELD).is_some())
            .request_field(FIELD, "Tools/Call");
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    #[test]
    fn a_notification_needs_none() {
        tolerates("client/headers/method", Scenario::ClientCalls, |edit| {
            let body = r#"{"jsonrpc":"2.0","method":"notifications/whatever"}"#;
            let head = format!("POST /mcp HTTP/1.1\r\nHost: a\r\nContent-Length: {}", body.len());
            let request = format!("{head}\r\n\r\n{body}");
            edit.client_asks("note", request.as_bytes(), b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
        });
    }
}
