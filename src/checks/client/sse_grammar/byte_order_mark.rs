//! # A byte order mark is passed over
//!
//! Some servers put one in front of what they write. A client that takes it for a part of the first field's name loses
//! the first event of the stream, which is often the only one.
//!
//! ## How to fix it
//! Drop the bytes EF BB BF at the very beginning of a stream, also when they come in several reads.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[BYTE_ORDER_MARK],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const BYTE_ORDER_MARK: Cite = Cite::Clause("sse.parse.bom");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "mark-", BYTE_ORDER_MARK, "with a byte order mark at its beginning");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-mark-is-kept", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "mark-whole", None);
    }),
];
