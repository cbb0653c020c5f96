//! `mcpwire latency`: measures a server, phase by phase, and says what makes slow calls slow.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Clap;

use super::exit::Exit;
use super::report::{self, Format, Output};
use super::server::{Revisions, duration, durations, failure, interrupt_on_signals, revisions, signalled};
use super::target::{Chosen, TargetArgs};
use super::{Failure, progress};
use crate::drive::{self, Experiments, Subject};
use crate::judgement;
use crate::manifest::Options;
use crate::report::latency::Latencies;
use crate::target;
use crate::trace::store;

/// Options of `mcpwire latency`.
#[derive(Debug, Clap)]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,

    /// The revision to measure: auto, 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28.
    #[arg(long, value_name = "REVISION", default_value = "auto", value_parser = revisions, help_heading = "Selection")]
    revision: Revisions,
    /// What a call may take in the median, over what this machine takes anyway [default: 10ms].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    budget: Option<Duration>,
    /// Wait this long for an answer [default: 10s].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    timeout: Option<Duration>,

    /// Keep the recording in this folder; `mcpwire judge` judges it again.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    record: Option<PathBuf>,
    /// Write a report: text or json (with every sample), to standard output or to a file. May be given more than once.
    #[arg(long, value_name = "FORMAT[=PATH]", value_parser = report::text_or_json, help_heading = "Output")]
    report: Vec<Output>,
}

/// Measures the server and writes the reports.
pub fn run(args: Args) -> Result<Exit, Failure> {
    report::check(&args.report)?;
    if let Some(folder) = &args.record {
        store::may_write(folder).map_err(Failure::usage)?;
    }
    let given = args.target.given() + &durations([("--timeout", args.timeout), ("--budget", args.budget)]);
    let Chosen { target, roles, secrets } = args.target.choose()?;
    let options = Options {
        timeout: args.timeout.unwrap_or(Options::TIMEOUT),
        budget: args.budget.unwrap_or(Options::BUDGET),
        budget_is_set: args.budget.is_some(),
        only: vec!["latency/*".to_owned()],
        ..Options::default()
    };
    let interrupt = interrupt_on_signals()?;
    let subject = Subject {
        target,
        revisions: args.revision.0,
        options,
        roles,
        experiments: Experiments::Always,
        permission: target::Permission::default(),
        given,
        interrupt: interrupt.clone(),
    };
    let recording =
        drive::record(subject, &mut *progress::observer()).map_err(|error| failure(&error, &interrupt, &secrets))?;
    let recorded = args.record.as_ref().map_or(Ok(()), |folder| recording.write(folder).map_err(Failure::fault));
    let judged = judgement::judge(&recording).map_err(Failure::usage)?;
    let latencies = Latencies::of(&recording, &judged);
    let render = |format| match format {
        Format::Json => latencies.json(),
        Format::Text(style) => latencies.text(style),
        // Refused on the command line.
        Format::Junit | Format::Github => String::new(),
    };
    let reported = report::write_rendered(&args.report, render, || crate::report::text::conclusion(&judged));
    recorded.and(reported)?;
    Ok(signalled(&interrupt).unwrap_or(Exit::of(judged.summary.gate)))
}
