//! Writing a baseline: what failed in a run, with the reasons that are there already.

use std::fmt::Write;

use super::{Baseline, Entry, State, UNWRITTEN, scenario_of};
use crate::catalogue;
use crate::gate;
use crate::manifest::Role;
use crate::report::{CheckReport, FindingReport, Report};
use crate::spec::Revision;

/// A baseline to be written.
#[derive(Debug, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub text: String,
    /// So many entries were there already.
    pub kept: usize,
    /// So many are new, and need a reason.
    pub new: usize,
    /// These are gone, because their checks pass.
    pub gone: Vec<String>,
    /// These are kept, and their time is over.
    pub over: Vec<String>,
}

/// Reports that no baseline can be made from.
#[derive(Debug, thiserror::Error)]
pub enum NoBaseline {
    /// Half a run says little of what fails.
    #[error("the run is incomplete ({0}): a baseline needs a whole one")]
    Incomplete(String),
    /// Two reports of one role.
    #[error("two of the reports are about a {0}: `mcpwire merge` makes one of them")]
    Twice(&'static str),
}

/// A baseline of what makes these runs fail. Entries that exist stay as they are, unless their checks pass by now.
///
/// # Errors
///
/// Where a run is incomplete, and where two reports are about the same role.
pub fn write(existing: &Baseline, reports: &[Report]) -> Result<Written, NoBaseline> {
    let mut entries: Vec<Entry> =
        existing.entries.iter().filter(|entry| reports.iter().all(|report| report.role != entry.role)).cloned().collect();
    let (mut gone, mut over, mut new) = (Vec::new(), Vec::new(), 0);
    for (index, report) in reports.iter().enumerate() {
        if let Some(why) = &report.incomplete {
            return Err(NoBaseline::Incomplete(why.clone()));
        }
        if reports[..index].iter().any(|earlier| earlier.role == report.role) {
            return Err(NoBaseline::Twice(list(report.role)));
        }
        let mut judged = report.clone();
        existing.apply(&mut judged);
        let mut kept = Vec::new();
        for came in judged.baseline.iter().flat_map(|baseline| &baseline.entries) {
            match came.state {
                State::Stale => gone.push(came.entry.scope()),
                State::Expired => over.push(came.entry.scope()),
                State::Excuses | State::Undecided | State::NotSeen => {}
            }
            if came.state != State::Stale {
                kept.push(came.entry.clone());
            }
        }
        let added = additions(report, &kept);
        new += added.len();
        entries.extend(kept.into_iter().chain(added));
    }
    entries.sort_by(|one, other| key(one).cmp(&key(other)));
    Ok(Written { text: text(&entries), kept: entries.len() - new, new, gone, over })
}

/// In the order of the file: the role, then the id, then what restricts it.
fn key(entry: &Entry) -> (bool, &str, Option<&str>, Option<Revision>, Option<&str>) {
    (entry.role == Role::Client, &entry.id, entry.scenario.as_deref(), entry.revision, entry.target.as_deref())
}

/// The entries for what fails and is covered by none that is there.
fn additions(report: &Report, kept: &[Entry]) -> Vec<Entry> {
    let fail_on = report.summary.fail_on;
    let covered = |check: &CheckReport, finding: &FindingReport| {
        kept.iter().any(|entry| entry.covers(check, report.target_of(check)) && entry.expects(finding))
    };
    let uncovered = |check: &'_ CheckReport| -> Vec<FindingReport> {
        let counts = check.findings.iter().filter(|finding| gate::counts(check, finding, fail_on));
        counts.filter(|finding| !covered(check, finding)).cloned().collect()
    };
    let failing: Vec<(&CheckReport, Vec<FindingReport>)> =
        report.checks.iter().map(|check| (check, uncovered(check))).filter(|(_, findings)| !findings.is_empty()).collect();
    let targets: Vec<&str> = match &report.runs[..] {
        [] => vec![&report.target.name],
        runs => runs.iter().map(|run| run.target.name.as_str()).collect(),
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (check, findings) in &failing {
        let siblings: Vec<&Entry> = kept.iter().filter(|entry| entry.id == check.id).collect();
        // One entry does where it fails wherever the rule exists: one that fails in some places only must not excuse
        // the others, nor those that were not tested.
        let fails = |target: &str, revision| {
            let same = |other: &CheckReport| (other.id.as_str(), other.revision) == (check.id.as_str(), revision);
            failing.iter().any(|(other, _)| same(other) && report.target_of(other) == target)
        };
        let exists = |revision: &Revision| {
            catalogue::find(&check.id).is_some_and(|listed| listed.level(*revision).is_some())
        };
        let everywhere = siblings.is_empty()
            && targets.iter().all(|target| Revision::ALL.into_iter().filter(exists).all(|revision| fails(target, revision)));
        let by_target = !everywhere && (targets.len() > 1 || siblings.iter().any(|entry| entry.target.is_some()));
        // Whole and for a scenario do not go together.
        let mut scenarios = vec![None];
        if siblings.iter().any(|entry| entry.scenario.is_some()) {
            scenarios = findings.iter().map(|finding| Some(scenario_of(finding).to_owned())).collect();
            scenarios.sort();
            scenarios.dedup();
        }
        for scenario in scenarios {
            let entry = Entry {
                line: 0,
                role: report.role,
                id: check.id.clone(),
                scenario,
                reason: format!("{UNWRITTEN}: say why it fails ({})", seen(findings)),
                revision: (!everywhere).then_some(check.revision),
                target: by_target.then(|| report.target_of(check).to_owned()),
                expires: None,
            };
            if !entries.iter().any(|known| key(known) == key(&entry)) {
                entries.push(entry);
            }
        }
    }
    entries
}

/// What was observed first, cut short: a start for whoever writes the reason.
fn seen(findings: &[FindingReport]) -> String {
    const LONGEST: usize = 100;
    let observed = findings.first().map(|finding| finding.observed.as_str()).unwrap_or_default();
    let words = observed.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

fn list(role: Role) -> &'static str {
    match role {
        Role::Server => "server",
        Role::Client => "client",
    }
}

fn text(entries: &[Entry]) -> String {
    let mut text = "\
# The failures that mcpwire is to expect. They still run and are shown, and do not make the run fail.
# Every entry needs a reason; `revision`, `target` and `expires` (the last day) restrict it.
"
    .to_owned();
    for role in [Role::Server, Role::Client] {
        let of_role: Vec<&Entry> = entries.iter().filter(|entry| entry.role == role).collect();
        if of_role.is_empty() {
            continue;
        }
        // Writing into a string cannot fail.
        let _ = writeln!(text, "\n{}:", list(role));
        for entry in of_role {
            let _ = writeln!(text, "  - id: {}", entry.name());
            let reason = if entry.reason.is_empty() { UNWRITTEN } else { &entry.reason };
            let _ = writeln!(text, "    reason: {}", quoted(reason));
            if let Some(revision) = entry.revision {
                let _ = writeln!(text, "    revision: {revision}");
            }
            if let Some(target) = &entry.target {
                let _ = writeln!(text, "    target: {}", quoted(target));
            }
            if let Some(expires) = &entry.expires {
                let _ = writeln!(text, "    expires: {expires}");
            }
        }
    }
    text
}

/// A scalar in double quotes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
