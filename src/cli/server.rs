//! `mcpwire server`: tests a server.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Clap;

use super::exit::Exit;
use super::gating::GatingArgs;
use super::load::LoadArgs;
use super::report::{self, Output};
use super::runs::Runs;
use super::settings::{self, ConfigArgs};
use super::target::{self, Chosen, TargetArgs};
use super::{Failure, progress, say};
use crate::config::{self, Layer, Setting, Value, duration};
use crate::drive::{self, Experiments, RunError, Subject};
use crate::manifest::{Options, Role};
use crate::spec::Revision;
use crate::trace::redact::Redactor;
use crate::verdict::Level;
use crate::wire::interrupt::Interrupt;

/// Options of `mcpwire server`.
#[derive(Debug, Clap)]
#[command(after_help = settings::variables(Role::Server))]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// The revision to test: auto, 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28, or some between commas
    /// [default: auto].
    #[arg(long, value_name = "REVISION", value_parser = revisions, help_heading = "Selection")]
    revision: Option<Revisions>,
    #[command(flatten)]
    judgement: JudgementArgs,
    /// Wait this long for an answer [default: 10s]. A target that leaves several requests in a row unanswered is
    /// given up, and the report says so.
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    timeout: Option<Duration>,

    #[command(flatten)]
    load: LoadArgs,

    #[command(flatten)]
    config: ConfigArgs,

    /// Keep the recording in this folder; `mcpwire judge` judges it again.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    record: Option<PathBuf>,
    /// Write a report: text, json, junit or github, to standard output or to a file. May be given more than once.
    #[arg(long, value_name = "FORMAT[=PATH]", help_heading = "Output")]
    report: Vec<Output>,
}

/// Options that only the judgement depends on; `mcpwire judge` takes them too.
#[derive(Debug, Clap)]
pub struct JudgementArgs {
    /// Judge only the checks that match: an id, or a pattern such as `sse/*`.
    #[arg(long, value_name = "PATTERN", help_heading = "Selection")]
    pub only: Vec<String>,
    /// Leave out the checks that match.
    #[arg(long, value_name = "PATTERN", help_heading = "Selection")]
    pub skip: Vec<String>,
    /// What a repeated call may take, over what this machine takes anyway [default: 10ms].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    pub budget: Option<Duration>,
    /// How long a stream may stay open after its response [default: 2s].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    pub stream_end_grace: Option<Duration>,
    /// Fail on findings of this level and above: must, should, budget or advice [default: budget].
    #[arg(long, value_name = "LEVEL", help_heading = "Limits")]
    pub fail_on: Option<Level>,
    #[command(flatten)]
    pub gating: GatingArgs,
}

impl JudgementArgs {
    /// What they say.
    pub fn layer(&self) -> Layer {
        let mut layer = Layer::default();
        layer.options(Setting::Only, &self.only);
        layer.options(Setting::Skip, &self.skip);
        layer.option(Setting::Budget, self.budget.map(Value::Duration));
        layer.option(Setting::StreamEndGrace, self.stream_end_grace.map(Value::Duration));
        layer.option(Setting::FailOn, self.fail_on.map(Value::Level));
        self.gating.say(&mut layer);
        layer
    }
}

/// The revisions that `--revision` means.
#[derive(Clone, Debug)]
pub struct Revisions(pub Vec<Revision>);

impl Revisions {
    /// As a value of the setting.
    pub fn value(&self) -> Value {
        Value::Revisions(self.0.clone())
    }
}

/// Reads `auto`, or revisions between commas.
pub fn revisions(text: &str) -> Result<Revisions, String> {
    config::revisions(text).map(Revisions)
}

/// Tests the servers, one after another, and writes the reports.
pub fn run(args: Args) -> Result<Exit, Failure> {
    report::check(&args.report)?;
    let mut flags = args.target.layer()?.over(&args.judgement.layer());
    flags.option(Setting::Revision, args.revision.as_ref().map(Revisions::value));
    flags.option(Setting::Timeout, args.timeout.map(Value::Duration));
    let wanted = args.config.wanted(Role::Server, &flags, args.target.choice())?;
    let defaults = Options { load: args.load.load(), ..Options::default() };
    let runs = Runs::of(Role::Server, wanted, &defaults, &args.report, args.record.as_deref())?;
    let mut chosen = Vec::new();
    for run in &runs.all {
        chosen.push(target::chosen(&run.wanted.settings, args.target.reference())?);
    }
    args.load.announce();
    let interrupt = interrupt_on_signals()?;
    let mut chosen = chosen.into_iter();
    runs.go(&interrupt, |run| {
        // As many as there are runs.
        let Some(Chosen { target, roles, secrets }) = chosen.next() else { return Err(Failure::fault("no target")) };
        let settings = &run.wanted.settings;
        let subject = Subject {
            target,
            revisions: settings.revisions(),
            options: run.options.clone(),
            roles,
            experiments: Experiments::WhereSlow,
            permission: crate::target::Permission::of(args.load.allow_load.clone()),
            given: run.wanted.given.clone() + &args.load.given(),
            interrupt: interrupt.clone(),
        };
        let given = args.load.given();
        let mut recording = drive::record(subject, &mut *progress::observer())
            .map_err(|error| failure(&error, &interrupt, &secrets))?;
        if let Some(command) = run.wanted.command(Role::Server) {
            recording.manifest.command = secrets.redact_text(&format!("{command}{given}"));
        }
        Ok(recording)
    })
}

pub(super) fn failure(error: &RunError, interrupt: &Interrupt, secrets: &Redactor) -> Failure {
    let otherwise = match error {
        RunError::Selection(_) | RunError::NotAllowed(_) => Exit::Usage,
        _ => Exit::Target,
    };
    // The target's last words may repeat what it was sent.
    Failure { exit: signalled(interrupt).unwrap_or(otherwise), message: secrets.redact_text(&error.to_string()) }
}

pub(super) fn signalled(interrupt: &Interrupt) -> Option<Exit> {
    Some(Exit::Signal(u8::try_from(interrupt.signal()?).unwrap_or(2)))
}

/// The first SIGINT or SIGTERM asks the run to stop; a second one ends this process, and what it started, at once.
pub(super) fn interrupt_on_signals() -> Result<Interrupt, Failure> {
    let interrupt = Interrupt::default();
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
            .map_err(|error| Failure::fault(format!("cannot listen for signals: {error}")))?;
        let first = interrupt.clone();
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if first.is_set() {
                    crate::target::end_all_at_once();
                    std::process::exit(128 + signal);
                }
                first.set(usize::try_from(signal).unwrap_or(2));
                say("stopping; what there is will be reported (once more ends at once)");
            }
        });
    }
    Ok(interrupt)
}
