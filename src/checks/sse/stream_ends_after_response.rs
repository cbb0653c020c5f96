//! # The stream ends after its response
//!
//! A POST that is answered by an event stream gets one response on it. After the response the server SHOULD
//! end the stream. A stream that is left open costs a socket and a router entry per call, and keeps every
//! client waiting that reads an answer to its end before it uses the connection again.
//!
//! How long the end took is a measurement; this check only asks whether it came within the grace
//! (`--stream-end-grace`, 2 s unless set).
//!
//! ## How to fix it
//! Close the per-request channel when the response has been written, not when the session ends.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{MessageKind, Trace};
use crate::verdict::{Cite, Judge};


pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SequentialCalls]),
    cites: &[Cite::Clause("http.post.sse.close-after-response")],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a request that is answered with a result on an event stream",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::stream_ends(trace, judge, MessageKind::Result);
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("terminator-never-comes", Scenario::SequentialCalls, |edit| {
        edit.last(|exchange| super::streams(exchange, MessageKind::Result))
            .drop_end()
            .watched_for(std::time::Duration::from_secs(3));
    }),
];
