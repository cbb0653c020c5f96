//! The report: one value, and the formats that are made from it. Pure: nothing in it comes from anywhere but
//! the recording.

pub mod compare;
pub mod github;
pub mod json;
pub mod junit;
pub mod latency;
#[cfg(test)]
pub(crate) mod made;
pub mod merge;
pub mod output;
pub mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::baseline::BaselineReport;
use crate::catalogue::Listed;
use crate::gate::Standing;
use crate::latency::Class;
use crate::manifest::{Floor, Manifest, RevisionRun, Role, TOOL, TargetFacts};
use crate::spec::Revision;
use crate::trace::render::Line;
use crate::verdict::{Cause, Level, Verdict};

/// The version of the JSON report.
pub const SCHEMA: &str = "mcpwire-report/1";

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this shape.
    pub schema: String,
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
    /// The runs that it joins, where `mcpwire merge` made it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunReport>,
    /// Each check in each revision.
    pub checks: Vec<CheckReport>,
    /// How long exchanges took, by class.
    pub latency: Vec<LatencyReport>,
    /// The cheapest call against the embedded peer, in nanoseconds.
    pub floor: Option<Floor>,
    /// The counts, and what they mean for the gate.
    pub summary: Summary,
    /// What came of each entry of the baseline, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineReport>,
    /// The last lines that the target said beside the wire: on standard error, or in its log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_output: Vec<String>,
}

/// One of the runs that a report joins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// When the recording was made, in RFC 3339.
    pub recorded: String,
    /// What was tested.
    pub target: TargetFacts,
    /// The revisions that were asked for, and whether the target speaks them.
    pub revisions: Vec<RevisionRun>,
    /// Why the run ended before its last scenario, if it did.
    pub incomplete: Option<String>,
}

/// One check in one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The target, in a report that joins runs of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
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
    /// The scenarios in which something was looked at.
    #[serde(default)]
    pub seen_in: Vec<String>,
    /// The requirements that its findings can cite.
    pub requirements: Vec<String>,
    /// A baseline expects what was found, all of it.
    pub baselined: bool,
    /// The reason that the baseline gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The level that a frozen set pins it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_level: Option<Level>,
    /// The frozen set that gates does not have it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_set: bool,
    /// The patterns by which it has to be exercised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// What is wrong.
    pub findings: Vec<FindingReport>,
    /// How to fix what it finds.
    #[serde(skip)]
    pub fix: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The exchange, line by line.
    pub exchange: Vec<Line>,
    /// The last lines that the target said in that scenario up to this, on standard error or in its log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Line>,
    /// The command that replays just this.
    pub replay: String,
    /// A baseline expects it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub baselined: bool,
}

/// How long the exchanges of a class took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LatencyReport {
    /// The target, in a report that joins runs of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The revision.
    pub revision: Revision,
    /// The class.
    pub class: Class,
    /// How many.
    pub n: usize,
    /// The median, in nanoseconds.
    #[serde(with = "whole_nanos")]
    pub p50: Option<Duration>,
    /// The 95th percentile, in nanoseconds.
    #[serde(with = "whole_nanos")]
    pub p95: Option<Duration>,
    /// The medians of the phases.
    pub phases: PhasesReport,
}

/// The medians of the phases, in nanoseconds since the request began to be written (connect and write: how
/// long they took).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhasesReport {
    /// Connecting.
    #[serde(with = "whole_nanos")]
    pub connect: Option<Duration>,
    /// Writing the request.
    #[serde(with = "whole_nanos")]
    pub write: Option<Duration>,
    /// The first byte of the answer.
    #[serde(with = "whole_nanos")]
    pub first_byte: Option<Duration>,
    /// The first event of the stream.
    #[serde(with = "whole_nanos")]
    pub first_event: Option<Duration>,
    /// The response.
    #[serde(with = "whole_nanos")]
    pub response: Option<Duration>,
    /// The end of the answer.
    #[serde(with = "whole_nanos")]
    pub end: Option<Duration>,
}

/// The counts, and what they mean for the gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many verdicts of each kind.
    pub verdicts: BTreeMap<String, usize>,
    /// How many findings of each level.
    pub findings: BTreeMap<String, usize>,
    /// The level from which on findings make the run fail.
    pub fail_on: Level,
    /// The date of the frozen set that gates, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// What the run means for a gate.
    pub gate: Gate,
}

