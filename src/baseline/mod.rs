//! The baseline: the failures that are expected, with the reason for each. Pure.
//!
//! ```yaml
//! server:
//!   - id: sse/stream-ends-after-response
//!     reason: kept open for late notifications, issue 12
//!   - id: sequential-calls:rpc/one-response
//!     reason: fixed in the next release
//!     revision: 2025-11-25
//!     target: http://127.0.0.1:*
//!     expires: 2027-01-31
//! ```
//!
//! The lists and the form of the ids are those of the official suite's file. What a baseline says is checked on every
//! run: what it expects still runs, what it excuses is shown, and what passes by now has to be taken out of it.

mod read;
mod state;
mod write;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::manifest::Role;
use crate::report::{CheckReport, FindingReport};
use crate::spec::Revision;

#[cfg(feature = "cargo-test")]
pub use read::BaselineError;
pub use write::write;

/// The reason of an entry that nobody has given a reason yet.
pub const UNWRITTEN: &str = "TODO";

/// The failures that are expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The file that it was read from, as it was named.
    pub file: String,
    /// Its entries, in the order of the file.
    pub entries: Vec<Entry>,
}

/// A failure that is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The line in the file.
    pub line: u64,
    /// What is tested.
    pub role: Role,
    /// The check.
    pub id: String,
    /// The scenario, where only what is found in that one is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// Why it fails.
    pub reason: String,
    /// The revision, where it fails in that one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// The target, where it fails there only: its name, where `*` stands for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The last day on which it excuses anything, as YYYY-MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// What came of a baseline in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineReport {
    /// The file.
    pub file: String,
    /// Each of its entries for the role that was tested.
    pub entries: Vec<EntryReport>,
}

/// What came of an entry in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryReport {
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
    /// What came of it.
    pub state: State,
    /// The sentence that goes with it, as a lowercase fragment.
    pub why: String,
}

/// What came of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its check failed, and that is excused.
    Excuses,
    /// Its check passed wherever it was exercised: the entry has to go.
    Stale,
    /// Its check failed, and its time is over.
    Expired,
    /// Its check could not be decided.
    Undecided,
    /// Its check was not selected, does not apply, or was not exercised: neither stale nor fine.
    NotSeen,
}

impl BaselineReport {
    /// The entries that came to this.
    pub fn of(&self, state: State) -> impl Iterator<Item = &EntryReport> {
        self.entries.iter().filter(move |entry| entry.state == state)
    }

    /// The entries that have to go.
    pub fn stale(&self) -> impl Iterator<Item = &EntryReport> {
        self.of(State::Stale)
    }

    /// The baseline, as far as it is about the role that was tested.
    pub fn baseline(&self) -> Baseline {
        let entries = self.entries.iter().map(|entry| entry.entry.clone()).collect();
        Baseline { file: self.file.clone(), entries }
    }
}

impl Entry {
    /// Whether it is about a check of a target, whatever the scenario.
    fn covers(&self, check: &CheckReport, target: &str) -> bool {
        self.id == check.id
            && self.revision.is_none_or(|revision| revision == check.revision)
            && self.target.as_ref().is_none_or(|pattern| is_named(pattern, target))
    }

    /// Whether it expects a finding of a check that it covers.
    fn expects(&self, finding: &FindingReport) -> bool {
        self.scenario.as_ref().is_none_or(|scenario| scenario == scenario_of(finding))
    }

    /// Whether its time is over, on a day given as YYYY-MM-DD.
    fn is_over(&self, day: &str) -> bool {
        // Dates of this form are in the order of time.
        self.expires.as_ref().is_some_and(|last| last.as_str() < day)
    }

    /// How it is written in the file: `id`, or `scenario:id`.
    pub fn name(&self) -> String {
        match &self.scenario {
            Some(scenario) => format!("{scenario}:{}", self.id),
            None => self.id.clone(),
        }
    }

    /// Its name, and what restricts it.
    fn scope(&self) -> String {
        let revision = self.revision.map(|revision| format!(" in {revision}")).unwrap_or_default();
        let target = self.target.as_ref().map(|target| format!(" on {target}")).unwrap_or_default();
        format!("{}{revision}{target}", self.name())
    }
}

impl fmt::Display for Entry {
    /// As it is spoken of: with its line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.scope())
    }
}

/// The scenario of a finding, without the revision before it and the attempt behind it.
fn scenario_of(finding: &FindingReport) -> &str {
    let name = finding.scenario.rsplit_once('/').map_or(finding.scenario.as_str(), |(_, name)| name);
    match name.rsplit_once('-') {
        Some((first, attempt)) if attempt.bytes().all(|byte| byte.is_ascii_digit()) => first,
        _ => name,
    }
}

/// Whether a name is meant by a pattern in which `*` stands for anything.
fn is_named(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    loop {
        if is_named(rest, left) {
            return true;
        }
        let Some(next) = left.chars().next() else { return false };
        left = &left[next.len_utf8()..];
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("server", "server", true)]
    #[case("server", "servers", false)]
    #[case("http://127.0.0.1:*", "http://127.0.0.1:8000/mcp", true)]
    #[case("*:*/mcp", "http://127.0.0.1:8000/mcp", true)]
    #[case("*:*/mcp", "http://127.0.0.1:8000/other", false)]
    #[case("*é*", "Caféé", true)]
    #[case("*", "", true)]
    fn a_star_stands_for_anything(#[case] pattern: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_named(pattern, name), expected);
    }
}
