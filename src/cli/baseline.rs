//! `mcpwire baseline`: makes the file of expected failures.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use clap::{Args as Clap, Subcommand};

use super::exit::Exit;
use super::report::read;
use super::{Failure, say};
use crate::baseline::{self, Baseline};
use crate::report::json;

/// Options of `mcpwire baseline`.
#[derive(Debug, Clap)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write what failed in a run into a baseline.
    ///
    /// Entries that are there keep their reasons; those whose checks pass go. New ones get the reason TODO, which has to be
    /// written before the baseline is of use. Comments are not kept.
    Write(WriteArgs),
}

/// Options of `mcpwire baseline write`.
#[derive(Debug, Clap)]
struct WriteArgs {
    /// The baseline.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A report as JSON, of a server or of a client; by default, the one on standard input.
    #[arg(long, value_name = "JSON")]
    from: Vec<PathBuf>,
}

/// Writes the baseline.
pub fn run(args: Args) -> Result<Exit, Failure> {
    let Command::Write(WriteArgs { file, from }) = args.command;
    let existing = existing(&file)?;
    let reports = match from.is_empty() {
        true => vec![piped()?],
        false => from.iter().map(|path| read(path)).collect::<Result<_, _>>()?,
    };
    let written = baseline::write(&existing, &reports).map_err(Failure::usage)?;
    fs::write(&file, &written.text)
        .map_err(|error| Failure::fault(format!("cannot write {}: {error}", file.display())))?;
    let mut told = format!("{}: {} entries kept, {} new", file.display(), written.kept, written.new);
    if written.new > 0 {
        told.push_str(" (with the reason TODO: say why each of them fails)");
    }
    for entry in &written.gone {
        told.push_str(&format!("\n  gone, since it passes: {entry}"));
    }
    for entry in &written.over {
        told.push_str(&format!("\n  kept, but its day is over, so that it excuses nothing: {entry}"));
    }
    say(&told);
    Ok(Exit::Conforms)
}

fn existing(path: &Path) -> Result<Baseline, Failure> {
    let name = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => Baseline::read_unreasoned(&name, &text).map_err(Failure::usage),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Baseline { file: name, entries: Vec::new() }),
        Err(error) => Err(Failure::usage(format!("cannot read {name}: {error}"))),
    }
}

fn piped() -> Result<crate::report::Report, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("cannot read a report from standard input: {error}")))?;
    json::read(&text).map_err(|error| Failure::usage(format!("what is on standard input {error}")))
}