/// What a run means for a gate, in the order in which the reasons count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// mcpwire itself failed.
    Fault,
    /// There are findings at or above the level of `--fail-on`.
    Findings,
    /// Nothing or too little was judged.
    TooLittle,
    /// What has to be exercised was not.
    NotExercised,
    /// An entry of the baseline is stale.
    StaleBaseline,
    /// The target conforms, as far as was judged.
    Conforms,
}

impl Report {
    pub(crate) fn new(
        manifest: &Manifest,
        checks: Vec<CheckReport>,
        latency: Vec<LatencyReport>,
        set: Option<String>,
    ) -> Self {
        let fail_on = manifest.options.fail_on;
        let mut report = Self {
            schema: SCHEMA.to_owned(),
            tool: format!("mcpwire {TOOL}"),
            recorded: manifest.recorded.clone(),
            target: manifest.target.clone(),
            role: manifest.role,
            revisions: manifest.revisions.clone(),
            incomplete: manifest.incomplete.clone(),
            runs: Vec::new(),
            checks,
            latency,
            floor: manifest.floor,
            summary: Summary {
                verdicts: BTreeMap::new(),
                findings: BTreeMap::new(),
                fail_on,
                set,
                gate: Gate::TooLittle,
            },
            baseline: None,
            target_output: manifest.target_output.clone(),
        };
        report.count();
        report
    }

    /// Counts anew, and says anew what it means for a gate.
    pub(crate) fn count(&mut self) {
        let checks = &self.checks;
        let mut summary = self.summary.clone();
        for verdict in Verdict::ALL {
            let of_verdict = checks.iter().filter(|check| check.verdict == verdict);
            summary.verdicts.insert(verdict.to_string(), of_verdict.count());
        }
        for level in Level::ALL {
            let of_level = checks.iter().flat_map(|check| &check.findings).filter(|finding| finding.level == level);
            summary.findings.insert(level.to_string(), of_level.count());
        }
        summary.gate = crate::gate::of(self);
        self.summary = summary;
    }

    /// The day of the recording, as YYYY-MM-DD.
    pub(crate) fn day(&self) -> &str {
        self.recorded.get(..10).unwrap_or(&self.recorded)
    }

    /// The name of the target that a check of it is about.
    pub(crate) fn target_of<'a>(&'a self, check: &'a CheckReport) -> &'a str {
        check.target.as_deref().unwrap_or(&self.target.name)
    }

    /// What a check of it means for the gate.
    pub(crate) fn standing(&self, check: &CheckReport) -> Standing {
        crate::gate::standing(self, check)
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

    /// Panics with a report of the checks that match, unless the target conforms as far as they go: an id, or a pattern
    /// such as `sse/*`.
    ///
    /// One run can be asserted check by check, so that a failure names what failed. Where only a few checks are wanted
    /// at all, [`Run::only`](crate::Run::only) is quicker: it plays what they need and no more.
    ///
    /// ```
    /// # async fn example(server: mcpwire::InProcess) -> Result<(), mcpwire::RunError> {
    /// let report = mcpwire::check(server).await?;
    /// report.assert_check("sse/stream-ends-after-response");
    /// report.assert_check("http/*");
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    ///
    /// See above; and where nothing was examined by any of them, the run is incomplete, or nothing matches.
    #[track_caller]
    pub fn assert_check(&self, pattern: &str) {
        let wanted = [pattern.to_owned()];
        if let Err(error) = crate::catalogue::select(Some(self.role), &wanted, &[]) {
            panic!("{error}");
        }
        let mut of_it = self.clone();
        of_it.checks.retain(|check| crate::pattern::matches(pattern, &check.id));
        assert!(!of_it.checks.is_empty(), "`{pattern}` was not selected in this run");
        // Stale entries are a matter of the whole run.
        of_it.baseline = None;
        of_it.count();
        of_it.assert_conformant();
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
            target: None,
            id: listed.id(),
            area: listed.area(),
            title: listed.title(),
            level,
            verdict,
            revision,
            reason: Some(reason).filter(|reason| !reason.is_empty()),
            examined: 0,
            seen_in: Vec::new(),
            requirements: listed.check.cites.iter().filter_map(|cite| Some(cite.id()?.to_owned())).collect(),
            baselined: false,
            expected: None,
            set_level: None,
            after_set: false,
            required: Vec::new(),
            findings: Vec::new(),
            fix: listed.fix(),
        }
    }
}

fn nanos<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    whole_nanos::serialize(duration, serializer)
}

mod whole_nanos {
    //! Durations as whole nanoseconds, or null.

    use super::*;

    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        duration.map(|duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_nanos))
    }
}
