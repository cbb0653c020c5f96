//! Reading a baseline: every error has the line, and says what would be right.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_saphyr::Spanned;

use super::{Baseline, Entry, UNWRITTEN};
use crate::catalogue::{self, Listed};
use crate::manifest::Role;
use crate::scenario::Scenario;
use crate::spec::Revision;

/// A baseline that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}: {what}")]
pub struct BaselineError {
    file: String,
    line: u64,
    what: String,
}

/// The file, as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    server: Option<Vec<Spanned<Written>>>,
    #[serde(default)]
    client: Option<Vec<Spanned<Written>>>,
}

/// An entry, as it is written: a mapping, or what the official suite has, a string alone.
#[derive(Default)]
struct Written {
    id: Option<String>,
    reason: Option<String>,
    revision: Option<String>,
    target: Option<String>,
    expires: Option<String>,
}

impl Baseline {
    /// Reads a baseline with a reason for every entry; `file` is what messages call it.
    ///
    /// # Errors
    ///
    /// Where it is no YAML of this form, where an entry names no check, is covered by another one or has no reason.
    pub fn read(file: &str, text: &str) -> Result<Self, BaselineError> {
        let baseline = Self::read_unreasoned(file, text)?;
        for entry in &baseline.entries {
            let name = entry.name();
            let what = match entry.reason.as_str() {
                "" => format!(
                    "`{name}` has no reason; write it as\n  - id: {name}\n    reason: why it fails, and until when"
                ),
                reason
                    if reason.split_whitespace().next().is_some_and(|word| word.trim_end_matches(':') == UNWRITTEN) =>
                {
                    format!("the reason of `{name}` is still `{reason}`: say why it fails")
                }
                _ => continue,
            };
            return Err(BaselineError { file: file.to_owned(), line: entry.line, what });
        }
        Ok(baseline)
    }

    /// The same, with entries that have no reason yet.
    ///
    /// # Errors
    ///
    /// As [`Baseline::read`], but for the reasons.
    pub fn read_unreasoned(file: &str, text: &str) -> Result<Self, BaselineError> {
        let error = |line, what| BaselineError { file: file.to_owned(), line, what };
        let is_empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
        let written: File = if is_empty {
            File { server: None, client: None }
        } else {
            parsed(text).map_err(|(line, what)| error(line, what))?
        };
        let mut entries: Vec<Entry> = Vec::new();
        for (role, list) in [(Role::Server, written.server), (Role::Client, written.client)] {
            for written in list.unwrap_or_default() {
                let line = written.referenced.line();
                let entry = entry(role, line, written.value).map_err(|what| error(line, what))?;
                if let Some(other) = entries.iter().find(|other| overlap(other, &entry)) {
                    return Err(error(line, twice(other, &entry)));
                }
                entries.push(entry);
            }
        }
        Ok(Self { file: file.to_owned(), entries })
    }
}

fn parsed(text: &str) -> Result<File, (u64, String)> {
    serde_saphyr::from_str(text).map_err(|error| {
        let error = error.without_snippet();
        let line = error.location().map_or(1, |location| location.line());
        // Of several lines, the first says what is wrong; the place stands before it already.
        let what = error.to_string().lines().next().unwrap_or_default().to_owned();
        let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what);
        // The parser speaks to whoever calls it.
        let what = what.split(", set DuplicateKeyPolicy").next().unwrap_or_default();
        let column = error.location().map_or(1, |location| location.column());
        (line, format!("column {column}: {what}"))
    })
}

fn entry(role: Role, line: u64, written: Written) -> Result<Entry, String> {
    let name = written.id.ok_or("the entry has no `id`")?;
    let (scenario, id) = match name.split_once(':') {
        Some((scenario, id)) => (Some(scenario.trim()), id.trim()),
        None => (None, name.trim()),
    };
    let listed = check(role, id)?;
    let scenario = scenario.map(|scenario| scenario_of(listed, scenario)).transpose()?;
    let revision = written.revision.as_deref().map(str::parse::<Revision>).transpose();
    Ok(Entry {
        line,
        role,
        id: listed.id(),
        scenario,
        reason: written.reason.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
        revision: revision.map_err(|error| error.to_string())?,
        target: written.target,
        expires: written.expires.map(day).transpose()?,
    })
}

