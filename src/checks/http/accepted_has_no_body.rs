//! # An accepted notification gets an empty 202
//!
//! A notification, or a response of the client's, has no answer in JSON-RPC; in HTTP it gets 202 and no body. A
//! body there is one that nobody reads. An empty body that does not say that it is empty is worse: 202 is not
//! bodyless by itself, so that the client waits for the connection to close.
//!
//! `Content-Length: 0` and an empty chunked body are both right. A server that does not accept a notification
//! may say so with an error status.
//!
//! ## How to fix it
//! Answer with status 202 and an empty body, and let the HTTP library write `Content-Length: 0`. Do not
//! serialise the handler's return value (`null`, `{}`), and do not answer 200 or 204.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::render::excerpt;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, MessageKind, PeerEnd, Span, Trace};
use crate::verdict::{Cite, Judge};
use crate::codec::http1::Framing;

const EMPTY_202: Cite = Cite::Clause("http.post.notification.202-no-body");
const DELIMITED: Cite = Cite::Clause("http11.resp.202-delimited");

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SequentialCalls]),
    cites: &[EMPTY_202, DELIMITED],
    revisions: Revision::LEGACY,
    elsewhere: "2026-07-28 has no notifications from the client over HTTP",
    needs: "a notification that the server accepts",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// Whoever means to end a body by closing does so with the answer. The claim holds from some 100 ms on.
const STAYS_OPEN: Duration = Duration::from_millis(500);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for exchange in trace.conforming().filter(|exchange| asks_for_nothing(exchange)) {
        let Some(answer) = exchange.answer.as_ref().filter(|_| exchange.succeeded()) else { continue };
        let expected = "HTTP 202 with no body";
        let status = answer.head.status;
        if let Some(first) = answer.pieces.first() {
            judge.examined();
            let observed = format!("HTTP {status} with a body: {}", excerpt(&answer.body));
            judge.finding(EMPTY_202, expected, observed).shown_at(exchange, first.moment);
            continue;
        }
        if status != 202 {
            judge.examined();
            judge.finding(EMPTY_202, expected, format!("HTTP {status}")).shown_at(exchange, answer.head_at);
            continue;
        }
        let announced = !answer.head.is_persistent();
        match exchange.ending {
            Ending::Complete(_) => judge.examined(),
            Ending::Open { watched: Some(look) } if answer.framing == Framing::UntilClose && !announced => {
                let open = look.at.since(answer.head_at.at);
                if open < STAYS_OPEN {
                    continue;
                }
                judge.examined();
                judge
                    .finding(
                        DELIMITED,
                        "a 202 says that its body is empty (`Content-Length: 0`, or an empty chunked body)",
                        format!(
                            "neither Content-Length nor Transfer-Encoding, and the connection still open {} later",
                            Span(open)
                        ),
                    )
                    .shown_at(exchange, answer.head_at)
                    .event(look.seq);
            }
            // An empty body that breaks off is a matter of framing, and what is under way may still be empty.
            Ending::Cut(PeerEnd::Fin | PeerEnd::Reset, _)
            | Ending::Open { .. }
            | Ending::Unreadable(_)
            | Ending::NotKept(_) => {}
        }
    }
}

/// Whether the request consists of notifications or responses only.
fn asks_for_nothing(exchange: &Exchange) -> bool {
    let sent = exchange.sent();
    exchange.http_method() == "POST"
        && !sent.is_empty()
        && sent.iter().all(|message| message.kind == MessageKind::Notification || message.is_response())
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("null-as-a-body", Scenario::SequentialCalls, |edit| {
        edit.last(asks_for_nothing).body(|_| "null".to_owned());
    }),
    mutant("ok-instead-of-accepted", Scenario::SequentialCalls, |edit| {
        edit.last(asks_for_nothing).status("200 OK");
    }),
    mutant("no-content-instead-of-accepted", Scenario::SequentialCalls, |edit| {
        edit.last(asks_for_nothing).without_field("Content-Length").status("204 No Content");
    }),
    mutant("no-length-on-a-kept-connection", Scenario::SequentialCalls, |edit| {
        edit.last(asks_for_nothing)
            .without_field("Content-Length")
            .and_silence()
            .watched_for(Duration::from_secs(10));
    }),
];

#[cfg(test)]
mod tests {
    use super::{asks_for_nothing, *};
    use crate::checks::proofs::{edited, tolerates};
    use crate::trace::edit::Edit;
    use crate::verdict::Verdict;

    fn legal(edit: fn(&mut Edit)) {
        tolerates("http/accepted-has-no-body", Scenario::SequentialCalls, edit);
    }

    #[test]
    fn an_empty_chunked_body_is_empty() {
        legal(|edit| {
            edit.last(asks_for_nothing)
                .framed(|_| ("Transfer-Encoding: chunked".to_owned(), b"0\r\n\r\n".to_vec()))
                .field("Content-Type", "application/json");
        });
    }

    #[test]
    fn an_empty_body_may_end_with_its_connection() {
        legal(|edit| {
            edit.last(asks_for_nothing).without_field("Content-Length").and_silence().then_ends(PeerEnd::Fin);
        });
        legal(|edit| {
            edit.last(asks_for_nothing)
                .without_field("Content-Length")
                .field("Connection", "close")
                .and_silence()
                .watched_for(Duration::from_secs(10));
        });
    }

    #[test]
    fn a_notification_may_be_refused() {
        legal(|edit| {
            edit.last(asks_for_nothing).status("400 Bad Request").body(|_| r#"{"error":{}}"#.to_owned());
        });
    }

    #[test]
    fn where_every_notification_is_refused_nothing_was_exercised() {
        fn refused(edit: &mut Edit) {
            edit.each(asks_for_nothing, |exchange| {
                exchange.status("403 Forbidden");
            });
        }
        for (_, outcome) in edited("http/accepted-has-no-body", Scenario::SequentialCalls, refused) {
            assert_eq!(outcome.verdict(), Verdict::NotExercised);
        }
    }
}
