//! # A body is labelled as JSON
//!
//! Without `Content-Type` a server has to guess what a body is, and most do not: they answer 415 or 400.
//!
//! ## How to fix it
//! Send `Content-Type: application/json` with every POST.

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
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that makes requests",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("http.post.request-content-type");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let with_body = requests::posts(trace).filter(|request| !request.request_body.is_empty());
    look_at(trace, judge, with_body, wrong);
}

fn wrong(request: &Exchange) -> Option<Wrong> {
    let value = request.request_field("content-type");
    let media_type = value.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return None;
    }
    let label = value.as_ref().map_or("no `Content-Type`".to_owned(), |value| format!("`Content-Type: {value}`"));
    let observed = format!("{} went out with {label}", requests::name(request));
    Some(Wrong::new(CLAUSE, "every POST says `Content-Type: application/json`", observed))
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("none", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2").without_request_field("content-type");
    }),
    mutant("another", Scenario::ClientCalls, |edit| {
        edit.first(|exchange| exchange.http_method() == "POST").request_field("Content-Type", "text/plain");
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    #[test]
    fn parameters_and_capitals_are_free() {
        tolerates("client/headers/content-type", Scenario::ClientCalls, |edit| {
            edit.each(|exchange| exchange.http_method() == "POST", |exchange| {
                exchange.request_field("content-type", "Application/JSON; charset=utf-8");
            });
        });
    }
}
