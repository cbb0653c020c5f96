//! Progress tokens: whatever stands in a member of that name.

use serde_json::Value;

use super::{Kind, Names};

/// The name of a progress token.
pub fn name(names: &mut Names, token: &Value) -> Value {
    names.name(Kind::Token, &token.to_string()).into()
}
