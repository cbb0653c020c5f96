//! `--report FORMAT[=PATH]`: where the report goes, and as what.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::{Failure, print, say};
pub use crate::report::output::{Format, Output, text_or_json};
use crate::report::{Report, github, json, junit, text};

/// Reads a report that was written as JSON.
pub fn read(path: &Path) -> Result<Report, Failure> {
    let text = fs::read(path).map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    json::read(&String::from_utf8_lossy(&text)).map_err(|error| Failure::usage(format!("{} {error}", path.display())))
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
        Format::Junit => junit::render(report),
        Format::Github => github::annotations(report),
    };
    let written = write_rendered(outputs, render, || text::conclusion(report));
    let summed_up = match outputs.iter().any(|output| matches!(output.format, Format::Github)) {
        true => sum_up(report),
        false => Ok(()),
    };
    written.and(summed_up)
}

/// Adds to the summary of the step, where there is one.
fn sum_up(report: &Report) -> Result<(), Failure> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return Ok(()) };
    let file = fs::OpenOptions::new().append(true).create(true).open(&path);
    file.and_then(|mut file| file.write_all(github::summary(report).as_bytes())).map_err(|error| {
        Failure::fault(format!("cannot write to GITHUB_STEP_SUMMARY={}: {error}", Path::new(&path).display()))
    })
}

/// The same for any report; its conclusion goes to standard error where nobody reads it on standard output.
pub fn write_rendered(
    outputs: &[Output],
    render: impl Fn(Format) -> String,
    conclusion: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let default = [Output { format: Format::Text(text::Style::COLOUR), path: None }];
    let outputs = if outputs.is_empty() { &default } else { outputs };
    let failed: Vec<String> = outputs.iter().filter_map(|output| write_one(output, &render).err()).collect();
    if !outputs.iter().any(is_read_at_once) {
        say(&conclusion());
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::fault(failed.join("; "))) }
}

/// Whether a person reads its conclusion on standard output.
fn is_read_at_once(output: &Output) -> bool {
    matches!(output, Output { format: Format::Text(_), path: None })
}

fn write_one(output: &Output, render: &impl Fn(Format) -> String) -> Result<(), String> {
    let rendered = render(match (output.format, &output.path) {
        // A file is no terminal; standard output strips the colours itself where it is none.
        (Format::Text(_), Some(_)) => Format::Text(text::Style::PLAIN),
        (format, _) => format,
    });
    match &output.path {
        None => print(&rendered).map_err(|failure| failure.message),
        Some(path) => fs::write(path, rendered).map_err(|error| format!("cannot write {}: {error}", path.display())),
    }
}
