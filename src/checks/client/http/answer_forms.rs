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
use crate::trace::edit::{Edit, Mutant, mutant};
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
    // A session id that it can have from nowhere else: what went wrong later is another matter.
    if trace.exchanges().any(|exchange| trace.in_session(exchange)) {
        return judge.examined();
    }
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
    let got_tools = |result: &serde_json::Value| result["tools"].as_array().is_some_and(|tools| !tools.is_empty());
    if told.outcome.as_ref().is_ok_and(got_tools) && !trace.understood() {
        return;
    }
    judge.examined();
    let observed = match &told.outcome {
        Ok(result) if got_tools(result) => return,
        Ok(_) => "the caller got no tools".to_owned(),
        Err(_) => format!("the caller got an error: {}", caller::words(&told)),
    };
    judge
        .finding(BOTH, "the client reads a stream in answer to `tools/list`", observed)
        .shown_by(asked)
        .event(told.moment.seq);
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("initialize-must-be-json", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "connect", None);
        stops_at_the_handshake(edit);
    }),
    mutant("it-ends-at-the-stream", Scenario::ClientHttp, |edit| {
        if edit.trace().revision().era() == Era::Legacy {
            edit.told_nothing(|_| true);
            stops_at_the_handshake(edit);
        }
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
];

#[cfg(test)]
fn stops_at_the_handshake(edit: &mut Edit) {
    let is_handshake = |label: &str| matches!(label, "initialize" | "server/discover");
    edit.each(
        |exchange| !is_handshake(&exchange.label),
        |exchange| {
            exchange.never_asked();
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "client/http/answer-forms";

    #[test]
    fn a_client_that_knows_neither_form_of_a_call_shows_nothing_of_them() {
        let verdicts = judged_in(ID, Scenario::ClientHttp, |edit| {
            edit.told_error(|step| step.starts_with("form-"), None);
            edit.told_nothing(|step| !step.starts_with("form-"));
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict != Verdict::Fail), "{verdicts:?}");
    }

    #[test]
    fn nobody_has_to_list_the_tools() {
        tolerates(ID, Scenario::ClientHttp, |edit| {
            edit.told_nothing(|step| step == "tools");
            edit.first(|exchange| exchange.label == "tools/list").never_asked();
        });
    }
}
