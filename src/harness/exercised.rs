//! What was really examined, against a reviewed list: a check that is no longer exercised passes for ever after.
//!
//! The list is a file with a line for each check, its id and the revisions in which something was examined:
//!
//! ```text
//! sse/well-formed 2025-06-18 2025-11-25
//! ```

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::settings::in_package;
use super::subject::{Judged, Subject};
use super::trial::{replay, was_exercised};
use crate::catalogue;
use crate::report::Report;
use crate::report::text::visible;
use crate::spec::Revision;

/// Set, it has the lists written anew.
const UPDATE: &str = "MCPWIRE_UPDATE";

/// Compares what was exercised with the reviewed list.
///
/// # Errors
///
/// What is on one side only, and how to write the list.
pub(super) fn compare(subject: &Subject, Judged { report, instruments }: &Judged) -> Result<(), String> {
    if let Some(why) = &report.incomplete {
        return Err(format!("the run is incomplete, and what it exercised is no measure: {}", visible(why)));
    }
    let found = List::of(report);
    if found.0.is_empty() {
        return Err("nothing was examined: see what the target speaks and offers".to_owned());
    }
    let shown = subject.settings().lists.join(format!("{}.exercised", subject.name()));
    let (path, new) = (in_package(&shown), in_package(&shown.with_extension("exercised.new")));
    let write = |path: &PathBuf| {
        let text = found.render(subject.name());
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(path, text)).map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    let forget_new = || drop(fs::remove_file(&new));
    if is_set(UPDATE) {
        forget_new();
        return write(&path);
    }
    let how = format!("{UPDATE}=1 {}", replay(&format!("{}::exercised", subject.name())));
    let differs = |what: String| {
        // As insta does it: a machine of the CI keeps nothing that anybody would review.
        let beside = match is_set("CI") || write(&new).is_err() {
            true => String::new(),
            false => format!(", or move {}.new over it", shown.display()),
        };
        Err(format!("{what}\nif that is meant: {how}{beside}"))
    };
    let reviewed = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let what = format!("{} is missing: the reviewed list of what is exercised", shown.display());
            return differs(format!("{what} ({} checks now)", found.0.len()));
        }
        Err(error) => return Err(format!("cannot read {}: {error}", shown.display())),
        Ok(text) => List::read(&text).map_err(|why| format!("{}, {why}", shown.display()))?,
    };
    // What an instrument is wanting for here is no change of the target's.
    let lost = reviewed.without(&found, |id| instruments.lack_for(id));
    let new = found.without(&reviewed, |_| false);
    if lost.0.is_empty() && new.0.is_empty() {
        forget_new();
        return Ok(());
    }
    let mut text = format!("what is exercised is not what was reviewed ({})", shown.display());
    // Writing into a string cannot fail.
    if !lost.0.is_empty() {
        let _ = write!(text, "\n\nno longer exercised");
        for (reason, list) in by_reason(&lost, report) {
            let _ = write!(text, "\n  {}\n    {}", visible(&reason), list.lines().join("\n    "));
        }
    }
    if !new.0.is_empty() {
        let _ = write!(text, "\n\nnewly exercised\n  {}", new.lines().join("\n  "));
    }
    differs(text + "\n")
}

fn is_set(name: &str) -> bool {
    env::var(name).is_ok_and(|value| !["", "0", "false", "no"].contains(&value.as_str()))
}

/// Ids, each with the revisions in which it was exercised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct List(BTreeMap<String, Vec<Revision>>);

impl List {
    fn of(report: &Report) -> Self {
        let mut list = Self::default();
        for check in report.checks.iter().filter(|check| was_exercised(check.verdict)) {
            list.add(&check.id, check.revision);
        }
        list
    }

    /// In the order of time, whatever order they come in.
    fn add(&mut self, id: &str, revision: Revision) {
        let revisions = self.0.entry(id.to_owned()).or_default();
        if !revisions.contains(&revision) {
            revisions.push(revision);
            revisions.sort_by_key(|revision| revision.date());
        }
    }

    /// What is not in another one, but for these.
    fn without(&self, other: &Self, excused: impl Fn(&str) -> bool) -> Self {
        let mut left = Self::default();
        for (id, revision) in self.entries() {
            let is_there = other.0.get(id).is_some_and(|revisions| revisions.contains(&revision));
            if !is_there && !excused(id) {
                left.add(id, revision);
            }
        }
        left
    }

    fn entries(&self) -> impl Iterator<Item = (&str, Revision)> {
        self.0.iter().flat_map(|(id, revisions)| revisions.iter().map(|revision| (id.as_str(), *revision)))
    }

    fn lines(&self) -> Vec<String> {
        let dates =
            |revisions: &[Revision]| revisions.iter().map(|revision| revision.date()).collect::<Vec<_>>().join(" ");
        self.0.iter().map(|(id, revisions)| format!("{id} {}", dates(revisions))).collect()
    }

