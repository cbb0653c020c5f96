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
