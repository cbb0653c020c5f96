//! What requests and sessions leave behind when they have ended.

checks! {
    descriptors,
    threads,
    no_late_progress,
    progress_token_is_free_again,
    request_id_is_free_again,
    unknown_session_is_refused,
}

mod growth;

use serde_json::Value;

use crate::trace::{Exchange, Message};
use crate::verdict::Cite;

/// JSON-RPC 2.0, section 5: "When a rpc call is made, the Server MUST reply with a Response".
const REPLY: Cite = Cite::Clause("jsonrpc.conform");

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
