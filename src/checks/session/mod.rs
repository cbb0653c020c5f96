//! Sessions of the legacy revisions, from the id that opens one to its end.

checks! {
    id_is_valid,
    required,
    gone_after_delete,
}

/// Why the rules on sessions do not exist in the modern era.
const ELSEWHERE: &str = "sessions do not exist in this revision";

/// Why there is nothing to ask of a target without sessions.
const NONE_ISSUED: &str = "the server issues no session id";
