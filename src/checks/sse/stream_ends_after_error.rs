//! # The stream ends after an error
//!
//! A JSON-RPC error answers its request as a result does: after it the server SHOULD end the stream as well.
//! Servers that take only a result for the end of a request leave the stream of every failed call open, and
//! with it a socket and a router entry.
//!
//! As with results, only whether the end came within the grace is asked (`--stream-end-grace`, 2 s unless set).
//!
//! ## How to fix it
//! Close the per-request channel whenever a message with the id of the request has been written, whether it
//! holds `result` or `error`; also where the error is made before a handler runs (unknown tool, bad parameters).

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
    needs: "a request that is answered with a JSON-RPC error on an event stream",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::stream_ends(trace, judge, MessageKind::Error);
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("terminator-never-comes", Scenario::SequentialCalls, |edit| {
        edit.last(|exchange| super::streams(exchange, MessageKind::Error))
            .drop_end()
            .watched_for(std::time::Duration::from_secs(3));
    }),
    mutant("reset-instead-of-an-end", Scenario::SequentialCalls, |edit| {
        edit.last(|exchange| super::streams(exchange, MessageKind::Error))
            .drop_end()
            .then_ends(crate::trace::PeerEnd::Reset);
    }),
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::checks::proofs::tolerates;
    use crate::scenario::Scenario;
    use crate::trace::{MessageKind, PeerEnd};

    const ID: &str = "sse/stream-ends-after-error";

    #[test]
    fn a_stream_may_end_with_its_connection() {
        tolerates(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| super::super::streams(exchange, MessageKind::Error)).drop_end().then_ends(PeerEnd::Fin);
        });
    }

    #[test]
    fn a_stream_that_we_did_not_watch_for_the_whole_grace_says_nothing() {
        tolerates(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| super::super::streams(exchange, MessageKind::Error))
                .drop_end()
                .watched_for(Duration::from_millis(200));
        });
    }
}
