//! # An error ends the exchange
//!
//! A JSON-RPC error is a response like any other: the call is over, and so is its stream. A client that takes only a
//! result for the end believes that the stream broke, and asks for the rest of it with a GET, again and again. Each of
//! these requests holds a connection and its buffers in the server, for nothing: twenty failed calls have left twenty
//! sockets behind.
//!
//! ## How to fix it
//! Take a message with the id of the request and either `result` or `error` for the response, hand it to the caller,
//! and forget the event id and the `retry` of that stream.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::checks::client::caller::{self, Got};
use crate::checks::client::resumption::resumptions;
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Edit, Mutant, mutant};
use crate::trace::{Exchange, Span, Told, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientErrors),
    cites: &[Cite::Budget, REPEATED],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that makes a few calls, and goes on for half a second after an error",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const REPEATED: Cite = Cite::Clause("http.client.no-auto-retry-post");

/// The calls that end in an error, by the beginning of their labels.
const FAILED: &str = "error-";

/// So long must a client go on after an error, so that it would have asked for the rest of a stream by then: three
/// times the `retry` that it was given.
const WATCHED: Duration = Duration::from_millis(300);

/// A caller that has no outcome by then has waited until its own limit of 5 s.
const PATIENCE: Duration = Duration::from_millis(4_500);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let mut failed = Vec::new();
    for call in super::calls_like(trace, FAILED) {
        match failed.iter().any(|first: &&Exchange| first.label == call.label) {
            false => failed.push(call),
            true => {
                judge
                    .finding(
                        REPEATED,
                        "a call that was answered with an error is not made again, unless the caller wants it",
                        format!("the client made the call `{}` once more by itself", call.label),
                    )
                    .shown_by(call);
            }
        }
    }
    for call in &failed {
        left_alone(trace, judge, call);
    }
    if failed.is_empty() || !super::reads_answers(trace, judge) {
        return;
    }
    for call in &failed {
        told(trace, judge, call);
    }
}

/// Nothing is asked of a stream whose response has come.
fn left_alone(trace: &Trace, judge: &mut Judge<'_>, call: &Exchange) {
    let gets: Vec<&Exchange> = resumptions(trace, &call.label).collect();
    let (Some(first), Some(error)) = (gets.first(), call.response()) else { return };
    let after = Span(first.asked.best().since(error.moment.at));
    let id = first.request_field("last-event-id").unwrap_or_default();
    let observed = match gets.len() {
        1 => format!("{after} after the error came a GET with `Last-Event-ID: {id}`"),
        more => format!("{after} after the error came a GET with `Last-Event-ID: {id}`, the first of {more}"),
    };
    judge
        .finding(Cite::Budget, "nobody asks for the rest of a stream that has ended in an error", observed)
        .shown_by(call)
        .shown_by(first);
}

/// The caller gets the error, and not at its own limit.
fn told(trace: &Trace, judge: &mut Judge<'_>, call: &Exchange) {
    let Some(error) = call.response() else { return };
    let (observed, seq) = match caller::got(trace, call) {
        Got::Error(told) if !is_it(&told, call) => {
            let after = Span(told.moment.at.since(error.moment.at));
            (format!("{after} after the error the caller got another one: {}", caller::words(&told)), told.moment.seq)
        }
        Got::Error(_) | Got::Untold => {
            let ended = trace.events.last().map_or(error.moment.at, |event| event.at);
            return match ended.since(error.moment.at) >= WATCHED {
                true => judge.examined(),
                false => judge.not_exercised("the client ended too soon after an error to ask for anything more"),
            };
        }
        Got::Right | Got::Wrong(_) => {
            let seq = trace.told(&call.label).map_or(error.moment.seq, |told| told.moment.seq);
            ("the caller got a result".to_owned(), seq)
        }
        Got::Nothing => {
            let (how, seq) = caller::how_it_ended(trace).unwrap_or_default();
            (format!("the caller never got anything; the client: {how}"), seq)
        }
    };
    judge.finding(Cite::Budget, "the caller gets the error when it comes", observed).shown_by(call).event(seq);
}

/// Whether that is the error that we sent. A client that does not tell the code may yet have it.
fn is_it(told: &Told, call: &Exchange) -> bool {
    let Some(error) = call.response() else { return false };
    let code = told.outcome.as_ref().err().and_then(|error| error.code);
    match code {
        Some(code) => error.message.value["error"]["code"].as_i64() == Some(code),
        None => told.moment.at.since(error.moment.at) < PATIENCE,
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-stream-is-resumed", Scenario::ClientErrors, |edit| asks_for_more(edit, "error-primed/1")),
    mutant("an-error-without-priming-is-resumed", Scenario::ClientErrors, |edit| {
        asks_for_more(edit, "error-with-id/0");
    }),
    mutant("the-call-is-made-again", Scenario::ClientErrors, |edit| {
        edit.client_repeats("error-in-json");
    }),
    mutant("the-error-is-lost", Scenario::ClientErrors, |edit| edit.told_nothing(|step| step == "error-without-id")),
    mutant("the-caller-times-out", Scenario::ClientErrors, |edit| {
        edit.told_error(|step| step == "error-primed", Some(-32001));
    }),
];

#[cfg(test)]
fn asks_for_more(edit: &mut Edit, last: &str) {
    let request = format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {last}\r\n\r\n");
    edit.client_asks("GET", request.as_bytes(), b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "client/error-is-terminal";

    #[test]
    fn a_client_may_listen_whenever_it_likes() {
        tolerates(ID, Scenario::ClientErrors, |edit| {
            let answer = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n";
            edit.client_asks("GET", b"GET /mcp HTTP/1.1\r\nHost: localhost\r\n\r\n", answer);
        });
    }

    #[test]
    fn the_code_of_the_error_may_be_kept_from_the_caller() {
        tolerates(ID, Scenario::ClientErrors, |edit| edit.told_error(|step| step.starts_with("error-"), None));
    }

    #[test]
    fn a_client_that_tells_nothing_is_judged_by_what_it_asks() {
        let verdicts = judged_in(ID, Scenario::ClientErrors, |edit| edit.told_nothing(|_| true));
        for (revision, verdict) in verdicts {
            // Without sessions, nothing else shows that it reads answers.
            let expected = if revision == Revision::R20260728 { Verdict::NotExercised } else { Verdict::Pass };
            assert_eq!(verdict, expected, "{revision}");
        }
    }
}
