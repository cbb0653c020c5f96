//! From what a check sees in a trace to a verdict.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;
use crate::scenario::Scenario;
pub use crate::spec::Level;
use crate::spec::{Revision, requirement};
use crate::trace::render::{Line, timeline};
use crate::trace::{Exchange, Moment, Trace};

/// What a check comes to in one revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Something was examined, and nothing was wrong.
    Pass,
    /// At least one finding.
    Fail,
    /// The revision, the role or what the target declares excludes it.
    NotApplicable,
    /// Nothing was there on which the rule could be seen, or it cannot be measured here.
    NotExercised,
    /// It was exercised, and the evidence did not suffice.
    Inconclusive,
    /// mcpwire itself failed.
    Fault,
}

impl Verdict {
    /// All of them, worst first.
    pub const ALL: [Self; 6] =
        [Self::Fault, Self::Fail, Self::Inconclusive, Self::NotExercised, Self::NotApplicable, Self::Pass];
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable => "not-applicable",
            Self::NotExercised => "not-exercised",
            Self::Inconclusive => "inconclusive",
            Self::Fault => "fault",
        })
    }
}

/// What a finding stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cite {
    /// A requirement; its level in the revision at hand is the finding's.
    Clause(&'static str),
    /// A limit that the user sets.
    Budget,
    /// Nothing but experience.
    Advice,
}

impl Cite {
    /// The level in a revision; `None` where that revision has no such requirement.
    pub fn level(self, revision: Revision) -> Option<Level> {
        match self {
            Self::Clause(id) => requirement(id)?.level(revision),
            Self::Budget => Some(Level::Budget),
            Self::Advice => Some(Level::Advice),
        }
    }

    /// The requirement's id, if it is one.
    pub fn id(self) -> Option<&'static str> {
        match self {
            Self::Clause(id) => Some(id),
            Self::Budget | Self::Advice => None,
        }
    }
}

/// One thing that is wrong, with the events that show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it stands on.
    pub cite: Cite,
    /// The right behaviour.
    pub expected: String,
    /// The behaviour seen.
    pub observed: String,
    /// The trace it was seen in.
    pub trace: String,
    /// The events that show it.
    pub events: Vec<u32>,
    /// Why it is so, where that is proved.
    pub cause: Option<Cause>,
    /// The exchange in question, line by line.
    pub exchange: Vec<Line>,
}

/// A proved cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Its name.
    pub name: String,
    /// What proves it.
    pub evidence: String,
}

/// What a check says of one trace.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many things were looked at.
    pub examined: u32,
    /// The scenarios in which something was looked at.
    pub seen_in: BTreeSet<Scenario>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Why the evidence did not suffice.
    pub inconclusive: Option<String>,
    /// Why nothing could be seen.
    pub not_exercised: Option<String>,
    /// Why the rule does not apply.
    pub not_applicable: Option<String>,
    /// A remark that belongs to a pass, such as what could not happen.
    pub remark: Option<String>,
}

impl Outcome {
    /// The verdict of this outcome alone.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self { findings, .. } if !findings.is_empty() => Verdict::Fail,
            Self { inconclusive: Some(_), .. } => Verdict::Inconclusive,
            Self { examined: 1.., .. } => Verdict::Pass,
            Self { not_exercised: None, not_applicable: Some(_), .. } => Verdict::NotApplicable,
            _ => Verdict::NotExercised,
        }
    }

    /// The outcome over several traces: findings add up, and what one trace showed is not taken back by another
    /// that showed nothing.
    pub fn merge(outcomes: impl IntoIterator<Item = Self>) -> Self {
        let mut merged = Self::default();
        for outcome in outcomes {
            let conclusive = outcome.examined > 0 && outcome.inconclusive.is_none();
            merged.examined += outcome.examined;
            merged.seen_in.extend(outcome.seen_in);
            merged.findings.extend(outcome.findings);
            // A fresh try that was conclusive supersedes one that was not.
            merged.inconclusive = match conclusive {
                true => None,
                false => outcome.inconclusive.or(merged.inconclusive),
            };
            merged.not_exercised = outcome.not_exercised.or(merged.not_exercised);
            merged.not_applicable = outcome.not_applicable.or(merged.not_applicable);
            merged.remark = outcome.remark.or(merged.remark);
        }
        merged
    }

    /// The sentence that goes with the verdict, where one does.
    pub fn reason(&self) -> Option<&str> {
        match self.verdict() {
            Verdict::Inconclusive => self.inconclusive.as_deref(),
            Verdict::NotApplicable => self.not_applicable.as_deref(),
            Verdict::NotExercised => self.not_exercised.as_deref(),
            Verdict::Pass | Verdict::Fail | Verdict::Fault => self.remark.as_deref(),
        }
    }
}

