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

/// The date of the newest set.
pub fn newest() -> &'static str {
    PUBLISHED.last().map_or("", |(date, _)| date)
}

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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::report::made;

    /// What each published set is, as it was published: FNV-1a over its bytes.
    const HASHES: &[(&str, u64)] = &[("2026-11-21", 14_003_425_253_069_781_466)];

    fn hash(text: &str) -> u64 {
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    #[test]
    fn a_published_set_never_changes() {
        let published: Vec<(&str, u64)> = PUBLISHED.iter().map(|(date, text)| (*date, hash(text))).collect();
        assert_eq!(published, HASHES, "publish another date instead: `ci/new-set DATE`");
    }

    #[test]
    fn every_file_is_published_and_dates_ascend() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sets");
        let files = std::fs::read_dir(folder).expect("the folder").flatten();
        let mut dates: Vec<String> =
            files.filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned())).collect();
        dates.sort();
        assert_eq!(dates, PUBLISHED.iter().map(|(date, _)| (*date).to_owned()).collect::<Vec<_>>());
    }

    #[test]
    fn every_line_of_a_set_names_a_check_and_its_levels() {
        for (date, text) in PUBLISHED {
            assert!(lines(text).count() > 50);
            for line in lines(text) {
                assert!(levels(line).is_some_and(|levels| !levels.is_empty()), "{date}: {line}");
            }
        }
    }

    #[rstest]
    #[case::no_check("sse/no-such must must must must")]
    #[case::no_level("sse/well-formed must must musty must")]
    fn a_line_that_says_nothing_is_seen(#[case] line: &str) {
        assert_eq!(levels(line), None);
    }

    #[test]
    fn an_unknown_date_lists_the_known_ones() {
        let error = "2026-07-28".parse::<FrozenSet>().expect_err("no such set").to_string();
        assert_eq!(error, "there is no set `2026-07-28` (known sets: 2026-11-21)");
    }

    #[test]
    fn what_a_set_does_not_have_was_added_after_it() {
        let set = FrozenSet {
            date: "2026-01-01".to_owned(),
            levels: levels("sse/well-formed should - must").expect("a line").into_iter().collect(),
        };
        let pinned = |id, revision, verdict| {
            let mut check = made::check(id, revision, verdict, Level::Must);
            set.pin(&mut check);
            (check.set_level, check.after_set)
        };
        use Revision::{R20250326, R20250618, R20260728};
        assert_eq!(pinned("sse/well-formed", R20250326, Verdict::Fail), (Some(Level::Should), false));
        assert_eq!(pinned("sse/well-formed", R20250618, Verdict::Fail), (None, true), "the rule came to this revision");
        assert_eq!(pinned("sse/well-formed", R20260728, Verdict::Fail), (None, true), "the revision came later");
        assert_eq!(pinned("http/content-type", R20250326, Verdict::Pass), (None, true));
        assert_eq!(pinned("http/content-type", R20250326, Verdict::NotApplicable), (None, false), "nothing to say");
    }
}
