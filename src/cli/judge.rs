//! `mcpwire judge`: judges a recording again.

use std::path::PathBuf;

use clap::Args as Clap;

use super::Failure;
use super::exit::Exit;
use super::gating::Gating;
use super::report::{self, Output};
use super::server::{JudgementArgs, Revisions, revisions};
use crate::trace::store::Recording;

/// Options of `mcpwire judge`. The options of the run hold unless they are given again.
#[derive(Debug, Clap)]
pub struct Args {
    /// The folder of the recording.
    #[arg(value_name = "DIR")]
    recording: PathBuf,
    /// Judge only this revision.
    #[arg(long, value_name = "REVISION", default_value = "auto", value_parser = revisions, help_heading = "Selection")]
    revision: Revisions,
    #[command(flatten)]
    judgement: JudgementArgs,
    /// Write a report: text, json, junit or github, to standard output or to a file. May be given more than once.
    #[arg(long, value_name = "FORMAT[=PATH]", help_heading = "Output")]
    report: Vec<Output>,
}

/// Judges the recording and writes the reports.
pub fn run(args: Args) -> Result<Exit, Failure> {
    report::check(&args.report)?;
    let said = args.judgement.layer();
    let gating = Gating::read(&said)?;
    let mut recording = Recording::read(&args.recording).map_err(Failure::usage)?;
    let manifest = &mut recording.manifest;
    manifest.options = said.options_over(manifest.options.clone());
    manifest.revisions.retain(|run| args.revision.0.contains(&run.revision));
    gating.name(manifest);
    let judged = gating.judge(&recording)?;
    report::write(&judged, &args.report)?;
    Ok(Exit::of(judged.summary.gate))
}
