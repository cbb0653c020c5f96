//! # Bad ids and retry times are ignored
//!
//! An id with a NUL in it is none, and a retry time is made of digits alone. A client that takes half of such an id for
//! one asks for the wrong part of a stream; one that objects loses a response that is there.
//!
//! ## How to fix it
//! Keep the last event id that had no NUL in it, and the last retry time that was made of digits; ignore the others
//! without a word.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::{Exchange, Trace};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[ID, RETRY],
    revisions: &Revision::LEGACY,
    elsewhere: "streams are not resumed in 2026-07-28",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const ID: Cite = Cite::Clause("sse.parse.id-buffer");
const RETRY: Cite = Cite::Clause("sse.parse.retry-digits");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "ids-with-nul", ID, "with a NUL in the id of its event");
    super::read(trace, judge, "ids-and-bad-retry", RETRY, "with retry times that are not made of digits");
    // Nobody has to resume a stream; who does names the last id that is one.
    for exchange in trace.exchanges().filter(|exchange| exchange.http_method() == "GET") {
        let Some(named) = exchange.request_field("last-event-id") else { continue };
        let valid = valid_ids(trace, exchange);
        judge.examined();
        if !valid.iter().any(|id| *id == named) {
            judge
                .finding(
                    ID,
                    "a stream is resumed after the last event whose id has no NUL in it",
                    format!("the client asked for what follows `{}`", named.escape_debug()),
                )
                .shown_by(exchange);
        }
    }
}

/// The last valid ids of the streams that began before this request.
fn valid_ids<'t>(trace: &'t Trace, before: &Exchange) -> Vec<&'t str> {
    let earlier = trace.exchanges().filter(|exchange| exchange.asked.seq < before.asked.seq);
    earlier.filter_map(|exchange| exchange.answer.as_ref()?.stream.as_ref()?.last_event_id()).collect()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("a-nul-is-an-error", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "ids-with-nul", None);
    }),
    mutant("a-sign-is-an-error", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "ids-and-bad-retry", None);
    }),
    mutant("half-an-id-is-kept", Scenario::ClientSseGrammar, |edit| {
        edit.last(|exchange| exchange.label == "resumption").request_field("Last-Event-ID", "cut");
    }),
];