fn check(role: Role, id: &str) -> Result<&'static Listed, String> {
    let Some(listed) = catalogue::find(id) else {
        let near: Vec<String> = catalogue::near(id).iter().map(|id| format!("`{id}`")).collect();
        return Err(match near.is_empty() {
            true => format!("there is no check `{id}` (`mcpwire list` shows every check)"),
            false => format!("there is no check `{id}` (near to it: {})", near.join(", ")),
        });
    };
    if listed.check.kind.role() == role {
        return Ok(listed);
    }
    Err(match role {
        Role::Server => format!("`{id}` is a check of clients: it belongs into the list `client`"),
        Role::Client => format!("`{id}` is a check of servers: it belongs into the list `server`"),
    })
}

fn scenario_of(listed: &Listed, name: &str) -> Result<String, String> {
    let reads = |scenario: &&Scenario| listed.check.kind.reads(**scenario);
    let known: Vec<&str> = Scenario::ALL.iter().filter(reads).map(|scenario| scenario.name()).collect();
    match known.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(format!("`{}` is not judged in a scenario `{name}` (but in: {})", listed.id(), known.join(", "))),
    }
}

fn day(text: String) -> Result<String, String> {
    match text.parse::<jiff::civil::Date>() {
        Ok(date) if date.to_string() == text => Ok(text),
        _ => Err(format!("`{text}` is not a day, such as 2027-01-31")),
    }
}

/// Whether a failure could be meant by both. Of patterns for targets, only equal ones are known to overlap.
fn overlap(one: &Entry, other: &Entry) -> bool {
    fn meet<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
        one.is_none() || other.is_none() || one == other
    }
    one.id == other.id
        && meet(&one.scenario, &other.scenario)
        && meet(&one.revision, &other.revision)
        && meet(&one.target, &other.target)
}

