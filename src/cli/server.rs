//! `mcpwire server`: tests a server.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Clap;

use super::exit::Exit;
use super::progress;
use super::report::{self, Output};
use super::{Failure, say};
use crate::drive::{self, Experiments, RunError, Subject};
use crate::judgement;
use crate::manifest::Options;
use crate::reference::{Config, Fault, Variant};
use crate::spec::Revision;
use crate::target::{self, Command, Endpoint, Target, ToolRoles};
use crate::trace::redact::Redactor;
use crate::trace::store;
use crate::verdict::Level;
use crate::wire::interrupt::Interrupt;

/// Options of `mcpwire server`.
#[derive(Debug, Clap)]
pub struct Args {
    /// The server's URL.
    #[arg(long, value_name = "URL", help_heading = "Target")]
    url: Option<String>,
    /// A command that starts the server, with {port} where the port goes; no shell is involved. With --url, a
    /// program that listens there by itself.
    #[arg(long, value_name = "COMMAND", help_heading = "Target")]
    cmd: Option<String>,
    /// The path of the endpoint, where the URL has none.
    #[arg(long, value_name = "PATH", default_value = "/mcp", help_heading = "Target")]
    path: String,
    /// How long the command may take until it answers HTTP [default: 30s].
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "cmd", help_heading = "Target")]
    start_timeout: Option<Duration>,
    /// A header field for every request, as `Name: value`; its value never reaches a recording or a report.
    #[arg(long, value_name = "FIELD", help_heading = "Target")]
    header: Vec<String>,
    /// A file of header fields, one per line.
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    header_file: Vec<PathBuf>,
    /// One of the target's tools for a role (slow, progress, error, large, server-request), as
    /// ROLE=NAME or ROLE=NAME:JSON.
    #[arg(long, value_name = "ROLE=NAME[:JSON]", help_heading = "Target")]
    tool: Vec<String>,
    /// Switch a fault of the embedded reference server on, to see what a failure looks like
    /// (`mcpwire reference --help` lists them).
    #[arg(long, value_name = "NAME", conflicts_with_all = ["url", "cmd"], help_heading = "Target")]
    fault: Option<Fault>,
    /// Switch a legal variant of the embedded reference server on.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["url", "cmd"], help_heading = "Target")]
    variant: Vec<Variant>,

    /// The revision to test: auto, 2025-03-26, 2025-06-18, 2025-11-25 or 2026-07-28.
    #[arg(long, value_name = "REVISION", default_value = "auto", value_parser = revisions, help_heading = "Selection")]
    revision: Revisions,
    #[command(flatten)]
    judgement: JudgementArgs,
    /// Wait this long for an answer [default: 10s]. A target that leaves several requests in a row unanswered is
    /// given up, and the report says so.
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Limits")]
    timeout: Option<Duration>,

    /// Keep the recording in this folder; `mcpwire judge` judges it again.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    record: Option<PathBuf>,
    /// Write a report: text or json, to standard output or to a file. May be given more than once.
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
}

impl JudgementArgs {
    /// These options where they say something, else those.
    pub fn over(self, mut those: Options) -> Options {
        if let Some(budget) = self.budget {
            (those.budget, those.budget_is_set) = (budget, true);
        }
        those.stream_end_grace = self.stream_end_grace.unwrap_or(those.stream_end_grace);
        those.fail_on = self.fail_on.unwrap_or(those.fail_on);
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
    let given = given(&args);
    let fields = header_fields(&args.header, &args.header_file)?;
    let secrets = Redactor::new([], target::field_secrets(&fields));
    let mut roles = ToolRoles::default();
    for mapping in &args.tool {
        roles.map(mapping).map_err(Failure::usage)?;
    }
    let endpoint = |url: &str| Endpoint::from_url(url, &args.path).map_err(Failure::usage);
    let command = match (&args.cmd, &args.url) {
        (Some(line), Some(url)) => Some(Command::at(line, endpoint(url)?.with_fields(fields.clone()))),
        (Some(line), None) => Some(Command::new(line, &args.path).map(|command| command.with_fields(fields.clone()))),
        (None, _) => None,
    };
    let target = match (command.transpose().map_err(Failure::usage)?, &args.url) {
        (Some(command), _) => Target::Command(match args.start_timeout {
            Some(patience) => command.ready_within(patience),
            None => command,
        }),
        (None, Some(url)) => Target::Url(endpoint(url)?.with_fields(fields)),
        (None, None) => Target::Reference(Config { fault: args.fault, variants: args.variant, ..Config::default() }),
    };
    let defaults = Options { timeout: args.timeout.unwrap_or(Options::TIMEOUT), ..Options::default() };
    let options = args.judgement.over(defaults);
    let interrupt = interrupt_on_signals()?;
    let subject = Subject {
        target,
        revisions: args.revision.0,
        options,
        roles,
        experiments: Experiments::WhereSlow,
        given,
        interrupt: interrupt.clone(),
    };
    let recording =
        drive::record(subject, &mut *progress::observer()).map_err(|error| failure(&error, &interrupt, &secrets))?;
    let recorded = args.record.as_ref().map_or(Ok(()), |folder| recording.write(folder).map_err(Failure::fault));
    let judged = judgement::judge(&recording).map_err(Failure::usage)?;
    let reported = report::write(&judged, &args.report);
    // What could not be written loses nothing of the rest, and is mcpwire's own fault all the same.
    recorded.and(reported)?;
    Ok(signalled(&interrupt).unwrap_or(Exit::of(judged.summary.gate)))
}

/// The options that a replay needs beside the target and the selection, as they would be typed. The value of a
/// header field is a secret: whoever replays knows it.
fn given(args: &Args) -> String {
    let quoted = |text: &str| shell_words::quote(text).into_owned();
    let fields = args.header.iter().filter_map(|field| Some(format!("{}: …", field.split_once(':')?.0)));
    let mut options: Vec<(&str, String)> = fields.map(|field| ("--header", field)).collect();
    options.extend(args.header_file.iter().map(|file| ("--header-file", file.display().to_string())));
    options.extend(args.tool.iter().map(|tool| ("--tool", tool.clone())));
    let limits = [
        ("--timeout", args.timeout),
        ("--budget", args.judgement.budget),
        ("--stream-end-grace", args.judgement.stream_end_grace),
    ];
    let shown = |limit: Duration| format!("{}us", limit.as_micros().max(1));
    options.extend(limits.into_iter().filter_map(|(name, limit)| Some((name, shown(limit?)))));
    options.iter().map(|(name, value)| format!(" {name} {}", quoted(value))).collect()
}

pub(super) fn failure(error: &RunError, interrupt: &Interrupt, secrets: &Redactor) -> Failure {
    let otherwise = match error {
        RunError::Selection(_) => Exit::Usage,
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

fn header_fields(fields: &[String], files: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let mut all = Vec::new();
    for field in fields {
        all.push(header_field(field).ok_or_else(|| {
            // Not the value: it may be a secret.
            Failure::usage("--header: a field is not of the form `Name: value`")
        })?);
    }
    for file in files {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("cannot read --header-file {}: {error}", file.display())))?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            all.push(header_field(line).ok_or_else(|| {
                let place = format!("{}, line {}", file.display(), index + 1);
                Failure::usage(format!("--header-file {place}: not of the form `Name: value`"))
            })?);
        }
    }
    Ok(all)
}

fn header_field(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once(':')?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let fits = |byte: u8| byte == b'\t' || (0x20..=0x7e).contains(&byte) || byte >= 0x80;
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty() && name.bytes().all(token) && value.bytes().all(fits))
        .then(|| (name.to_owned(), value.to_owned()))
}
