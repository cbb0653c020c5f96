//! # The body is read to its end
//!
//! After the response there is an end of the body to come: the terminator of a chunked body, or nothing but the count
//! of a Content-Length. A client that stops reading at the response can never use the connection again: it closes it
//! (FIN), tears it down (RST, which a server logs as an error), or holds it until it ends. Each costs a TCP connection,
//! and later a TLS handshake, per call.
//!
//! Looked at are bodies whose end comes with the response, right behind it in a segment of its own, and 20 ms later.
//! Giving up on a body that ends 200 ms late is legal; the report says what the client does with one.
//!
//! ## How to fix it
//! Hand the result to the caller at the response, and let the transport read on until the body ends, for a bounded
//! time, before the connection goes back to its pool.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, PeerEnd, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::ClientCalls, Scenario::ClientLateEnd]),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that reads the answers to its calls",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// Longer than a client takes to close what it does not need; the scenario rests for more at its end.
const HELD: Duration = Duration::from_millis(300);

/// The answers whose end is judged, by the beginning of their labels.
const PROMPT: [&str; 4] = ["stream-", "whole-", "counted-", "end-after-20-ms-"];

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if !super::reads_answers(trace, judge) {
        return;
    }
    let is_judged = |exchange: &&Exchange| PROMPT.iter().any(|prefix| exchange.label.starts_with(prefix));
    for exchange in super::calls(trace).filter(is_judged) {
        if is_leaving(trace, exchange) {
            continue;
        }
        judge.examined();
        if let Some((observed, seq)) = given_up(trace, exchange) {
            judge.finding(Cite::Budget, "the body is read to its end", observed).shown_by(exchange).event(seq);
        }
    }
    for exchange in super::calls_like(trace, "end-after-200-ms-") {
        if let Ending::Cut(_, moment) = exchange.ending {
            let after = exchange.response().map(|response| moment.best().since(response.moment.at)).unwrap_or_default();
            judge.remark(format!("a body that ends 200 ms after its response is given up after {}", Span(after)));
        }
    }
}

/// Whether the client ended the connection because it was leaving: it made no further call.
fn is_leaving(trace: &Trace, exchange: &Exchange) -> bool {
    let ended = || trace.connection(exchange.conn).and_then(|connection| connection.ended);
    let cut = match (exchange.ending, ended()) {
        (Ending::Cut(_, moment), _) => moment.seq,
        (Ending::Complete(_), Some((PeerEnd::Reset, moment))) if is_last(trace, exchange) => moment.seq,
        _ => return false,
    };
    !super::calls(trace).any(|later| later.asked.seq > cut)
}

/// What became of a body that was not read to its end.
fn given_up(trace: &Trace, exchange: &Exchange) -> Option<(String, u32)> {
    let response = exchange.response()?;
    let after = |moment: crate::trace::Moment| Span(moment.at.since(response.moment.at));
    match exchange.ending {
        Ending::Cut(PeerEnd::Fin, moment) => {
            Some((format!("the client closed the connection (FIN) {} after the response", after(moment)), moment.seq))
        }
        Ending::Cut(PeerEnd::Reset, moment) => {
            Some((format!("the client reset the connection {} after the response", after(moment)), moment.seq))
        }
        // A reset behind the last answer of a connection means that some of it was never read.
        Ending::Complete(_) if is_last(trace, exchange) => match trace.connection(exchange.conn)?.ended? {
            (PeerEnd::Reset, moment) if moment.seq < ended_by(trace) => Some((
                format!("the client reset the connection {} after the response, with unread bytes", after(moment)),
                moment.seq,
            )),
            _ => None,
        }
        .or_else(|| held(trace, exchange)),
        _ => None,
    }
}

/// Whether the connection of a complete answer was neither used again nor closed, although the client needed
/// connections: what is left unread in it keeps it from both.
fn held(trace: &Trace, exchange: &Exchange) -> Option<(String, u32)> {
    let Ending::Complete(end) = exchange.ending else { return None };
    let mut opened = super::calls(trace).filter(|later| later.asked.seq > end.seq && later.nth == 0);
    // One more connection may be a matter of timing.
    let (_, another) = (opened.next()?, opened.next()?);
    let until = trace.connection(exchange.conn)?.ended.map_or(ended_by(trace), |(_, moment)| moment.seq);
    let last = trace.events.iter().find(|event| event.seq == until).map_or(end.at, |event| event.at);
    let held_for = last.since(end.at);
    (held_for > HELD).then(|| {
        let why = "while new ones were opened for later calls";
        (format!("the client neither used the connection again nor closed it for {}, {why}", Span(held_for)), another.asked.seq)
    })
}

/// The event with which the client had ended: what happens to its connections from then on is the system's doing.
fn ended_by(trace: &Trace) -> u32 {
    super::caller::how_it_ended(trace).map_or(u32::MAX, |(_, seq)| seq)
}

fn is_last(trace: &Trace, exchange: &Exchange) -> bool {
    trace.on_connection(exchange.conn).last().is_some_and(|last| last.nth == exchange.nth)
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("closed-at-the-response", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "stream-3")
            .client_ends_after(PeerEnd::Fin, |exchange| exchange.response().map_or(0, |response| response.moment.seq));
    }),
    mutant("reset-at-the-response", Scenario::ClientCalls, |edit| {
        edit.last(|exchange| exchange.label == "stream-3")
            .client_ends_after(PeerEnd::Reset, |exchange| exchange.response().map_or(0, |response| response.moment.seq));
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::legal;

    #[test]
    fn a_client_that_leaves_may_give_its_last_answer_up() {
        legal("client/body-drained", Scenario::ClientLateEnd, |edit| {
            let last = edit.trace().exchanges().find(|exchange| exchange.label == "end-after-20-ms-1");
            let Some(after) = last.map(|exchange| exchange.asked.seq) else { return };
            while super::super::calls(edit.trace()).any(|exchange| exchange.asked.seq > after) {
                edit.last(|exchange| exchange.asked.seq > after && exchange.label != "end-after-20-ms-1").never_asked();
            }
            edit.last(|exchange| exchange.label == "end-after-20-ms-1").client_ends_after(PeerEnd::Fin, |exchange| {
                exchange.response().map_or(0, |response| response.moment.seq)
            });
        });
    }
}
