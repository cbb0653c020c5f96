//! # Every request says who asks, and what that client can do
//!
//! Revision 2026-07-28 has no handshake: each request carries the version and the capabilities of the client in
//! `_meta`, and a server refuses one that lacks them. It should name the client as well, so that whoever runs the
//! server sees who calls.
//!
//! ## How to fix it
//! Add `io.modelcontextprotocol/protocolVersion`, `io.modelcontextprotocol/clientCapabilities` and
//! `io.modelcontextprotocol/clientInfo` to `params._meta` of every request, also of those that have no other
//! parameters.

use serde_json::Value;

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
    cites: &[REQUIRED, CLIENT_INFO],
    revisions: &[Revision::R20260728],
    elsewhere: "in this revision the handshake says who asks",
    needs: "a client that makes requests",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const REQUIRED: Cite = Cite::Clause("meta.request.required-fields");
const CLIENT_INFO: Cite = Cite::Clause("meta.client-info");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    look_at(trace, judge, requests::modern(trace), wrong);
}

fn wrong(request: &Exchange) -> Option<Wrong> {
    let meta = requests::request(request)?.value["params"]["_meta"].clone();
    let of = |key: &str| &meta[format!("io.modelcontextprotocol/{key}")];
    let is_info = |info: &Value| info["name"].is_string() && info["version"].is_string();
    let fields = [
        (REQUIRED, "protocolVersion", of("protocolVersion").is_string()),
        (REQUIRED, "clientCapabilities", of("clientCapabilities").is_object()),
        (CLIENT_INFO, "clientInfo", is_info(of("clientInfo"))),
    ];
    let (cite, key, _) = fields.into_iter().find(|(_, _, is_there)| !is_there)?;
    let what = match (&meta, of(key)) {
        (Value::Null, _) => "without `_meta`".to_owned(),
        (_, Value::Null) => "without it".to_owned(),
        (_, value) => format!("with {value} there"),
    };
    let expected = format!("`_meta` of every request has `io.modelcontextprotocol/{key}`");
    Some(Wrong::new(cite, expected, format!("{} went out {what}", requests::name(request))))
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("none", Scenario::ClientCalls, |edit| {
        without(edit, |meta| *meta = Value::Null);
    }),
    mutant("no-capabilities", Scenario::ClientCalls, |edit| {
        without(edit, |meta| meta["io.modelcontextprotocol/clientCapabilities"] = Value::Null);
    }),
    mutant("no-version", Scenario::ClientCalls, |edit| {
        without(edit, |meta| meta["io.modelcontextprotocol/protocolVersion"] = Value::Null);
    }),
    mutant("anonymous", Scenario::ClientCalls, |edit| {
        without(edit, |meta| meta["io.modelcontextprotocol/clientInfo"] = Value::Null);
    }),
];

#[cfg(test)]
fn without(edit: &mut crate::trace::edit::Edit, take: fn(&mut Value)) {
    let with_meta = |exchange: &Exchange| requests::version_in_meta(exchange).is_some() && exchange.label == "json-2";
    edit.last(with_meta).request_message(|message| take(&mut message["params"]["_meta"]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    #[test]
    fn further_keys_are_free() {
        tolerates("client/headers/meta", Scenario::ClientCalls, |edit| {
            edit.last(|exchange| exchange.label == "json-2").request_message(|message| {
                message["params"]["_meta"]["progressToken"] = 7.into();
                message["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = "debug".into();
            });
        });
    }
}
