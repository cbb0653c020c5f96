//! # The connection can be used again
//!
//! After a complete answer the connection is there for the next request. A server that closes it without having
//! said so costs every client a connection per call, and makes it lose requests that it was just writing. Bytes
//! that are left over, or an answer to somebody else's request, are worse: the client takes them for its own.
//!
//! A server that says `Connection: close`, speaks HTTP/1.0 or ends bodies by closing is within its rights, and
//! so is one that closes after an error status or when a connection has been idle.
//!
//! ## How to fix it
//! Read each request to its end before you answer, write as many bytes as you announced, and leave the
//! connection to the HTTP library. Where it has to be closed, say `Connection: close` in the answer.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, Id, MessageKind, Moment, PeerEnd, Received, Trace};
use crate::verdict::{Cite, Judge};
use crate::codec::http1::FaultKind;

const KEPT: Cite = Cite::Clause("http11.persist.support");
const SAYS_SO: Cite = Cite::Clause("http11.persist.close-if-unsupported");
const DELIMITED: Cite = Cite::Clause("http11.persist.self-delimited");
const SAME_ID: Cite = Cite::Clause("jsonrpc.response.same-id");

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::SequentialCalls),
    cites: &[KEPT, SAYS_SO, DELIMITED, SAME_ID],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "complete 2xx answers that do not announce the end of their connection",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// One close proves nothing: a server may be shutting a worker down, or have an upper number of requests per
/// connection. Two of a kind, and at least half of them, are a habit. The scenario has at least four of each.
const HABIT: usize = 2;

/// A close that comes later than this may be that of an idle connection: Node and uvicorn wait 5 s unless told
/// otherwise. In the scenario the next request comes within milliseconds.
const AT_ONCE: Duration = Duration::from_millis(1_000);

/// What an answer was, as far as a server may treat the connection differently after it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    StreamedResult,
    StreamedError,
    JsonResult,
    JsonError,
    Accepted,
}

impl After {
    const ALL: [Self; 5] =
        [Self::StreamedResult, Self::StreamedError, Self::JsonResult, Self::JsonError, Self::Accepted];

    fn of(exchange: &Exchange) -> Self {
        let kind = exchange.response().map(|response| response.message.kind);
        match (exchange.is_streamed(), kind) {
            (true, Some(MessageKind::Error)) => Self::StreamedError,
            (true, _) => Self::StreamedResult,
            (false, Some(MessageKind::Error)) => Self::JsonError,
            (false, Some(_)) => Self::JsonResult,
            (false, None) => Self::Accepted,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::StreamedResult => "results on an event stream",
            Self::StreamedError => "JSON-RPC errors on an event stream",
            Self::JsonResult => "results as JSON",
            Self::JsonError => "JSON-RPC errors as JSON",
            Self::Accepted => "answers without a message (202)",
        }
    }
}

/// What became of the connection behind an answer that left it open.
enum Fate<'t> {
    /// The next request on it got an answer, or the beginning of one.
    Reused,
    /// The server closed it.
    Closed(PeerEnd, Moment),
    /// The next request got a reset in place of an answer.
    Destroyed(&'t Exchange, Moment),
}

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let all: Vec<&Exchange> =
        trace.conforming().filter(|exchange| exchange.http_method() == "POST" && exchange.is_complete()).collect();
    let mut fates: Vec<(&Exchange, Fate<'_>)> = Vec::new();
    for exchange in all.iter().filter(|exchange| !exchange.close_is_announced()) {
        left_over(trace, exchange, judge);
        if exchange.succeeded()
            && let Some(fate) = fate(trace, exchange)
        {
            judge.examined();
            fates.push((exchange, fate));
        }
    }
    for exchange in trace.conforming() {
        wrong_answer(trace, exchange, judge);
    }
    let destroyed: Vec<_> = fates
        .iter()
        .filter_map(|(_, fate)| match fate {
            Fate::Destroyed(next, moment) => Some((*next, *moment)),
            Fate::Reused | Fate::Closed(..) => None,
        })
        .collect();
    if let Some((next, moment)) = destroyed.last() {
        let answered = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Reused)).count();
        judge
            .finding(
                SAYS_SO,
                "a connection that was not said to close carries the next answer",
                format!(
                    "{} of {} requests on a connection that had been used before got a reset in place of an answer",
                    destroyed.len(),
                    destroyed.len() + answered
                ),
            )
            .shown_at(next, *moment);
    }
    for kind in After::ALL {
        let of_kind: Vec<_> = fates.iter().filter(|(exchange, _)| After::of(exchange) == kind).collect();
        let closed: Vec<_> = of_kind
            .iter()
            .filter_map(|(exchange, fate)| match fate {
                Fate::Closed(how, moment) => Some((*exchange, *how, *moment)),
                Fate::Reused | Fate::Destroyed(..) => None,
            })
            .collect();
        if closed.len() < HABIT || closed.len() * 2 < of_kind.len() {
            continue;
        }
        let resets = closed.iter().filter(|(_, how, _)| *how == PeerEnd::Reset).count();
        let by = if resets > 0 { format!(", {resets} of them by a reset") } else { String::new() };
        let (exchange, _, moment) = closed[closed.len() - 1];
        judge
            .finding(
                KEPT,
                "the connection stays open after a complete answer that does not say `Connection: close`",
                format!("closed without notice after {} of {} {}{by}", closed.len(), of_kind.len(), kind.what()),
            )
            .shown_at(exchange, moment);
    }
    if fates.is_empty() && all.iter().any(|exchange| exchange.succeeded() && exchange.close_is_announced()) {
        judge.not_exercised(
            "the server announces the end of the connection in its answers (`Connection: close`, HTTP/1.0, or a body \
             that lasts until then)",
        );
    }
}

