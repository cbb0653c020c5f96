//! What `mcpwire latency` says: every phase of every class of call, and what makes slow ones slow. Pure.

use std::fmt::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::text::{self, Style, conclusion, paragraph};
use super::{Report, nanos};
use crate::latency::cause::{self, Calls, Cause, Diagnosis};
use crate::latency::{Class, Phases, Sample, quantile, samples};
use crate::manifest::{Floor, RevisionRun, TOOL, TargetFacts};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::store::Recording;
use crate::trace::{Distance, Span, Trace};
use crate::verdict::Verdict;

/// The version of the JSON report.
pub const SCHEMA: &str = "mcpwire-latency/1";

/// A median of fewer samples is not called over the budget.
const ENOUGH: usize = 5;

/// What a server takes for what.
#[derive(Clone, Debug, Serialize)]
pub struct Latencies {
    /// The version of this shape.
    pub schema: &'static str,
    /// What measured: name and version.
    pub tool: String,
    /// When the recording was made, in RFC 3339.
    pub recorded: String,
    /// What was measured.
    pub target: TargetFacts,
    /// The revisions that were asked for, and whether the target speaks them.
    pub revisions: Vec<RevisionRun>,
    /// Why the run ended before its last scenario, if it did.
    pub incomplete: Option<String>,
    /// The cheapest call against the embedded peer, in nanoseconds.
    pub floor: Option<Floor>,
    /// What a call may take in the median, in nanoseconds: the budget over the floor.
    #[serde(serialize_with = "nanos")]
    pub limit: Option<Duration>,
    /// Each class of call in each revision.
    pub classes: Vec<ClassLatency>,
    /// What the latency checks found, or could not tell.
    pub verdicts: Vec<Judged>,
    /// All that was measured, one by one.
    pub samples: Vec<RawSample>,
    #[serde(skip)]
    conclusion: String,
}

/// The phases of a class of call in a revision.
#[derive(Clone, Debug, Serialize)]
pub struct ClassLatency {
    /// The revision.
    pub revision: Revision,
    /// The class.
    pub class: Class,
    /// How many.
    pub n: usize,
    /// Each phase that was seen.
    pub phases: Vec<PhaseLatency>,
    /// The median is over the limit.
    pub over: bool,
    /// Why, where that is proved.
    pub cause: Option<&'static str>,
    /// What proves it, or why no cause is named.
    pub evidence: Option<String>,
}

/// A phase of a class of call: nanoseconds since the request began to be written (connect and request written: how long
/// they took).
#[derive(Clone, Debug, Serialize)]
pub struct PhaseLatency {
    /// Its name.
    pub phase: &'static str,
    /// In how many of the calls it was seen.
    pub n: usize,
    /// The least.
    #[serde(serialize_with = "nanos")]
    pub min: Option<Duration>,
    /// The median.
    #[serde(serialize_with = "nanos")]
    pub p50: Option<Duration>,
    /// The 90th percentile.
    #[serde(serialize_with = "nanos")]
    pub p90: Option<Duration>,
    /// The most.
    #[serde(serialize_with = "nanos")]
    pub max: Option<Duration>,
}

/// What a latency check said in a revision, where it was no plain pass.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// The check.
    pub check: String,
    /// The revision.
    pub revision: Revision,
    /// Its verdict.
    pub verdict: Verdict,
    /// What was seen, or why it could not be told.
    pub what: String,
    /// The cause, where it is proved.
    pub cause: Option<String>,
    /// What proves it.
    pub evidence: Option<String>,
}

/// One exchange, in nanoseconds.
#[derive(Clone, Debug, Serialize)]
pub struct RawSample {
    /// The trace.
    pub trace: String,
    /// The class.
    pub class: Class,
    /// What the scenario calls it.
    pub label: String,
    /// The number of the connection within the trace, and its place on it.
    pub connection: u32,
    /// Its place among the exchanges of the connection.
    pub nth: usize,
    /// Its times come from the kernel.
    pub by_kernel: bool,
    /// How long the server's threads waited for a processor meanwhile, added up.
    #[serde(serialize_with = "nanos")]
    pub peer_waited: Option<Duration>,
    /// Its phases.
    pub phases: super::PhasesReport,
    /// When the next request was possible on the connection.
    #[serde(serialize_with = "nanos")]
    pub next: Option<Duration>,
}

type Phase = fn(&Phases) -> Option<Duration>;

/// The phases, in their order.
const PHASES: [(&str, Phase); 7] = [
    ("connect", |phases| phases.connect),
    ("request written", |phases| phases.write),
    ("first byte", |phases| phases.first_byte),
    ("first event", |phases| phases.first_event),
    ("response event", |phases| phases.response),
    ("end of body", |phases| phases.end),
    ("next request possible", |phases| phases.next),
];

