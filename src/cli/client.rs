//! `mcpwire client`: tests a client.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Clap;

use super::exit::Exit;
use super::report::{self, Output};
use super::runs::Runs;
use super::server::{JudgementArgs, Revisions, failure, interrupt_on_signals, revisions};
use super::settings::{self, Choice, ConfigArgs};
use super::{Failure, progress};
use crate::config::{Setting, Value, duration};
use crate::drive::ClientSubject;
use crate::entry::{WITHIN, record_client_confirmed};
use crate::manifest::{Options, Role};
use crate::reference::client::Fault;
use crate::target::client::Client;
use crate::trace::redact::Redactor;

/// Options of `mcpwire client`.
#[derive(Debug, Clap)]
#[command(after_help = settings::variables(Role::Client))]
pub struct Args {
    /// The client and its arguments; the URL is appended. No shell is involved. `fixtures/clients/README.md` says what
    /// else a client finds in its environment, and what it can tell.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
    /// Switch a fault of the embedded reference client on, to see what a failure looks like
    /// (`mcpwire reference-client --help` lists them).
    #[arg(long, value_name = "NAME", conflicts_with = "command", help_heading = "Target")]
    fault: Option<Fault>,

    /// The revision to test: auto, 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28, or some between commas
    /// [default: auto].
    #[arg(long, value_name = "REVISION", value_parser = revisions, help_heading = "Selection")]
    revision: Option<Revisions>,
    #[command(flatten)]
    judgement: JudgementArgs,
    /// How long the client may take for one scenario; then it is ended with all that it started [default: 30s].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    timeout: Option<Duration>,

    #[command(flatten)]
    config: ConfigArgs,

    /// Keep the recording in this folder; `mcpwire judge` judges it again.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    record: Option<PathBuf>,
    /// Write a report: text, json, junit or github, to standard output or to a file. May be given more than once.
    #[arg(long, value_name = "FORMAT[=PATH]", help_heading = "Output")]
    report: Vec<Output>,
}

/// Tests the clients, one after another, and writes the reports.
pub fn run(args: Args) -> Result<Exit, Failure> {
    report::check(&args.report)?;
    if args.command.first().is_some_and(String::is_empty) {
        return Err(Failure::usage("the command behind `--` is empty"));
    }
    // As in `mcpwire client -- $(prepare)` where `prepare` failed: another client would conform in its place.
    if args.command.is_empty() && std::env::args_os().next_back().is_some_and(|last| last == "--") {
        return Err(Failure::usage(
            "no command behind `--`; without `--`, those of mcpwire.toml are tested, or the embedded reference client",
        ));
    }
    let mut flags = args.judgement.layer();
    flags.options(Setting::Command, &args.command);
    flags.option(Setting::Revision, args.revision.as_ref().map(Revisions::value));
    flags.option(Setting::Timeout, args.timeout.map(Value::Duration));
    let choice = match (args.fault, args.command.is_empty()) {
        (Some(_), _) => Choice::Reference,
        (None, false) => Choice::Target,
        (None, true) => Choice::None,
    };
    let wanted = args.config.wanted(Role::Client, &flags, choice)?;
    let defaults = Options { timeout: WITHIN, ..Options::default() };
    let runs = Runs::of(Role::Client, wanted, &defaults, &args.report, args.record.as_deref())?;
    let interrupt = interrupt_on_signals()?;
    runs.go(&interrupt, |run| {
        let settings = &run.wanted.settings;
        let client = match settings.texts(Setting::Command) {
            [] => Client::Reference(args.fault),
            words => Client::Command(words.to_vec()),
        };
        let subject = ClientSubject {
            client,
            revisions: settings.revisions(),
            within: run.options.timeout,
            options: run.options.clone(),
            given: run.wanted.given.clone(),
            interrupt: interrupt.clone(),
        };
        let mut observer = progress::observer();
        let mut recording = record_client_confirmed(&subject, &mut *observer)
            .map_err(|error| failure(&error, &interrupt, &Redactor::default()))?;
        if let Some(command) = run.wanted.command(Role::Client) {
            recording.manifest.command = command;
            recording.manifest.command_tail.clear();
        }
        Ok(recording)
    })
}
