//! # An answer may end with its connection
//!
//! Without a length and without chunks, an answer lasts until the server closes: servers on HTTP/1.0 and some proxies
//! know nothing else. A client that insists on a length cannot talk to them.
//!
//! ## How to fix it
//! Where an answer has neither `Content-Length` nor `Transfer-Encoding`, read it until the connection is closed in order.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientHttp),
    cites: &[UNTIL_CLOSE],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const UNTIL_CLOSE: Cite = Cite::Clause("http11.client.close-delimited");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read_stream(trace, judge, "close-stream", UNTIL_CLOSE, "that lasts until the connection is closed");
    super::read_json(trace, judge, "close-json", UNTIL_CLOSE, "that lasts until the connection is closed");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("a-length-is-required", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "close-stream", None);
    }),
];
