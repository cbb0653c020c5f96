//! The report as JSON, indented, with a line end; and back.

use serde::Deserialize;

use super::{Report, SCHEMA};
use crate::catalogue;

/// The report as JSON.
pub fn render(report: &Report) -> String {
    // A report holds nothing that JSON cannot: strings, numbers, lists and maps with string keys.
    let mut text = serde_json::to_string_pretty(report).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    text.push('\n');
    text
}

/// What is no report that can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It ends too early.
    #[error("is cut off: a report ends with its closing brace")]
    CutOff,
    /// No JSON, or not of this shape.
    #[error("is no report of mcpwire: {0}")]
    Shape(serde_json::Error),
    /// JSON of something else.
    #[error("is no report of mcpwire: it has no `schema` (`--report json=PATH` writes one)")]
    Foreign,
    /// A report of another version or kind.
    #[error("is of the form `{0}`, and this version of mcpwire reads `{SCHEMA}`")]
    Other(String),
}

/// Reads a report.
///
/// # Errors
///
/// Where it is none, is cut off, or is one of another version.
pub fn read(text: &str) -> Result<Report, ReadError> {
    #[derive(Deserialize)]
    struct Head {
        schema: Option<String>,
    }
    let error = |error: serde_json::Error| match error.is_eof() {
        true => ReadError::CutOff,
        false => ReadError::Shape(error),
    };
    // First what it is: the words for a report of another version are better than those for a missing member.
    let head: Head = serde_json::from_str(text).map_err(error)?;
    match head.schema {
        None => return Err(ReadError::Foreign),
        Some(schema) if schema != SCHEMA => return Err(ReadError::Other(schema)),
        Some(_) => {}
    }
    let mut report: Report = serde_json::from_str(text).map_err(error)?;
    for check in &mut report.checks {
        // The report has what was found; how to fix it is in the catalogue.
        check.fix = catalogue::find(&check.id).map(catalogue::Listed::fix).unwrap_or_default();
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::made;
    use crate::spec::Revision;
    use crate::verdict::{Level, Verdict};

    fn report() -> Report {
        let check = |id, verdict| made::check(id, Revision::R20251125, verdict, Level::Must);
        made::report(vec![check("sse/well-formed", Verdict::Fail), check("http/content-type", Verdict::Pass)])
    }

    #[test]
    fn a_report_can_be_read_again_with_all_that_it_says() {
        assert_eq!(read(&render(&report())).expect("our own"), report());
    }

    #[test]
    fn what_is_no_report_is_told_from_one_that_is_cut_off() {
        let whole = render(&report());
        let said = |text: &str| read(text).expect_err("no report").to_string();
        for cut in [0, 1, whole.len() / 2, whole.len() - 3] {
            assert!(said(&whole[..cut]).contains("is cut off"), "{cut}: {}", said(&whole[..cut]));
        }
        assert!(said("<xml/>").contains("is no report of mcpwire"));
        assert!(said("{\"results\": []}").contains("it has no `schema`"));
        assert!(said(&whole.replacen("report/1", "report/2", 1)).contains("of the form `mcpwire-report/2`"));
        assert!(said("{\"schema\": \"mcpwire-latency/1\"}").contains("of the form `mcpwire-latency/1`"));
        let newer = whole.replacen("\"fail\"", "\"flop\"", 1);
        assert!(said(&newer).contains("unknown variant `flop`"), "{}", said(&newer));
    }
}
