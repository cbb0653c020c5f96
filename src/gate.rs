//! What a report means for a gate: what each check counts for, and what follows for the run. Pure.
//!
//! Every format of the report asks here, so that what is red in one of them is red in all.

use crate::report::{CheckReport, FindingReport, Gate, Report};
use crate::verdict::{Level, Verdict};

/// What a check in a revision counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// mcpwire itself failed in it.
    Fault,
    /// It has findings that make the run fail.
    Fails,
    /// It had to be decided, and could not be.
    Undecided,
    /// It has findings, of a level that does not make the run fail.
    Mild,
    /// What was found, or could not be decided, is expected by the baseline.
    Expected,
    /// What was found, or could not be decided, is no part of the frozen set that gates.
    AfterSet,
    /// Nothing to say.
    Quiet,
}

impl Standing {
    /// What it counts for, where findings of this level and above make the run fail.
    pub fn of(check: &CheckReport, fail_on: Level) -> Self {
        match check.verdict {
            Verdict::Fault | Verdict::Fail | Verdict::Inconclusive if check.after_set => Self::AfterSet,
            Verdict::Fault => Self::Fault,
            Verdict::Fail if check.findings.iter().any(|finding| counts(check, finding, fail_on)) => Self::Fails,
            Verdict::Fail if check.baselined => Self::Expected,
            Verdict::Fail => Self::Mild,
            // What is expected to fail is no regression, whichever way it is decided.
            Verdict::Inconclusive if check.baselined => Self::Expected,
            // Budget and advice are often a matter of the machine: they are reported.
            Verdict::Inconclusive if pinned(check, check.level) >= Level::Should.max(fail_on) => Self::Undecided,
            _ => Self::Quiet,
        }
    }

    /// Whether it makes the run red.
    pub fn is_red(self) -> bool {
        matches!(self, Self::Fault | Self::Fails | Self::Undecided)
    }
}

/// Whether a finding makes the run fail, where those of this level and above do.
pub fn counts(check: &CheckReport, finding: &FindingReport, fail_on: Level) -> bool {
    !finding.baselined && pinned(check, finding.level) >= fail_on
}

/// A level as the frozen set knows it: what was raised since counts as it did, and what was lowered as it does.
fn pinned(check: &CheckReport, level: Level) -> Level {
    check.set_level.map_or(level, |set| set.min(level))
}

/// What a report means.
pub fn of(report: &Report) -> Gate {
    let any = |wanted: Standing| report.checks.iter().any(|check| report.standing(check) == wanted);
    // What the gate does not ask about cannot show that anything was tested.
    let examined = report.checks.iter().any(|check| check.examined > 0 && !check.after_set);
    if any(Standing::Fault) {
        Gate::Fault
    } else if any(Standing::Fails) {
        Gate::Findings
    } else if report.incomplete.is_some() || !examined || any(Standing::Undecided) {
        Gate::TooLittle
    } else if report.baseline.as_ref().is_some_and(|baseline| baseline.stale().next().is_some()) {
        Gate::StaleBaseline
    } else {
        Gate::Conforms
    }
}
