//! # Data may stand on several lines
//!
//! A server that writes indented JSON has to put each line of it into a `data` field of its own. A client that keeps
//! only one of them has no message, or another one.
//!
//! ## How to fix it
//! Join the values of all `data` fields of an event with line feeds, whatever stands between them, and parse the whole
//! at the blank line.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[SEVERAL_LINES],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const SEVERAL_LINES: Cite = Cite::Clause("sse.parse.multi-data");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "data-", SEVERAL_LINES, "that stands on several `data` lines");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("one-line-is-kept", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "data-pretty", None);
    }),
    mutant("another-message-is-read", Scenario::ClientSseGrammar, |edit| {
        edit.told_text("data-apart", super::POISON);
    }),
];
