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
    /// It had to be exercised, and was not.
    Unmet,
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
        matches!(self, Self::Fault | Self::Fails | Self::Undecided | Self::Unmet)
    }
}

/// What a check of a report counts for.
pub fn standing(report: &Report, check: &CheckReport) -> Standing {
    match Standing::of(check, report.summary.fail_on) {
        Standing::Quiet if is_unmet(report, check) => Standing::Unmet,
        standing => standing,
    }
}

/// Whether it had to be exercised, and was not. What does not apply is missed only where nothing does that the same
/// pattern asks for: then the target has lost the whole of it.
fn is_unmet(report: &Report, check: &CheckReport) -> bool {
    let applies = |pattern: &String| {
        let same = |other: &CheckReport| report.target_of(other) == report.target_of(check);
        let asked = |other: &&CheckReport| same(other) && other.required.contains(pattern);
        report.checks.iter().filter(asked).any(|other| other.verdict != Verdict::NotApplicable)
    };
    match check.verdict {
        // What was added after the set that gates is nothing that anybody could have pinned.
        _ if check.after_set => false,
        Verdict::NotExercised => !check.required.is_empty(),
        Verdict::NotApplicable => !check.required.iter().all(applies),
        _ => false,
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
    } else if any(Standing::Unmet) {
        Gate::NotExercised
    } else if report.baseline.as_ref().is_some_and(|baseline| baseline.stale().next().is_some()) {
        Gate::StaleBaseline
    } else {
        Gate::Conforms
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::report::made;
    use crate::spec::Revision;

    const ID: &str = "sse/well-formed";
    const R: Revision = Revision::R20251125;

    fn passing() -> CheckReport {
        made::check("rpc/exactly-one-response", R, Verdict::Pass, Level::Must)
    }

    #[rstest]
    #[case(Verdict::Pass, Level::Must, Gate::Conforms)]
    #[case(Verdict::NotExercised, Level::Must, Gate::Conforms)]
    #[case(Verdict::NotApplicable, Level::Must, Gate::Conforms)]
    #[case(Verdict::Inconclusive, Level::Should, Gate::TooLittle)]
    #[case(Verdict::Inconclusive, Level::Budget, Gate::Conforms)]
    #[case(Verdict::Fail, Level::Budget, Gate::Findings)]
    #[case(Verdict::Fail, Level::Advice, Gate::Conforms)]
    #[case(Verdict::Fault, Level::Advice, Gate::Fault)]
    fn what_a_verdict_means(#[case] verdict: Verdict, #[case] level: Level, #[case] gate: Gate) {
        assert_eq!(made::report(vec![passing(), made::check(ID, R, verdict, level)]).summary.gate, gate);
    }

    #[test]
    fn a_run_in_which_nothing_was_examined_is_red() {
        let unseen = made::check(ID, R, Verdict::NotExercised, Level::Must);
        assert_eq!(made::report(vec![unseen]).summary.gate, Gate::TooLittle);
        let mut later = passing();
        later.after_set = true;
        assert_eq!(made::report(vec![later]).summary.gate, Gate::TooLittle, "what gates nothing shows nothing");
    }

    #[test]
    fn an_incomplete_run_is_red_and_findings_come_first() {
        let mut report = made::report(vec![passing()]);
        report.incomplete = Some("the target went away".to_owned());
        report.count();
        assert_eq!(report.summary.gate, Gate::TooLittle);
        report.checks.push(made::check(ID, R, Verdict::Fail, Level::Must));
        report.count();
        assert_eq!(report.summary.gate, Gate::Findings);
    }

    #[rstest]
    #[case::exercised(Verdict::Pass, Gate::Conforms)]
    #[case::not_exercised(Verdict::NotExercised, Gate::NotExercised)]
    #[case::nowhere_to_be_seen(Verdict::NotApplicable, Gate::NotExercised)]
    #[case::could_not_be_decided(Verdict::Inconclusive, Gate::TooLittle)]
    fn what_is_required_has_to_be_exercised(#[case] verdict: Verdict, #[case] gate: Gate) {
        let mut check = made::check(ID, R, verdict, Level::Must);
        check.required = vec!["sse/*".to_owned()];
        assert_eq!(made::report(vec![passing(), check.clone()]).summary.gate, gate);
        check.required.clear();
        let unasked = made::report(vec![passing(), check]).summary.gate;
        assert_eq!(unasked == Gate::Conforms, gate != Gate::TooLittle, "nobody asked for it: {unasked:?}");
    }

    #[test]
    fn what_does_not_apply_is_missed_only_where_nothing_of_the_pattern_does() {
        let required = |id, verdict| {
            let mut check = made::check(id, R, verdict, Level::Must);
            check.required = vec!["sse/*".to_owned()];
            check
        };
        let elsewhere = required(ID, Verdict::NotApplicable);
        let seen = required("sse/stream-ends-after-response", Verdict::Pass);
        assert_eq!(made::report(vec![elsewhere.clone(), seen.clone()]).summary.gate, Gate::Conforms);
        let mut of_another = seen;
        of_another.target = Some("another target".to_owned());
        assert_eq!(made::report(vec![elsewhere, of_another]).summary.gate, Gate::NotExercised);
    }

    #[test]
    fn what_came_after_the_set_cannot_have_been_required() {
        let mut check = made::check(ID, R, Verdict::NotExercised, Level::Must);
        (check.required, check.after_set) = (vec!["sse/*".to_owned()], true);
        assert_eq!(made::report(vec![passing(), check]).summary.gate, Gate::Conforms);
    }

    #[rstest]
    #[case::as_it_was(Some(Level::Must), Level::Must, Standing::Fails)]
    #[case::raised_since(Some(Level::Advice), Level::Must, Standing::Mild)]
    #[case::lowered_since(Some(Level::Must), Level::Advice, Standing::Mild)]
    #[case::no_set(None, Level::Must, Standing::Fails)]
    fn a_pinned_level_is_never_stricter_than_either(
        #[case] set: Option<Level>,
        #[case] found: Level,
        #[case] standing: Standing,
    ) {
        let mut check = made::check(ID, R, Verdict::Fail, found);
        check.set_level = set;
        assert_eq!(Standing::of(&check, Level::Budget), standing);
    }

    #[rstest]
    fn what_came_after_the_set_gates_nothing(
        #[values(Verdict::Fail, Verdict::Inconclusive, Verdict::Fault)] verdict: Verdict,
    ) {
        let mut check = made::check(ID, R, verdict, Level::Must);
        check.after_set = true;
        assert_eq!(Standing::of(&check, Level::Budget), Standing::AfterSet);
        assert_eq!(made::report(vec![passing(), check]).summary.gate, Gate::Conforms);
    }
}
