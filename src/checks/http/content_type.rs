//! # Answers are labelled as JSON or as an event stream
//!
//! A request that is answered with success gets `application/json` or `text/event-stream`. Clients choose their
//! parser by this field; under any other label, or under none, the answer is refused unread.
//!
//! Case and parameters do not matter. Errors at HTTP level may carry anything.
//!
//! ## How to fix it
//! Set `Content-Type: application/json` on JSON answers and `Content-Type: text/event-stream` on streams, also in
//! middleware that rewrites answers.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::render::excerpt;
use crate::trace::{Exchange, Trace};
use crate::verdict::{Cite, Judge};

const CLAUSE: Cite = Cite::Clause("http.post.request.content-type");

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SequentialCalls]),
    cites: &[CLAUSE],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a request that is answered with a 2xx status",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for exchange in trace.conforming().filter(|exchange| is_answered(exchange)) {
        let Some(answer) = &exchange.answer else { continue };
        judge.examined();
        let media_type = answer.media_type();
        if matches!(media_type.as_deref(), Some("application/json" | "text/event-stream")) {
            continue;
        }
        let label = match &media_type {
            Some(media_type) => format!("Content-Type {}", excerpt(media_type.as_bytes())),
            None => "no Content-Type".to_owned(),
        };
        judge
            .finding(
                CLAUSE,
                "the answer to a request is application/json or text/event-stream",
                format!("HTTP {} with {label}", answer.head.status),
            )
            .shown_at(exchange, answer.head_at);
    }
}

fn is_answered(exchange: &Exchange) -> bool {
    exchange.http_method() == "POST" && exchange.request_id().is_some() && exchange.succeeded()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("json-as-plain-text", Scenario::SequentialCalls, |edit| {
        edit.last(is_answered).field("Content-Type", "text/plain; charset=utf-8");
    }),
    mutant("no-label", Scenario::SequentialCalls, |edit| {
        edit.last(is_answered).without_field("Content-Type");
    }),
    mutant("a-request-is-accepted", Scenario::SequentialCalls, |edit| {
        edit.last(is_answered).without_field("Content-Type").status("202 Accepted").body(|_| String::new());
    }),
];

#[cfg(test)]
mod tests {
    use super::is_answered;
    use crate::checks::proofs::tolerates;
    use crate::scenario::Scenario;
    use crate::trace::Exchange;

    const ID: &str = "http/content-type";

    #[test]
    fn case_and_parameters_do_not_matter() {
        tolerates(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| is_answered(exchange) && !exchange.is_streamed())
                .field("Content-Type", "Application/JSON ;charset=UTF-8");
            edit.last(Exchange::is_streamed).field("content-type", "TEXT/Event-Stream;charset=utf-8");
        });
    }

    #[test]
    fn errors_of_http_may_carry_anything() {
        tolerates(ID, Scenario::SequentialCalls, |edit| {
            edit.last(is_answered).status("503 Service Unavailable").field("Content-Type", "text/html");
        });
    }
}
