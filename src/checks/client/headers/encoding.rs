//! # What no header field can carry goes there in Base64
//!
//! Names and arguments are any text, header fields are ASCII without blanks at their ends. A value beyond that goes
//! there as `=?base64?…?=`, and so does one that looks like this form itself. Sent as it is, it is cut, changed or
//! refused on its way, or taken for something else by whoever decodes it; with a line break in it, it forges further
//! header fields.
//!
//! ## How to fix it
//! Encode every value that goes into `Mcp-Name` or `Mcp-Param-*`: standard Base64 with padding over its UTF-8, between
//! `=?base64?` and `?=`, where it is not plain ASCII, begins or ends with a blank, or has this form already.

use super::{decoded, inner, name, needs_base64, parameters};
use crate::catalogue::{Check, Kind};
use crate::checks::client::requests::{self, Wrong, look_at};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientHeaders),
    cites: &[OF_NAME, OF_PARAMETER, LIKE_BASE64],
    revisions: &[Revision::R20260728],
    elsewhere: super::ELSEWHERE,
    needs: "calls with names or arguments that no header field can carry as they are",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const OF_NAME: Cite = Cite::Clause("headers.mcp-name.base64");
const OF_PARAMETER: Cite = Cite::Clause("headers.enc.base64-unsafe");
const LIKE_BASE64: Cite = Cite::Clause("headers.enc.escape-sentinel");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let in_question = requests::modern(trace).filter(|request| in_question(request).is_some());
    look_at(trace, judge, in_question, wrong);
}

/// A field whose value has to be encoded, that value, and the rule. A field that is missing is another check's matter.
fn in_question(request: &Exchange) -> Option<(&'static str, String, Cite)> {
    let candidates =
        [(name::FIELD, name::named(request), OF_NAME), (parameters::FIELD, parameters::region(request), OF_PARAMETER)];
    candidates.into_iter().find_map(|(field, value, cite)| {
        let value = value.filter(|value| needs_base64(value) && request.request_field(field).is_some())?;
        let cite = if inner(&value).is_some() { LIKE_BASE64 } else { cite };
        Some((field, value, cite))
    })
}

fn wrong(request: &Exchange) -> Option<Wrong> {
    let (field, value, cite) = in_question(request)?;
    let sent = request.request_field(field)?;
    if inner(&sent).is_some() && decoded(&sent).is_some_and(|decoded| decoded == value) {
        return None;
    }
    let expected = format!("`{field}` carries {value:?} as `=?base64?…?=`");
    Some(Wrong::new(cite, expected, format!("it went out as {sent:?}")))
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("raw-name", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "non-ascii-name").request_field(name::FIELD, "grüße");
    }),
    mutant("raw-parameter", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "non-ascii").request_field(parameters::FIELD, "Zürich");
    }),
    mutant("blanks-are-lost", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "padded").request_field(parameters::FIELD, " Graz ");
    }),
    mutant("the-form-itself-as-it-is", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "like-base64").request_field(parameters::FIELD, "=?base64?Graz?=");
    }),
    mutant("percent-encoded", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "non-ascii").request_field(parameters::FIELD, "Z%C3%BCrich");
    }),
    mutant("capitals", Scenario::ClientHeaders, |edit| {
        edit.last(|exchange| exchange.label == "non-ascii").request_field(parameters::FIELD, "=?BASE64?WsO8cmljaA==?=");
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    #[test]
    fn a_field_that_is_missing_is_another_checks_matter() {
        tolerates("client/headers/encoding", Scenario::ClientHeaders, |edit| {
            edit.last(|exchange| exchange.label == "non-ascii").without_request_field(parameters::FIELD);
        });
    }
}