/// So many findings of one check in one trace are kept, and so many are shown with their exchange: a hostile
/// target makes a finding of every event of an endless stream.
const KEPT_FINDINGS: usize = 50;
const SHOWN_FINDINGS: usize = 10;

/// What a check writes into while it looks at one trace.
#[derive(Debug)]
pub struct Judge<'a> {
    trace: &'a Trace,
    manifest: &'a Manifest,
    outcome: Outcome,
}

impl<'a> Judge<'a> {
    /// A judge for one trace of a recording.
    pub fn new(trace: &'a Trace, manifest: &'a Manifest) -> Self {
        Self { trace, manifest, outcome: Outcome::default() }
    }

    /// What the recording's manifest says: options, and the measured floor.
    pub fn manifest(&self) -> &'a Manifest {
        self.manifest
    }

    /// One more thing was looked at.
    pub fn examined(&mut self) {
        self.outcome.examined += 1;
        self.outcome.seen_in.insert(self.trace.scenario());
    }

    /// The evidence does not suffice.
    pub fn inconclusive(&mut self, why: impl Into<String>) {
        self.outcome.inconclusive = Some(why.into());
    }

    /// Nothing was there on which the rule could be seen, or this platform cannot measure it.
    pub fn not_exercised(&mut self, why: impl Into<String>) {
        self.outcome.not_exercised = Some(why.into());
    }

    /// What the target declares excludes the rule.
    pub fn not_applicable(&mut self, why: impl Into<String>) {
        self.outcome.not_applicable = Some(why.into());
    }

    /// A remark for the report that belongs to a pass.
    pub fn remark(&mut self, what: impl Into<String>) {
        self.outcome.remark = Some(what.into());
    }

    /// Something is wrong.
    pub fn finding(
        &mut self,
        cite: Cite,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) -> FindingBuilder<'_, 'a> {
        self.outcome.findings.push(Finding {
            cite,
            expected: expected.into(),
            observed: observed.into(),
            trace: self.trace.name(),
            events: Vec::new(),
            cause: None,
            exchange: Vec::new(),
        });
        FindingBuilder { judge: self }
    }

    /// What it came to.
    pub fn finish(mut self) -> Outcome {
        let findings = &mut self.outcome.findings;
        let more = findings.len().saturating_sub(KEPT_FINDINGS);
        findings.truncate(KEPT_FINDINGS);
        if let (1.., Some(last)) = (more, findings.last_mut()) {
            last.observed.push_str(&format!(" (and {more} findings more in this trace)"));
        }
        self.outcome
    }
}

/// Adds the evidence to a finding.
#[derive(Debug)]
pub struct FindingBuilder<'j, 'a> {
    judge: &'j mut Judge<'a>,
}

impl FindingBuilder<'_, '_> {
    /// The exchange that shows it: its lines go into the report.
    pub fn shown_by(self, exchange: &Exchange) -> Self {
        let lines = self.timeline(exchange, None);
        self.show(exchange.asked.seq, lines)
    }

    /// The exchange that shows it, and the moment in it.
    pub fn shown_at(self, exchange: &Exchange, moment: Moment) -> Self {
        let lines = self.timeline(exchange, Some(moment.seq));
        let builder = self.show(exchange.asked.seq, lines);
        builder.event(moment.seq)
    }

    /// One more event that shows it.
    pub fn event(mut self, seq: u32) -> Self {
        let finding = self.last();
        if !finding.events.contains(&seq) {
            finding.events.push(seq);
        }
        self
    }

    /// Its cause, which is proved.
    pub fn because(mut self, name: &str, evidence: impl Into<String>) -> Self {
        self.last().cause = Some(Cause { name: name.to_owned(), evidence: evidence.into() });
        self
    }

    fn timeline(&self, exchange: &Exchange, offending: Option<u32>) -> Vec<Line> {
        match self.judge.outcome.findings.len() <= SHOWN_FINDINGS {
            true => timeline(self.judge.trace, exchange, offending),
            false => Vec::new(),
        }
    }

    fn show(mut self, seq: u32, lines: Vec<Line>) -> Self {
        let finding = self.last();
        finding.exchange.extend(lines);
        self.event(seq)
    }

    fn last(&mut self) -> &mut Finding {
        let findings = &mut self.judge.outcome.findings;
        findings.last_mut().expect("a builder exists only after its finding was pushed")
    }
}
