//! # What nobody wants is read or closed
//!
//! Servers answer with pages of HTML, with bodies behind an error, with JSON or a stream where a plain 202 was due. A
//! client has no use for any of it. One that neither reads it nor closes the connection keeps a socket and its buffers
//! for each, until it ends or its garbage collector happens to pass by: in a server of agents that is a leak.
//!
//! Each of these answers violates the specification; what a client does with it is judged as advice. That nobody read it
//! shows when the client ends: the system then resets a connection on which unread bytes lie.
//!
//! ## How to fix it
//! Wherever an answer is not used to its end, cancel its body (`body.cancel()`, `response.close()`, dropping it), or read
//! what is left of it for a bounded time.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Moment, PeerEnd, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientUnwanted),
    cites: &[Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that goes on after an answer that is none",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// How long a client has to read a body or to close its connection.
const PROMPT: Duration = Duration::from_secs(1);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if !super::reads_answers(trace, judge) {
        return;
    }
    let mut has_gone_on = false;
    for exchange in trace.exchanges().filter(|exchange| exchange.label.starts_with("unwanted-")) {
        let Some((last, later)) = looked_at(trace, exchange) else { continue };
        has_gone_on = true;
        match fate(trace, exchange, later) {
            Fate::Released => judge.examined(),
            Fate::Unread(_) if resets_what_it_read(trace, later) => {
                judge.remark("the client resets connections when it ends, so that it cannot be told what it read");
            }
            Fate::Unread(end) => {
                judge.examined();
                judge
                    .finding(
                        Cite::Advice,
                        "a body that nobody wants is read to its end, or its connection is closed",
                        format!(
                            "it lay unread for {}, until the client ended and the system reset the connection",
                            Span(end.at.since(last.at))
                        ),
                    )
                    .shown_at(exchange, end);
            }
        }
    }
    if !has_gone_on {
        judge.not_exercised("the client did not go on long enough to see what it does with such a body");
    }
}

/// When the last bytes of an answer went out, and the plain call, long enough after it, at which it should be gone.
fn looked_at(trace: &Trace, exchange: &Exchange) -> Option<(Moment, Moment)> {
    let last = exchange.answer.as_ref()?.pieces.last()?.moment;
    let later = super::calls_like(trace, "behind-unwanted-").map(|call| call.asked);
    Some((last, later.into_iter().find(|later| later.at >= last.at + PROMPT)?))
}

/// What became of an unwanted body.
enum Fate {
    /// It was read, or the connection was closed in time.
    Released,
    /// It was still unread when the client ended.
    Unread(Moment),
}

/// A connection that ended before, that was used again, or that ended in order at last, held nothing unread.
fn fate(trace: &Trace, exchange: &Exchange, later: Moment) -> Fate {
    let is_used_again = trace.on_connection(exchange.conn).len() > exchange.nth + 1;
    match trace.connection(exchange.conn).and_then(|facts| facts.ended) {
        Some((PeerEnd::Reset, end)) if end.seq > later.seq && !is_used_again => Fate::Unread(end),
        _ => Fate::Released,
    }
}

/// Whether a reset of this client's says nothing: it also resets connections whose answers it has read.
fn resets_what_it_read(trace: &Trace, later: Moment) -> bool {
    trace.connections().any(|facts| {
        let is_reset = matches!(facts.ended, Some((PeerEnd::Reset, end)) if end.seq > later.seq);
        let wanted = |exchange: &Exchange| !exchange.label.starts_with("unwanted-") && exchange.is_complete();
        is_reset && trace.on_connection(facts.id).last().is_some_and(wanted)
    })
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("it-holds-a-page", Scenario::ClientUnwanted, |edit| {
    edit.last(|exchange| exchange.label == "unwanted-page").client_resets_at_the_end();
})];

#[cfg(test)]
mod tests {
    use crate::checks::proofs::{judged_in, legal, tolerates};
    use crate::scenario::Scenario;
    use crate::trace::PeerEnd;
    use crate::verdict::Verdict;

    const ID: &str = "client/body-released";

    #[test]
    fn to_close_at_once_is_fine() {
        for how in [PeerEnd::Fin, PeerEnd::Reset] {
            // A closure that captures is no function.
            let edit: fn(&mut crate::trace::edit::Edit) = match how {
                PeerEnd::Fin => |edit| closes(edit, PeerEnd::Fin),
                PeerEnd::Reset => |edit| closes(edit, PeerEnd::Reset),
            };
            tolerates(ID, Scenario::ClientUnwanted, edit);
        }
    }

    fn closes(edit: &mut crate::trace::edit::Edit, how: PeerEnd) {
        edit.first(|exchange| exchange.label == "unwanted-page")
            .client_ends_after(how, |exchange| exchange.answer.as_ref().map_or(0, |answer| answer.head_at.seq));
    }

    #[test]
    fn a_client_that_resets_everything_is_not_blamed_for_it() {
        legal(ID, Scenario::ClientUnwanted, |edit| edit.client_ends_connections(PeerEnd::Reset));
    }

    #[test]
    fn a_client_that_does_not_go_on_shows_nothing() {
        let verdicts = judged_in(ID, Scenario::ClientUnwanted, |edit| {
            edit.each(|exchange| exchange.label.starts_with("behind-unwanted-"), |exchange| {
                exchange.never_asked();
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
