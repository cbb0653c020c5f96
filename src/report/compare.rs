//! What changed from one report to another. Pure.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::text::{Style, paragraph, visible};
use super::{CheckReport, Report};
use crate::catalogue::{self, Listed};
use crate::gate::Standing;
use crate::manifest::TOOL;
use crate::spec::Revision;
use crate::verdict::Verdict;

/// What changed, from an earlier report to a later one.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Did not fail, and makes the run fail now; or fails at a higher level.
    pub regressions: Vec<Change>,
    /// mcpwire itself failed in it.
    pub faults: Vec<Change>,
    /// Was decided, and is not any more: nothing can be said of it.
    pub lost: Vec<Change>,
    /// Fails now, in a way that does not make the run fail.
    pub excused: Vec<Change>,
    /// Failed, or was not decided, and passes now; or fails at a lower level.
    pub improvements: Vec<Change>,
    /// Is in the later one only.
    pub new: Vec<Change>,
    /// Is in the earlier one only, and does not exist for the version that made the later one.
    pub removed: Vec<Change>,
    /// The versions, where they differ.
    pub tools: Option<(String, String)>,
    /// How many are as they were.
    pub unchanged: usize,
}

/// What became of a check.
#[derive(Debug)]
pub struct Change {
    target: Option<String>,
    id: String,
    revision: Revision,
    what: String,
    why: Option<String>,
}

type Key<'a> = (Option<&'a str>, String, Revision);

/// Compares two reports. Where each is about one target, it may have another name in each.
pub fn compare(earlier: &Report, later: &Report) -> Comparison {
    let named = earlier.runs.len() > 1 || later.runs.len() > 1;
    let (before, after) = (by_key(earlier, named), by_key(later, named));
    let mut comparison = Comparison {
        tools: (earlier.tool != later.tool).then(|| (earlier.tool.clone(), later.tool.clone())),
        ..Comparison::default()
    };
    for (key, check) in &after {
        match before.get(key) {
            Some(was) => comparison.changed(key, was, check, later),
            None => comparison.new.push(change(key, said(check), finding(check))),
        }
    }
    for (key, was) in before.iter().filter(|(key, _)| !after.contains_key(*key)) {
        let gone = comparison.tools.is_some() && !exists(&key.1, later);
        let missing = change(key, format!("{}, and not in the later report", said(was)), None);
        match was.verdict {
            _ if gone => comparison.removed.push(change(key, said(was), None)),
            Verdict::Pass | Verdict::Fail => comparison.lost.push(missing),
            _ => comparison.removed.push(missing),
        }
    }
    comparison
}

/// Whether the version that made a report has the check; of another one than this, only the report tells.
fn exists(id: &str, report: &Report) -> bool {
    let here = report.tool == format!("mcpwire {TOOL}");
    (here && catalogue::find(id).is_some()) || report.checks.iter().any(|check| check.id == id)
}

fn by_key(report: &Report, named: bool) -> BTreeMap<Key<'_>, &CheckReport> {
    // What has another id by now is the same check.
    let id = |check: &CheckReport| catalogue::find(&check.id).map_or_else(|| check.id.clone(), Listed::id);
    let key = |check| (named.then(|| report.target_of(check)), id(check), check.revision);
    report.checks.iter().map(|check| (key(check), check)).collect()
}

fn change((target, id, revision): &Key<'_>, what: String, why: Option<String>) -> Change {
    Change { target: target.map(str::to_owned), id: id.clone(), revision: *revision, what, why }
}

fn said(check: &CheckReport) -> String {
    match check.verdict {
        Verdict::Fail => format!("fail ({})", check.level),
        other => other.to_string(),
    }
}

fn finding(check: &CheckReport) -> Option<String> {
    check.findings.first().map(|finding| finding.observed.clone())
}

impl Comparison {
    fn changed(&mut self, key: &Key<'_>, was: &CheckReport, is: &CheckReport, later: &Report) {
        let into = |why| change(key, format!("{} → {}", said(was), said(is)), why);
        let decided = |check: &CheckReport| matches!(check.verdict, Verdict::Pass | Verdict::Fail);
        let worse = was.verdict != Verdict::Fail || is.level > was.level;
        match is.verdict {
            Verdict::Fault => self.faults.push(into(is.reason.clone())),
            Verdict::Fail if worse && later.standing(is) == Standing::Fails => {
                self.regressions.push(into(finding(is)));
            }
            Verdict::Fail if worse => self.excused.push(into(excuse(is, later))),
            Verdict::Fail if is.level < was.level => self.improvements.push(into(None)),
            Verdict::Pass if was.verdict != Verdict::Pass => self.improvements.push(into(None)),
            _ if decided(was) && !decided(is) => self.lost.push(into(is.reason.clone())),
            _ => self.unchanged += 1,
        }
    }

