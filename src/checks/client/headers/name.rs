//! # `Mcp-Name` says what is called
//!
//! With `tools/call` and `prompts/get` it repeats the name, with `resources/read` the URI. Gateways route and grant
//! access by it; a server refuses a request in which it is missing, or says something else than the body.
//!
//! In which form names go there that no header field can carry as they are is the matter of `client/headers/encoding`.
//!
//! ## How to fix it
//! Set `Mcp-Name` from `params.name` or `params.uri` of the message that is sent, in the place where it is turned into
//! a POST.

use serde_json::Value;

use super::{decoded, needs_base64};
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
    needs: "a client that calls tools",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("headers.mcp-name");

pub(super) const FIELD: &str = "Mcp-Name";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let named = requests::modern(trace).filter(|request| named(request).is_some());
    look_at(trace, judge, named, wrong);
}

/// What the field has to repeat, where it has to.
pub(super) fn named(request: &Exchange) -> Option<String> {
    let message = requests::request(request)?;
    let source = match message.method()? {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => return None,
    };
    message.value["params"].get(source).and_then(Value::as_str).map(str::to_owned)
}

fn wrong(request: &Exchange) -> Option<Wrong> {
    let named = named(request)?;
    let observed = match request.request_field(FIELD) {
        Some(field) if needs_base64(&named) || decoded(&field).is_some_and(|value| value == named) => return None,
        Some(field) => format!("a call of `{named}` went out with `{FIELD}: {field}`"),
        None => format!("a call of `{named}` went out without it"),
    };
    Some(Wrong::new(CLAUSE, format!("`{FIELD}` of every call names what is called"), observed))
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("none", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2").without_request_field(FIELD);
    }),
    mutant("another", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2" && exchange.request_field(FIELD).is_some())
            .request_field(FIELD, "lookup");
    }),
    mutant("none-for-the-difficult", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "non-ascii-name").without_request_field(FIELD);
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    #[test]
    fn a_plain_name_may_have_the_base64_form_too() {
        tolerates("client/headers/name", Scenario::ClientCalls, |edit| {
            edit.last(|exchange| exchange.label == "json-2").request_field(FIELD, "=?base64?YWRkX251bWJlcnM=?=");
        });
    }
}
