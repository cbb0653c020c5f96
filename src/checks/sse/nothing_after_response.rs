//! # Nothing comes after the response
//!
//! The response is the last message on the stream of its POST. Clients stop reading there: a progress or log
//! notification that comes later is lost, or keeps the stream open for nothing.
//!
//! Comments, and events that are no messages, may still come before the end.
//!
//! ## How to fix it
//! Send the response through the same queue as the notifications of its request, and close that queue with it.
//! Wait for the tasks that report progress before you answer, or drop what they still say.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::render::describe;
use crate::trace::{Ending, Exchange, PeerEnd, Received, Span, Trace};
use crate::verdict::Judge;

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SequentialCalls]),
    cites: &[super::CLAUSE],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a request that is answered on an event stream",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let grace = judge.manifest().options.stream_end_grace;
    for exchange in trace.conforming().filter(|exchange| exchange.http_method() == "POST" && exchange.is_streamed()) {
        let Some(response) = own_response(exchange) else { continue };
        // What shares the event with the response is in one batch with it (2025-03-26), in no order.
        let later = || exchange.messages().iter().filter(|received| received.event > response.event);
        if let Some(first) = later().next() {
            judge.examined();
            let after = first.moment.best().since(response.moment.best());
            let when = match first.moment.seq == response.moment.seq {
                true => "in the same read".to_owned(),
                false => format!("{} later", Span(after)),
            };
            let what = describe(&first.message);
            judge
                .finding(
                    super::CLAUSE,
                    "the response is the last message on its stream",
                    match later().count() {
                        1 => format!("{what} came after the response, {when}"),
                        n => format!("{n} messages came after the response, the first {when}: {what}"),
                    },
                )
                .shown_at(exchange, first.moment)
                .event(response.moment.seq);
            continue;
        }
        let seen_to_its_end = match exchange.ending {
            Ending::Complete(_) | Ending::Cut(PeerEnd::Fin, _) => true,
            Ending::Open { watched: Some(look) } => {
                look.best().since(response.moment.best()) >= grace.saturating_sub(super::SLACK)
            }
            Ending::Open { .. } | Ending::Cut(PeerEnd::Reset, _) | Ending::Unreadable(_) | Ending::NotKept(_) => false,
        };
        if seen_to_its_end {
            judge.examined();
        }
    }
}

/// The response to the request of the exchange; where none has its id, whatever response comes first.
fn own_response(exchange: &Exchange) -> Option<&Received> {
    let id = exchange.request_id()?;
    let mut responses = exchange.messages().iter().filter(|received| received.message.is_response());
    responses.find(|received| received.message.id.same_as(&id)).or_else(|| exchange.response())
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("a-notification-lags-behind", Scenario::SequentialCalls, |edit| {
    edit.last(|exchange| exchange.is_streamed() && exchange.response().is_some()).body(|body| {
        let late = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"done"}}"#;
        format!("{body}data: {late}\n\n")
    });
})];

#[cfg(test)]
mod tests {
    use crate::checks::proofs::tolerates;
    use crate::scenario::Scenario;
    use crate::spec::Revision;

    const ID: &str = "sse/nothing-after-response";

    #[test]
    fn comments_empty_events_and_events_of_other_types_may_follow() {
        tolerates(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| exchange.is_streamed() && exchange.response().is_some())
                .body(|body| format!("{body}: bye\n\nid: 7\ndata:\n\nretry: 10\n\nevent: end\ndata: {{\"method\":\"x\"}}\n\n"));
        });
    }

    #[test]
    fn notifications_may_precede_the_response() {
        tolerates(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| exchange.is_streamed() && exchange.response().is_some()).body(|body| {
                format!("data: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}}\n\n{body}")
            });
        });
    }

    #[test]
    fn a_batch_in_one_event_has_no_order() {
        tolerates(ID, Scenario::SequentialCalls, |edit| {
            if edit.trace().revision() != Revision::R20250326 {
                return;
            }
            edit.last(|exchange| exchange.is_streamed() && exchange.response().is_some()).body(|body| {
                let (before, response) = body.trim_end().rsplit_once("data: ").unwrap_or_default();
                let notification = r#"{"jsonrpc":"2.0","method":"notifications/message"}"#;
                format!("{before}data: [{response},{notification}]\n\n")
            });
        });
    }
}