    /// What changed, as a person reads it: what is worse first.
    pub fn text(&self, style: Style) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = self.write(&mut text, style);
        text
    }

    fn write(&self, out: &mut String, style: Style) -> fmt::Result {
        writeln!(out, "{}", self.conclusion())?;
        if let Some((earlier, later)) = &self.tools {
            writeln!(out, "the earlier report is by {}, the later one by {}", visible(earlier), visible(later))?;
        }
        for (heading, dress, changes) in [
            ("mcpwire itself failed", style.bad, &self.faults),
            ("regressions", style.bad, &self.regressions),
            ("no longer exercised or decided", style.unsure, &self.lost),
            ("fails now, and does not gate", style.unsure, &self.excused),
            ("improvements", style.good, &self.improvements),
            ("new checks", style.strong, &self.new),
            ("removed checks", style.strong, &self.removed),
        ] {
            if changes.is_empty() {
                continue;
            }
            writeln!(out, "\n{dress}{heading}{dress:#} ({})", changes.len())?;
            for group in same_everywhere(changes) {
                let change = group[0];
                let on = change.target.as_ref().map(|target| format!(" on {target}")).unwrap_or_default();
                let dates: Vec<&str> = group.iter().map(|change| change.revision.date()).collect();
                paragraph(out, "  ", &visible(&format!("{}{on}: {}", change.id, change.what)))?;
                paragraph(out, "    ", &format!("in {}", dates.join(", ")))?;
                if let Some(why) = &change.why {
                    paragraph(out, "    ", &visible(why))?;
                }
            }
        }
        Ok(())
    }

    /// What it comes to, in a sentence.
    pub fn conclusion(&self) -> String {
        let counted = |count: usize, one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {many}"),
        };
        let mut parts = vec![
            counted(self.regressions.len(), "regression", "regressions"),
            counted(self.improvements.len(), "improvement", "improvements"),
        ];
        for (changes, words) in [
            (&self.faults, "faults of mcpwire"),
            (&self.lost, "no longer exercised or decided"),
            (&self.excused, "newly failing without gating"),
            (&self.new, "new"),
            (&self.removed, "removed"),
        ] {
            if !changes.is_empty() {
                parts.push(format!("{} {words}", changes.len()));
            }
        }
        parts.push(format!("{} unchanged", self.unchanged));
        parts.join(", ")
    }
}

/// The same change of a check in several revisions is told once, with the reason of the first.
fn same_everywhere(changes: &[Change]) -> Vec<Vec<&Change>> {
    let mut groups: Vec<Vec<&Change>> = Vec::new();
    for change in changes {
        let same =
            |other: &Change| (&other.target, &other.id, &other.what) == (&change.target, &change.id, &change.what);
        match groups.iter_mut().find(|group| same(group[0])) {
            Some(group) => group.push(change),
            None => groups.push(vec![change]),
        }
    }
    groups
}

