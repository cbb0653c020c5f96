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
    let mut entries: Vec<Entry> = existing
        .entries
        .iter()
        .filter(|entry| reports.iter().all(|report| report.role != entry.role))
        .cloned()
        .collect();
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
    let failing: Vec<(&CheckReport, Vec<FindingReport>)> = report
        .checks
        .iter()
        .map(|check| (check, uncovered(check)))
        .filter(|(_, findings)| !findings.is_empty())
        .collect();
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
        let exists =
            |revision: &Revision| catalogue::find(&check.id).is_some_and(|listed| listed.level(*revision).is_some());
        let fails_throughout = |target: &str| {
            siblings.is_empty() && Revision::ALL.into_iter().filter(exists).all(|revision| fails(target, revision))
        };
        let here = report.target_of(check);
        let everywhere = targets.iter().all(|target| fails_throughout(target));
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
                revision: (!fails_throughout(here)).then_some(check.revision),
                target: by_target.then(|| here.to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Gate, made};
    use crate::verdict::{Level, Verdict};

    const ID: &str = "sse/well-formed";
    const R: Revision = Revision::R20251125;

    fn nothing() -> Baseline {
        Baseline { file: "b.yml".to_owned(), entries: Vec::new() }
    }

    fn fails_in(revisions: &[Revision]) -> Report {
        let came = |revision| if revisions.contains(&revision) { Verdict::Fail } else { Verdict::Pass };
        made::report(Revision::ALL.map(|revision| made::check(ID, revision, came(revision), Level::Must)).to_vec())
    }

    fn entries(text: &str) -> Vec<Entry> {
        Baseline::read_unreasoned("b.yml", text).expect("what we write can be read").entries
    }

    /// What is written excuses the run that it was written from, once its reasons are there.
    fn excuses(text: &str, report: &Report) -> Gate {
        let reasoned = text.replace("TODO", "because");
        let mut report = report.clone();
        Baseline::read("b.yml", &reasoned).expect("a baseline").apply(&mut report);
        report.summary.gate
    }

    #[test]
    fn what_fails_everywhere_needs_one_entry() {
        let report = fails_in(&Revision::ALL);
        let written = write(&nothing(), std::slice::from_ref(&report)).expect("a baseline");
        assert_eq!((written.kept, written.new), (0, 1));
        assert_eq!(entries(&written.text)[0].revision, None);
        assert_eq!(excuses(&written.text, &report), Gate::Conforms);
        assert!(Baseline::read("b.yml", &written.text).is_err(), "reasons are for people to write");
    }

    #[test]
    fn what_fails_in_some_revisions_is_excused_in_those_only() {
        let report = fails_in(&[R, Revision::R20260728]);
        let written = write(&nothing(), std::slice::from_ref(&report)).expect("a baseline");
        let revisions: Vec<_> = entries(&written.text).iter().map(|entry| entry.revision).collect();
        assert_eq!(revisions, [Some(R), Some(Revision::R20260728)]);
        assert_eq!(excuses(&written.text, &report), Gate::Conforms);
    }

    #[test]
    fn what_was_not_tested_is_not_excused() {
        let report = made::report(vec![made::check(ID, R, Verdict::Fail, Level::Must)]);
        let written = write(&nothing(), std::slice::from_ref(&report)).expect("a baseline");
        assert_eq!(entries(&written.text)[0].revision, Some(R));
    }

    #[test]
    fn what_does_not_gate_needs_no_entry_and_what_is_no_failure_gets_none() {
        let checks = vec![
            made::check(ID, R, Verdict::Fail, Level::Advice),
            made::check("http/content-type", R, Verdict::Inconclusive, Level::Must),
            made::check("rpc/exactly-one-response", R, Verdict::Fault, Level::Must),
        ];
        let written = write(&nothing(), &[made::report(checks)]).expect("a baseline");
        assert_eq!(entries(&written.text), []);
    }

    #[test]
    fn entries_stay_unless_they_are_stale_and_reasons_are_kept() {
        let text = "\
client:
  - id: client/body-drained
    reason: theirs
server:
  - id: sse/well-formed
    reason: \"a \\\"quoted\\\" reason: # with \\\\ everything\"
    expires: 2026-01-01
    revision: 2025-11-25
  - id: http/content-type
    reason: passes by now
  - id: session/required
    reason: not selected
    target: \"*\"
";
        let existing = Baseline::read("b.yml", text).expect("a baseline");
        let mut report = fails_in(&[R]);
        report.checks.push(made::check("http/content-type", R, Verdict::Pass, Level::Must));
        let written = write(&existing, &[report]).expect("a baseline");
        assert_eq!((written.kept, written.new), (3, 0));
        assert_eq!(written.gone, ["http/content-type"]);
        assert_eq!(written.over, ["sse/well-formed in 2025-11-25"]);
        let again = Baseline::read("b.yml", &written.text).expect("a baseline");
        let same = |entry: &Entry| Entry { line: 0, ..entry.clone() };
        let kept: Vec<Entry> = again.entries.iter().map(same).collect();
        let expected: Vec<Entry> = [&existing.entries[0], &existing.entries[2]].into_iter().map(same).collect();
        for entry in &expected {
            assert!(kept.contains(entry), "{entry:?} is not in {kept:?}");
        }
        assert_eq!(kept.len(), 3);
    }

    #[test]
    fn the_same_run_gives_the_same_file() {
        let report = fails_in(&[R]);
        let once = write(&nothing(), std::slice::from_ref(&report)).expect("a baseline").text;
        let existing = Baseline::read_unreasoned("b.yml", &once).expect("a baseline");
        assert_eq!(write(&existing, &[report]).expect("a baseline").text, once);
    }

    #[test]
    fn next_to_an_entry_for_a_scenario_stands_another_one() {
        let mut report = fails_in(&[R]);
        report.checks[2].findings.push(made::finding(R, "ids", Level::Must));
        let existing =
            Baseline::read("b.yml", "server:\n  - id: ids:sse/well-formed\n    reason: x\n").expect("a baseline");
        let written = write(&existing, std::slice::from_ref(&report)).expect("a baseline");
        let names: Vec<String> = entries(&written.text).iter().map(Entry::name).collect();
        assert_eq!(names, ["ids:sse/well-formed", "sequential-calls:sse/well-formed"]);
        assert_eq!(excuses(&written.text, &report), Gate::Conforms);
    }

    #[test]
    fn half_a_run_and_two_of_a_kind_make_no_baseline() {
        let mut incomplete = fails_in(&[R]);
        incomplete.incomplete = Some("it went away".to_owned());
        assert!(matches!(write(&nothing(), &[incomplete]), Err(NoBaseline::Incomplete(_))));
        assert!(matches!(write(&nothing(), &[fails_in(&[R]), fails_in(&[])]), Err(NoBaseline::Twice("server"))));
    }

    #[test]
    fn any_text_survives_being_quoted() {
        for text in ["plain", "a: b # c", "\"\\\n\t\r", "- x", "é 😀 \u{85}\u{2028}\u{7f}\u{1}", "{[*&!|>'%@`"] {
            let read: Vec<String> = serde_saphyr::from_str(&format!("- {}\n", quoted(text))).expect("YAML");
            assert_eq!(read, [text]);
        }
    }
}
