//! `mcpwire compare`: what changed from one report to another.

use std::path::PathBuf;

use clap::Args as Clap;

use super::exit::Exit;
use super::report::read;
use super::{Failure, print};
use crate::report::compare::compare;
use crate::report::text::Style;

/// Options of `mcpwire compare`.
#[derive(Debug, Clap)]
pub struct Args {
    /// The earlier report, as JSON.
    #[arg(value_name = "A.json")]
    earlier: PathBuf,
    /// The later one.
    #[arg(value_name = "B.json")]
    later: PathBuf,
}

/// Prints what changed. Regressions are findings; without one, what is no longer exercised is too little to go by.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let (earlier, later) = (read(&args.earlier)?, read(&args.later)?);
    if earlier.role != later.role {
        return Err(Failure::usage("one of the reports is about a server, the other one about a client"));
    }
    let comparison = compare(&earlier, &later);
    print(&comparison.text(Style::COLOUR))?;
    Ok(if !comparison.faults.is_empty() {
        Exit::Fault
    } else if !comparison.regressions.is_empty() {
        Exit::Findings
    } else if !comparison.lost.is_empty() || later.incomplete.is_some() {
        Exit::TooLittle
    } else {
        Exit::Conforms
    })
}