impl Latencies {
    /// What a recording says; the report is that of the same recording.
    pub fn of(recording: &Recording, report: &Report) -> Self {
        let manifest = &recording.manifest;
        let floor = manifest.floor.map_or(Duration::ZERO, |floor| Duration::from_nanos(floor.p50));
        let limit = floor + manifest.options.budget;
        let mut classes = Vec::new();
        for run in manifest.revisions.iter().filter(|run| run.spoken) {
            classes.extend(of_revision(recording, run.revision, limit));
        }
        Self {
            schema: SCHEMA,
            tool: format!("mcpwire {TOOL}"),
            recorded: manifest.recorded.clone(),
            target: manifest.target.clone(),
            revisions: manifest.revisions.clone(),
            incomplete: manifest.incomplete.clone(),
            floor: manifest.floor,
            limit: Some(limit),
            classes,
            verdicts: verdicts(report),
            samples: measured(recording).flat_map(raw).collect(),
            conclusion: conclusion(report),
        }
    }

    /// As JSON, indented, with a line end.
    pub fn json(&self) -> String {
        // It holds nothing that JSON cannot.
        let text = serde_json::to_string_pretty(self).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
        text + "\n"
    }

    /// As text.
    pub fn text(&self, style: Style) -> String {
        let mut out = String::new();
        // Writing into a string cannot fail.
        let _ = self.write(&mut out, style);
        out
    }

    fn write(&self, out: &mut String, style: Style) -> fmt::Result {
        let server = self.target.server.as_deref().map(|server| format!(" ({server})")).unwrap_or_default();
        let heading = text::visible(&format!("{}{server}", self.target.name));
        writeln!(out, "{}{heading}{:#}", style.strong, style.strong)?;
        if let Some(why) = &self.incomplete {
            writeln!(out, "  {}incomplete: {}{:#}", style.unsure, text::visible(why), style.unsure)?;
        }
        for class in &self.classes {
            self.class(out, class, style)?;
        }
        for judged in &self.verdicts {
            let dress = if judged.verdict == Verdict::Fail { style.bad } else { style.unsure };
            writeln!(out, "\n{dress}{}{dress:#} {}  {}", judged.verdict, judged.check, judged.revision)?;
            paragraph(out, "  observed  ", &text::visible(&judged.what))?;
            if let (Some(cause), Some(evidence)) = (&judged.cause, &judged.evidence) {
                paragraph(out, "  cause     ", &text::visible(&format!("{cause}: {evidence}")))?;
            }
        }
        writeln!(out)?;
        if let (Some(limit), Some(floor)) = (self.limit, self.floor) {
            let floor = Span(Duration::from_nanos(floor.p50));
            writeln!(out, "limit {} in the median: the budget over the floor of {floor}", Span(limit))?;
        }
        writeln!(out, "{}", self.conclusion)
    }

    fn class(&self, out: &mut String, class: &ClassLatency, style: Style) -> fmt::Result {
        let name = name(class.class);
        writeln!(out, "\n{}{} {name}{:#} ({})", style.strong, class.revision, style.strong, class.n)?;
        writeln!(out, "  {:<24}{:>4}  {:>9}  {:>9}  {:>9}  {:>9}", "phase", "n", "min", "p50", "p90", "max")?;
        let shown = |duration: Option<Duration>| duration.map_or("-".to_owned(), |d| Span(d).to_string());
        for phase in &class.phases {
            let PhaseLatency { phase, n, min, p50, p90, max } = phase;
            let [min, p50, p90, max] = [min, p50, p90, max].map(|duration| shown(*duration));
            writeln!(out, "  {phase:<24}{n:>4}  {min:>9}  {p50:>9}  {p90:>9}  {max:>9}")?;
        }
        let revision = class.revision.to_string();
        let of_class = self.samples.iter().filter(|sample| sample.class == class.class);
        let of_class = of_class.filter(|sample| sample.trace.starts_with(&revision));
        let totals = of_class.filter_map(|sample| sample.phases.end.or(sample.phases.response));
        histogram(out, &totals.collect::<Vec<_>>())?;
        if class.over {
            let why = match (class.cause, &class.evidence) {
                (Some(cause), Some(evidence)) => format!("{cause}: {evidence}"),
                (None, Some(why)) => format!("not clear: {why}"),
                _ => "not clear".to_owned(),
            };
            writeln!(out, "  {}over the limit{:#}", style.bad, style.bad)?;
            paragraph(out, "  cause     ", &text::visible(&why))?;
        }
        Ok(())
    }
}

/// The traces whose times are the target's.
fn measured(recording: &Recording) -> impl Iterator<Item = &Trace> {
    // Where acknowledgements are withheld on purpose, times say nothing about the target.
    recording.traces.iter().filter(|trace| trace.scenario() != Scenario::WithheldAck)
}

