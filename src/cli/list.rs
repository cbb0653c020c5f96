//! `mcpwire list`: the checks.

use std::fmt::Write;

use clap::Args as Clap;

use super::exit::Exit;
use super::{Failure, print};
use crate::catalogue;
use crate::spec::Revision;

/// Options of `mcpwire list`.
#[derive(Debug, Clap)]
pub struct Args {
    /// Only the checks that match: an id, or a pattern such as `sse/*`.
    #[arg(value_name = "PATTERN")]
    patterns: Vec<String>,
}

/// Prints each check with its level in each revision.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let selected = catalogue::select(None, &args.patterns, &[]).map_err(Failure::usage)?;
    let mut text = String::new();
    let dates: Vec<String> = Revision::ALL.iter().map(|revision| format!("{revision:<10}")).collect();
    let _ = writeln!(text, "{:<42}{}  what it asks", "id", dates.join("  "));
    for listed in selected {
        let levels: Vec<String> = Revision::ALL
            .iter()
            .map(|revision| listed.level(*revision).map_or("-".to_owned(), |level| level.to_string()))
            .map(|level| format!("{level:<10}"))
            .collect();
        let _ = writeln!(text, "{:<42}{}  {}", listed.id(), levels.join("  "), listed.title());
    }
    print(&text)?;
    Ok(Exit::Conforms)
}
