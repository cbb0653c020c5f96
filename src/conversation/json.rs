//! JSON as a reader wants to see it: what fits stands on one line, what does not in an outline.
//!
//! Members are sorted by name: their order means nothing (RFC 8259, section 4), and some targets keep them in hash
//! tables that are shuffled from run to run. White space is that of the outline.

use serde_json::Value;

use super::digest::{shortened, visible};

/// How many bytes of a string are shown.
const STRING: usize = 240;

/// The outline of a value in lines of this width.
pub fn outline(value: &Value, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in sorted(members) {
                member(&mut lines, 0, &name_of(name), value, width);
            }
        }
        other => below(&mut lines, 0, other, width),
    }
    lines
}

fn member(lines: &mut Vec<String>, indent: usize, name: &str, value: &Value, width: usize) {
    let pad = " ".repeat(indent);
    let line = format!("{pad}{name}: {}", inline(value));
    if line.chars().count() <= width || !is_outlined(value) {
        lines.push(line);
    } else {
        lines.push(format!("{pad}{name}:"));
        below(lines, indent + 2, value, width);
    }
}

/// Too deep to be indented any further, it stands on one line, which the page breaks.
fn below(lines: &mut Vec<String>, indent: usize, value: &Value, width: usize) {
    let pad = " ".repeat(indent);
    let line = format!("{pad}{}", inline(value));
    if line.chars().count() <= width || indent + 16 > width {
        lines.push(line);
        return;
    }
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, value) in sorted(members) {
                member(lines, indent, &name_of(name), value, width);
            }
        }
        Value::Array(elements) if !elements.is_empty() => {
            for element in elements {
                let from = lines.len();
                below(lines, indent + 2, element, width);
                // The first line of an element has the mark.
                lines[from].replace_range(indent..indent + 2, "- ");
            }
        }
        _ => lines.push(line),
    }
}

fn is_outlined(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        _ => false,
    }
}

/// A value on one line.
pub fn inline(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> = sorted(members)
                .into_iter()
                .map(|(name, value)| format!("{}: {}", quoted(name), inline(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(elements) => format!("[{}]", elements.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn sorted(members: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

fn name_of(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '$');
    match !name.is_empty() && name.len() <= 80 && name.chars().all(is_word) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

fn quoted(text: &str) -> String {
    // Quotes and backslashes as JSON spells them, and what JSON leaves alone and a terminal does not.
    let json = Value::from(shortened(text, STRING)).to_string();
    visible(json.as_bytes())
}
