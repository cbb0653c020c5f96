//! JSON-RPC messages as they were on the wire: the value, and the id to the letter.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON-RPC 2.0 message, or what stood in the place of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What it is.
    pub kind: MessageKind,
    /// Its id.
    pub id: Id,
    /// All of it.
    pub value: Value,
}

/// What a JSON value is to JSON-RPC 2.0 (sections 4 and 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// `method` and `id`.
    Request,
    /// `method` without `id`.
    Notification,
    /// `result`.
    Result,
    /// `error`.
    Error,
    /// None of these.
    Other,
}

/// An id as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    /// No such member.
    Absent,
    /// `null`.
    Null,
    /// The JSON text of any other value.
    Text(String),
}

impl Message {
    /// Reads the messages in a JSON text: one, or those of an array.
    ///
    /// # Errors
    ///
    /// The parser's words where the text is not JSON.
    pub fn read_all(text: &[u8]) -> Result<Vec<Self>, serde_json::Error> {
        let value: Value = serde_json::from_slice(text)?;
        if !value.is_array() {
            return Ok(vec![Self::of(value, text)]);
        }
        let elements: Vec<&RawValue> = serde_json::from_slice(text)?;
        elements.iter().map(|raw| Ok(Self::of(serde_json::from_str(raw.get())?, raw.get().as_bytes()))).collect()
    }

    fn of(value: Value, text: &[u8]) -> Self {
        let has = |member| value.get(member).is_some();
        let kind = match (has("method"), has("id"), has("result"), has("error")) {
            (true, true, _, _) => MessageKind::Request,
            (true, false, _, _) => MessageKind::Notification,
            (false, _, true, false) => MessageKind::Result,
            (false, _, _, true) => MessageKind::Error,
            (false, _, false, false) => MessageKind::Other,
        };
        Self { kind, id: Id::of(&value, text), value }
    }

    /// Whether it answers a request.
    pub fn is_response(&self) -> bool {
        matches!(self.kind, MessageKind::Result | MessageKind::Error)
    }

    /// The method of a request or notification.
    pub fn method(&self) -> Option<&str> {
        self.value.get("method").and_then(Value::as_str)
    }

    /// The code of an error.
    pub fn error_code(&self) -> Option<i64> {
        self.value.get("error")?.get("code")?.as_i64()
    }
}

impl Id {
    fn of(value: &Value, text: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct WithId<'a> {
            #[serde(borrow, default)]
            id: Option<&'a RawValue>,
        }
        match value.get("id") {
            None => Self::Absent,
            Some(Value::Null) => Self::Null,
            // A duplicate member makes the typed reading fail; the last one counts then, as it does elsewhere.
            Some(id) => match serde_json::from_slice(text) {
                Ok(WithId { id: Some(raw) }) => Self::Text(raw.get().to_owned()),
                _ => Self::Text(id.to_string()),
            },
        }
    }

    /// Whether two ids are equal in JSON type and value (JSON-RPC 2.0, section 5): `1` and `1.0` are, `1` and
    /// `"1"` are not.
    pub fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b || same_value(a, b),
            _ => self == other,
        }
    }
}

fn same_value(a: &str, b: &str) -> bool {
    // Two strings differ where their texts do, unless something is escaped; a string and a number always do.
    let is_string = |text: &str| text.starts_with('"');
    if is_string(a) != is_string(b) || is_string(a) && !a.contains('\\') && !b.contains('\\') {
        return false;
    }
    let (Ok(a), Ok(b)) = (serde_json::from_str::<Value>(a), serde_json::from_str::<Value>(b)) else { return false };
    match (&a, &b) {
        (Value::Number(x), Value::Number(y)) if x.is_f64() != y.is_f64() => x.as_f64() == y.as_f64(),
        _ => a == b,
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("no id"),
            Self::Null => f.write_str("null"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("1", "1", true)]
    #[case("1", "1.0", true)]
    #[case("1", "\"1\"", false)]
    #[case("9007199254740991", "9007199254740991", true)]
    #[case("9007199254740991", "9007199254740990", false)]
    #[case("\"caf\\u00e9\"", "\"café\"", true)]
    fn ids_are_equal_in_type_and_value(#[case] a: &str, #[case] b: &str, #[case] equal: bool) {
        let id = |text: &str| Message::read_all(format!("{{\"id\":{text}}}").as_bytes()).unwrap()[0].id.clone();
        assert_eq!(id(a).same_as(&id(b)), equal);
    }

    #[test]
    fn an_array_holds_several_messages() {
        let messages = Message::read_all(br#"[{"id":1,"result":{}},{"method":"x"}]"#).unwrap();
        assert_eq!(
            messages.iter().map(|m| m.kind).collect::<Vec<_>>(),
            [MessageKind::Result, MessageKind::Notification]
        );
    }
}
