//! What a client does with the id of its session, from the grant to the end.

checks! {
    id_echoed,
    id_from_initialize,
    reinitializes_on_404,
    id_stays_at_origin,
}

/// Why the rules on sessions do not exist in the modern era.
const ELSEWHERE: &str = "sessions do not exist in this revision";

/// The header field that carries the id.
const FIELD: &str = "Mcp-Session-Id";
