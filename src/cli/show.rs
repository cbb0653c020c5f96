//! `mcpwire show`: the conversations in a recording, in two columns.

use std::path::PathBuf;

use clap::Args as Clap;

use super::Failure;
use super::exit::Exit;
use super::server::{Revisions, revisions};
use crate::conversation;
use crate::scenario::Scenario;
use crate::trace::store::Recording;

/// Options of `mcpwire show`.
#[derive(Debug, Clap)]
pub struct Args {
    /// The folder of the recording.
    #[arg(value_name = "DIR")]
    recording: PathBuf,
    /// Show this scenario. May be given more than once.
    #[arg(long, value_name = "NAME", value_parser = scenario)]
    scenario: Vec<Scenario>,
    /// Show only this revision.
    #[arg(long, value_name = "REVISION", default_value = "auto", value_parser = revisions)]
    revision: Revisions,
}

/// Prints the conversations.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let recording = Recording::read(&args.recording).map_err(Failure::usage)?;
    let pages = conversation::pages(&recording, |revision, scenario| {
        let is_wanted = match args.scenario.is_empty() {
            true => scenario.varies().is_none(),
            false => args.scenario.contains(&scenario),
        };
        is_wanted && args.revision.0.contains(&revision)
    });
    if pages.is_empty() {
        let mut played: Vec<&str> = recording.traces.iter().map(|trace| trace.scenario().name()).collect();
        played.sort_unstable();
        played.dedup();
        let played = if played.is_empty() { "none".to_owned() } else { played.join(", ") };
        return Err(Failure::usage(format!("nothing in the recording fits (scenarios in it: {played})")));
    }
    let texts: Vec<&str> = pages.iter().map(|page| page.text.as_str()).collect();
    super::print(&texts.join("\n\n"))?;
    Ok(Exit::Conforms)
}

/// Reads the name of a scenario.
fn scenario(name: &str) -> Result<Scenario, String> {
    let known = Scenario::ALL.iter().copied().find(|scenario| scenario.name() == name);
    known.ok_or_else(|| {
        let names: Vec<&str> = Scenario::ALL.iter().map(|scenario| scenario.name()).collect();
        format!("`{name}` is not a scenario (known scenarios: {})", names.join(", "))
    })
}
