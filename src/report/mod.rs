//! The report: one value, and the formats that are made from it. Pure: nothing in it comes from anywhere but
//! the recording.

pub mod json;
pub mod latency;
pub mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::catalogue::Listed;
use crate::latency::Class;
use crate::manifest::{Floor, Manifest, RevisionRun, Role, TOOL, TargetFacts};
use crate::spec::Revision;
use crate::trace::render::Line;
use crate::verdict::{Cause, Level, Verdict};

/// The version of the JSON report.
pub const SCHEMA: &str = "mcpwire-report/1";

/// What a run came to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of this shape.
    pub schema: &'static str,
    /// What judged: name and version.
    pub tool: String,
    /// When the recording was made, in RFC 3339.
    pub recorded: String,
    /// What was tested.
    pub target: TargetFacts,
    /// Its role.
    pub role: Role,
    /// The revisions that were asked for, and whether the target speaks them.
    pub revisions: Vec<RevisionRun>,
    /// Why the run ended before its last scenario, if it did.
    pub incomplete: Option<String>,
    /// Each check in each revision.
    pub checks: Vec<CheckReport>,
    /// How long exchanges took, by class.
    pub latency: Vec<LatencyReport>,
    /// The cheapest call against the embedded peer, in nanoseconds.
    pub floor: Option<Floor>,
    /// The counts, and what they mean for the gate.
    pub summary: Summary,
    /// The last lines that the target wrote to standard error.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub target_output: Vec<String>,
}

/// One check in one revision.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// Its id.
    pub id: String,
    /// All but the last segment of its id.
    pub area: String,
    /// What it asks, in one line.
    pub title: String,
    /// The level of its worst finding, or the highest that its findings can have.
    pub level: Level,
    /// What it came to.
    pub verdict: Verdict,
    /// The revision.
    pub revision: Revision,
    /// The sentence that goes with the verdict.
    pub reason: Option<String>,
    /// How many things were looked at.
    pub examined: u32,
    /// The requirements that its findings can cite.
    pub requirements: Vec<&'static str>,
    /// A baseline expects it to fail.
    pub baselined: bool,
    /// What is wrong.
    pub findings: Vec<FindingReport>,
    /// How to fix what it finds.
    #[serde(skip)]
    pub fix: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct FindingReport {
    /// The requirement that it cites.
    pub requirement: Option<String>,
    /// That requirement in one line.
    pub summary: Option<String>,
    /// Where it is written.
    pub link: Option<String>,
    /// Its level.
    pub level: Level,
    /// The right behaviour.
    pub expected: String,
    /// The behaviour seen.
    pub observed: String,
    /// The trace it was seen in.
    pub scenario: String,
    /// The events of that trace that show it.
    pub events: Vec<u32>,
    /// Why it is so, where that is proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The exchange, line by line.
    pub exchange: Vec<Line>,
    /// The command that replays just this.
    pub replay: String,
}

/// How long the exchanges of a class took.
#[derive(Clone, Debug, Serialize)]
pub struct LatencyReport {
    /// The revision.
    pub revision: Revision,
    /// The class.
    pub class: Class,
    /// How many.
    pub n: usize,
    /// The median, in nanoseconds.
    #[serde(serialize_with = "nanos")]
    pub p50: Option<Duration>,
    /// The 95th percentile, in nanoseconds.
    #[serde(serialize_with = "nanos")]
    pub p95: Option<Duration>,
    /// The medians of the phases.
    pub phases: PhasesReport,
}

/// The medians of the phases, in nanoseconds since the request began to be written (connect and write: how
/// long they took).
#[derive(Clone, Debug, Serialize)]
pub struct PhasesReport {
    /// Connecting.
    #[serde(serialize_with = "nanos")]
    pub connect: Option<Duration>,
    /// Writing the request.
    #[serde(serialize_with = "nanos")]
    pub write: Option<Duration>,
    /// The first byte of the answer.
    #[serde(serialize_with = "nanos")]
    pub first_byte: Option<Duration>,
    /// The first event of the stream.
    #[serde(serialize_with = "nanos")]
    pub first_event: Option<Duration>,
    /// The response.
    #[serde(serialize_with = "nanos")]
    pub response: Option<Duration>,
    /// The end of the answer.
    #[serde(serialize_with = "nanos")]
    pub end: Option<Duration>,
}

