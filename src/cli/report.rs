//! `--report FORMAT[=PATH]`: where the report goes, and as what.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Failure, print};
use crate::report::{Report, json, text};

/// One report to be written.
#[derive(Clone, Debug)]
pub struct Output {
    format: Format,
    path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Text,
    Json,
}

/// A format that does not exist.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// No such format.
    #[error("report format `{0}` is not known (known formats: text, json)")]
    Format(String),
    /// No path behind the equals sign.
    #[error("`{0}` has no path behind the `=`")]
    Path(String),
}

impl FromStr for Output {
    type Err = OutputError;

    fn from_str(text: &str) -> Result<Self, OutputError> {
        let (format, path) = match text.split_once('=') {
            Some((_, "")) => return Err(OutputError::Path(text.to_owned())),
            Some((format, path)) => (format, Some(PathBuf::from(path))),
            None => (text, None),
        };
        let format = match format {
            "text" => Format::Text,
            "json" => Format::Json,
            other => return Err(OutputError::Format(other.to_owned())),
        };
        Ok(Self { format, path })
    }
}

/// Writes the report in every format that was asked for; as text to standard output where none was.
pub fn write(report: &Report, outputs: &[Output]) -> Result<(), Failure> {
    let default = [Output { format: Format::Text, path: None }];
    for output in if outputs.is_empty() { &default } else { outputs } {
        let rendered = match (output.format, &output.path) {
            (Format::Json, _) => json::render(report),
            // A file is no terminal; standard output strips the colours itself where it is none.
            (Format::Text, Some(_)) => text::render(report, text::Style::PLAIN),
            (Format::Text, None) => text::render(report, text::Style::COLOUR),
        };
        match &output.path {
            None => print(&rendered)?,
            Some(path) => fs::write(path, rendered)
                .map_err(|error| Failure::fault(format!("cannot write {}: {error}", path.display())))?,
        }
    }
    Ok(())
}
