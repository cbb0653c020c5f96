//! # An answer may be cut anywhere
//!
//! Segments, reads and chunks end where they like: in a header field, in the size of a chunk, in the middle of a
//! character. A client that decodes each piece by itself works on a fast network with small answers in English, and
//! garbles the rest.
//!
//! ## How to fix it
//! Decode UTF-8 over the whole body, not read by read, and keep what is incomplete until the rest has come.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[CHUNKING, UTF8],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CHUNKING: Cite = Cite::Clause("http11.client.parse-chunked");
const UTF8: Cite = Cite::Clause("sse.parse.utf8");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "split-bytes", CHUNKING, "that comes byte by byte");
    super::read(trace, judge, "split-one-byte-chunks", CHUNKING, "in chunks of one byte");
    super::read(trace, judge, "split-chunks", UTF8, "with the boundary of two chunks within a character");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("bytes-are-too-small", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "split-bytes", None);
    }),
    mutant("characters-are-garbled", Scenario::ClientSseGrammar, |edit| {
        edit.told_text("split-chunks", super::POISON);
    }),
];
