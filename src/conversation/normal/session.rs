//! Session ids: whatever stands in `Mcp-Session-Id`. They are redacted long before, each to a pseudonym of its own.

use super::{Kind, Names};

/// The name of a session id.
pub fn name(names: &mut Names, id: &str) -> String {
    match id.is_empty() {
        true => "(empty)".to_owned(),
        false => names.name(Kind::Session, id),
    }
}
