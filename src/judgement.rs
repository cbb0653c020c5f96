//! From a recording to a report: the same function for a live run and for `mcpwire judge`.

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use crate::catalogue::{self, Kind, Listed, NoMatch};
use crate::confirmation::confirmed;
use crate::latency::{self, Class, Sample, quantile};
use crate::manifest::{Manifest, PROXIED, RevisionRun, Role};
use crate::pattern;
use crate::report::{CheckReport, FindingReport, LatencyReport, PhasesReport, Report};
use crate::scenario::Scenario;
use crate::sets::FrozenSet;
use crate::spec::Revision;
use crate::trace::Trace;
use crate::trace::said;
use crate::trace::store::Recording;
use crate::verdict::{Finding, Judge, Level, Outcome, Verdict};

/// Judges a recording, by the options in its manifest.
///
/// # Errors
///
/// Where a pattern of the selection matches no check, and where there is no such frozen set.
pub fn judge(recording: &Recording) -> Result<Report, NoMatch> {
    let manifest = &recording.manifest;
    let mut selected = catalogue::of_run(manifest.role, &manifest.options)?;
    let set = manifest.options.set.as_deref().map(str::parse::<FrozenSet>).transpose()?;
    if manifest.target.kind == PROXIED {
        // What only a scenario of ours brings out cannot be seen.
        selected.retain(|listed| matches!(listed.check.kind, Kind::Invariant(_)));
    }
    let mut checks = Vec::new();
    for listed in &selected {
        for run in &manifest.revisions {
            checks.push(check(listed, run, recording));
        }
    }
    if let Some(set) = &set {
        checks.iter_mut().for_each(|check| set.pin(check));
    }
    for check in &mut checks {
        let asks = |pattern: &&String| pattern::matches(pattern, &check.id);
        check.required = manifest.options.require.iter().filter(asks).cloned().collect();
    }
    let date = set.map(|set| set.date().to_owned());
    Ok(Report::new(manifest, checks, latency_reports(recording), date))
}

fn check(listed: &Listed, run: &RevisionRun, recording: &Recording) -> CheckReport {
    let Some(level) = listed.level(run.revision) else {
        let highest = Revision::ALL.into_iter().filter_map(|revision| listed.level(revision)).max();
        let reason = listed.check.elsewhere.to_owned();
        let level = highest.unwrap_or(Level::Advice);
        return CheckReport::without_findings(listed, run.revision, level, Verdict::NotApplicable, reason);
    };
    if !run.spoken {
        let reason = format!("the target does not speak {}: {}", run.revision, run.how);
        return CheckReport::without_findings(listed, run.revision, level, Verdict::NotApplicable, reason);
    }
    let traces: Vec<&Trace> = recording
        .traces
        .iter()
        .filter(|trace| trace.revision() == run.revision && listed.check.kind.reads(trace.scenario()))
        .collect();
    // A server's second attempt takes the place of one that had to stop; a client's confirms the first.
    let is_first = |trace: &&Trace| recording.manifest.role == Role::Server || trace.head.attempt == 1;
    let (first, again): (Vec<&Trace>, Vec<&Trace>) = traces.iter().partition(|trace| is_first(trace));
    let judged = |traces: &[&Trace]| outcome(listed, traces, &recording.manifest);
    let twice = |first| Ok(if again.is_empty() { first } else { confirmed(first, &judged(&again)?, &again) });
    match judged(&first).and_then(twice) {
        Err(panic) => {
            let reason = format!("the check itself failed: {panic}");
            CheckReport::without_findings(listed, run.revision, level, Verdict::Fault, reason)
        }
        Ok(outcome) => {
            let verdict = outcome.verdict();
            let reason = outcome.reason().map(str::to_owned).or_else(|| unexercised(listed, &traces, verdict));
            let level =
                outcome.findings.iter().filter_map(|finding| finding.cite.level(run.revision)).max().unwrap_or(level);
            let findings = outcome
                .findings
                .into_iter()
                .map(|finding| finding_report(listed, run.revision, finding, recording))
                .collect();
            CheckReport {
                examined: outcome.examined,
                seen_in: names(&outcome.seen_in),
                findings,
                ..CheckReport::without_findings(listed, run.revision, level, verdict, reason.unwrap_or_default())
            }
        }
    }
}