/// What became of the connection behind a complete answer; `None` where we do not know, or had a part in it.
fn fate<'t>(trace: &'t Trace, exchange: &Exchange) -> Option<Fate<'t>> {
    let Ending::Complete(end) = exchange.ending else { return None };
    let at_once = |moment: Moment| moment.at.since(end.at) <= AT_ONCE;
    match trace.on_connection(exchange.conn).get(exchange.nth + 1) {
        Some(next) if next.first_byte.is_some() => Some(Fate::Reused),
        // Without an answer to the like of it elsewhere, it may have been the request that the server ran from.
        Some(next) if !trace.labelled(&next.label).any(|control| control.first_byte.is_some()) => None,
        Some(next) => match next.ending {
            Ending::Cut(PeerEnd::Reset, moment) if at_once(moment) => Some(Fate::Destroyed(next, moment)),
            // It was closing the connection while we wrote.
            Ending::Cut(PeerEnd::Fin, moment) if at_once(moment) => Some(Fate::Closed(PeerEnd::Fin, moment)),
            _ => None,
        },
        None => {
            let (how, moment) = trace.connection(exchange.conn)?.ended?;
            at_once(moment).then_some(Fate::Closed(how, moment))
        }
    }
}

/// Bytes that came behind the end of an answer, before or with the next one.
fn left_over(trace: &Trace, exchange: &Exchange, judge: &mut Judge<'_>) {
    let expected = "the next answer begins where this one ends";
    if let Some((_, moment)) = exchange.surplus.first() {
        let bytes: u64 = exchange.surplus.iter().map(|(span, _)| span.end - span.start).sum();
        let observed = format!("{bytes} left over on a connection that stays open", bytes = counted(bytes));
        judge.examined();
        judge.finding(DELIMITED, expected, observed).shown_at(exchange, *moment);
        return;
    }
    let Some(next) = trace.on_connection(exchange.conn).get(exchange.nth + 1) else { return };
    let stray = |kind: FaultKind| matches!(kind, FaultKind::LeadingBlankLine | FaultKind::StatusLineMalformed);
    if let Some((fault, moment)) = next.faults.iter().find(|(fault, _)| stray(fault.kind)) {
        judge.examined();
        judge.finding(DELIMITED, expected, format!("the next answer on the connection: {fault}")).shown_at(next, *moment);
    }
}

fn counted(bytes: u64) -> String {
    match bytes {
        1 => "1 byte was".to_owned(),
        n => format!("{n} bytes were"),
    }
}

/// A response to a request that the same connection carried before, in place of one to this request.
fn wrong_answer(trace: &Trace, exchange: &Exchange, judge: &mut Judge<'_>) {
    let Some(id) = exchange.request_id() else { return };
    let responses = || exchange.messages().iter().filter(|received| received.message.is_response());
    if responses().any(|received| received.message.id.same_as(&id)) {
        return;
    }
    let before = &trace.on_connection(exchange.conn)[..exchange.nth];
    let earlier: Vec<Id> = before.iter().filter_map(Exchange::request_id).collect();
    let of_another = |received: &&Received| earlier.iter().any(|other| received.message.id.same_as(other));
    if let Some(wrong) = responses().find(of_another) {
        judge.examined();
        judge
            .finding(
                SAME_ID,
                format!("the answer to request {id} carries the response to request {id}"),
                format!("it carries that to request {}, which went over the connection before", wrong.message.id),
            )
            .shown_at(exchange, wrong.moment);
    }
}

#[cfg(test)]
fn kept(exchange: &Exchange) -> bool {
    exchange.http_method() == "POST" && exchange.succeeded() && !exchange.close_is_announced()
}

