//! # Comments are passed over
//!
//! Servers and proxies keep streams alive with lines that begin with a colon, before the first event and anywhere
//! after it. A client that stumbles over one loses calls that take long, and only those.
//!
//! ## How to fix it
//! Ignore every line that begins with a colon, wherever it stands; a blank line after it, with no field before, ends no
//! event.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[COMMENTS],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const COMMENTS: Cite = Cite::Clause("sse.parse.comments");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "comment-", COMMENTS, "with comments in it");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("a-comment-is-an-error", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "comment-keep-alive", None);
    }),
];
