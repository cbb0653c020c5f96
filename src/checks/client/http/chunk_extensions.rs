//! # Chunks are read as they may be written
//!
//! The size of a chunk may have capitals and leading zeros, extensions may stand behind it, and fields behind the last
//! chunk. Few servers write them; proxies do, and an upgrade of one of them breaks a client that is stricter.
//!
//! Node's `fetch` (undici in Node 20) takes two parameters with values, and a backslash in a quoted one, for errors;
//! `node:http` reads them.
//!
//! ## How to fix it
//! Read the size as a hexadecimal number, ignore everything between it and the line end, and read trailer fields up to
//! the empty line. Better still, use an HTTP library that does.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientHttp),
    cites: &[EXTENSIONS, CHUNKED],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const EXTENSIONS: Cite = Cite::Clause("http11.client.ignore-chunk-ext");
const CHUNKED: Cite = Cite::Clause("http11.client.parse-chunked");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read_stream(trace, judge, "chunk-extension-", EXTENSIONS, "in chunks with an extension");
    super::read_stream(trace, judge, "chunk-extensions", EXTENSIONS, "in chunks with several extensions");
    super::read_stream(trace, judge, "chunk-escape", EXTENSIONS, "in chunks with a quotation mark in a quoted extension");
    super::read_stream(trace, judge, "chunk-size-", CHUNKED, "in chunks whose size is spelt otherwise");
    super::read_stream(trace, judge, "chunk-trailers", CHUNKED, "in chunks with trailer fields behind them");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("an-extension-is-an-error", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "chunk-extension-flag", None);
    }),
    mutant("trailers-are-an-error", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "chunk-trailers", None);
    }),
];
