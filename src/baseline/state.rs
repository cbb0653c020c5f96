//! What a baseline excuses in a report, and what came of each of its entries.

use super::{Baseline, BaselineReport, Entry, EntryReport, State};
use crate::report::{CheckReport, Report};
use crate::verdict::Verdict;

impl Baseline {
    /// Marks in a report what is expected, and says what came of each entry. The day that counts is that of the
    /// recording: to judge it again gives the same report.
    pub fn apply(&self, report: &mut Report) {
        let day = report.day().to_owned();
        let name = report.target.name.clone();
        let of_role: Vec<&Entry> = self.entries.iter().filter(|entry| entry.role == report.role).collect();
        for check in &mut report.checks {
            let target = check.target.clone().unwrap_or_else(|| name.clone());
            let covering = || of_role.iter().filter(|entry| entry.covers(check, &target) && !entry.is_over(&day));
            let covering: Vec<&&Entry> = covering().collect();
            for finding in &mut check.findings {
                finding.baselined = covering.iter().any(|entry| entry.expects(finding));
            }
            let whole = covering.iter().find(|entry| entry.scenario.is_none());
            let expected =
                check.findings.iter().find_map(|finding| covering.iter().find(|entry| entry.expects(finding)));
            check.baselined = match check.verdict {
                Verdict::Fail => check.findings.iter().all(|finding| finding.baselined),
                Verdict::Inconclusive => whole.is_some(),
                _ => false,
            };
            check.expected = whole.or(expected).filter(|_| check.baselined).map(|entry| entry.reason.clone());
        }
        let entries = of_role.iter().map(|entry| came_to(entry, report, &day)).collect();
        report.baseline = Some(BaselineReport { file: self.file.clone(), entries });
        report.count();
    }
}

/// What a check that an entry covers says of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Fails,
    Undecided,
    Passes,
    Nothing,
}

fn came_to(entry: &Entry, report: &Report, day: &str) -> EntryReport {
    let covered: Vec<&CheckReport> =
        report.checks.iter().filter(|check| entry.covers(check, report.target_of(check))).collect();
    let that = |wanted: Said| covered.iter().copied().filter(move |check| said(entry, check) == wanted);
    let any = |wanted: Said| that(wanted).next().is_some();
    let (state, why) = if any(Said::Fails) {
        let fails = format!("it fails in {}", places(report, that(Said::Fails)));
        match (&entry.expires, entry.is_over(day)) {
            (Some(expires), true) => (State::Expired, format!("expired on {expires}, and {fails}")),
            _ => (State::Excuses, fails),
        }
    } else if any(Said::Undecided) {
        (State::Undecided, format!("it is inconclusive in {}", places(report, that(Said::Undecided))))
    } else if any(Said::Passes) {
        let passes = format!("it passes in {}", places(report, that(Said::Passes)));
        match report.incomplete {
            // What came to pass so far may have failed in what was to come.
            Some(_) => (State::NotSeen, format!("{passes}, and the run is incomplete")),
            None => (State::Stale, passes),
        }
    } else {
        (State::NotSeen, unseen(entry, report, &covered))
    };
    EntryReport { entry: entry.clone(), state, why }
}

fn said(entry: &Entry, check: &CheckReport) -> Said {
    let expected = || check.findings.iter().any(|finding| entry.expects(finding));
    // What was looked at in another scenario says nothing of this one.
    let looked = || entry.scenario.as_ref().is_none_or(|scenario| check.seen_in.contains(scenario));
    match check.verdict {
        Verdict::Fail if expected() => Said::Fails,
        Verdict::Inconclusive => Said::Undecided,
        Verdict::Pass | Verdict::Fail if looked() => Said::Passes,
        _ => Said::Nothing,
    }
}

fn places<'a>(report: &Report, checks: impl Iterator<Item = &'a CheckReport>) -> String {
    let named = |check: &CheckReport| match &check.target {
        Some(target) if !report.runs.is_empty() => format!("{} on {target}", check.revision),
        _ => check.revision.to_string(),
    };
    checks.map(named).collect::<Vec<_>>().join(", ")
}

