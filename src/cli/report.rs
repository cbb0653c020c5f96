//! `--report FORMAT[=PATH]`: where the report goes, and as what.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Failure, print, say};
use crate::report::{Report, github, json, junit, text};

/// One report to be written.
#[derive(Clone, Debug)]
pub struct Output {
    format: Format,
    path: Option<PathBuf>,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// For a person; with colours for a terminal.
    Text(text::Style),
    /// For a program.
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
            "text" => Format::Text(text::Style::COLOUR),
            "json" => Format::Json,
            other => return Err(OutputError::Format(other.to_owned())),
        };
        Ok(Self { format, path })
    }
}

/// Refuses what could not be written anyway, before a run is spent on it.
pub fn check(outputs: &[Output]) -> Result<(), Failure> {
    for path in outputs.iter().filter_map(|output| output.path.as_deref()) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if path.is_dir() {
            return Err(Failure::usage(format!("--report: {} is a folder, not a file", path.display())));
        }
        if !folder.is_dir() {
            let (path, folder) = (path.display(), folder.display());
            return Err(Failure::usage(format!("--report: cannot write {path}: there is no folder {folder}")));
        }
    }
    Ok(())
}

/// Writes the report in every format that was asked for; as text to standard output where none was. One that
/// cannot be written does not keep the others from being written.
pub fn write(report: &Report, outputs: &[Output]) -> Result<(), Failure> {
    let render = |format| match format {
        Format::Json => json::render(report),
        Format::Text(style) => text::render(report, style),
    };
    write_rendered(outputs, render, || text::conclusion(report))
}

/// The same for any report; its conclusion goes to standard error where nobody reads it on standard output.
pub fn write_rendered(
    outputs: &[Output],
    render: impl Fn(Format) -> String,
    conclusion: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let default = [Output { format: Format::Text(text::Style::COLOUR), path: None }];
    let outputs = if outputs.is_empty() { &default } else { outputs };
    let failed: Vec<String> = outputs.iter().filter_map(|output| output.write(&render).err()).collect();
    if !outputs.iter().any(Output::is_read_at_once) {
        say(&conclusion());
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::fault(failed.join("; "))) }
}

impl Output {
    /// Whether a person reads its conclusion on standard output.
    fn is_read_at_once(&self) -> bool {
        matches!(self, Self { format: Format::Text(_), path: None })
    }

    fn write(&self, render: &impl Fn(Format) -> String) -> Result<(), String> {
        let rendered = render(match (self.format, &self.path) {
            // A file is no terminal; standard output strips the colours itself where it is none.
            (Format::Text(_), Some(_)) => Format::Text(text::Style::PLAIN),
            (format, _) => format,
        });
        match &self.path {
            None => print(&rendered).map_err(|failure| failure.message),
            Some(path) => {
                fs::write(path, rendered).map_err(|error| format!("cannot write {}: {error}", path.display()))
            }
        }
    }
}
