//! The header fields that say what is in a body.

checks! {
    content_type,
    method,
    name,
    encoding,
    parameters,
    meta,
}

use std::borrow::Cow;

use base64::Engine;

/// Why these rules do not exist in the legacy revisions.
const ELSEWHERE: &str = "in this revision nothing of the body is repeated in header fields";

/// Whether a value cannot stand in a header field as it is (2026-07-28, "Value Encoding").
fn needs_base64(value: &str) -> bool {
    let is_plain = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    !is_plain || value.trim_matches([' ', '\t']) != value || inner(value).is_some()
}

/// The value that a header field stands for; `None` where its Base64 form holds none.
fn decoded(field: &str) -> Option<Cow<'_, str>> {
    let Some(encoded) = inner(field) else { return Some(field.into()) };
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    Some(String::from_utf8(bytes).ok()?.into())
}

/// What stands in the Base64 form.
fn inner(field: &str) -> Option<&str> {
    field.strip_prefix("=?base64?")?.strip_suffix("?=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_no_field_can_carry_have_a_form_of_their_own() {
        for value in ["grüße", " padded", "padded\t", "two\nlines", "=?base64?literal?="] {
            assert!(needs_base64(value), "{value}");
        }
        for value in ["Graz", "two words", "", "=?base64?", "?="] {
            assert!(!needs_base64(value), "{value}");
        }
        assert_eq!(decoded("=?base64?WsO8cmljaA==?=").as_deref(), Some("Zürich"));
        assert_eq!(decoded("=?BASE64?WsO8cmljaA==?=").as_deref(), Some("=?BASE64?WsO8cmljaA==?="));
        assert_eq!(decoded("=?base64?WsO8cmljaA?="), None);
    }
}
