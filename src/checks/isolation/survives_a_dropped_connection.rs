//! # A dropped connection harms nobody else
//!
//! Clients go away in the middle of an answer: a laptop is closed, a proxy times out. A server that lets an error of
//! one socket reach the loop that serves all of them takes every other client down with it, and anybody can do that.
//!
//! A connection is dropped under a call, in order (FIN) and by a reset (RST). Calls of others that are at work
//! meanwhile get their results, and so do calls that come later, in sessions that were there before, in the session of
//! the dropped connection (legacy revisions) and of somebody who comes only then. Where the session of the dropped
//! connection is gone that is advice: a server may end a session at any time.
//!
//! ## How to fix it
//! Handle errors of a socket where that socket is served: reading and writing may fail at any time, with ECONNRESET or
//! EPIPE, and SIGPIPE must not end the process. A session belongs to its id, not to a connection.

use super::callers::{Marked, REPLY, first_drop, must_be_served};
use crate::catalogue::{Check, Kind};
use crate::checks::question::{Question, session, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Trace, What};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::BesideTrouble),
    cites: &[REPLY, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a call that is answered with a result while nothing else goes on",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let Some(dropped) = trace.labelled("dropped-in-order").next() else { return };
    let calls = Marked::all(trace);
    let affected = |call: &&Marked<'_>| call.label().contains("dropped");
    let of_dropped = |call: &Marked<'_>| {
        trace.revision().is_legacy() && session(dropped).is_some() && session(call.question.exchange) == session(dropped)
    };
    for call in calls.iter().filter(affected).filter(|call| !of_dropped(call)) {
        if !must_be_served(trace, judge, call, &calls) {
            return;
        }
    }
    of_the_same_session(trace, judge, &calls, of_dropped);
    newcomer(trace, judge);
    let from = first_drop(trace);
    let refused = trace.events.iter().find_map(|event| match &event.what {
        What::ConnectFailed { error, .. } if event.seq > from => Some((event.seq, error)),
        _ => None,
    });
    if let Some((seq, error)) = refused {
        judge.examined();
        judge
            .finding(
                Cite::Advice,
                "who comes after a dropped connection can connect",
                format!("no connection could be made any more: {error}"),
            )
            .shown_by(dropped)
            .event(seq);
    }
}

/// The session of the dropped connection goes on, unless the server means to end it.
fn of_the_same_session(
    trace: &Trace,
    judge: &mut Judge<'_>,
    calls: &[Marked<'_>],
    of_dropped: impl Fn(&Marked<'_>) -> bool,
) {
    for call in calls.iter().filter(|call| call.label().contains("dropped") && of_dropped(call)) {
        if call.question.has_result() {
            judge.examined();
        } else if call.has_control(calls) && call.question.exchange.status() == Some(404) {
            judge.examined();
            judge
                .finding(
                    Cite::Advice,
                    "a session outlives the connections that its requests come over",
                    format!(
                        "{}, a call in the same session was answered with {}",
                        call.around().unwrap_or_default(),
                        call.question.came()
                    ),
                )
                .shown_at(call.question.exchange, telling(call.question.exchange));
        } else if !must_be_served(trace, judge, call, calls) {
            return;
        }
    }
}

/// A session can be opened when the connections have been dropped.
fn newcomer(trace: &Trace, judge: &mut Judge<'_>) {
    let Some(last) = trace.labelled("dropped-by-reset").next() else { return };
    let initialize = trace.labelled("initialize").find(|exchange| exchange.asked.seq > last.asked.seq);
    let Some(question) = initialize.map(|exchange| Question::of(trace, exchange)) else { return };
    let refused = question.response().is_some() || question.exchange.status().is_some_and(|_| !question.exchange.succeeded());
    if question.has_result() {
        judge.examined();
    } else if refused {
        judge.examined();
        judge
            .finding(
                Cite::Advice,
                "a session can be opened after a connection was dropped, as before",
                format!("`initialize` was answered with {}", question.came()),
            )
            .shown_at(question.exchange, telling(question.exchange));
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("others-are-cut-off", Scenario::BesideTrouble, |edit| {
        edit.last(|exchange| exchange.label == "beside-dropped-by-reset-anna")
            .drop_answer()
            .then_ends(crate::trace::PeerEnd::Reset);
    }),
    mutant("others-are-refused", Scenario::BesideTrouble, |edit| {
        edit.last(|exchange| exchange.label == "after-dropped-in-order-ben")
            .answer_with(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    }),
    mutant("its-session-is-gone", Scenario::BesideTrouble, |edit| {
        if edit.trace().revision().is_legacy() {
            edit.last(|exchange| exchange.label == "after-dropped-by-reset-trouble")
                .answer_with(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    }),
];
