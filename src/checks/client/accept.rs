//! # Accept names what may come
//!
//! A server answers a POST with JSON or with an event stream, as it likes, and a GET with an event stream. The client
//! says in `Accept` that it takes them, by name: servers answer 406 where one is missing, and many look for the two
//! names and nothing else. `*/*` names neither.
//!
//! ## How to fix it
//! Send `Accept: application/json, text/event-stream` with every POST, notifications and responses included, and
//! `Accept: text/event-stream` with every GET.

use super::requests::{Wrong, look_at, name, to_endpoint};
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::{Era, Revision};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::ClientCalls]),
    cites: &[POST, GET],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that makes requests",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const POST: Cite = Cite::Clause("http.post.accept-both");
const GET: Cite = Cite::Clause("http.get.accept-sse");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    // In 2026-07-28 there is nothing to get.
    let has_get = trace.revision().era() == Era::Legacy;
    let asking = to_endpoint(trace).filter(|request| match request.http_method() {
        "POST" => true,
        "GET" => has_get,
        _ => false,
    });
    look_at(trace, judge, asking, wrong);
}

fn wrong(request: &Exchange) -> Option<Wrong> {
    let accept = request.request.as_ref()?.fields.list("accept");
    let (cite, expected, needed) = match request.http_method() {
        "GET" => (GET, "`Accept` of every GET names `text/event-stream`", &["text/event-stream"][..]),
        _ => (
            POST,
            "`Accept` of every POST names both `application/json` and `text/event-stream`",
            &["application/json", "text/event-stream"][..],
        ),
    };
    let is_named = |media_type: &&&str| accept.iter().any(|element| is_acceptable(element, media_type));
    if needed.iter().all(|media_type| is_named(&media_type)) {
        return None;
    }
    let observed = match accept.is_empty() {
        true => format!("{} went out without `Accept`", name(request)),
        false => format!("{} went out with `Accept: {}`", name(request), accept.join(", ")),
    };
    Some(Wrong::new(cite, expected, observed))
}

/// Whether an element names this media type, with a weight other than 0 (RFC 9110, section 12.4.2).
fn is_acceptable(element: &str, media_type: &str) -> bool {
    let mut parts = element.split(';').map(str::trim);
    let is_refused = |parameter: &str| {
        let weight = parameter.split_once('=').filter(|(name, _)| name.trim() == "q");
        weight.and_then(|(_, weight)| weight.trim().parse::<f32>().ok()) == Some(0.0)
    };
    parts.next() == Some(media_type) && !parts.any(is_refused)
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("json-only", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2").request_field("Accept", "application/json");
    }),
    mutant("anything", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2").request_field("Accept", "*/*");
    }),
    mutant("no-streams-please", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "json-2")
            .request_field("Accept", "application/json, text/event-stream;q=0");
    }),
    mutant("nothing", Scenario::ClientCalls, |edit| {
        edit.first(|exchange| exchange.http_method() == "POST").without_request_field("Accept");
    }),
    mutant("json-on-get", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.http_method() == "GET").request_field("Accept", "application/json");
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    #[test]
    fn order_case_weights_and_further_types_are_free() {
        tolerates("client/accept", Scenario::ClientCalls, |edit| {
            edit.each(|exchange| exchange.http_method() == "POST", |exchange| {
                exchange.request_field("accept", "*/*;q=0.1,Text/Event-Stream ; q=0.5, application/json;charset=utf-8");
            });
        });
    }

    #[test]
    fn several_lines_are_one_list() {
        tolerates("client/accept", Scenario::ClientCalls, |edit| {
            edit.last(|exchange| exchange.label == "json-2")
                .request_field("Accept", "application/json\r\nAccept: text/event-stream");
        });
    }
}