/// In the order of the alphabet, which reports can be joined in.
fn names(scenarios: &BTreeSet<Scenario>) -> Vec<String> {
    let mut names: Vec<String> = scenarios.iter().map(Scenario::to_string).collect();
    names.sort();
    names
}

/// What a check says of all its traces; the words of its panic where it panics.
pub fn outcome(listed: &Listed, traces: &[&Trace], manifest: &Manifest) -> Result<Outcome, String> {
    let judged = panic::catch_unwind(AssertUnwindSafe(|| {
        Outcome::merge(traces.iter().map(|trace| {
            let mut judge = Judge::new(trace, manifest);
            (listed.check.judge)(trace, &mut judge);
            judge.finish()
        }))
    }));
    judged.map_err(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

/// Why nothing was examined: the scenario that stopped, or what the target would have to offer.
fn unexercised(listed: &Listed, traces: &[&Trace], verdict: Verdict) -> Option<String> {
    if verdict != Verdict::NotExercised {
        return None;
    }
    let wanted = |trace: &&&Trace| listed.check.kind.scenarios().contains(&trace.scenario());
    let stopped = traces.iter().filter(wanted).rev().find_map(|trace| Some((trace.scenario(), trace.stopped()?)));
    Some(match stopped {
        Some((scenario, why)) => format!("needs {}; scenario {scenario} stopped: {why}", listed.check.needs),
        None => format!("needs {}", listed.check.needs),
    })
}

fn finding_report(listed: &Listed, revision: Revision, finding: Finding, recording: &Recording) -> FindingReport {
    let trace = recording.traces.iter().find(|trace| trace.name() == finding.trace);
    let requirement = finding.cite.id().and_then(crate::spec::requirement);
    FindingReport {
        requirement: requirement.map(|requirement| requirement.id.to_owned()),
        summary: requirement.map(|requirement| requirement.summary.to_owned()),
        link: requirement.map(|requirement| requirement.link(revision)),
        level: finding.cite.level(revision).unwrap_or(Level::Advice),
        expected: finding.expected,
        observed: finding.observed,
        said: trace.map(|trace| said::around(trace, &finding.events)).unwrap_or_default(),
        scenario: finding.trace,
        events: finding.events,
        cause: finding.cause,
        exchange: finding.exchange,
        replay: recording.manifest.replay(revision, &listed.id()),
        baselined: false,
    }
}

fn latency_reports(recording: &Recording) -> Vec<LatencyReport> {
    let mut reports = Vec::new();
    if recording.manifest.role == Role::Client {
        // The answers are our own.
        return reports;
    }
    for run in recording.manifest.revisions.iter().filter(|run| run.spoken) {
        // Where acknowledgements are withheld on purpose, times say nothing about the target.
        let samples: Vec<Sample<'_>> = recording
            .traces
            .iter()
            .filter(|trace| trace.revision() == run.revision && trace.scenario() != Scenario::WithheldAck)
            .flat_map(latency::samples)
            .collect();
        let mut classes: Vec<Class> = samples.iter().map(|sample| sample.class).collect();
        classes.sort_unstable();
        classes.dedup();
        for class in classes {
            let of_class: Vec<&Sample<'_>> = samples.iter().filter(|sample| sample.class == class).collect();
            reports.push(latency_report(run.revision, class, &of_class));
        }
    }
    reports
}

fn latency_report(revision: Revision, class: Class, samples: &[&Sample<'_>]) -> LatencyReport {
    let totals = || samples.iter().filter_map(|sample| sample.total());
    let phase = |of: fn(&Sample<'_>) -> Option<Duration>| latency::median(samples.iter().filter_map(|s| of(s)));
    LatencyReport {
        target: None,
        revision,
        class,
        n: totals().count(),
        p50: quantile(totals(), 0.5),
        p95: quantile(totals(), 0.95),
        phases: PhasesReport {
            connect: phase(|sample| sample.phases.connect),
            write: phase(|sample| sample.phases.write),
            first_byte: phase(|sample| sample.phases.first_byte),
            first_event: phase(|sample| sample.phases.first_event),
            response: phase(|sample| sample.phases.response),
            end: phase(|sample| sample.phases.end),
        },
    }
}
