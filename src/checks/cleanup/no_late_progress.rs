//! # No progress is reported after the response
//!
//! Progress ends with its request. A report that comes later, on the stream of another request, has lost its way:
//! the entry that led to the right stream is gone, or leads to somebody else, and the client cannot tell what it
//! belongs to.
//!
//! Only what is certain counts: a report on a stream that was asked for when the response to the request in question
//! had been received. What follows the response on its own stream is a matter of `sse/nothing-after-response`.
//!
//! ## How to fix it
//! Bind the way back to the request, not to the session or to whatever stream is open, and close it with the
//! response: whoever still reports progress then has nowhere to send it to, and that is right.

use serde_json::Value;

use crate::catalogue::{Check, Kind};
use crate::checks::progress::{reported_under, token_of};
use crate::checks::question::Question;
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SequentialCalls, Scenario::ReusedTokens]),
    cites: &[CLAUSE],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a tool that reports progress (`--tool progress=NAME`), and a stream that is opened after its response",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("progress.stop");

/// One use of a progress token.
struct Use<'a> {
    token: Value,
    asked: u32,
    /// The event with which the response had come.
    answered: Option<u32>,
    question: Question<'a>,
}

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let posted = || trace.conforming().filter(|exchange| exchange.http_method() == "POST");
    let uses: Vec<Use<'_>> = posted()
        .filter_map(|exchange| {
            let (token, question) = (token_of(exchange)?, Question::of(trace, exchange));
            let answered = question.response().map(|(_, response)| response.moment.seq);
            Some(Use { token, asked: exchange.asked.seq, answered, question })
        })
        .collect();
    let streams: Vec<&Exchange> = posted().filter(|exchange| exchange.is_streamed()).collect();
    for finished in &uses {
        let reported = || {
            finished
                .question
                .parts()
                .any(|part| part.messages().iter().any(|r| reported_under(&r.message) == Some(&finished.token)))
        };
        let Some(answered) = finished.answered.filter(|_| reported()) else { continue };
        if streams.iter().any(|stream| stream.asked.seq > answered && stream.is_complete()) {
            judge.examined();
        }
    }
    for stream in streams {
        for received in stream.messages() {
            let Some(token) = reported_under(&received.message) else { continue };
            let mut of_token =
                uses.iter().filter(|one| one.token == *token && one.asked < received.moment.seq).peekable();
            let is_over = |one: &Use<'_>| one.answered.is_some_and(|answered| answered < stream.asked.seq);
            // A token that we never gave out is not known to be of a request that has ended.
            if of_token.peek().is_none() || !of_token.all(is_over) {
                continue;
            }
            judge.examined();
            judge
                .finding(
                    CLAUSE,
                    "no progress is reported once the response has been sent",
                    format!(
                        "progress under the token {token} came on the stream of a request that was made when that of \
                         the token had been answered"
                    ),
                )
                .shown_at(stream, received.moment);
        }
    }
}

#[cfg(test)]
const LATE: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":TOKEN,"progress":9}}"#;

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-last-report-comes-on-the-next-stream", Scenario::SequentialCalls, |edit| {
        let Some(token) = edit.trace().labelled("progress").next().and_then(token_of) else { return };
        let late = LATE.replace("TOKEN", &token.to_string());
        edit.last(|exchange| exchange.label == "tool" && exchange.is_streamed())
            .body(|body| format!("data: {late}\n\n{body}"));
    }),
    mutant("a-report-under-the-token-comes-with-another", Scenario::ReusedTokens, |edit| {
        let late = LATE.replace("TOKEN", "\"mcpwire-reused-token\"");
        edit.last(|exchange| exchange.label == "fresh-token").body(|body| format!("data: {late}\n\n{body}"));
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    const ID: &str = "cleanup/no-late-progress";

    #[test]
    fn a_token_that_is_used_again_is_in_use() {
        tolerates(ID, Scenario::ReusedTokens, |edit| {
            let late = LATE.replace("TOKEN", "\"mcpwire-reused-token\"");
            edit.last(|exchange| exchange.label == "used-again").body(|body| format!("data: {late}\n\n{body}"));
        });
    }

    #[test]
    fn a_token_that_was_never_given_out_ended_with_no_request() {
        tolerates(ID, Scenario::ReusedTokens, |edit| {
            let strange = LATE.replace("TOKEN", "\"of-somebody-else\"");
            edit.last(|exchange| exchange.label == "fresh-token").body(|body| format!("data: {strange}\n\n{body}"));
        });
    }

    #[test]
    fn other_notifications_are_not_asked_for() {
        tolerates(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| exchange.label == "tool" && exchange.is_streamed()).body(|body| {
                let message =
                    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#;
                format!("data: {message}\n\n{body}")
            });
        });
    }
}
