//! # Lines end with LF, CRLF or CR
//!
//! Servers on Windows and some frameworks write CRLF, and CR alone is as good. A client that knows only LF waits for a
//! blank line that never comes: the response is there, and its caller runs into a time-out.
//!
//! ## How to fix it
//! End a line at CR, LF or CRLF, in any mixture, and at a CR at once: an LF that follows it belongs to it, also when it
//! comes with the next read.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[LINE_ENDINGS],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const LINE_ENDINGS: Cite = Cite::Clause("sse.parse.line-endings");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "lines-lf", LINE_ENDINGS, "with LF at the end of its lines");
    super::read(trace, judge, "lines-crlf", LINE_ENDINGS, "with CRLF at the end of its lines");
    super::read(trace, judge, "lines-cr-alone", LINE_ENDINGS, "with CR at the end of its lines");
    super::read(trace, judge, "lines-cr-at-the-end", LINE_ENDINGS, "with CR at its very end");
    super::read(trace, judge, "lines-mixed", LINE_ENDINGS, "with all three line ends in turn");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("crlf-is-not-read", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "lines-crlf-in-two", None);
    }),
    mutant("cr-is-not-read", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "lines-cr-at-the-end", None);
    }),
];