    fn render(&self, target: &str) -> String {
        let how = replay(&format!("{target}::exercised"));
        let head = format!(
            "# What is examined of `{target}`, and in which revisions. A test compares it, so that what stops being examined\n\
             # is seen. Written by `{UPDATE}=1 {how}`: review what changes.\n"
        );
        head + &self.lines().join("\n") + "\n"
    }

    /// # Errors
    ///
    /// The line, and what would be right.
    fn read(text: &str) -> Result<Self, String> {
        let mut list = Self::default();
        for (index, line) in text.lines().enumerate() {
            let mut words = line.split_whitespace();
            let Some(id) = words.next().filter(|id| !id.starts_with('#')) else { continue };
            let wrong = |what: String| format!("line {}: {what}", index + 1);
            let Some(listed) = catalogue::find(id) else {
                let near = catalogue::near(id).join(", ");
                let near = if near.is_empty() { "`mcpwire list` shows every check".to_owned() } else { near };
                return Err(wrong(format!("`{id}` is no check (near: {near})")));
            };
            let id = listed.id();
            if list.0.contains_key(&id) {
                return Err(wrong(format!("`{id}` stands there twice")));
            }
            for word in words {
                list.add(&id, word.parse().map_err(|error| wrong(format!("{error}")))?);
            }
            if !list.0.contains_key(&id) {
                return Err(wrong(format!("`{id}` has no revision behind it")));
            }
        }
        Ok(list)
    }
}

/// Why each of them was not exercised, the same reason once.
fn by_reason(lost: &List, report: &Report) -> Vec<(String, List)> {
    let mut groups: Vec<(String, List)> = Vec::new();
    for (id, revision) in lost.entries() {
        let check = report.checks.iter().find(|check| check.id == id && check.revision == revision);
        let reason = match check {
            Some(check) => check.reason.clone().unwrap_or_default(),
            None => "not selected any more".to_owned(),
        };
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, list)) => list.add(id, revision),
            None => {
                let mut list = List::default();
                list.add(id, revision);
                groups.push((reason, list));
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::report::made;
    use crate::verdict::{Level, Verdict};

    const OLD: Revision = Revision::R20250618;
    const NEW: Revision = Revision::R20251125;

    fn list(entries: &[(&str, Revision)]) -> List {
        let mut list = List::default();
        entries.iter().for_each(|(id, revision)| list.add(id, *revision));
        list
    }

    #[rstest]
    #[case(Verdict::Pass, true)]
    #[case(Verdict::Fail, true)]
    #[case::for_want_of_evidence(Verdict::Inconclusive, true)]
    #[case(Verdict::NotExercised, false)]
    #[case(Verdict::NotApplicable, false)]
    fn what_was_decided_or_only_wanted_evidence_was_exercised(#[case] verdict: Verdict, #[case] expected: bool) {
        let report = made::report(vec![made::check("sse/well-formed", NEW, verdict, Level::Must)]);
        assert_eq!(List::of(&report) == list(&[("sse/well-formed", NEW)]), expected);
    }

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let written = list(&[("sse/well-formed", NEW), ("sse/well-formed", OLD), ("rpc/exactly-one-response", OLD)]);
        assert_eq!(List::read(&written.render("a-server")), Ok(written.clone()));
        assert_eq!(written.lines(), ["rpc/exactly-one-response 2025-06-18", "sse/well-formed 2025-06-18 2025-11-25"]);
    }

    #[rstest]
    #[case::no_check(
        "# a comment\n\nsse/well-fromed 2025-11-25",
        "line 3: `sse/well-fromed` is no check (near: sse/well-formed"
    )]
    #[case::no_revision("sse/well-formed 2025-11-26", "line 1: ")]
    #[case::nothing_behind_it("sse/well-formed", "line 1: `sse/well-formed` has no revision")]
    #[case::twice(
        "sse/well-formed 2025-11-25\nsse/well-formed 2025-06-18",
        "line 2: `sse/well-formed` stands there twice"
    )]
    fn what_cannot_be_read_has_a_position(#[case] text: &str, #[case] expected: &str) {
        let error = List::read(text).expect_err("it cannot be read");
        assert!(error.starts_with(expected), "{error}");
    }

    #[test]
    fn a_revision_that_is_lost_is_seen_though_the_check_is_still_exercised() {
        let (reviewed, found) =
            (list(&[("sse/well-formed", OLD), ("sse/well-formed", NEW)]), list(&[("sse/well-formed", NEW)]));
        assert_eq!(reviewed.without(&found, |_| false), list(&[("sse/well-formed", OLD)]));
        assert_eq!(found.without(&reviewed, |_| false), List::default());
        assert_eq!(reviewed.without(&found, |_| true), List::default());
    }
}
