//! The rules for texts, on every string of a JSON value; and those that go by the name of a member.

use serde_json::{Map, Value};

use super::{Names, progress_token, request_id, script, version};
use crate::trace::Id;

/// A value in which names stand for what differs from run to run.
pub fn value(names: &mut Names, value: &Value) -> Value {
    match value {
        Value::String(text) => names.text(text).into(),
        Value::Array(elements) => elements.iter().map(|element| self::value(names, element)).collect(),
        Value::Object(members) => {
            let mut normal = Map::new();
            for (name, value) in sorted(members) {
                normal.insert(name.clone(), member(names, name, value));
            }
            Value::Object(normal)
        }
        other => other.clone(),
    }
}

/// In the order in which they are shown, so that names are given out in that order.
fn sorted(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

fn member(names: &mut Names, name: &str, value: &Value) -> Value {
    match name {
        "progressToken" if value.is_string() || value.is_number() => progress_token::name(names, value),
        "requestId" | "io.modelcontextprotocol/subscriptionId" if value.is_string() || value.is_number() => {
            let id = Id::Text(value.to_string());
            request_id::of_client(names, &id, true).trim_matches('"').into()
        }
        "arguments" => script::arguments(names, value).unwrap_or_else(|| self::value(names, value)),
        _ if version::is_info(name) => version::of_info(self::value(names, value)),
        _ => self::value(names, value),
    }
}
