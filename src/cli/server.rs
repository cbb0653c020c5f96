//! `mcpwire server`: tests a server.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Clap;

use super::exit::Exit;
use super::gating::GatingArgs;
use super::load::LoadArgs;
use super::progress;
use super::report::{self, Output};
use super::target::{Chosen, TargetArgs};
use super::{Failure, say};
use crate::drive::{self, Experiments, RunError, Subject};
use crate::manifest::Options;
use crate::spec::Revision;
use crate::target;
use crate::trace::redact::Redactor;
use crate::trace::store;
use crate::verdict::Level;
use crate::wire::interrupt::Interrupt;

/// Options of `mcpwire server`.
#[derive(Debug, Clap)]
pub struct Args {
    #[command(flatten)]
    target: TargetArgs,
    /// The revision to test: auto, 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28.
    #[arg(long, value_name = "REVISION", default_value = "auto", value_parser = revisions, help_heading = "Selection")]
    revision: Revisions,
    #[command(flatten)]
    judgement: JudgementArgs,
    /// Wait this long for an answer [default: 10s]. A target that leaves several requests in a row unanswered is
    /// given up, and the report says so.
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    timeout: Option<Duration>,

    #[command(flatten)]
    load: LoadArgs,

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
    /// These options where they say something, else those.
    pub fn over(self, mut those: Options) -> Options {
        if let Some(budget) = self.budget {
            (those.budget, those.budget_is_set) = (budget, true);
        }
        those.stream_end_grace = self.stream_end_grace.unwrap_or(those.stream_end_grace);
        those.fail_on = self.fail_on.unwrap_or(those.fail_on);
        those.set = self.gating.set.or(those.set);
        if !self.only.is_empty() {
            those.only = self.only;
        }
        if !self.skip.is_empty() {
            those.skip = self.skip;
        }
        those
    }
}

/// The revisions that `--revision` means.
#[derive(Clone, Debug)]
pub struct Revisions(pub Vec<Revision>);

/// Reads `auto`, or a revision.
pub fn revisions(text: &str) -> Result<Revisions, String> {
    match text {
        "auto" => Ok(Revisions(Revision::ALL.to_vec())),
        date => match date.parse() {
            Ok(revision) => Ok(Revisions(vec![revision])),
            Err(error) => Err(format!("{error}, or auto")),
        },
    }
}

/// Reads a duration such as `10ms` or `2s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    // Longer than anybody waits, and far from where adding it to a time overflows.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let read: Option<Duration> = text.parse::<jiff::SignedDuration>().ok().and_then(|signed| signed.try_into().ok());
    read.filter(|duration| !duration.is_zero() && *duration <= LONGEST)
        .ok_or_else(|| format!("`{text}` is not a duration above zero and up to a day, such as 500us, 10ms or 2s"))
}

/// Tests the server and writes the reports.
pub fn run(args: Args) -> Result<Exit, Failure> {
    report::check(&args.report)?;
    if let Some(folder) = &args.record {
        store::may_write(folder).map_err(Failure::usage)?;
    }
    let gating = args.judgement.gating.read()?;
    let given = given(&args);
    let Chosen { target, roles, secrets } = args.target.choose()?;
    let defaults = Options { timeout: args.timeout.unwrap_or(Options::TIMEOUT), ..Options::default() };
    args.load.announce();
    let options = Options { load: args.load.load(), ..args.judgement.over(defaults) };
    let interrupt = interrupt_on_signals()?;
    let subject = Subject {
        target,
        revisions: args.revision.0,
        options,
        roles,
        experiments: Experiments::WhereSlow,
        permission: target::Permission::of(args.load.allow_load),
        given,
        interrupt: interrupt.clone(),
    };
    let mut recording =
        drive::record(subject, &mut *progress::observer()).map_err(|error| failure(&error, &interrupt, &secrets))?;
    gating.name(&mut recording.manifest);
    let recorded = args.record.as_ref().map_or(Ok(()), |folder| recording.write(folder).map_err(Failure::fault));
    let judged = gating.judge(&recording)?;
    let reported = report::write(&judged, &args.report);
    // What could not be written loses nothing of the rest, and is mcpwire's own fault all the same.
    recorded.and(reported)?;
    Ok(signalled(&interrupt).unwrap_or(Exit::of(judged.summary.gate)))
}

/// The options that a replay needs beside the target and the selection, as they would be typed.
fn given(args: &Args) -> String {
    let limits = [
        ("--timeout", args.timeout),
        ("--budget", args.judgement.budget),
        ("--stream-end-grace", args.judgement.stream_end_grace),
    ];
    args.target.given() + &durations(limits) + &args.load.given()
}

/// Options that take a duration as they would be typed again, each behind a blank.
pub(super) fn durations<const N: usize>(options: [(&str, Option<Duration>); N]) -> String {
    let typed = |(name, value): (&str, Option<Duration>)| Some(format!(" {name} {}us", value?.as_micros().max(1)));
    options.into_iter().filter_map(typed).collect()
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
                    target::end_all_at_once();
                    std::process::exit(128 + signal);
                }
                first.set(usize::try_from(signal).unwrap_or(2));
                say("stopping; what there is will be reported (once more ends at once)");
            }
        });
    }
    Ok(interrupt)
}