/// The counts, and what they mean for the gate.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// How many verdicts of each kind.
    pub verdicts: BTreeMap<String, usize>,
    /// How many findings of each level.
    pub findings: BTreeMap<String, usize>,
    /// The level from which on findings make the run fail.
    pub fail_on: Level,
    /// What the run means for a gate.
    pub gate: Gate,
}

/// What a run means for a gate, in the order in which the reasons count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// mcpwire itself failed.
    Fault,
    /// There are findings at or above the level of `--fail-on`.
    Findings,
    /// Nothing or too little was judged.
    TooLittle,
    /// The target conforms, as far as was judged.
    Conforms,
}

impl Report {
    pub(crate) fn new(
        manifest: &Manifest,
        checks: Vec<CheckReport>,
        latency: Vec<LatencyReport>,
        mut summary: Summary,
    ) -> Self {
        if manifest.incomplete.is_some() && summary.gate == Gate::Conforms {
            summary.gate = Gate::TooLittle;
        }
        Self {
            schema: SCHEMA,
            tool: format!("mcpwire {TOOL}"),
            recorded: manifest.recorded.clone(),
            target: manifest.target.clone(),
            role: manifest.role,
            revisions: manifest.revisions.clone(),
            incomplete: manifest.incomplete.clone(),
            checks,
            latency,
            floor: manifest.floor,
            summary,
            target_output: manifest.target_output.clone(),
        }
    }

    /// The ids of the checks that have this verdict in a revision.
    pub fn ids(&self, verdict: Verdict, revision: Revision) -> Vec<&str> {
        let wanted = |check: &&CheckReport| check.verdict == verdict && check.revision == revision;
        self.checks.iter().filter(wanted).map(|check| check.id.as_str()).collect()
    }

    /// Whether the target conforms, as far as was judged: nothing at or above the level of `fail_on` was found,
    /// and something was examined.
    pub fn conforms(&self) -> bool {
        self.summary.gate == Gate::Conforms
    }

    /// Panics with the whole text report unless the target conforms.
    ///
    /// # Panics
    ///
    /// See above: this is for tests.
    #[track_caller]
    pub fn assert_conformant(&self) {
        assert!(self.conforms(), "\n{}", text::render(self, text::Style::PLAIN));
    }
}

impl CheckReport {
    pub(crate) fn without_findings(
        listed: &Listed,
        revision: Revision,
        level: Level,
        verdict: Verdict,
        reason: String,
    ) -> Self {
        Self {
            id: listed.id(),
            area: listed.area(),
            title: listed.title(),
            level,
            verdict,
            revision,
            reason: Some(reason).filter(|reason| !reason.is_empty()),
            examined: 0,
            requirements: listed.check.cites.iter().filter_map(|cite| cite.id()).collect(),
            baselined: false,
            findings: Vec::new(),
            fix: listed.fix(),
        }
    }
}

impl Summary {
    pub(crate) fn of(checks: &[CheckReport], fail_on: Level) -> Self {
        let mut verdicts = BTreeMap::new();
        let mut findings = BTreeMap::new();
        for verdict in Verdict::ALL {
            verdicts.insert(verdict.to_string(), checks.iter().filter(|check| check.verdict == verdict).count());
        }
        for level in Level::ALL {
            let of_level = checks.iter().flat_map(|check| &check.findings).filter(|finding| finding.level == level);
            findings.insert(level.to_string(), of_level.count());
        }
        let any = |wanted: &dyn Fn(&CheckReport) -> bool| checks.iter().any(wanted);
        let gate = if any(&|check| check.verdict == Verdict::Fault) {
            Gate::Fault
        } else if any(&|check| check.findings.iter().any(|finding| finding.level >= fail_on)) {
            Gate::Findings
        } else if !any(&|check| check.examined > 0)
            // Budget and advice are often a matter of the machine: they are reported.
            || any(&|check| check.verdict == Verdict::Inconclusive && check.level >= Level::Should.max(fail_on))
        {
            Gate::TooLittle
        } else {
            Gate::Conforms
        };
        Self { verdicts, findings, fail_on, gate }
    }
}

fn nanos<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)).serialize(serializer)
}