fn twice(earlier: &Entry, entry: &Entry) -> String {
    match (&earlier.scenario, &entry.scenario) {
        (None, Some(_)) | (Some(_), None) => {
            format!("`{}` is listed both whole and for a scenario (line {}): keep one of them", entry.id, earlier.line)
        }
        _ => format!("`{}` is listed already in line {}: keep one of them", entry.scope(), earlier.line),
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry with `id` and `reason`")
    }

    fn visit_str<E: de::Error>(self, id: &str) -> Result<Written, E> {
        Ok(Written { id: Some(id.to_owned()), ..Written::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Written, A::Error> {
        const FIELDS: &[&str] = &["id", "reason", "revision", "target", "expires"];
        let mut written = Written::default();
        while let Some(key) = map.next_key::<String>()? {
            let place = match key.as_str() {
                "id" => &mut written.id,
                "reason" => &mut written.reason,
                "revision" => &mut written.revision,
                "target" => &mut written.target,
                "expires" => &mut written.expires,
                _ => return Err(de::Error::unknown_field(&key, FIELDS)),
            };
            *place = map.next_value()?;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn a_baseline_has_the_lists_and_the_ids_of_the_official_suite() {
        let text = "\
# a comment
server:
  - id: sse/well-formed
    reason: issue 12
    revision: 2025-11-25
    target: http://*
    expires: 2027-01-31
  - id: \"sequential-calls:http/content-type\"
    reason: >
      in a proxy
      of ours
client:
  - {id: client/body-drained, reason: x}
";
        let baseline = Baseline::read("b.yml", text).expect("it can be read");
        let entry = |line, role, id: &str, reason: &str| Entry {
            line,
            role,
            id: id.to_owned(),
            scenario: None,
            reason: reason.to_owned(),
            revision: None,
            target: None,
            expires: None,
        };
        let expected = vec![
            Entry {
                revision: Some(Revision::R20251125),
                target: Some("http://*".to_owned()),
                expires: Some("2027-01-31".to_owned()),
                ..entry(3, Role::Server, "sse/well-formed", "issue 12")
            },
            Entry {
                scenario: Some("sequential-calls".to_owned()),
                ..entry(8, Role::Server, "http/content-type", "in a proxy of ours")
            },
            entry(13, Role::Client, "client/body-drained", "x"),
        ];
        assert_eq!(baseline, Baseline { file: "b.yml".to_owned(), entries: expected });
    }

    #[rstest]
    #[case::empty("")]
    #[case::comments("# nothing\n\n  # here\n")]
    #[case::empty_lists("server:\nclient: []\n")]
    fn a_baseline_may_be_empty(#[case] text: &str) {
        assert_eq!(Baseline::read("b.yml", text), Ok(Baseline { file: "b.yml".to_owned(), entries: Vec::new() }));
    }

    const ENTRY: &str = "server:\n  - id: sse/well-formed\n    reason: x\n";

    #[rstest]
    #[case::no_yaml("server: [", "b.yml, line 1: column 9: unclosed bracket '['")]
    #[case::a_tab("server:\n\t- x", "b.yml, line 2: column")]
    #[case::a_list("- sse/well-formed", "b.yml, line 1: column")]
    #[case::a_list_that_is_none("server: 3", "b.yml, line 1: column 9: expected sequence")]
    #[case::an_unknown_list("sever: []", "unknown field `sever`, expected one of server, client")]
    #[case::an_unknown_key(&format!("{ENTRY}    reasn: y\n"), "line 4: column 5: unknown field `reasn`, expected one of id, reason, revision, target, expires")]
    #[case::a_key_twice(&format!("{ENTRY}    id: y\n"), "line 4: column 5: duplicate mapping key: id")]
    #[case::a_string(
        "server:\n  - sse/well-formed",
        "line 2: `sse/well-formed` has no reason; write it as\n  - id: sse/well-formed\n    reason: "
    )]
    #[case::no_reason("server:\n  - id: sse/well-formed", "line 2: `sse/well-formed` has no reason")]
    #[case::a_reason_without_words("server:\n  - id: sse/well-formed\n    reason: '  '", "has no reason")]
    #[case::a_reason_still_to_be_written(
        "server:\n  - id: sse/well-formed\n    reason: 'TODO: say'",
        "is still `TODO: say`"
    )]
    #[case::no_id("server:\n  - reason: x", "line 2: the entry has no `id`")]
    #[case::no_check(
        "server:\n  - id: sse/well-fromed\n    reason: x",
        "there is no check `sse/well-fromed` (near to it: `sse/well-formed`"
    )]
    #[case::a_pattern("server:\n  - id: sse/*\n    reason: x", "there is no check `sse/*`")]
    #[case::the_other_role("client:\n  - id: sse/well-formed\n    reason: x", "it belongs into the list `server`")]
    #[case::no_scenario(
        "server:\n  - id: nope:sse/well-formed\n    reason: x",
        "is not judged in a scenario `nope` (but in: survey, "
    )]
    #[case::a_scenario_of_clients(
        "server:\n  - id: client-calls:sse/well-formed\n    reason: x",
        "is not judged in a scenario `client-calls`"
    )]
    #[case::no_revision(&format!("{ENTRY}    revision: 2024-11-05\n"), "revision `2024-11-05` is not known")]
    #[case::no_day(&format!("{ENTRY}    expires: 2027-02-29\n"), "`2027-02-29` is not a day")]
    #[case::a_moment(&format!("{ENTRY}    expires: 2027-02-01T00:00:00\n"), "is not a day")]
    #[case::twice(&format!("{ENTRY}  - id: sse/well-formed\n    reason: y\n"), "line 4: `sse/well-formed` is listed already in line 2")]
    #[case::twice_for_a_revision(&format!("{ENTRY}  - id: sse/well-formed\n    reason: y\n    revision: 2025-11-25"), "listed already in line 2")]
    #[case::whole_and_for_a_scenario(&format!("{ENTRY}  - id: ids:sse/well-formed\n    reason: y\n"), "line 4: `sse/well-formed` is listed both whole and for a scenario (line 2)")]
    fn what_is_wrong_is_told_with_its_line(#[case] text: &str, #[case] words: &str) {
        let error = Baseline::read("b.yml", text).expect_err("it is wrong").to_string();
        assert!(error.starts_with("b.yml, line ") && error.contains(words), "{error}");
    }

    #[rstest]
    #[case::other_revisions("revision: 2025-06-18", "revision: 2025-11-25")]
    #[case::other_targets("target: one", "target: other")]
    fn entries_that_do_not_meet_stand_side_by_side(#[case] one: &str, #[case] other: &str) {
        let text = format!("{ENTRY}    {one}\n  - id: ids:sse/well-formed\n    reason: y\n    {other}\n");
        assert_eq!(Baseline::read("b.yml", &text).map(|baseline| baseline.entries.len()), Ok(2));
    }
}
