//! # A large response is read
//!
//! A tool that returns an image or a file answers with megabytes on one line. The format has no limit, and a client may
//! have one to protect itself; one below 2 MiB breaks tools that are in use. That is advice.
//!
//! ## How to fix it
//! Raise the limit on the size of a line or an event, or let the application set it.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "large-event", Cite::Advice, "of 2 MiB");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("there-is-a-limit", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "large-event", None);
    }),
];
