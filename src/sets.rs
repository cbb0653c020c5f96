//! Frozen sets: the ids and levels of the checks as they were published on a date. A gate that is pinned to one is
//! never turned red by an upgrade of mcpwire: checks that were added later run and are reported, and gate nothing.
//!
//! A set is a file of its own, `src/sets/DATE.txt`, that `ci/new-set` writes. Once published, it never changes.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::catalogue;
use crate::report::CheckReport;
use crate::spec::Revision;
use crate::verdict::{Level, Verdict};

/// The published sets, oldest first.
const PUBLISHED: &[(&str, &str)] = &[("2026-11-21", include_str!("sets/2026-11-21.txt"))];

/// The ids and levels of a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrozenSet {
    date: String,
    levels: BTreeMap<(String, Revision), Level>,
}

/// A set that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no set `{date}` (known sets: {})", known())]
pub struct UnknownSet {
    date: String,
}

fn known() -> String {
    PUBLISHED.iter().map(|(date, _)| *date).collect::<Vec<_>>().join(", ")
}

impl FromStr for FrozenSet {
    type Err = UnknownSet;

    fn from_str(date: &str) -> Result<Self, UnknownSet> {
        let unknown = || UnknownSet { date: date.to_owned() };
        let (_, text) = PUBLISHED.iter().find(|(published, _)| *published == date).ok_or_else(unknown)?;
        // That every line of a published set can be read, and names a check, is a test's to say.
        Ok(Self { date: date.to_owned(), levels: lines(text).filter_map(levels).flatten().collect() })
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

/// The levels of a line: an id, and a level or `-` for each revision that was known then, oldest first.
fn levels(line: &str) -> Option<Vec<((String, Revision), Level)>> {
    let mut words = line.split_whitespace();
    // An id that was given up since stands for the one in its place.
    let id = catalogue::find(words.next()?)?.id();
    let mut levels = Vec::new();
    for (revision, word) in Revision::ALL.into_iter().zip(words) {
        if word != "-" {
            levels.push(((id.clone(), revision), word.parse().ok()?));
        }
    }
    Some(levels)
}

impl FrozenSet {
    /// When it was published.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Marks what the set says of a check in a revision.
    pub fn pin(&self, check: &mut CheckReport) {
        check.set_level = self.levels.get(&(check.id.clone(), check.revision)).copied();
        check.after_set = check.set_level.is_none() && check.verdict != Verdict::NotApplicable;
    }
}
