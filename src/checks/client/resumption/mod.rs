//! Streams that end before their response.

checks! {
    last_event_id,
    retry,
    bounded,
    not_in_modern,
}

use crate::trace::{Exchange, Moment, Trace};

/// What all of them but one say of 2026-07-28.
const ELSEWHERE: &str = "streams cannot be resumed in this revision";

/// The GETs that ask for the rest of a call's stream, in the order of asking: the peer's event ids begin with the
/// label of the call.
pub(super) fn resumptions<'t>(trace: &'t Trace, call: &'t str) -> impl Iterator<Item = &'t Exchange> {
    let names = move |id: String| id.split('/').next() == Some(call);
    trace.exchanges().filter(move |exchange| {
        exchange.http_method() == "GET" && exchange.request_field("last-event-id").is_some_and(names)
    })
}

/// When we had ended a body of ours; `None` where the client did so first.
fn ended(trace: &Trace, exchange: &Exchange) -> Option<Moment> {
    if let crate::trace::Ending::Complete(moment) = exchange.ending {
        return Some(moment);
    }
    let connection = trace.connection(exchange.conn)?;
    let theirs = connection.ended.map_or(u32::MAX, |(_, moment)| moment.seq);
    connection.closed.filter(|ours| ours.seq < theirs)
}
