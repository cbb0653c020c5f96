//! What a client under test told: the outcome of a step, as its caller got it (`fixtures/clients/README.md`).

use serde::Deserialize;
use serde_json::Value;

use super::Moment;

/// The version of the lines that are understood.
const VERSION: u64 = 1;

/// The outcome of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The step's name in the script.
    pub step: String,
    /// What the caller got.
    pub outcome: Result<Value, CallerError>,
    /// When the line had come.
    pub moment: Moment,
}

/// The error that the caller got.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CallerError {
    /// The code, where the error is one of JSON-RPC.
    pub code: Option<i64>,
    /// Its words.
    #[serde(default)]
    pub message: String,
}

impl Told {
    /// Reads a line of standard output; `None` where it is none of ours.
    pub fn read(line: &str, moment: Moment) -> Option<Self> {
        #[derive(Deserialize)]
        struct Line {
            mcpwire: u64,
            step: String,
            result: Option<Value>,
            error: Option<CallerError>,
        }

        let line: Line = serde_json::from_str(line).ok()?;
        let outcome = match (line.result, line.error) {
            (_, Some(error)) => Err(error),
            (result, None) => Ok(result.unwrap_or_default()),
        };
        (line.mcpwire == VERSION).then_some(Self { step: line.step, outcome, moment })
    }

    /// The text of the first content item of a tool's result.
    pub fn text(&self) -> Option<&str> {
        self.outcome.as_ref().ok()?.get("content")?.get(0)?.get("text")?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Told> {
        Told::read(line, Moment { at: Default::default(), kernel: None, seq: 0 })
    }

    #[test]
    fn results_and_errors_are_told_apart() {
        let told = read(r#"{"mcpwire":1,"step":"sum","result":{"content":[{"type":"text","text":"5"}]}}"#).unwrap();
        assert_eq!((told.step.as_str(), told.text()), ("sum", Some("5")));
        let told = read(r#"{"mcpwire":1,"step":"bad","error":{"code":-32000,"message":"no"}}"#).unwrap();
        assert_eq!(told.outcome.unwrap_err().code, Some(-32000));
        let told = read(r#"{"mcpwire":1,"step":"late","error":{"message":"timed out"}}"#).unwrap();
        assert_eq!(told.outcome.unwrap_err().code, None);
    }

    #[test]
    fn other_lines_are_passed_over() {
        for line in ["", "listening", "{}", r#"{"step":"sum","result":{}}"#, r#"{"mcpwire":2,"step":"x","result":{}}"#]
        {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
