//! The report as JSON, indented, with a line end.

use super::Report;

/// The report as JSON.
pub fn render(report: &Report) -> String {
    // A report holds nothing that JSON cannot: strings, numbers, lists and maps with string keys.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    text.push('\n');
    text
}
