//! # JSON and event streams are both understood, for every request
//!
//! A server answers each request in the form that it likes, and clients have to understand both. Those that were tried
//! with one server often know one form for `initialize` and the other for calls, and break with the next server.
//!
//! ## How to fix it
//! Read the answer to any request by its `Content-Type`, in one place, and hand the message to whoever waits for it.

use crate::catalogue::{Check, Kind};
use crate::checks::client::caller;
use crate::scenario::Scenario;
use crate::spec::{Era, Revision};
use crate::trace::{Exchange, Trace};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientHttp),
    cites: &[BOTH],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const BOTH: Cite = Cite::Clause("http.post.client-supports-both");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    handshake(trace, judge);
    list(trace, judge);
    // Each of the two shows that the other one would have been got.
    super::read_stream(trace, judge, super::JSON, BOTH, "to a call in JSON");
    super::read_json(trace, judge, super::STREAM, BOTH, "to a call in an event stream");
}

/// `initialize` or `server/discover`, answered with a stream. Who goes on has read it, and who ends has not.
fn handshake(trace: &Trace, judge: &mut Judge<'_>) {
    let is_handshake = |exchange: &&Exchange| {
        matches!(exchange.rpc_method().as_deref(), Some("initialize" | "server/discover"))
            && exchange.is_streamed()
            && exchange.response().is_some()
    };
    let Some(asked) = trace.exchanges().find(is_handshake) else { return };
    let (observed, seq) = match trace.told("connect") {
        Some(told) if told.outcome.is_err() => {
            (format!("the caller could not connect: {}", caller::words(&told)), told.moment.seq)
        }
        _ if trace.understood() => return judge.examined(),
        // Anybody can say so.
        Some(_) => return,
        // Whether it needed the answer, nobody knows.
        None if trace.revision().era() == Era::Modern => return,
        None => {
            let (how, seq) = caller::how_it_ended(trace).unwrap_or_default();
            (format!("the client did not go on: {how}"), seq)
        }
    };
    judge.examined();
    let method = asked.rpc_method().unwrap_or_default();
    judge
        .finding(BOTH, format!("the client reads a stream in answer to `{method}`"), observed)
        .shown_by(asked)
        .event(seq);
}

/// `tools/list`, answered with a stream.
fn list(trace: &Trace, judge: &mut Judge<'_>) {
    let is_list = |exchange: &&Exchange| {
        exchange.rpc_method().as_deref() == Some("tools/list") && exchange.is_streamed() && exchange.response().is_some()
    };
    let (Some(asked), Some(told)) = (trace.exchanges().find(is_list), trace.told("tools")) else { return };
    let observed = match &told.outcome {
        Ok(result) if result["tools"].as_array().is_some_and(|tools| !tools.is_empty()) => {
            if trace.understood() {
                judge.examined();
            }
            return;
        }
        Ok(_) => "the caller got no tools".to_owned(),
        Err(_) => format!("the caller got an error: {}", caller::words(&told)),
    };
    judge.examined();
    judge
        .finding(BOTH, "the client reads a stream in answer to `tools/list`", observed)
        .shown_by(asked)
        .event(told.moment.seq);
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("initialize-must-be-json", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "connect", None);
    }),
    mutant("lists-must-be-json", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "tools", None);
    }),
    mutant("calls-must-be-streams", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "form-json", None);
    }),
    mutant("calls-must-be-json", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "form-stream", None);
    }),
    mutant("the-client-ends-at-the-stream", Scenario::ClientHttp, |edit| {
        if edit.trace().revision().era() == Era::Modern {
            return;
        }
        edit.told_nothing(|_| true);
        edit.each(|exchange| exchange.rpc_method().as_deref() != Some("initialize"), |exchange| {
            exchange.never_asked();
        });
    }),
];
