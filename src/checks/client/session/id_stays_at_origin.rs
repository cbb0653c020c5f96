//! # The id of the session stays at its origin
//!
//! Whoever knows the id of a session can go on in it. A client that is redirected to another origin, by a proxy or by
//! somebody who would like to have that id, and takes its header fields along, gives it away; `Authorization` likewise.
//! Libraries that follow redirects by themselves take fields along that they do not know for secrets.
//!
//! A client that follows no redirect is in order. It is advice: 2025-11-25 demands that clients handle the id in a secure
//! manner, and leaves open what that is.
//!
//! ## How to fix it
//! Do not let the HTTP library follow redirects to another scheme, host or port by itself; where they are followed,
//! drop `Mcp-Session-Id` and `Authorization` first.

use super::FIELD;
use crate::catalogue::{Check, Kind};
use crate::checks::client::reads_answers;
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientRedirect),
    cites: &[Cite::Advice],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "a call that is redirected",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// Cookies are not among them: they belong to a host, whatever the port.
const SECRETS: [&str; 2] = [FIELD, "Authorization"];

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if !trace.labelled("redirected").any(|exchange| exchange.status() == Some(307)) {
        return;
    }
    let mut is_secret_kept = true;
    for exchange in trace.labelled("elsewhere") {
        let taken: Vec<&str> =
            SECRETS.into_iter().filter(|field| exchange.request_field(field).is_some()).collect();
        if taken.is_empty() {
            continue;
        }
        is_secret_kept = false;
        judge.examined();
        let observed = format!("the request to the other origin carried `{}`", taken.join("` and `"));
        judge
            .finding(Cite::Advice, "what identifies the session stays behind where a redirect leads to another origin", observed)
            .shown_by(exchange);
    }
    if is_secret_kept && reads_answers(trace, judge) {
        judge.examined();
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("takes-the-id-along", Scenario::ClientRedirect, |edit| {
        edit.first(|exchange| exchange.label == "elsewhere").request_field(FIELD, "0123456789");
    }),
    mutant("takes-the-password-along", Scenario::ClientRedirect, |edit| {
        edit.first(|exchange| exchange.label == "elsewhere").request_field("Authorization", "Bearer 0123456789");
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    #[test]
    fn a_client_that_follows_no_redirect_is_in_order() {
        tolerates("client/session/id-stays-at-origin", Scenario::ClientRedirect, |edit| {
            edit.first(|exchange| exchange.label == "elsewhere").never_asked();
        });
    }
}