/// Why the check of an entry was not seen.
fn unseen(entry: &Entry, report: &Report, covered: &[&CheckReport]) -> String {
    if let Some(check) = covered.iter().find(|check| check.examined == 0) {
        let reason = check.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        return format!("{}{reason}", check.verdict.to_string().replace('-', " "));
    }
    if let (Some(scenario), false) = (&entry.scenario, covered.is_empty()) {
        return format!("nothing was examined in the scenario {scenario}");
    }
    let of_id = || report.checks.iter().filter(|check| check.id == entry.id);
    if of_id().next().is_none() {
        return "not selected".to_owned();
    }
    match (entry.revision, &entry.target) {
        (Some(revision), _) if of_id().all(|check| check.revision != revision) => {
            format!("{revision} was not tested")
        }
        (_, Some(target)) => format!("no target of this run is called `{target}`"),
        _ => "not selected".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::gate::Standing;
    use crate::report::{Gate, made};
    use crate::spec::Revision;
    use crate::verdict::Level;

    const ID: &str = "sse/well-formed";
    const R: Revision = Revision::R20251125;
    const OTHER: Revision = Revision::R20260728;

    /// What comes of the checks under a baseline, an entry of which has these lines.
    fn under(entry: &str, checks: Vec<CheckReport>) -> Report {
        let mut all = vec![made::check("rpc/exactly-one-response", R, Verdict::Pass, Level::Must)];
        all.extend(checks);
        let mut report = made::report(all);
        baseline(entry).apply(&mut report);
        report
    }

    fn baseline(entry: &str) -> Baseline {
        let lines: String = entry.split("; ").map(|line| format!("    {line}\n")).collect();
        Baseline::read("b.yml", &format!("server:\n  - reason: issue 12\n{lines}")).expect("a baseline")
    }

    fn state(report: &Report) -> (State, &str) {
        let entry = &report.baseline.as_ref().expect("there was a baseline").entries[0];
        (entry.state, entry.why.as_str())
    }

    fn of(revision: Revision, verdict: Verdict) -> CheckReport {
        made::check(ID, revision, verdict, Level::Must)
    }

    #[rstest]
    #[case(Verdict::Fail, State::Excuses, Gate::Conforms)]
    #[case(Verdict::Pass, State::Stale, Gate::StaleBaseline)]
    #[case(Verdict::Inconclusive, State::Undecided, Gate::Conforms)]
    #[case(Verdict::NotExercised, State::NotSeen, Gate::Conforms)]
    #[case(Verdict::NotApplicable, State::NotSeen, Gate::Conforms)]
    #[case(Verdict::Fault, State::NotSeen, Gate::Fault)]
    fn what_comes_of_an_entry(#[case] verdict: Verdict, #[case] came: State, #[case] gate: Gate) {
        let report = under("id: sse/well-formed", vec![of(R, verdict)]);
        assert_eq!((state(&report).0, report.summary.gate), (came, gate));
    }

    #[test]
    fn an_excused_failure_is_shown_with_its_reason() {
        let report = under("id: sse/well-formed", vec![of(R, Verdict::Fail)]);
        let check = &report.checks[1];
        assert_eq!((check.baselined, check.expected.as_deref()), (true, Some("issue 12")));
        assert_eq!((check.verdict, report.standing(check)), (Verdict::Fail, Standing::Expected), "it still failed");
    }

    #[test]
    fn one_revision_in_which_it_still_fails_keeps_an_entry() {
        let report = under("id: sse/well-formed", vec![of(R, Verdict::Fail), of(OTHER, Verdict::Pass)]);
        assert_eq!(state(&report), (State::Excuses, "it fails in 2025-11-25"));
        let report = under("id: sse/well-formed", vec![of(R, Verdict::Inconclusive), of(OTHER, Verdict::Pass)]);
        assert_eq!(state(&report).0, State::Undecided);
        let report = under("id: sse/well-formed", vec![of(R, Verdict::NotExercised), of(OTHER, Verdict::Pass)]);
        assert_eq!(state(&report), (State::Stale, "it passes in 2026-07-28"), "in every one that was exercised");
    }

    #[test]
    fn an_entry_for_a_revision_is_about_that_one_only() {
        let checks = || vec![of(R, Verdict::Fail), of(OTHER, Verdict::Pass)];
        let report = under("id: sse/well-formed; revision: 2025-11-25", checks());
        assert_eq!((state(&report).0, report.summary.gate), (State::Excuses, Gate::Conforms));
        let report = under("id: sse/well-formed; revision: 2026-07-28", checks());
        assert_eq!(
            (state(&report).0, report.summary.gate),
            (State::Stale, Gate::Findings),
            "the other one is no excuse"
        );
        let report = under("id: sse/well-formed; revision: 2025-03-26", checks());
        assert_eq!(state(&report), (State::NotSeen, "2025-03-26 was not tested"));
    }

    #[test]
    fn an_entry_for_a_target_is_about_that_one_only() {
        let report = under("id: sse/well-formed; target: a s*", vec![of(R, Verdict::Fail)]);
        assert_eq!(report.summary.gate, Gate::Conforms);
        let report = under("id: sse/well-formed; target: b*", vec![of(R, Verdict::Fail)]);
        assert_eq!((state(&report).0, report.summary.gate), (State::NotSeen, Gate::Findings));
        assert_eq!(state(&report).1, "no target of this run is called `b*`");
    }

    #[test]
    fn an_entry_for_a_scenario_excuses_what_is_found_there_only() {
        let mut both = of(R, Verdict::Fail);
        both.findings.push(made::finding(R, "ids-2", Level::Must));
        let report = under("id: sequential-calls:sse/well-formed", vec![both.clone()]);
        assert_eq!((state(&report).0, report.summary.gate), (State::Excuses, Gate::Findings));
        assert!(report.checks[1].findings[0].baselined && !report.checks[1].baselined);
        let text = crate::report::text::render(&report, crate::report::text::Style::PLAIN);
        assert!(text.contains("findings (must 1)"), "{text}");

        both.findings.remove(0);
        let report = under("id: ids:sse/well-formed", vec![both.clone()]);
        assert_eq!((state(&report).0, report.summary.gate), (State::Excuses, Gate::Conforms), "the second attempt too");
        let report = under("id: sequential-calls:sse/well-formed", vec![both.clone()]);
        assert_eq!((state(&report).0, report.summary.gate), (State::Stale, Gate::Findings));
        let report = under("id: churn:sse/well-formed", vec![both]);
        assert_eq!(state(&report), (State::NotSeen, "nothing was examined in the scenario churn"));
    }

    #[rstest]
    #[case::the_day_before("2026-11-20", State::Expired, Gate::Findings)]
    #[case::the_last_day("2026-11-21", State::Excuses, Gate::Conforms)]
    fn an_entry_excuses_up_to_its_last_day(#[case] last: &str, #[case] came: State, #[case] gate: Gate) {
        let report = under(&format!("id: sse/well-formed; expires: {last}"), vec![of(R, Verdict::Fail)]);
        assert_eq!((state(&report).0, report.summary.gate), (came, gate));
    }

    #[test]
    fn what_passes_has_to_go_though_its_time_is_over() {
        let report = under("id: sse/well-formed; expires: 2020-01-01", vec![of(R, Verdict::Pass)]);
        assert_eq!(state(&report).0, State::Stale);
    }

    #[test]
    fn an_incomplete_run_is_never_excused_and_makes_nothing_stale() {
        for verdict in [Verdict::Fail, Verdict::Pass] {
            let mut report = made::report(vec![of(R, verdict)]);
            report.incomplete = Some("the target went away".to_owned());
            baseline("id: sse/well-formed").apply(&mut report);
            assert_eq!(report.summary.gate, Gate::TooLittle);
            assert_ne!(state(&report).0, State::Stale);
        }
    }

    #[test]
    fn a_baseline_that_is_applied_again_says_the_same() {
        let once = under("id: sse/well-formed", vec![of(R, Verdict::Fail)]);
        let mut twice = once.clone();
        once.baseline.as_ref().expect("there was one").baseline().apply(&mut twice);
        assert_eq!(once, twice);
    }

    #[test]
    fn entries_of_the_other_role_are_no_matter() {
        let mut report = made::report(vec![of(R, Verdict::Pass)]);
        let text = "client:\n  - id: client/body-drained\n    reason: x\n";
        Baseline::read("b.yml", text).expect("a baseline").apply(&mut report);
        assert_eq!(report.baseline.map(|baseline| baseline.entries.len()), Some(0));
    }
}
