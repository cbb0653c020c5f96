//! # Annotated parameters go into header fields
//!
//! Where the schema of a tool says `x-mcp-header`, the argument is repeated in `Mcp-Param-*`, so that gateways can
//! route by it; without an argument there is no field. A server refuses a call in which they differ: a client that does
//! not know the annotation cannot call such a tool at all.
//!
//! ## How to fix it
//! Keep the schemas of `tools/list`, and set `Mcp-Param-{name}` from the argument of each annotated property, encoded
//! as `client/headers/encoding` says; leave the field out where the argument is missing or `null`.

use serde_json::Value;

use super::{decoded, needs_base64};
use crate::catalogue::{Check, Kind};
use crate::checks::client::requests::{self, Wrong, look_at};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Message, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientHeaders),
    cites: &[MIRRORED, OMITTED],
    revisions: &[Revision::R20260728],
    elsewhere: super::ELSEWHERE,
    needs: "calls of a tool with an annotated parameter",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const MIRRORED: Cite = Cite::Clause("headers.param.client-mirror");
const OMITTED: Cite = Cite::Clause("headers.param.client-omit-absent");

/// The field of the annotated parameter of our tool `lookup`.
pub(super) const FIELD: &str = "Mcp-Param-Region";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    // Who has not seen the schema cannot know.
    let listed = requests::modern(trace)
        .filter(|request| request.rpc_method().as_deref() == Some("tools/list"))
        .find_map(Exchange::response);
    let Some(listed) = listed else {
        judge.not_exercised("the client did not ask for the list of tools");
        return;
    };
    let calls = requests::modern(trace)
        .filter(|request| lookup(request).is_some() && request.asked.seq > listed.moment.seq);
    look_at(trace, judge, calls, wrong);
}

/// A call of the tool with an annotated parameter.
fn lookup(request: &Exchange) -> Option<Message> {
    let message = requests::request(request)?;
    (message.method() == Some("tools/call") && message.value["params"]["name"] == "lookup").then_some(message)
}

/// The argument that goes into a header field.
pub(super) fn region(request: &Exchange) -> Option<String> {
    lookup(request)?.value["params"]["arguments"].get("region").and_then(Value::as_str).map(str::to_owned)
}

fn wrong(request: &Exchange) -> Option<Wrong> {
    let sent = request.request_field(FIELD);
    let Some(region) = region(request) else {
        let sent = sent?;
        let expected = format!("without an argument there is no `{FIELD}`");
        return Some(Wrong::new(OMITTED, expected, format!("the call went out with `{FIELD}: {sent}`")));
    };
    let observed = match sent {
        Some(sent) if needs_base64(&region) || decoded(&sent).is_some_and(|value| value == region) => return None,
        Some(sent) => format!("the call with {region:?} went out with `{FIELD}: {sent}`"),
        None => format!("the call with {region:?} went out without it"),
    };
    Some(Wrong::new(MIRRORED, format!("`{FIELD}` repeats the argument that is annotated so"), observed))
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("none", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "plain").without_request_field(FIELD);
    }),
    mutant("another", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "plain").request_field(FIELD, "Linz");
    }),
    mutant("null-for-nothing", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "absent").request_field(FIELD, "null");
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "client/headers/parameters";

    #[test]
    fn a_plain_value_may_have_the_base64_form_too() {
        tolerates(ID, Scenario::ClientHeaders, |edit| {
            edit.last(|exchange| exchange.label == "plain").request_field(FIELD, "=?base64?R3Jheg==?=");
        });
    }

    #[test]
    fn who_has_not_seen_the_schema_cannot_know() {
        let verdicts = judged_in(ID, Scenario::ClientHeaders, |edit| {
            edit.last(|exchange| exchange.label == "tools/list").never_asked();
            edit.last(|exchange| exchange.label == "plain").without_request_field(FIELD);
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
