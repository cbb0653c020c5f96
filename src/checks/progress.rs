//! Progress: who reports it, and who asked for it.

use serde_json::Value;

use crate::trace::{Exchange, Message};

/// The token that a notification reports progress under.
pub(super) fn reported_under(message: &Message) -> Option<&Value> {
    match message.method() {
        Some("notifications/progress") => message.value.get("params")?.get("progressToken"),
        _ => None,
    }
}

/// The token that the one request of an exchange brought with it.
pub(super) fn token_of(exchange: &Exchange) -> Option<Value> {
    match &exchange.sent()[..] {
        [request] => request.value.get("params")?.get("_meta")?.get("progressToken").cloned(),
        _ => None,
    }
}
