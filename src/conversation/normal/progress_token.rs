//! Progress tokens: whatever stands in a member of that name. In an answer, that of the request is the first of its
//! exchange, wherever else it was used.

use serde_json::Value;

use super::{Kind, Names};

/// The name of a progress token.
pub fn name(names: &mut Names, token: &Value) -> Value {
    let token = token.to_string();
    if names.answering && names.token.as_ref() == Some(&token) {
        return "<token-1>".into();
    }
    if !names.answering {
        names.token = Some(token.clone());
    }
    names.name(Kind::Token, &token).into()
}
