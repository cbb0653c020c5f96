//! Exchanges in an order by cause, not by time.
//!
//! What one side does by itself stands in the order in which it began; what it does because of something that the
//! other side said stands behind that, whenever it came: the answer to a request on a stream, the resumption of a
//! stream, the cancellation of a call. Calls that were begun together stand in the order of their names.

use serde_json::Value;

use crate::codec::sse::SseEvent;
use crate::scenario::Scenario;
use crate::trace::{Ending, Exchange, Id, MessageKind, Received, Trace, Vantage};

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
        if matches!(trace.scenario(), Scenario::ClientConcurrent | Scenario::ClientTruncated | Scenario::ClientServerRequests)
        {
            sort_those_begun_together(trace, &by_time, &mut roots);
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
        return (trace.head.vantage == Vantage::Server).then(|| last(&|other| is_handshake(other))).flatten();
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
    let is_it = |received: &Received| {
        received.message.kind == MessageKind::Request && received.message.id.same_as(id)
    };
    exchange.messages().iter().any(is_it)
}

/// Calls in a row, each begun before one of those before it had its response.
fn sort_those_begun_together(trace: &Trace, exchanges: &[&Exchange], roots: &mut [usize]) {
    let is_call = |root: usize| exchanges[root].rpc_method().as_deref() == Some("tools/call");
    let mut start = 0;
    while start < roots.len() {
        let mut end = start + 1;
        while end < roots.len()
            && is_call(roots[start])
            && is_call(roots[end])
            && roots[start..end].iter().any(|earlier| is_open_at(trace, exchanges[*earlier], exchanges[roots[end]].asked.seq))
        {
            end += 1;
        }
        roots[start..end].sort_by(|a, b| exchanges[*a].label.cmp(&exchanges[*b].label));
        start = end;
    }
}

/// Whether there was no response yet, and no end.
fn is_open_at(trace: &Trace, exchange: &Exchange, seq: u32) -> bool {
    let facts = trace.connection(exchange.conn);
    let ended = facts.and_then(|facts| facts.ended).map(|(_, moment)| moment);
    let over = match exchange.ending {
        Ending::Complete(end) | Ending::Cut(_, end) | Ending::Unreadable(end) | Ending::NotKept(end) => Some(end),
        Ending::Open { .. } => None,
    };
    let moments = [exchange.response().map(|response| response.moment), over, ended, facts.and_then(|facts| facts.closed)];
    moments.into_iter().flatten().all(|moment| moment.seq > seq)
}
