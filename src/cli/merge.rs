//! `mcpwire merge`: joins the reports of shards.

use std::path::PathBuf;

use clap::Args as Clap;

use super::Failure;
use super::exit::Exit;
use super::gating;
use super::report::{self, Output};
use crate::report::merge::merge;

/// Options of `mcpwire merge`.
#[derive(Debug, Clap)]
pub struct Args {
    /// The reports of the shards, as JSON: of other checks, other revisions or other targets.
    #[arg(value_name = "JSON", required = true)]
    reports: Vec<PathBuf>,
    /// A YAML file of failures that are expected; by default, that of the shards.
    #[arg(long, value_name = "FILE", alias = "expected-failures", help_heading = "Gate")]
    baseline: Option<PathBuf>,
    /// Write a report: text, json, junit or github, to standard output or to a file. May be given more than once.
    #[arg(long, value_name = "FORMAT[=PATH]", help_heading = "Output")]
    report: Vec<Output>,
}

/// Joins the reports, and ends as one run of everything would have.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    report::check(&args.report)?;
    let baseline = args.baseline.as_deref().map(gating::baseline).transpose()?;
    let mut reports = Vec::new();
    for path in &args.reports {
        let mut report = report::read(path)?;
        if let Some(baseline) = &baseline {
            baseline.apply(&mut report);
        }
        reports.push((path.display().to_string(), report));
    }
    let merged = merge(reports).map_err(Failure::usage)?;
    report::write(&merged, &args.report)?;
    Ok(Exit::of(merged.summary.gate))
}
