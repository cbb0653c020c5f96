//! Header fields that repeat what the body says (2026-07-28, "Request Metadata").

use std::collections::HashSet;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

/// The annotation of a parameter that goes into a header field.
const ANNOTATION: &str = "x-mcp-header";

/// Keywords of JSON Schema whose values are data and not schemas.
const DATA: [&str; 5] = ["default", "const", "enum", "examples", "example"];

/// A parameter that goes into a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mirror {
    /// The name of the field, without `Mcp-Param-`.
    name: String,
    /// The properties that lead to the parameter.
    path: Vec<String>,
}

/// What makes a tool's annotations invalid, so that it must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an `x-mcp-header` is not what it may be")]
pub(super) struct InvalidAnnotation;

impl Mirror {
    /// The header field for these arguments, where they have such a value.
    pub(super) fn field(&self, arguments: &Map<String, Value>) -> Option<(String, String)> {
        let (first, rest) = self.path.split_first()?;
        let value = rest.iter().try_fold(arguments.get(first)?, |value, step| value.get(step))?;
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) => value.to_string(),
            Value::Number(number) => {
                number.as_f64().filter(|_| number.is_f64()).map_or(number.to_string(), |float| float.to_string())
            }
            _ => return None,
        };
        Some((format!("Mcp-Param-{}", self.name), value))
    }
}

/// The annotated parameters of a tool.
pub(super) fn of_tool(tool: &Value) -> Result<Vec<Mirror>, InvalidAnnotation> {
    let mut mirrors = Vec::new();
    if let Some(schema) = tool.get("inputSchema") {
        // The root is not a parameter.
        if schema.get(ANNOTATION).is_some() {
            return Err(InvalidAnnotation);
        }
        collect(schema, &mut Vec::new(), &mut mirrors)?;
    }
    let mut names = HashSet::new();
    match mirrors.iter().all(|mirror| names.insert(mirror.name.to_ascii_lowercase())) {
        true => Ok(mirrors),
        false => Err(InvalidAnnotation),
    }
}

/// Walks along `properties`, which is the only way to a parameter that may be annotated.
fn collect(schema: &Value, path: &mut Vec<String>, mirrors: &mut Vec<Mirror>) -> Result<(), InvalidAnnotation> {
    let Some(schema) = schema.as_object() else { return Ok(()) };
    for (keyword, value) in schema {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                for (property, schema) in properties {
                    path.push(property.clone());
                    collect(schema, path, mirrors)?;
                    path.pop();
                }
            }
            (ANNOTATION, value) => {
                let name = value.as_str().filter(|name| is_token(name)).ok_or(InvalidAnnotation)?;
                if !is_primitive(schema.get("type")) {
                    return Err(InvalidAnnotation);
                }
                mirrors.push(Mirror { name: name.to_owned(), path: path.clone() });
            }
            (keyword, _) if DATA.contains(&keyword) => {}
            (_, value) if is_annotated(value) => return Err(InvalidAnnotation),
            _ => {}
        }
    }
    Ok(())
}

/// Whether there is an annotation anywhere in here.
fn is_annotated(value: &Value) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name == ANNOTATION || !DATA.contains(&name.as_str()) && is_annotated(value)),
        Value::Array(elements) => elements.iter().any(is_annotated),
        _ => false,
    }
}

/// A type whose values have a text of their own; `null` beside it only means that there may be none.
fn is_primitive(of_type: Option<&Value>) -> bool {
    let is_one = |value: &Value| matches!(value.as_str(), Some("string" | "integer" | "boolean"));
    match of_type {
        Some(Value::Array(types)) => types.iter().any(is_one) && types.iter().all(|one| is_one(one) || one == "null"),
        Some(one) => is_one(one),
        None => false,
    }
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A value as it stands in a header field (2026-07-28, "Value Encoding").
pub(super) fn encoded(value: &str) -> String {
    let is_plain = value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    let is_padded = value.trim_matches([' ', '\t']) != value;
    let is_ambiguous = value.starts_with("=?base64?") && value.ends_with("?=");
    match is_plain && !is_padded && !is_ambiguous {
        true => value.to_owned(),
        false => format!("=?base64?{}?=", BASE64_STANDARD.encode(value)),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// The table of the specification.
    #[rstest]
    #[case("us-west1", "us-west1")]
    #[case("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?=")]
    #[case(" padded ", "=?base64?IHBhZGRlZCA=?=")]
    #[case("line1\nline2", "=?base64?bGluZTEKbGluZTI=?=")]
    #[case("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=")]
    fn values_are_encoded(#[case] value: &str, #[case] field: &str) {
        assert_eq!(encoded(value), field);
    }

    #[test]
    fn annotated_parameters_are_found_by_their_path() {
        let tool = json!({ "inputSchema": { "type": "object", "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "where": { "type": "object", "properties": {
                "row": { "type": ["integer", "null"], "x-mcp-header": "Row" },
                "dry": { "type": "boolean", "x-mcp-header": "Dry", "default": { "x-mcp-header": 1 } },
            } },
            "x-mcp-header": { "type": "string" },
        } } });
        let mirrors = of_tool(&tool).unwrap();
        let fields = |arguments: Value| -> Vec<(String, String)> {
            mirrors.iter().filter_map(|mirror| mirror.field(arguments.as_object()?)).collect()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            fields(json!({ "region": "eu", "where": { "row": -7.0, "dry": true } })),
            [pair("Mcp-Param-Region", "eu"), pair("Mcp-Param-Row", "-7"), pair("Mcp-Param-Dry", "true")]
        );
        assert_eq!(fields(json!({ "region": null, "where": 1 })), []);
    }

    #[rstest]
    #[case(json!({ "properties": { "a": { "type": "string", "x-mcp-header": "" } } }))]
    #[case(json!({ "properties": { "a": { "type": "string", "x-mcp-header": "a b" } } }))]
    #[case(json!({ "properties": { "a": { "type": "string", "x-mcp-header": 1 } } }))]
    #[case(json!({ "properties": { "a": { "type": "number", "x-mcp-header": "A" } } }))]
    #[case(json!({ "properties": { "a": { "x-mcp-header": "A" } } }))]
    #[case(json!({ "x-mcp-header": "A", "type": "string" }))]
    #[case(json!({ "properties": { "a": { "items": { "type": "string", "x-mcp-header": "A" } } } }))]
    #[case(json!({ "anyOf": [{ "properties": { "a": { "type": "string", "x-mcp-header": "A" } } }] }))]
    #[case(json!({ "$defs": { "a": { "type": "string", "x-mcp-header": "A" } } }))]
    #[case(json!({ "properties": {
        "a": { "type": "string", "x-mcp-header": "A" }, "b": { "type": "string", "x-mcp-header": "a" },
    } }))]
    fn invalid_annotations_make_the_tool_invalid(#[case] schema: Value) {
        assert_eq!(of_tool(&json!({ "inputSchema": schema })), Err(InvalidAnnotation));
    }
}