/// Why a failure does not make the run fail.
fn excuse(check: &CheckReport, report: &Report) -> Option<String> {
    Some(match report.standing(check) {
        Standing::Expected => format!("expected: {}", check.expected.as_deref().unwrap_or_default()),
        Standing::AfterSet => "added after the set that gates".to_owned(),
        _ => format!("below --fail-on {}", report.summary.fail_on),
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::baseline::Baseline;
    use crate::report::made;
    use crate::verdict::Level;

    const R: Revision = Revision::R20251125;

    fn of(verdict: Verdict, level: Level) -> Report {
        made::report(vec![made::check("sse/well-formed", R, verdict, level)])
    }

    /// The name of the list that a change is in.
    fn list(comparison: &Comparison) -> &'static str {
        let lists = [
            ("regression", comparison.regressions.len()),
            ("fault", comparison.faults.len()),
            ("lost", comparison.lost.len()),
            ("excused", comparison.excused.len()),
            ("improvement", comparison.improvements.len()),
            ("new", comparison.new.len()),
            ("removed", comparison.removed.len()),
            ("unchanged", comparison.unchanged),
        ];
        assert_eq!(lists.iter().map(|(_, count)| count).sum::<usize>(), 1, "each check is in one list: {comparison:?}");
        lists.iter().find(|(_, count)| *count == 1).map(|(name, _)| *name).expect("one")
    }

    use Level::{Advice, Must, Should};
    use Verdict::{Fail, Fault, Inconclusive, NotApplicable, NotExercised, Pass};

    #[rstest]
    #[case((Pass, Must), (Fail, Must), "regression")]
    #[case((Inconclusive, Must), (Fail, Must), "regression")]
    #[case((NotExercised, Must), (Fail, Should), "regression")]
    #[case((Fail, Should), (Fail, Must), "regression")]
    #[case((Pass, Must), (Fail, Advice), "excused")]
    #[case((Pass, Must), (Fault, Must), "fault")]
    #[case((Fail, Must), (Pass, Must), "improvement")]
    #[case((Fail, Must), (Fail, Should), "improvement")]
    #[case((NotExercised, Must), (Pass, Must), "improvement")]
    #[case((Pass, Must), (NotExercised, Must), "lost")]
    #[case((Pass, Must), (NotApplicable, Must), "lost")]
    #[case((Fail, Must), (Inconclusive, Must), "lost")]
    #[case((Fail, Must), (Fail, Must), "unchanged")]
    #[case((Pass, Must), (Pass, Must), "unchanged")]
    #[case((NotExercised, Must), (Inconclusive, Must), "unchanged")]
    fn what_a_change_is_called(#[case] was: (Verdict, Level), #[case] is: (Verdict, Level), #[case] expected: &str) {
        assert_eq!(list(&compare(&of(was.0, was.1), &of(is.0, is.1))), expected);
    }

    #[test]
    fn what_the_baseline_expects_is_no_regression() {
        let mut later = of(Fail, Must);
        let text = "server:\n  - id: sse/well-formed\n    reason: issue 12\n";
        Baseline::read("b.yml", text).expect("a baseline").apply(&mut later);
        let comparison = compare(&of(Pass, Must), &later);
        assert_eq!(list(&comparison), "excused");
        assert!(comparison.text(Style::PLAIN).contains("expected: issue 12"));
    }

    #[test]
    fn a_check_that_was_not_run_is_lost_and_one_that_does_not_exist_is_removed() {
        let (mut earlier, mut later) = (of(Pass, Must), of(Pass, Must));
        later.checks.clear();
        assert_eq!(list(&compare(&earlier, &later)), "lost", "it was not selected");
        assert_eq!(list(&compare(&later, &earlier)), "new");
        earlier.tool = "mcpwire 0.0.9".to_owned();
        assert_eq!(list(&compare(&earlier, &later)), "lost", "this version has it");
        earlier.checks[0].id = "sse/given-up".to_owned();
        let comparison = compare(&earlier, &later);
        assert_eq!(list(&comparison), "removed");
        assert!(comparison.text(Style::PLAIN).contains("the earlier report is by mcpwire 0.0.9"));
    }

    #[test]
    fn one_target_may_have_two_names_and_several_are_told_apart() {
        let (earlier, mut later) = (of(Pass, Must), of(Fail, Must));
        later.target.name = "http://127.0.0.1:43211/mcp".to_owned();
        assert_eq!(list(&compare(&earlier, &later)), "regression");

        let merged = |verdict| {
            let mut other = of(verdict, Must);
            other.target.name = "another".to_owned();
            super::super::merge::merge(vec![("a".to_owned(), of(Pass, Must)), ("b".to_owned(), other)]).expect("merged")
        };
        let comparison = compare(&merged(Pass), &merged(Fail));
        assert_eq!((comparison.regressions.len(), comparison.unchanged), (1, 1));
        assert!(comparison.text(Style::PLAIN).contains("sse/well-formed on another: pass → fail (must)"));
    }

    #[test]
    fn a_change_in_several_revisions_is_told_once_and_counted_in_each() {
        let of = |verdict| {
            made::report(vec![
                made::check("sse/well-formed", R, verdict, Must),
                made::check("sse/well-formed", Revision::R20260728, verdict, Must),
            ])
        };
        let text = compare(&of(Pass), &of(Fail)).text(Style::PLAIN);
        assert!(text.starts_with("2 regressions, 0 improvements, 0 unchanged\n"), "{text}");
        assert_eq!(text.matches("sse/well-formed").count(), 1, "{text}");
        assert!(text.contains("in 2025-11-25, 2026-07-28"), "{text}");
    }
}
