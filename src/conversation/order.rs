//! Exchanges in an order by cause, not by time.
//!
//! What one side does by itself stands in the order in which it began; what it does because of something that the
//! other side said stands behind that, whenever it came: the answer to a request on a stream, the resumption of a
//! stream, the cancellation of a call. Calls that were begun together stand in the order of the script.

use serde_json::Value;

use crate::codec::sse::SseEvent;
use crate::trace::{Exchange, Id, MessageKind, Received, Trace, Vantage};

/// All exchanges of a trace.
pub fn canonical(trace: &Trace) -> Vec<&Exchange> {
    let by_time: Vec<&Exchange> = trace.exchanges().collect();
    let mut roots = Vec::new();
    let mut caused: Vec<Vec<usize>> = vec![Vec::new(); by_time.len()];
    for (index, exchange) in by_time.iter().enumerate() {
        match cause(trace, exchange, &by_time[..index]) {
            Some(cause) => caused[cause].push(index),
            None => roots.push(index),
        }
    }
    if trace.head.vantage == Vantage::Server {
        sort_those_begun_together(&by_time, &mut roots);
        // Some clients open their stream before they say that they are ready, some behind it, some as it comes.
        for children in &mut caused {
            children.sort_by_key(|child| by_time[*child].http_method() == "GET");
        }
        // A client that says goodbye has nothing more to say, whatever was still on its way.
        roots.sort_by_key(|root| by_time[*root].http_method() == "DELETE");
    }
    let mut ordered = Vec::new();
    let mut stack: Vec<usize> = roots.into_iter().rev().collect();
    while let Some(index) = stack.pop() {
        ordered.push(by_time[index]);
        stack.extend(caused[index].iter().rev());
    }
    ordered
}

/// The earlier exchange because of which this one was begun.
fn cause(trace: &Trace, exchange: &Exchange, earlier: &[&Exchange]) -> Option<usize> {
    let last = |is_it: &dyn Fn(&Exchange) -> bool| earlier.iter().rposition(|other| is_it(other));
    if exchange.http_method() == "GET" {
        if let Some(cursor) = exchange.request.as_ref().and_then(|head| head.fields.text("last-event-id")) {
            return last(&|other| has_event(other, &cursor));
        }
        // A client opens its stream beside the calls that follow the handshake.
        let session = exchange.request.as_ref().and_then(|head| head.fields.get("mcp-session-id"));
        let granted = |other: &Exchange| is_handshake(other) && other.grants() == session.map(|id| id.value.as_slice());
        let handshake = || last(&granted).or_else(|| last(&is_handshake));
        return (trace.head.vantage == Vantage::Server).then(handshake).flatten();
    }
    let sent = exchange.sent();
    match &sent[..] {
        [message] if message.is_response() => last(&|other| has_asked(other, &message.id)),
        [message] if message.method() == Some("notifications/cancelled") => {
            let wanted = message.value["params"].get("requestId").map(Value::to_string)?;
            last(&|other| other.request_id().is_some_and(|id| id.same_as(&Id::Text(wanted.clone()))))
        }
        [message] if message.method() == Some("notifications/initialized") => last(&is_handshake),
        _ => None,
    }
}

fn is_handshake(exchange: &Exchange) -> bool {
    exchange.rpc_method().as_deref() == Some("initialize")
}

fn has_event(exchange: &Exchange, id: &str) -> bool {
    let stream = exchange.answer.as_ref().and_then(|answer| answer.stream.as_ref());
    stream.is_some_and(|stream| {
        stream.events.iter().any(|(event, _)| match event {
            SseEvent::Dispatch(event) | SseEvent::NoData(event) => event.id.as_deref() == Some(id),
            _ => false,
        })
    })
}

/// Whether the answer carries a request of the server's with this id.
fn has_asked(exchange: &Exchange, id: &Id) -> bool {
    let is_it = |received: &Received| received.message.kind == MessageKind::Request && received.message.id.same_as(id);
    exchange.messages().iter().any(is_it)
}

/// The calls that a client's script begins together, in the order in which they stand in it.
pub const TOGETHER: [&[&str]; 4] = [
    &["crossed-1", "crossed-2", "crossed-3"],
    &["held-1", "held-2", "held-3"],
    &["left", "right"],
    &["fin-in-stream", "reset-in-stream", "stream-without-response", "broken-json"],
];

/// Which of them comes first is chance.
fn sort_those_begun_together(exchanges: &[&Exchange], roots: &mut [usize]) {
    for group in TOGETHER {
        let place = |root: &usize| group.iter().position(|label| *label == exchanges[*root].label);
        let slots: Vec<usize> = (0..roots.len()).filter(|slot| place(&roots[*slot]).is_some()).collect();
        let mut calls: Vec<usize> = slots.iter().map(|slot| roots[*slot]).collect();
        calls.sort_by_key(place);
        slots.into_iter().zip(calls).for_each(|(slot, call)| roots[slot] = call);
    }
}
