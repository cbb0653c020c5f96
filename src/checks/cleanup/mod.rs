//! What requests and sessions leave behind when they have ended.

checks! {
    descriptors,
    threads,
    memory,
    router_entries,
    no_late_progress,
    progress_token_is_free_again,
    request_id_is_free_again,
    unknown_session_is_refused,
}

mod growth;

use crate::verdict::Cite;

/// JSON-RPC 2.0, section 5: "When a rpc call is made, the Server MUST reply with a Response".
const REPLY: Cite = Cite::Clause("jsonrpc.conform");
