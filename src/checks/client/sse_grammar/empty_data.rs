//! # An event without data is no message
//!
//! Since 2025-11-25 servers prime a stream with an id and empty data, and frameworks send empty events to keep a
//! connection alive. A client that parses the empty text as JSON gives up a stream that is in order.
//!
//! ## How to fix it
//! Take over the id of an event whose data is empty, and pass over the rest of it.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[EMPTY],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const EMPTY: Cite = Cite::Clause("sse.parse.empty-data");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "empty-", EMPTY, "behind events with empty data");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("empty-data-is-an-error", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "empty-first", None);
    }),
];
