//! One report of several: of the shards of a run, that is of other checks, other revisions or other targets. Pure.
//!
//! The same check of the same target in the same revision may be in more than one. Then the worse verdict stands, since a
//! failure that does not always show is one; but what one shard did not see takes nothing from what another one saw.

use std::cmp::Reverse;

use super::{CheckReport, Report, RunReport};
use crate::baseline::Baseline;
use crate::manifest::{RevisionRun, TOOL};
use crate::verdict::{Level, Verdict};

/// Reports that do not go together.
#[derive(Debug, thiserror::Error)]
pub enum NoMerge {
    /// There is none.
    #[error("there is no report to merge")]
    Nothing,
    /// One is by another version: its levels and rules may be others.
    #[error("{0} was made by {1}, and this is mcpwire {TOOL}: shards are run and merged by one version")]
    Tool(String, String),
    /// Servers and clients.
    #[error("{0} is about a server and {1} about a client, or the other way round: merge each role by itself")]
    Roles(String, String),
    /// Other gates.
    #[error("{0} and {1} gate on different {2}: shards are gated alike")]
    Gates(String, String, &'static str),
}

/// Joins reports, each given with its name; in whichever order they come, the result is the same.
///
/// # Errors
///
/// Where versions, roles, or what the gate depends on differ.
pub fn merge(named: Vec<(String, Report)>) -> Result<Report, NoMerge> {
    let Some((first_name, first)) = named.first() else { return Err(NoMerge::Nothing) };
    let own = format!("mcpwire {TOOL}");
    for (name, report) in &named {
        if report.tool != own {
            return Err(NoMerge::Tool(name.clone(), report.tool.clone()));
        }
        if report.role != first.role {
            return Err(NoMerge::Roles(first_name.clone(), name.clone()));
        }
        let gates = |what| Err(NoMerge::Gates(first_name.clone(), name.clone(), what));
        if report.summary.fail_on != first.summary.fail_on {
            return gates("levels (--fail-on)");
        }
        if report.summary.set != first.summary.set {
            return gates("sets (--set)");
        }
        if entries(report) != entries(first) {
            return gates("baselines (--baseline)");
        }
    }
    let mut reports: Vec<Report> = named.into_iter().map(|(_, report)| report).collect();
    // Whatever order they come in: by when they were made, then by all they say.
    reports.sort_by_cached_key(|report| (report.recorded.clone(), super::json::render(report)));
    reports.dedup();
    Ok(joined(&reports))
}

fn entries(report: &Report) -> Option<Baseline> {
    report.baseline.as_ref().map(|baseline| baseline.baseline())
}

fn joined(reports: &[Report]) -> Report {
    let mut runs: Vec<RunReport> = Vec::new();
    for report in reports {
        let of_report = match report.runs.is_empty() {
            true => vec![RunReport {
                recorded: report.recorded.clone(),
                target: report.target.clone(),
                revisions: report.revisions.clone(),
                incomplete: report.incomplete.clone(),
            }],
            false => report.runs.clone(),
        };
        for run in of_report {
            match runs.iter_mut().find(|known| known.target.name == run.target.name) {
                Some(known) => join(known, run),
                None => runs.push(run),
            }
        }
    }
    runs.sort_by(|one, other| one.target.name.cmp(&other.target.name));
    let several = runs.len() > 1;
    let mut checks: Vec<CheckReport> = Vec::new();
    let mut latency = Vec::new();
    for report in reports {
        for check in &report.checks {
            let target = several.then(|| report.target_of(check).to_owned());
            checks.push(CheckReport { target, ..check.clone() });
        }
        for row in &report.latency {
            let target = several.then(|| row.target.clone().unwrap_or_else(|| report.target.name.clone()));
            latency.push(super::LatencyReport { target, ..row.clone() });
        }
    }
    // Medians cannot be joined: the one of the most calls stands.
    latency.sort_by_key(|row| (row.target.clone(), row.revision, row.class, Reverse(row.n)));
    latency.dedup_by_key(|row| (row.target.clone(), row.revision, row.class));
    let newest = &reports[reports.len() - 1];
    let mut report = Report {
        recorded: newest.recorded.clone(),
        revisions: revisions(&runs),
        incomplete: incomplete(&runs, several),
        checks: distinct(checks),
        latency,
        // Each was measured on a machine of its own.
        floor: newest.floor.filter(|_| reports.len() == 1),
        target_output: match several {
            true => Vec::new(),
            false => newest.target_output.clone(),
        },
        ..newest.clone()
    };
    report.target.clone_from(&runs[0].target);
    if several {
        report.target.kind = "several".to_owned();
        report.target.server = None;
        report.target.name = runs.iter().map(|run| run.target.name.as_str()).collect::<Vec<_>>().join(", ");
    }
    report.runs = runs;
    match entries(newest) {
        // What is stale shows in all of them together only.
        Some(baseline) => baseline.apply(&mut report),
        None => report.count(),
    }
    report
}

/// Adds another run of the same target.
fn join(known: &mut RunReport, run: RunReport) {
    known.recorded = run.recorded.max(known.recorded.clone());
    known.incomplete = match (known.incomplete.take(), run.incomplete) {
        (Some(one), Some(other)) if one != other => Some(format!("{one}; {other}")),
        (one, other) => one.or(other),
    };
    known.target.server = known.target.server.take().or(run.target.server);
    for revision in run.revisions {
        add(&mut known.revisions, revision);
    }
}

/// Adds a revision: one that was spoken once is spoken.
fn add(revisions: &mut Vec<RevisionRun>, run: RevisionRun) {
    match revisions.iter_mut().find(|known| known.revision == run.revision) {
        Some(known) if run.spoken && !known.spoken => *known = run,
        Some(_) => {}
        None => revisions.push(run),
    }
    revisions.sort_by_key(|run| run.revision);
}

fn revisions(runs: &[RunReport]) -> Vec<RevisionRun> {
    let mut all = Vec::new();
    runs.iter().flat_map(|run| &run.revisions).for_each(|run| add(&mut all, run.clone()));
    all
}

fn incomplete(runs: &[RunReport], several: bool) -> Option<String> {
    let of_run = |run: &RunReport| match several {
        true => Some(format!("{}: {}", run.target.name, run.incomplete.as_ref()?)),
        false => run.incomplete.clone(),
    };
    let all: Vec<String> = runs.iter().filter_map(of_run).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Each check of each target in each revision once, in the order of the catalogue.
fn distinct(checks: Vec<CheckReport>) -> Vec<CheckReport> {
    let mut distinct: Vec<CheckReport> = Vec::new();
    for check in checks {
        let same = |known: &&mut CheckReport| {
            (&known.target, &known.id, known.revision) == (&check.target, &check.id, check.revision)
        };
        match distinct.iter_mut().find(same) {
            Some(known) => *known = worse(known, check),
            None => distinct.push(check),
        }
    }
    let catalogue: Vec<String> = crate::catalogue::all().iter().map(crate::catalogue::Listed::id).collect();
    let place = |id: &str| catalogue.iter().position(|known| known == id).unwrap_or(catalogue.len());
    distinct.sort_by_cached_key(|check| (check.target.clone(), place(&check.id), check.id.clone(), check.revision));
    distinct
}

/// The one of two that stands, with a word on the other.
fn worse(one: &CheckReport, other: CheckReport) -> CheckReport {
    let rank = |check: &CheckReport| match check.verdict {
        Verdict::Fault => 0,
        Verdict::Fail => 1,
        Verdict::Inconclusive => 2,
        Verdict::Pass => 3,
        Verdict::NotExercised => 4,
        Verdict::NotApplicable => 5,
    };
    let milder = |check: &CheckReport| Level::ALL.iter().position(|level| *level == check.level);
    let key = |check: &CheckReport| (rank(check), milder(check), Reverse(check.examined));
    let (mut stands, yields) = if key(&other) < key(one) { (other, one.clone()) } else { (one.clone(), other) };
    stands.seen_in.extend(yields.seen_in.clone());
    stands.seen_in.sort();
    stands.seen_in.dedup();
    stands.required.extend(yields.required.clone());
    stands.required.sort();
    stands.required.dedup();
    if rank(&stands) < 3 && rank(&yields) != rank(&stands) && rank(&yields) <= 3 {
        let remark = format!("another shard says {}", yields.verdict);
        stands.reason = Some(match stands.reason.take() {
            Some(reason) if reason.contains(&remark) => reason,
            Some(reason) => format!("{reason} ({remark})"),
            None => remark,
        });
    }
    stands
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::baseline::State;
    use crate::report::{Gate, made};
    use crate::spec::Revision;

    const R: Revision = Revision::R20251125;
    const OTHER: Revision = Revision::R20260728;

    fn of(id: &str, revision: Revision, verdict: Verdict) -> CheckReport {
        made::check(id, revision, verdict, Level::Must)
    }

    /// A shard in which these revisions were tested.
    fn shard(checks: Vec<CheckReport>) -> Report {
        let mut report = made::report(checks);
        let tested: Vec<Revision> = report.checks.iter().map(|check| check.revision).collect();
        report.revisions.retain(|run| tested.contains(&run.revision));
        report
    }

    fn merged(reports: &[&Report]) -> Report {
        let named = reports.iter().enumerate().map(|(index, report)| (format!("{index}.json"), (*report).clone()));
        merge(named.collect()).expect("they go together")
    }

    fn named(mut report: Report, name: &str) -> Report {
        report.target.name = name.to_owned();
        report
    }

    #[test]
    fn what_one_shard_requires_another_one_may_have_exercised() {
        let id = "sse/well-formed";
        let mut missed = of(id, R, Verdict::NotExercised);
        missed.required = vec!["sse/*".to_owned()];
        let other = of("rpc/exactly-one-response", R, Verdict::Pass);
        let missing = vec![("a".to_owned(), shard(vec![missed.clone(), other.clone()]))];
        assert_eq!(merge(missing.clone()).expect("one report").summary.gate, Gate::NotExercised);
        let seen = vec![("b".to_owned(), shard(vec![of(id, R, Verdict::Pass), other]))];
        let merged = merge([missing, seen].concat()).expect("they go together");
        assert_eq!(merged.summary.gate, Gate::Conforms);
        assert!(merged.checks.iter().any(|check| check.required == ["sse/*"]), "it is required all the same");
    }

    #[test]
    fn shards_of_other_checks_and_other_revisions_are_one_run() {
        let one = shard(vec![of("sse/well-formed", R, Verdict::Pass)]);
        let other = shard(vec![of("http/content-type", R, Verdict::Fail), of("sse/well-formed", OTHER, Verdict::Pass)]);
        let merged = merged(&[&one, &other]);
        let keys: Vec<_> = merged.checks.iter().map(|check| (check.id.as_str(), check.revision)).collect();
        assert_eq!(keys, [("sse/well-formed", R), ("sse/well-formed", OTHER), ("http/content-type", R)]);
        assert_eq!(merged.revisions.iter().map(|run| run.revision).collect::<Vec<_>>(), [R, OTHER]);
        assert_eq!((merged.runs.len(), merged.summary.gate), (1, Gate::Findings));
        assert_eq!(merged.summary.verdicts["pass"], 2, "it is counted anew");
    }

    #[test]
    fn targets_are_kept_apart() {
        let one = named(shard(vec![of("sse/well-formed", R, Verdict::Pass)]), "one");
        let other = named(shard(vec![of("sse/well-formed", R, Verdict::Fail)]), "other");
        let merged = merged(&[&other, &one]);
        let keys: Vec<_> = merged.checks.iter().map(|check| (check.target.as_deref(), check.verdict)).collect();
        assert_eq!(keys, [(Some("one"), Verdict::Pass), (Some("other"), Verdict::Fail)]);
        assert_eq!((merged.target.name.as_str(), merged.target.kind.as_str()), ("one, other", "several"));
    }

    #[rstest]
    #[case::a_failure_that_does_not_always_show(Verdict::Pass, Verdict::Fail, Verdict::Fail)]
    #[case::no_evidence_in_one(Verdict::Pass, Verdict::Inconclusive, Verdict::Inconclusive)]
    #[case::a_fault(Verdict::Fail, Verdict::Fault, Verdict::Fault)]
    #[case::seen_in_one(Verdict::Pass, Verdict::NotExercised, Verdict::Pass)]
    #[case::not_seen_in_one(Verdict::Fail, Verdict::NotApplicable, Verdict::Fail)]
    fn of_two_verdicts_the_worse_stands_and_silence_takes_nothing(
        #[case] one: Verdict,
        #[case] other: Verdict,
        #[case] stands: Verdict,
    ) {
        let (one, other) = (shard(vec![of("sse/well-formed", R, one)]), shard(vec![of("sse/well-formed", R, other)]));
        for merged in [merged(&[&one, &other]), merged(&[&other, &one])] {
            assert_eq!(merged.checks.len(), 1);
            assert_eq!(merged.checks[0].verdict, stands);
        }
    }

    #[test]
    fn that_another_shard_says_otherwise_is_told() {
        let one = shard(vec![of("sse/well-formed", R, Verdict::Pass)]);
        let other = shard(vec![of("sse/well-formed", R, Verdict::Fail)]);
        assert_eq!(merged(&[&one, &other]).checks[0].reason.as_deref(), Some("as it is (another shard says pass)"));
    }

    #[test]
    fn the_order_is_no_matter_and_what_is_merged_twice_is_merged_once() {
        let a = named(shard(vec![of("sse/well-formed", R, Verdict::Pass)]), "one");
        let mut b = named(shard(vec![of("sse/well-formed", R, Verdict::Fail)]), "one");
        b.recorded = "2026-11-20T00:00:00Z".to_owned();
        let c = named(shard(vec![of("http/content-type", OTHER, Verdict::Pass)]), "other");
        let all = merged(&[&a, &b, &c]);
        for order in [[&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]] {
            assert_eq!(merged(&order), all);
        }
        assert_eq!(merged(&[&a, &b, &c, &b]), all);
        assert_eq!(merged(&[&all]), all);
        assert_eq!(merged(&[&merged(&[&a, &c]), &b]), all, "in steps");
        assert_eq!(all.recorded, "2026-11-21T12:00:00Z", "the newest");
    }

    #[test]
    fn one_incomplete_shard_makes_the_whole_incomplete() {
        let one = shard(vec![of("sse/well-formed", R, Verdict::Pass)]);
        let mut other = named(one.clone(), "other");
        other.incomplete = Some("it went away".to_owned());
        let merged = merged(&[&one, &other]);
        assert_eq!(merged.incomplete.as_deref(), Some("other: it went away"));
        assert_eq!(merged.summary.gate, Gate::TooLittle);
    }

    #[test]
    fn what_is_stale_shows_in_all_shards_together() {
        let baseline =
            Baseline::read("b.yml", "server:\n  - id: sse/well-formed\n    reason: x\n").expect("a baseline");
        let mut one = shard(vec![of("sse/well-formed", R, Verdict::Pass)]);
        let mut other = shard(vec![of("sse/well-formed", OTHER, Verdict::Fail)]);
        baseline.apply(&mut one);
        baseline.apply(&mut other);
        assert_eq!(one.summary.gate, Gate::StaleBaseline);
        // Whichever of them is the newer one.
        for day in ["2026-11-19", "2026-11-23"] {
            other.recorded = format!("{day}T12:00:00Z");
            let merged = merged(&[&one, &other]);
            assert_eq!(merged.summary.gate, Gate::Conforms, "{day}");
            assert_eq!(merged.baseline.map(|baseline| baseline.entries[0].state), Some(State::Excuses), "{day}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let one = shard(vec![of("sse/well-formed", R, Verdict::Pass)]);
        let refused = |change: fn(&mut Report)| {
            let mut other = one.clone();
            change(&mut other);
            merge(vec![("a.json".to_owned(), one.clone()), ("b.json".to_owned(), other)])
                .expect_err("refused")
                .to_string()
        };
        assert!(refused(|other| other.tool = "mcpwire 9.9.9".to_owned()).contains("b.json was made by mcpwire 9.9.9"));
        assert!(refused(|other| other.role = crate::manifest::Role::Client).contains("merge each role by itself"));
        assert!(refused(|other| other.summary.fail_on = Level::Must).contains("different levels (--fail-on)"));
        assert!(refused(|other| other.summary.set = Some("2026-11-21".to_owned())).contains("different sets (--set)"));
        let baseline = |other: &mut Report| Baseline { file: "b".to_owned(), entries: Vec::new() }.apply(other);
        assert!(refused(baseline).contains("different baselines (--baseline)"));
        assert!(matches!(merge(Vec::new()), Err(NoMerge::Nothing)));
    }
}
