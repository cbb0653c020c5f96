//! # In 2026-07-28 no stream is resumed
//!
//! A broken stream loses its request: there is no GET any more, and resumption by `Last-Event-ID` is not supported. A
//! client that asks for the rest all the same asks in vain, and its caller waits meanwhile. No text forbids it, and
//! only a server that still sends event ids brings it out: it is a matter of advice. Whoever makes the request again
//! makes a new one, under a new id, since the server may still be at work on the other; to leave that to the caller is
//! legal.
//!
//! ## How to fix it
//! Tie resumption to the revision that is spoken, not to the event ids that a server may still send. Tell the caller
//! that the call was lost, or make it again under a new id where that does no harm.

use super::resumptions;
use crate::catalogue::{Check, Kind};
use crate::checks::client::{calls_like, reads_answers};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientResumption),
    cites: &[CLAUSE, Cite::Advice],
    revisions: &[Revision::R20260728],
    elsewhere: "streams can be resumed in this revision",
    needs: "a client that makes a call, and goes on for half a second after its answer broke off",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("resume.client.reissue-new-id");

const LABEL: &str = "broken";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let calls: Vec<&Exchange> = calls_like(trace, LABEL).collect();
    let Some((first, again)) = calls.split_first() else { return };
    let gets: Vec<&Exchange> = resumptions(trace, LABEL).collect();
    if let Some(get) = gets.first() {
        let id = get.request_field("last-event-id").unwrap_or_default();
        let observed = match gets.len() {
            1 => format!("a GET with `Last-Event-ID: {id}` came"),
            more => format!("a GET with `Last-Event-ID: {id}` came, the first of {more}"),
        };
        judge.finding(Cite::Advice, "nobody asks for the rest of a broken stream", observed).shown_by(first).shown_by(get);
    }
    for again in again {
        if again.request_id() == first.request_id() {
            let observed = format!("it was made again under the id {}", spelt(again));
            judge
                .finding(CLAUSE, "a request that is made again has a new id", observed)
                .shown_by(first)
                .shown_by(again);
        }
    }
    let later = |exchange: &Exchange| exchange.asked.seq > first.asked.seq && exchange.label == "behind";
    if !trace.exchanges().any(later) {
        return judge.not_exercised("the client made no call after the one whose answer broke off");
    }
    if reads_answers(trace, judge) {
        judge.examined();
    }
}

fn spelt(exchange: &Exchange) -> String {
    exchange.request_id().map(|id| id.to_string()).unwrap_or_default()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("resumed", Scenario::ClientResumption, |edit| {
        let get = b"GET /mcp HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: broken/1\r\n\r\n";
        edit.client_asks("GET", get, b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
    }),
    mutant("made-again-under-the-same-id", Scenario::ClientResumption, |edit| edit.client_repeats(LABEL)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    const ID: &str = "client/resumption/not-in-modern";

    #[test]
    fn a_request_may_be_made_again_under_a_new_id() {
        tolerates(ID, Scenario::ClientResumption, |edit| {
            edit.client_repeats(LABEL);
            edit.last(|exchange| exchange.label == LABEL).request_message(|message| message["id"] = "new".into());
        });
    }
}
