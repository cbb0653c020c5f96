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
            let expected = check.findings.iter().find_map(|finding| covering.iter().find(|entry| entry.expects(finding)));
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