#[cfg(test)]
fn with_response(exchange: &Exchange) -> bool {
    kept(exchange) && exchange.response().is_some()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("closed-after-every-result", Scenario::SequentialCalls, |edit| {
        edit.each(
            |exchange| with_response(exchange) && exchange.label == "cheapest",
            |exchange| {
                exchange.then_ends_and_we_reconnect(PeerEnd::Fin);
            },
        );
        edit.each(
            |exchange| with_response(exchange) && matches!(exchange.label.as_str(), "tool" | "tools-list"),
            |exchange| {
                exchange.then_ends_and_we_reconnect(PeerEnd::Fin);
            },
        );
    }),
    mutant("closed-after-every-notification", Scenario::SequentialCalls, |edit| {
        edit.each(
            |exchange| kept(exchange) && exchange.label == "notification",
            |exchange| {
                exchange.then_ends_and_we_reconnect(PeerEnd::Fin);
            },
        );
    }),
    mutant("reset-after-every-error", Scenario::SequentialCalls, |edit| {
        edit.each(
            |exchange| with_response(exchange) && matches!(exchange.label.as_str(), "unknown-tool" | "unknown-method"),
            |exchange| {
                exchange.then_ends_and_we_reconnect(PeerEnd::Reset);
            },
        );
    }),
    mutant("reset-in-place-of-an-answer", Scenario::SequentialCalls, |edit| {
        edit.last(|exchange| with_response(exchange) && exchange.nth > 0 && exchange.label == "tool")
            .drop_answer()
            .then_ends(PeerEnd::Reset);
    }),
    mutant("a-stray-line-feed", Scenario::SequentialCalls, |edit| {
        edit.first(|exchange| with_response(exchange) && exchange.label == "cheapest").bytes(|body| body).then_sends(b"\n");
    }),
    mutant("length-in-characters", Scenario::SequentialCalls, |edit| {
        edit.first(|exchange| with_response(exchange) && exchange.label == "cheapest").framed(|body| {
            (format!("Content-Length: {}", body.len()), [&body[..], b"\"}"].concat())
        });
    }),
    mutant("answers-shifted-by-one", Scenario::SequentialCalls, |edit| {
        let ids = |exchange: &Exchange| match exchange.request_id() {
            Some(Id::Text(id)) => id,
            _ => String::new(),
        };
        let Some(exchange) = edit.trace().exchanges().filter(|e| with_response(e) && e.nth > 0).last() else { return };
        let before = edit.trace().on_connection(exchange.conn)[..exchange.nth].iter().rev().map(ids).find(|id| !id.is_empty());
        let (own, Some(before)) = (ids(exchange), before) else { return };
        let of = |id: &str| format!("\"id\":{id}");
        edit.last(|e| with_response(e) && e.nth > 0).body(|body| body.replacen(&of(&own), &of(&before), 1));
    }),
];

#[cfg(test)]
mod tests {
    use super::{kept, with_response};
    use crate::checks::proofs::{edited, tolerates};
    use crate::scenario::Scenario;
    use crate::trace::edit::Edit;
    use crate::trace::{Exchange, PeerEnd};
    use crate::verdict::Verdict;

    const ID: &str = "http/connection-reusable";

    fn legal(edit: fn(&mut Edit)) {
        tolerates(ID, Scenario::SequentialCalls, edit);
    }

    #[test]
    fn one_close_is_no_habit() {
        legal(|edit| {
            edit.last(|exchange| with_response(exchange) && exchange.label == "tool")
                .then_ends_and_we_reconnect(PeerEnd::Fin);
        });
    }

    #[test]
    fn a_fin_that_meets_the_next_request_is_one_close() {
        legal(|edit| {
            edit.last(|exchange| with_response(exchange) && exchange.label == "tool")
                .drop_answer()
                .then_ends(PeerEnd::Fin);
        });
    }

    #[test]
    fn a_request_that_is_answered_nowhere_says_nothing_of_the_connection() {
        legal(|edit| {
            edit.each(
                |exchange| exchange.label == "unknown-method",
                |exchange| {
                    exchange.then_ends_and_we_reconnect(PeerEnd::Fin);
                },
            );
            edit.each(
                |exchange| exchange.label == "unknown-method",
                |exchange| {
                    exchange.drop_answer().then_ends(PeerEnd::Reset);
                },
            );
        });
    }

    #[test]
    fn closing_after_a_refusal_is_legal() {
        legal(|edit| {
            edit.each(
                |exchange| kept(exchange) && exchange.label == "unknown-method",
                |exchange| {
                    exchange.status("404 Not Found").then_ends_and_we_reconnect(PeerEnd::Fin);
                },
            );
        });
    }

    #[test]
    fn a_server_that_announces_each_close_is_not_judged() {
        fn announced(edit: &mut Edit) {
            edit.each(Exchange::is_complete, |exchange| {
                exchange.field("Connection", "close").then_ends_and_we_reconnect(PeerEnd::Fin);
            });
        }
        for (_, outcome) in edited(ID, Scenario::SequentialCalls, announced) {
            assert_eq!(outcome.verdict(), Verdict::NotExercised, "{outcome:#?}");
            assert!(outcome.reason().is_some_and(|reason| reason.contains("announces")));
        }
    }
}
