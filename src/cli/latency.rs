//! `mcpwire latency`: measures a server, phase by phase, and says what makes slow calls slow.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Clap;

use super::exit::Exit;
use super::report::{self, Format, Output};
use super::server::{Revisions, failure, interrupt_on_signals, revisions, signalled};
use super::settings::ConfigArgs;
use super::target::{self, Chosen, TargetArgs};
use super::{Failure, progress};
use crate::config::{Setting, Value, duration};
use crate::drive::{self, Experiments, Subject};
use crate::judgement;
use crate::manifest::{Options, Role};
use crate::report::latency::Latencies;
use crate::target::Permission;
use crate::trace::store;

/// Options of `mcpwire latency`.
#[derive(Debug, Clap)]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,

    /// The revision to measure: auto, 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28, or some between commas
    /// [default: auto].
    #[arg(long, value_name = "REVISION", value_parser = revisions, help_heading = "Selection")]
    revision: Option<Revisions>,
    /// What a call may take in the median, over what this machine takes anyway [default: 10ms].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    budget: Option<Duration>,
    /// Wait this long for an answer [default: 10s].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    timeout: Option<Duration>,

    #[command(flatten)]
    config: ConfigArgs,

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
    let mut flags = args.target.layer()?;
    flags.option(Setting::Revision, args.revision.as_ref().map(Revisions::value));
    flags.option(Setting::Timeout, args.timeout.map(Value::Duration));
    flags.option(Setting::Budget, args.budget.map(Value::Duration));
    let wanted = args.config.wanted(Role::Server, &flags, args.target.choice())?;
    let [wanted] = &wanted[..] else {
        let names: Vec<&str> = wanted.iter().filter_map(|wanted| wanted.name.as_deref()).collect();
        let names = names.join(", ");
        return Err(Failure::usage(format!("one server is measured at a time: name it with --target ({names})")));
    };
    let settings = &wanted.settings;
    let Chosen { target, roles, secrets } = target::chosen(settings, args.target.reference())?;
    // What gates, and how it is reported, is a matter of `mcpwire server`.
    let options = Options {
        only: vec!["latency/*".to_owned()],
        skip: Vec::new(),
        require: Vec::new(),
        set: None,
        fail_on: Options::default().fail_on,
        ..settings.options_over(Options::default())
    };
    let interrupt = interrupt_on_signals()?;
    let subject = Subject {
        target,
        revisions: settings.revisions(),
        options,
        roles,
        experiments: Experiments::Always,
        permission: Permission::default(),
        given: wanted.given.clone(),
        interrupt: interrupt.clone(),
    };
    let mut recording =
        drive::record(subject, &mut *progress::observer()).map_err(|error| failure(&error, &interrupt, &secrets))?;
    if let Some(command) = wanted.command(Role::Server) {
        recording.manifest.command = secrets.redact_text(&command);
        recording.manifest.target.name = wanted.name.clone().unwrap_or_default();
    }
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
