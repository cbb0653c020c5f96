//! # Every request names the protocol version
//!
//! A server that speaks several revisions learns from `MCP-Protocol-Version` which one a request is written in. Where
//! the field is missing it has to assume 2025-03-26, and where it names another version than the one agreed upon, it
//! answers in the wrong one, or with 400.
//!
//! In 2025-06-18 and 2025-11-25 every request after `initialize` carries it, with the version of the handshake: every
//! POST, GET and DELETE. In 2026-07-28 every request carries it, and it says the same as `_meta`.
//!
//! ## How to fix it
//! Set the field in the one place through which all requests go, from the version in the answer to `initialize`; in
//! 2026-07-28 from the value that goes into `_meta`.

use super::requests::{self, Wrong, look_at};
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::{Era, Revision};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::ClientCalls]),
    cites: &[SENT, NEGOTIATED, EVERY_POST, MATCHES_META],
    revisions: &[Revision::R20250618, Revision::R20251125, Revision::R20260728],
    elsewhere: "this revision has no `MCP-Protocol-Version`",
    needs: "a client that makes requests after its handshake",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const SENT: Cite = Cite::Clause("version.header.client-sends");
const NEGOTIATED: Cite = Cite::Clause("version.header.negotiated");
const EVERY_POST: Cite = Cite::Clause("version.header.every-post");
const MATCHES_META: Cite = Cite::Clause("version.header.match-meta");

const FIELD: &str = "MCP-Protocol-Version";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    match trace.revision().era() {
        Era::Modern => look_at(trace, judge, requests::modern(trace), modern),
        Era::Legacy => {
            let in_operation = requests::to_endpoint(trace)
                .filter(|request| requests::handshake(trace, request).is_some() && !probes_anew(request));
            look_at(trace, judge, in_operation, |request| legacy(trace, request));
        }
    }
}

/// A client of both eras may try the other one again: such a request names its own version, in both places.
fn probes_anew(request: &Exchange) -> bool {
    let named = requests::version_in_meta(request);
    named.is_some() && named == request.request_field(FIELD)
}

fn legacy(trace: &Trace, request: &Exchange) -> Option<Wrong> {
    let verb = request.http_method();
    let Some(named) = request.request_field(FIELD) else {
        return Some(Wrong::new(
            SENT,
            format!("every {verb} after `initialize` carries `{FIELD}`"),
            format!("{} went out without it", requests::name(request)),
        ));
    };
    let response = requests::handshake(trace, request)?.response()?;
    let agreed = response.message.value["result"]["protocolVersion"].as_str()?;
    (named != agreed).then(|| {
        Wrong::new(
            NEGOTIATED,
            format!("every {verb} after `initialize` names the version that was agreed upon, {agreed}"),
            format!("{} named `{named}`", requests::name(request)),
        )
    })
}

fn modern(request: &Exchange) -> Option<Wrong> {
    let Some(named) = request.request_field(FIELD) else {
        let observed = format!("{} went out without it", requests::name(request));
        return Some(Wrong::new(EVERY_POST, format!("every POST carries `{FIELD}`"), observed));
    };
    // Where `_meta` names none, another check says so.
    let in_meta = requests::version_in_meta(request)?;
    (named != in_meta).then(|| {
        let observed = format!("{} named `{named}` there, and `{in_meta}` in `_meta`", requests::name(request));
        Wrong::new(MATCHES_META, format!("`{FIELD}` names the version that `_meta` names"), observed)
    })
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("calls-without-version", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2").without_request_field(FIELD);
    }),
    mutant("goodbye-without-version", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.http_method() == "DELETE").without_request_field(FIELD);
    }),
    mutant("listens-without-version", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.http_method() == "GET").without_request_field(FIELD);
    }),
    mutant("another-version", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2").request_field(FIELD, "2024-11-05");
    }),
    mutant("another-version-in-meta", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2" && requests::version_in_meta(exchange).is_some())
            .request_message(|message| {
                message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2027-01-01".into();
            });
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "client/version-header";

    #[test]
    fn initialize_needs_no_version_in_its_header_and_may_have_one() {
        tolerates(ID, Scenario::ClientCalls, |edit| {
            edit.first(|exchange| exchange.rpc_method().as_deref() == Some("initialize"))
                .request_field(FIELD, "2024-11-05");
        });
    }

    #[test]
    fn a_client_that_reads_nothing_does_not_pass() {
        let verdicts = judged_in(ID, Scenario::ClientCalls, |edit| {
            edit.told_nothing(|_| true);
            edit.each(|exchange| exchange.request_field("mcp-session-id").is_some(), |exchange| {
                exchange.without_request_field("mcp-session-id");
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }

    /// A client may not have got far with an answer that we let come late, or in part.
    #[test]
    fn what_was_agreed_in_an_answer_that_a_fault_of_ours_spoilt_was_agreed_with_nobody() {
        use crate::trace::{Event, Harm, What};

        legal(ID, Scenario::ClientCalls, |edit| {
            let initialize = edit.trace().exchanges().find(|e| e.rpc_method().as_deref() == Some("initialize"));
            let Some((conn, seq)) = initialize.map(|exchange| (exchange.conn, exchange.asked.seq)) else { return };
            edit.last(|exchange| exchange.label == "json-2").without_request_field(FIELD);
            let mut events = edit.trace().events.clone();
            let behind = events.iter().position(|e| e.seq > seq && e.what.conn() == Some(conn)).unwrap_or(0);
            let (fault, how) = ("stall=1s".to_owned(), "nothing goes on".to_owned());
            let what = What::FaultApplied { conn, fault, offset: 1, how, harm: Harm::Exchange };
            events.insert(behind, Event { what, ..events[behind].clone() });
            edit.replace(events);
        });
    }
}
