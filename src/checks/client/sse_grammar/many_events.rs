//! # A stream may have many events
//!
//! A call that takes an hour has thousands of keep-alives and pings before its response, and they may arrive together. A
//! client that counts them, or keeps them all, loses just the calls that took longest. One whose reader calls itself for
//! each event that it ignores runs out of stack, and takes the whole process along.
//!
//! ## How to fix it
//! Forget an event once it is dispatched or ignored, put no limit on their number, and read the next one in a loop.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[DISPATCH],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const DISPATCH: Cite = Cite::Clause("sse.parse.blank-line-dispatch");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "many-events", DISPATCH, "behind some thousand events and comments, many of them in one burst");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("there-is-a-limit", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "many-events", None);
    }),
];
