//! `mcpwire client`: tests a client.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Clap;

use super::exit::Exit;
use super::report::{self, Output};
use super::server::{JudgementArgs, Revisions, duration, failure, interrupt_on_signals, revisions, signalled};
use super::{Failure, progress};
use crate::drive::ClientSubject;
use crate::entry::{WITHIN, record_client_confirmed};
use crate::manifest::Options;
use crate::reference::client::Fault;
use crate::target::client::Client;
use crate::trace::redact::Redactor;
use crate::trace::store;

/// Options of `mcpwire client`.
#[derive(Debug, Clap)]
pub struct Args {
    /// The client and its arguments; the URL is appended. No shell is involved. `fixtures/clients/README.md` says what
    /// else a client finds in its environment, and what it can tell.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Switch a fault of the embedded reference client on, to see what a failure looks like
    /// (`mcpwire reference-client --help` lists them).
    #[arg(long, value_name = "NAME", conflicts_with = "command", help_heading = "Target")]
    fault: Option<Fault>,

    /// The revision to test: auto, 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28.
    #[arg(long, value_name = "REVISION", default_value = "auto", value_parser = revisions, help_heading = "Selection")]
    revision: Revisions,
    #[command(flatten)]
    judgement: JudgementArgs,
    /// How long the client may take for one scenario; then it is ended with all that it started [default: 30s].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    timeout: Option<Duration>,

    /// Keep the recording in this folder; `mcpwire judge` judges it again.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    record: Option<PathBuf>,
    /// Write a report: text, json, junit or github, to standard output or to a file. May be given more than once.
    #[arg(long, value_name = "FORMAT[=PATH]", help_heading = "Output")]
    report: Vec<Output>,
}

/// Tests the client and writes the reports.
pub fn run(args: Args) -> Result<Exit, Failure> {
    report::check(&args.report)?;
    if let Some(folder) = &args.record {
        store::may_write(folder).map_err(Failure::usage)?;
    }
    if args.command.first().is_some_and(String::is_empty) {
        return Err(Failure::usage("the command behind `--` is empty"));
    }
    // As in `mcpwire client -- $(prepare)` where `prepare` failed: the reference client would conform in its place.
    if args.command.is_empty() && std::env::args_os().next_back().is_some_and(|last| last == "--") {
        return Err(Failure::usage("no command behind `--`; without `--`, the embedded reference client is tested"));
    }
    let gating = args.judgement.gating.read()?;
    let given = given(&args);
    let client = match args.command.is_empty() {
        true => Client::Reference(args.fault),
        false => Client::Command(args.command),
    };
    let within = args.timeout.unwrap_or(WITHIN);
    let options = args.judgement.over(Options { timeout: within, ..Options::default() });
    let interrupt = interrupt_on_signals()?;
    let revisions = args.revision.0;
    let subject = ClientSubject { client, revisions, options, within, given, interrupt: interrupt.clone() };
    let mut observer = progress::observer();
    let mut recording = record_client_confirmed(&subject, &mut *observer)
        .map_err(|error| failure(&error, &interrupt, &Redactor::default()))?;
    drop(observer);
    gating.name(&mut recording.manifest);
    let judged = gating.judge(&recording)?;
    let recorded = args.record.as_ref().map_or(Ok(()), |folder| recording.write(folder).map_err(Failure::fault));
    let reported = report::write(&judged, &args.report);
    // What could not be written loses nothing of the rest, and is mcpwire's own fault all the same.
    recorded.and(reported)?;
    Ok(signalled(&interrupt).unwrap_or(Exit::of(judged.summary.gate)))
}

/// The options that a replay needs beside the client and the selection, as they would be typed.
fn given(args: &Args) -> String {
    let limits = [("--timeout", args.timeout), ("--budget", args.judgement.budget)];
    let shown = |limit: Duration| format!("{}us", limit.as_micros().max(1));
    limits.into_iter().filter_map(|(name, limit)| Some(format!(" {name} {}", shown(limit?)))).collect()
}
