//! `FORMAT[=PATH]`: where a report goes, and as what. The command line writes it.

use std::path::PathBuf;
use std::str::FromStr;

use super::text;

/// One report to be written.
#[derive(Clone, Debug)]
pub struct Output {
    /// As what.
    pub format: Format,
    /// To which file; to standard output, where there is none.
    pub path: Option<PathBuf>,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// For a person; with colours for a terminal.
    Text(text::Style),
    /// For a program.
    Json,
    /// For a CI system that shows tests.
    Junit,
    /// For GitHub: annotations on standard output, and a summary where `GITHUB_STEP_SUMMARY` says.
    Github,
}

/// A format that does not exist.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// No such format.
    #[error("report format `{0}` is not known (known formats: text, json, junit, github)")]
    Format(String),
    /// A format that this command has not.
    #[error("report format `{0}` is not known here (known formats: text, json)")]
    Elsewhere(String),
    /// A format that goes where GitHub looks for it.
    #[error("`{0}`: github has no path: annotations go to standard output, the summary where GITHUB_STEP_SUMMARY says")]
    Github(String),
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
            "junit" => Format::Junit,
            "github" if path.is_some() => return Err(OutputError::Github(text.to_owned())),
            "github" => Format::Github,
            "text" => Format::Text(text::Style::COLOUR),
            "json" => Format::Json,
            other => return Err(OutputError::Format(other.to_owned())),
        };
        Ok(Self { format, path })
    }
}

/// Reads an output of a command whose reports have no checks.
pub fn text_or_json(text: &str) -> Result<Output, OutputError> {
    match text.parse::<Output>()? {
        Output { format: Format::Junit | Format::Github, .. } => Err(OutputError::Elsewhere(text.to_owned())),
        output => Ok(output),
    }
}
