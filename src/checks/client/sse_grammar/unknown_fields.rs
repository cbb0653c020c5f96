//! # Fields are told apart by their exact names
//!
//! A name ends at the first colon, one blank after that is dropped, and a line without a colon is a name without a
//! value. What is not exactly `event`, `data`, `id` or `retry` is ignored: that is how the format can grow. A client that
//! is stricter breaks with the next version of a server; one that is laxer reads data that is none.
//!
//! ## How to fix it
//! Split a line at its first colon, drop one blank, compare the name letter by letter, and ignore any other field.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[NAMES, FIRST_COLON, NO_COLON],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const NAMES: Cite = Cite::Clause("sse.parse.field-names-exact");
const FIRST_COLON: Cite = Cite::Clause("sse.parse.first-colon");
const NO_COLON: Cite = Cite::Clause("sse.parse.no-colon");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "unknown-", NAMES, "with fields of other names beside `data`");
    super::read(trace, judge, "without-blank", FIRST_COLON, "without a blank behind the colon");
    super::read(trace, judge, "colons-within", FIRST_COLON, "with colons in the values of its fields");
    super::read(trace, judge, "without-colon", NO_COLON, "with lines that have no colon");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("an-unknown-field-is-an-error", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "unknown-name", None);
    }),
    mutant("letter-case-is-ignored", Scenario::ClientSseGrammar, |edit| {
        edit.told_text("unknown-case", super::POISON);
    }),
    mutant("a-blank-is-required", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "without-blank", None);
    }),
];