fn of_revision(recording: &Recording, revision: Revision, limit: Duration) -> Vec<ClassLatency> {
    let traces: Vec<&Trace> = measured(recording).filter(|trace| trace.revision() == revision).collect();
    let all: Vec<Sample<'_>> = traces.iter().flat_map(|trace| samples(trace)).collect();
    let mut classes: Vec<Class> = all.iter().map(|sample| sample.class).collect();
    classes.sort_unstable();
    classes.dedup();
    let tried = traces.iter().rfind(|trace| trace.scenario() == Scenario::RepeatedCalls).copied();
    // The way to a remote target is not its own: without a budget its times are reported only.
    let manifest = &recording.manifest;
    let is_judged = manifest.target.distance == Distance::Loopback || manifest.options.budget_is_set;
    let of_class = |class: Class| {
        let these: Vec<&Sample<'_>> = all.iter().filter(|sample| sample.class == class).collect();
        let phases = PHASES.iter().map(|(name, phase)| of_phase(name, *phase, &these)).filter(|phase| phase.n > 0);
        let totals = || these.iter().filter_map(|sample| sample.total());
        let p50 = quantile(totals(), 0.5).unwrap_or_default();
        let over = these.len() >= ENOUGH && p50 > limit && is_judged;
        let diagnosis = tried.filter(|_| over).map(|trace| diagnose(trace, class, &these, p50, limit));
        let (cause, evidence) = match diagnosis {
            None => (None, None),
            Some(Diagnosis::Named(cause, evidence)) => (Some(cause.name()), Some(evidence)),
            Some(Diagnosis::Unclear(why)) => (None, Some(why)),
        };
        ClassLatency { revision, class, n: these.len(), phases: phases.collect(), over, cause, evidence }
    };
    classes.into_iter().map(of_class).collect()
}

/// Why a class of calls is over the limit, by the experiments of the trace.
fn diagnose(trace: &Trace, class: Class, these: &[&Sample<'_>], p50: Duration, limit: Duration) -> Diagnosis {
    if these.iter().any(|sample| !sample.by_kernel) {
        return Diagnosis::Unclear("the times are our own clock's, which tells no causes".to_owned());
    }
    if let Some(why) = cause::too_busy(these, p50, limit) {
        return Diagnosis::Unclear(why);
    }
    if class == Class::FirstCall
        && let Some(evidence) = cause::cold_start(trace, limit)
    {
        return Diagnosis::Named(Cause::ColdStart, evidence);
    }
    let repeated = Calls::repeated(trace, limit);
    // Where each call needs a connection, that may be what takes long, and it is tried for the repeated ones.
    if repeated.reconnect {
        return cause::of_calls(&repeated);
    }
    cause::of_calls(&match class {
        Class::RepeatedCall => repeated,
        class => Calls::of_class(trace, class, limit),
    })
}

fn of_phase(phase: &'static str, of: Phase, samples: &[&Sample<'_>]) -> PhaseLatency {
    let all = || samples.iter().filter_map(|sample| of(&sample.phases));
    let at = |share: f64| quantile(all(), share);
    PhaseLatency { phase, n: all().count(), min: at(0.0), p50: at(0.5), p90: at(0.9), max: at(1.0) }
}

fn raw(trace: &Trace) -> impl Iterator<Item = RawSample> {
    samples(trace).map(|sample| RawSample {
        trace: trace.name(),
        class: sample.class,
        label: sample.exchange.label.clone(),
        connection: sample.exchange.conn,
        nth: sample.exchange.nth,
        by_kernel: sample.by_kernel,
        peer_waited: sample.peer_waited,
        phases: super::PhasesReport {
            connect: sample.phases.connect,
            write: sample.phases.write,
            first_byte: sample.phases.first_byte,
            first_event: sample.phases.first_event,
            response: sample.phases.response,
            end: sample.phases.end,
        },
        next: sample.phases.next,
    })
}

fn verdicts(report: &Report) -> Vec<Judged> {
    let mut all = Vec::new();
    for check in &report.checks {
        let plain = |verdict, what: &str| Judged {
            check: check.id.clone(),
            revision: check.revision,
            verdict,
            what: what.to_owned(),
            cause: None,
            evidence: None,
        };
        for finding in &check.findings {
            let cause = finding.cause.as_ref();
            all.push(Judged {
                cause: cause.map(|cause| cause.name.clone()),
                evidence: cause.map(|cause| cause.evidence.clone()),
                ..plain(check.verdict, &finding.observed)
            });
        }
        if let (Verdict::Inconclusive | Verdict::Fault | Verdict::NotExercised, Some(why)) =
            (check.verdict, &check.reason)
        {
            all.push(plain(check.verdict, why));
        }
    }
    all
}

fn name(class: Class) -> &'static str {
    match class {
        Class::Initialize => "initialize",
        Class::FirstCall => "first call",
        Class::RepeatedCall => "repeated call",
        Class::List => "list",
        Class::Call => "call",
        Class::Error => "error",
        Class::Notification => "notification",
    }
}

/// How many took how long: a line for each doubling.
fn histogram(out: &mut String, totals: &[Duration]) -> fmt::Result {
    const WIDTH: usize = 40;
    let bin = |total: &Duration| total.as_micros().max(1).ilog2();
    let (Some(first), Some(last)) = (totals.iter().map(bin).min(), totals.iter().map(bin).max()) else {
        return Ok(());
    };
    for power in first..=last {
        let count = totals.iter().filter(|total| bin(total) == power).count();
        let bar = "█".repeat((count * WIDTH).div_ceil(totals.len()));
        let from = Span(Duration::from_micros(1 << power)).to_string();
        let to = Span(Duration::from_micros(2 << power)).to_string();
        writeln!(out, "  {from:>9} – {to:<9} {bar} {count}")?;
    }
    Ok(())
}
