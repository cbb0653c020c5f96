//! Reading the file: every error has its place, and says what would be right.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::layer::{Layer, Source};
use super::setting::{Setting, Table};
use super::value::{Kind, Value};
use super::{Config, Named, noun};
use crate::manifest::Role;
use crate::spelling::nearest;
use crate::target::{Command, ToolRole, ToolRoles};

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, column {column}: {what}")]
pub struct ConfigError {
    file: String,
    line: usize,
    column: usize,
    what: String,
}

/// The tables whose names the user chooses.
const NAMED: [(&str, Table); 3] = [("server", Table::Server), ("client", Table::Client), ("profile", Table::Profile)];

/// An entry of a table, with the places of its key and its value.
struct EntryOf<'t, 'i> {
    key: &'t str,
    at: Range<usize>,
    value: &'t Spanned<DeValue<'i>>,
}

impl Config {
    /// Reads a configuration; `file` is its path, as messages call it, and the paths in it are seen from its folder.
    ///
    /// # Errors
    ///
    /// Where it is no TOML, and where it says something that means nothing.
    pub fn read(file: &str, text: &str) -> Result<Self, ConfigError> {
        let folder = Path::new(file).parent().map(Path::to_path_buf).unwrap_or_default();
        Reader { file, text, folder }.config()
    }
}

struct Reader<'r> {
    file: &'r str,
    text: &'r str,
    folder: PathBuf,
}

impl Reader<'_> {
    fn config(&self) -> Result<Config, ConfigError> {
        let parsed = DeTable::parse(self.text).map_err(|error| {
            // The parser may speak of several lines, and quote what was written.
            let what = error.message().lines().next().unwrap_or_default().to_owned();
            self.error(error.span().unwrap_or(0..0), what)
        })?;
        let mut config =
            Config { file: self.file.to_owned(), top: Layer::default(), targets: Vec::new(), profiles: Vec::new() };
        for entry in entries(parsed.get_ref()) {
            match NAMED.iter().find(|(name, _)| *name == entry.key) {
                None => self.setting(&mut config.top, &entry, Table::Top)?,
                Some((name, table)) => {
                    for entry in self.named(name, &entry)? {
                        self.one(&mut config, &entry, *table)?;
                    }
                }
            }
        }
        Ok(config)
    }

    /// The tables below `server`, `client` or `profile`.
    fn named<'t, 'i>(&self, name: &str, entry: &EntryOf<'t, 'i>) -> Result<Vec<EntryOf<'t, 'i>>, ConfigError> {
        let DeValue::Table(tables) = entry.value.get_ref() else {
            let what = format!("a {name} has a name: write `[{name}.NAME]`, with its settings below");
            return Err(self.error(entry.at.clone(), what));
        };
        Ok(entries(tables))
    }

    /// One target or profile.
    fn one(&self, config: &mut Config, entry: &EntryOf<'_, '_>, table: Table) -> Result<(), ConfigError> {
        let word = NAMED.iter().find(|(_, named)| *named == table).map_or("", |(word, _)| *word);
        let DeValue::Table(inner) = entry.value.get_ref() else {
            let what = match Setting::of_table(table).any(|row| row.name == entry.key) {
                true => format!("a {word} has a name: write `[{word}.NAME]` above `{}`", entry.key),
                false => {
                    format!("`{}` is no table: write `[{word}.{}]`, with its settings below", entry.key, entry.key)
                }
            };
            return Err(self.error(entry.at.clone(), what));
        };
        if !is_name(entry.key) {
            let what = format!(
                "`{}` is no name: it has letters, digits, `-`, `_` and `.`, and begins with a letter or a digit",
                entry.key.escape_debug()
            );
            return Err(self.error(entry.at.clone(), what));
        }
        let mut layer = Layer::default();
        for setting in entries(inner) {
            self.setting(&mut layer, &setting, table)?;
        }
        let name = entry.key.to_owned();
        match table {
            Table::Profile => config.profiles.push((name, layer)),
            Table::Client => {
                self.whole_client(&layer, entry)?;
                config.targets.push(Named { name, role: Role::Client, layer });
            }
            _ => {
                self.whole_server(&layer, entry)?;
                config.targets.push(Named { name, role: Role::Server, layer });
            }
        }
        Ok(())
    }

    /// What a server needs beside settings that are right each by itself.
    fn whole_server(&self, layer: &Layer, entry: &EntryOf<'_, '_>) -> Result<(), ConfigError> {
        let place = |setting: Setting| {
            let DeValue::Table(table) = entry.value.get_ref() else { return entry.at.clone() };
            let found = entries(table).into_iter().find(|entry| entry.key == setting.row().name);
            found.map_or(entry.at.clone(), |entry| entry.value.span())
        };
        match (layer.text(Setting::Cmd), layer.has(Setting::Url)) {
            (None, false) => {
                let what =
                    format!("server `{}` has neither `cmd`, which starts it, nor `url`, where it runs", entry.key);
                return Err(self.error(entry.at.clone(), what));
            }
            (Some(line), false) => {
                Command::new(line, "/mcp").map_err(|error| self.error(place(Setting::Cmd), error.to_string()))?;
            }
            (Some(line), true) => match shell_words::split(line) {
                Ok(words) if !words.is_empty() => {}
                _ => {
                    let what = "the command is empty, or a quote in it is not closed".to_owned();
                    return Err(self.error(place(Setting::Cmd), what));
                }
            },
            (None, true) if layer.has(Setting::StartTimeout) => {
                let what = "`start-timeout` is for a server with `cmd`: nothing is started here".to_owned();
                return Err(self.error(place(Setting::StartTimeout), what));
            }
            (None, true) => {}
        }
        Ok(())
    }

    fn whole_client(&self, layer: &Layer, entry: &EntryOf<'_, '_>) -> Result<(), ConfigError> {
        match layer.texts(Setting::Command).first().map(String::as_str) {
            None => {
                let what = format!("client `{}` has no `command`, such as [\"my-client\", \"--option\"]", entry.key);
                Err(self.error(entry.at.clone(), what))
            }
            Some(program) if program.trim().is_empty() => {
                Err(self.error(entry.at.clone(), format!("the `command` of client `{}` is empty", entry.key)))
            }
            Some(_) => Ok(()),
        }
    }

    /// Takes a setting of a table.
    fn setting(&self, layer: &mut Layer, entry: &EntryOf<'_, '_>, table: Table) -> Result<(), ConfigError> {
        let Some(row) = Setting::of_table(table).find(|row| row.name == entry.key) else {
            return Err(self.error(entry.at.clone(), unknown(entry.key, table)));
        };
        let at = entry.value.span();
        let value = match row.kind {
            Kind::Tools => Value::Tools(self.tools(entry.value)?),
            kind => {
                let mut texts = Vec::new();
                for (text, at) in self.texts(row.name, kind, entry.value)? {
                    if kind == Kind::Revisions && text.contains(',') {
                        let list: Vec<String> = text.split(',').map(|date| format!("{:?}", date.trim())).collect();
                        return Err(self.error(at, format!("several revisions are a list: [{}]", list.join(", "))));
                    }
                    kind.check(text).map_err(|what| self.error(at, what))?;
                    texts.push(kind.below(&self.folder, text));
                }
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                kind.value(&texts).map_err(|what| self.error(at.clone(), what))?
            }
        };
        layer.say(row.setting, value, Source::File(self.place(at)));
        Ok(())
    }

    /// The texts of a value: one, or, where the setting takes several, those of a list.
    fn texts<'t>(
        &self,
        name: &str,
        kind: Kind,
        value: &'t Spanned<DeValue<'_>>,
    ) -> Result<Vec<(&'t str, Range<usize>)>, ConfigError> {
        let list = match value.get_ref() {
            DeValue::String(text) if kind == Kind::Words => {
                let words = shell_words::split(text).unwrap_or_default();
                let meant = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
                return Err(self.error(value.span(), format!("`{name}` is a list of words: write [{meant}]")));
            }
            DeValue::String(text) => return Ok(vec![(text, value.span())]),
            DeValue::Array(list) if kind.is_list() => list,
            other => {
                let wanted = match (kind, kind.is_list()) {
                    (Kind::Words, _) => "a list of texts in quotation marks",
                    (_, true) => "a text in quotation marks, or a list of them",
                    (_, false) => "a text in quotation marks",
                };
                return Err(self.error(value.span(), format!("`{name}` is {wanted}, not {}", spoken(other))));
            }
        };
        let mut texts = Vec::new();
        for item in list.iter() {
            match item.get_ref() {
                DeValue::String(text) => texts.push((text.as_ref(), item.span())),
                other => {
                    let what = format!("the list `{name}` holds texts in quotation marks, not {}", spoken(other));
                    return Err(self.error(item.span(), what));
                }
            }
        }
        Ok(texts)
    }

    /// The tools by role: each a name, as on the command line, or a table with `name` and `arguments`.
    fn tools(&self, value: &Spanned<DeValue<'_>>) -> Result<ToolRoles, ConfigError> {
        let DeValue::Table(table) = value.get_ref() else {
            let what =
                format!("`tool` is a table, such as tool.slow = \"my-slow-tool\", not {}", spoken(value.get_ref()));
            return Err(self.error(value.span(), what));
        };
        let mut roles = ToolRoles::default();
        for entry in entries(table) {
            let role: ToolRole = entry.key.parse().map_err(|error| {
                let near = nearest(entry.key, ToolRole::names());
                let meant = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                self.error(entry.at.clone(), format!("{error}{meant}"))
            })?;
            match entry.value.get_ref() {
                DeValue::String(text) => {
                    let mapped = roles.map(&format!("{role}={text}"));
                    mapped.map_err(|error| self.error(entry.value.span(), error.to_string()))?;
                }
                DeValue::Table(tool) => {
                    let (name, arguments) = self.tool(role, tool, entry.at.clone())?;
                    roles.set(role, name, arguments);
                }
                other => {
                    let what = format!(
                        "the tool for `{role}` is its name, or {{ name = \"…\", arguments = {{ … }} }}, not {}",
                        spoken(other)
                    );
                    return Err(self.error(entry.value.span(), what));
                }
            }
        }
        Ok(roles)
    }

    fn tool(
        &self,
        role: ToolRole,
        table: &DeTable<'_>,
        at: Range<usize>,
    ) -> Result<(String, Option<Json>), ConfigError> {
        let (mut name, mut arguments) = (None, None);
        for entry in entries(table) {
            match (entry.key, entry.value.get_ref()) {
                ("name", DeValue::String(text)) if !text.is_empty() => name = Some(text.to_string()),
                ("arguments", DeValue::Table(_)) => arguments = Some(self.json(entry.value)?),
                ("name", other) => {
                    let what = format!("the `name` of a tool is a text in quotation marks, not {}", spoken(other));
                    return Err(self.error(entry.value.span(), what));
                }
                ("arguments", other) => {
                    let what =
                        format!("the `arguments` of a tool are a table, such as {{ ms = 500 }}, not {}", spoken(other));
                    return Err(self.error(entry.value.span(), what));
                }
                (key, _) => {
                    let what = format!("unknown key `{}` (valid in a tool: name, arguments)", key.escape_debug());
                    return Err(self.error(entry.at, what));
                }
            }
        }
        let name = name.ok_or_else(|| self.error(at, format!("the tool for `{role}` has no `name`")))?;
        Ok((name, arguments))
    }

    /// A value as JSON, which the arguments of a tool are sent as.
    fn json(&self, value: &Spanned<DeValue<'_>>) -> Result<Json, ConfigError> {
        let no_json = |what: &str| self.error(value.span(), format!("{what} in JSON"));
        Ok(match value.get_ref() {
            DeValue::String(text) => Json::from(text.as_ref()),
            DeValue::Boolean(is) => Json::from(*is),
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix());
                Json::from(read.map_err(|_| no_json("there is no such number"))?)
            }
            DeValue::Float(number) => {
                let read: f64 = number.as_str().parse().map_err(|_| no_json("there is no such number"))?;
                serde_json::Number::from_f64(read)
                    .map(Json::Number)
                    .ok_or_else(|| no_json("there is no such number"))?
            }
            DeValue::Datetime(_) => return Err(no_json("there are no dates: write a text, in quotation marks, since")),
            DeValue::Array(list) => Json::Array(list.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?),
            DeValue::Table(table) => {
                let members =
                    entries(table).into_iter().map(|entry| Ok((entry.key.to_owned(), self.json(entry.value)?)));
                Json::Object(members.collect::<Result<_, ConfigError>>()?)
            }
        })
    }

    fn error(&self, at: Range<usize>, what: String) -> ConfigError {
        let (line, column) = self.line_and_column(at.start);
        ConfigError { file: self.file.to_owned(), line, column, what }
    }

    fn place(&self, at: Range<usize>) -> String {
        let (line, column) = self.line_and_column(at.start);
        format!("{}, line {line}, column {column}", self.file)
    }

    /// Both from 1 on; columns count characters, as editors do.
    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let bytes = self.text.as_bytes();
        let before = &bytes[..offset.min(bytes.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
    }
}

/// The entries of a table in the order of the file.
fn entries<'t, 'i>(table: &'t DeTable<'i>) -> Vec<EntryOf<'t, 'i>> {
    let entry = |(key, value): (&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>)| EntryOf {
        key: key.get_ref().as_ref(),
        at: key.span(),
        value,
    };
    let mut entries: Vec<EntryOf<'t, 'i>> = table.iter().map(entry).collect();
    entries.sort_by_key(|entry| entry.at.start);
    entries
}

/// What a value is called in a sentence.
fn spoken(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(text) if text.is_empty() => "an empty text",
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The sentence on a key that a table does not have.
fn unknown(key: &str, table: Table) -> String {
    let names = || Setting::of_table(table).map(|row| row.name);
    let shown = key.escape_debug();
    // A secret in a file that others read: there is no such key, and there is a reason.
    if key == Setting::Header.row().name {
        return "a header field is a secret, and this file is for all to read: name a file with `header-file`, or a \
                variable that holds `Name: value` with `header-env`, in a `[server.NAME]` table"
            .to_owned();
    }
    let instead = match (table, key) {
        (Table::Client, "cmd") => {
            Some("a client has no `cmd`: write command = [\"my-client\", \"--option\"]".to_owned())
        }
        (Table::Server, "command") => {
            Some("a server has no `command`: write cmd = \"my-server --port {port}\"".to_owned())
        }
        (_, "name") => Some(format!(
            "a {} is called what its table is called: `[server.NAME]`",
            if table == Table::Client { noun(Role::Client) } else { noun(Role::Server) }
        )),
        _ => None,
    };
    if let Some(instead) = instead {
        return instead;
    }
    let elsewhere: Vec<&str> = Table::ALL
        .into_iter()
        .filter(|other| Setting::of_table(*other).any(|row| row.name == key))
        .map(Table::spoken)
        .collect();
    if !elsewhere.is_empty() {
        return format!("`{shown}` has no place {}: it stands {}", table.spoken(), elsewhere.join(" or "));
    }
    let tables: &[&str] = if table == Table::Top { &["server", "client", "profile"] } else { &[] };
    let near = nearest(key, names().chain(tables.iter().copied()));
    let meant = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let valid: Vec<&str> = names().collect();
    let tables = match table {
        Table::Top => "; tables: [server.NAME], [client.NAME], [profile.NAME]",
        _ => "",
    };
    format!("unknown key `{shown}` ({meant}valid {}: {}{tables})", table.spoken(), valid.join(", "))
}

/// Names stand in paths, in reports, and behind `--target`.
fn is_name(name: &str) -> bool {
    let first = name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    first && name.len() <= 100 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::spec::Revision;

    const WHOLE: &str = r#"
# What holds for all.
budget = "20ms"
revision = "2025-11-25"
fail-on = "should"
baseline = "expected.yml"
report = ["text", "junit=report.xml"]

[server.everything]
cmd = "my-server --port {port}"
start-timeout = "5s"
header-file = "secret/headers"
header-env = ["AUTH"]
tool.slow = "sleep"
tool.progress = { name = "count", arguments = { n = 3, deep = [{ x = 1.5 }, true, "{mark}"] } }
require = ["sse/*"]

[client.mine]
command = ["my-client", "--quiet"]
revision = ["2025-06-18", "2025-11-25"]

[server.deployed]
url = "http://127.0.0.1:8000/mcp"
skip = "http/*"

[profile.ci]
set = "2026-11-21"
timeout = "20s"
"#;

    #[test]
    fn a_file_has_settings_for_all_targets_and_profiles() {
        let config = Config::read("a/mcpwire.toml", WHOLE).expect("it can be read");
        assert_eq!(config.top.duration(Setting::Budget), Some(Duration::from_millis(20)));
        assert_eq!(config.top.revisions(), [Revision::R20251125]);
        assert_eq!(config.top.text(Setting::Baseline), Some("a/expected.yml"), "as seen from where mcpwire runs");
        assert_eq!(config.top.texts(Setting::Report), ["text", "junit=a/report.xml"]);
        let names: Vec<&str> = config.targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(names, ["everything", "deployed", "mine"], "servers, then clients, in the order of the file");
        let everything = config.target(Role::Server, "everything").expect("it is there");
        assert_eq!(everything.layer.text(Setting::Cmd), Some("my-server --port {port}"));
        assert_eq!(everything.layer.texts(Setting::HeaderFile), ["a/secret/headers"]);
        assert_eq!(everything.layer.texts(Setting::HeaderEnv), ["AUTH"]);
        assert_eq!(everything.layer.duration(Setting::StartTimeout), Some(Duration::from_secs(5)));
        assert_eq!(
            everything.layer.tools().typed(),
            ["slow=sleep", r#"progress=count:{"n":3,"deep":[{"x":1.5},true,"{mark}"]}"#]
        );
        assert_eq!(everything.layer.texts(Setting::Require), ["sse/*"]);
        let mine = config.target(Role::Client, "mine").expect("it is there");
        assert_eq!(mine.layer.texts(Setting::Command), ["my-client", "--quiet"]);
        assert_eq!(mine.layer.revisions(), [Revision::R20250618, Revision::R20251125]);
        assert_eq!(config.profile("ci").expect("it is there").text(Setting::Set), Some("2026-11-21"));
        let said = config.top.get(Setting::Budget).expect("it is said");
        assert_eq!(said.source, Source::File("a/mcpwire.toml, line 3, column 10".to_owned()));
    }

    #[rstest]
    #[case::empty("")]
    #[case::comments("# nothing\n\n   # here")]
    #[case::windows("budget = '1s'\r\n[profile.ci]\r\n")]
    #[case::empty_list("only = []")]
    fn a_file_may_say_little(#[case] text: &str) {
        assert!(Config::read("m.toml", text).is_ok());
    }

    #[test]
    fn what_is_not_in_the_file_is_told_with_what_is() {
        let config = Config::read("m.toml", WHOLE).expect("it can be read");
        let error = config.target(Role::Server, "mine").expect_err("it is a client").to_string();
        assert_eq!(error, "there is no server `mine` in m.toml (there are: everything, deployed)");
        let error = config.profile("nightly").expect_err("none").to_string();
        assert_eq!(error, "there is no profile `nightly` in m.toml (there are: ci)");
        let empty = Config::read("m.toml", "").expect("it can be read");
        let error = empty.target(Role::Client, "x").expect_err("none").to_string();
        assert_eq!(error, "there is no client `x` in m.toml (there is none at all)");
    }

    const SERVER: &str = "[server.s]\nurl = 'http://127.0.0.1'\n";

    #[rstest]
    #[case::no_toml("budget", "line 1, column 7: key with no value, expected `=`")]
    #[case::no_quotes("budget = 10ms", "line 1, column 10: ")]
    #[case::not_closed("only = ['sse/*'", "line 1, column 16: unclosed array, expected `]`")]
    #[case::twice("budget = '1s'\nbudget = '2s'", "line 2, column 1: duplicate key")]
    #[case::a_table_twice("[profile.ci]\n[profile.ci]", "line 2, column 10: duplicate key")]
    #[case::unknown(
        "\n\n  budgte = '1s'",
        "line 3, column 3: unknown key `budgte` (did you mean `budget`? valid at the top of the file: tool, revision, only, skip, require, timeout, budget, stream-end-grace, fail-on, set, baseline, report; tables: [server.NAME], [client.NAME], [profile.NAME])"
    )]
    #[case::nothing_near("colour = 'red'", "unknown key `colour` (valid at the top of the file: tool, ")]
    #[case::a_table_with_an_s("[servers.s]", "unknown key `servers` (did you mean `server`? ")]
    #[case::an_underscore("stream_end_grace = '1s'", "did you mean `stream-end-grace`?")]
    #[case::columns_are_characters("tool.slow = { name = 'ä', args = {} }", "line 1, column 27: unknown key `args`")]
    #[case::a_number("budget = 10", "line 1, column 10: `budget` is a text in quotation marks, not a number")]
    #[case::a_list("budget = ['10ms']", "`budget` is a text in quotation marks, not a list")]
    #[case::a_date(
        "revision = 2025-11-25",
        "line 1, column 12: `revision` is a text in quotation marks, or a list of them, not a date"
    )]
    #[case::a_date_in_a_list(
        "revision = [2025-11-25]",
        "line 1, column 13: the list `revision` holds texts in quotation marks, not a date"
    )]
    #[case::a_truth("only = true", "`only` is a text in quotation marks, or a list of them, not true or false")]
    #[case::a_duration(
        "budget = 'soon'",
        "line 1, column 10: `soon` is not a duration above zero and up to a day, such as 500us, 10ms or 2s"
    )]
    #[case::a_level("fail-on = 'never'", "level `never` is not known (known levels: must, should, budget, advice)")]
    #[case::a_revision(
        "revision = '2024-11-05'",
        "revision `2024-11-05` is not known (known revisions: 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28), or auto"
    )]
    #[case::revisions(
        "revision = '2025-06-18, 2025-11-25'",
        "line 1, column 12: several revisions are a list: [\"2025-06-18\", \"2025-11-25\"]"
    )]
    #[case::a_pattern(
        "only = ['sse/*', 'sse/no-such']",
        "line 1, column 18: no check matches `sse/no-such` (checks in this area: sse/"
    )]
    #[case::a_set("set = '2020-01-01'", "there is no set `2020-01-01` (known sets: 2026-11-21)")]
    #[case::a_report("report = 'html'", "report format `html` is not known (known formats: text, json, junit, github)")]
    #[case::an_empty_text("baseline = ''", "line 1, column 12: an empty text says nothing")]
    #[case::a_header(
        "[server.s]\nheader = 'Authorization: x'",
        "line 2, column 1: a header field is a secret, and this file is for all to read: name a file with `header-file`, or a variable"
    )]
    #[case::a_header_at_the_top("header = 'Authorization: x'", "a header field is a secret")]
    #[case::a_field_for_its_name(
        "[server.s]\nheader-env = 'Authorization: x'",
        "this is the name of a variable, which holds `Name: value`"
    )]
    #[case::of_a_run(&format!("{SERVER}baseline = 'x'"), "line 3, column 1: `baseline` has no place in a `[server.NAME]` table: it stands at the top of the file or in a `[profile.NAME]` table")]
    #[case::of_a_server(
        "url = 'http://127.0.0.1'",
        "`url` has no place at the top of the file: it stands in a `[server.NAME]` table"
    )]
    #[case::of_servers(
        "[client.c]\ncommand = ['x']\ntool.slow = 'x'",
        "`tool` has no place in a `[client.NAME]` table: it stands at the top"
    )]
    #[case::a_command_line(
        "[client.c]\ncmd = 'x --y'",
        "line 2, column 1: a client has no `cmd`: write command = [\"my-client\", \"--option\"]"
    )]
    #[case::a_command(
        "[server.s]\ncommand = ['x']",
        "line 2, column 1: a server has no `command`: write cmd = \"my-server --port {port}\""
    )]
    #[case::words(
        "[client.c]\ncommand = \"my-client 'a b'\"",
        "line 2, column 11: `command` is a list of words: write [\"my-client\", \"a b\"]"
    )]
    #[case::no_words("[client.c]\ncommand = []", "client `c` has no `command`")]
    #[case::no_program("[client.c]\ncommand = ['']", "the `command` of client `c` is empty")]
    #[case::no_command(
        "[client.c]",
        "line 1, column 9: client `c` has no `command`, such as [\"my-client\", \"--option\"]"
    )]
    #[case::nowhere(
        "[server.s]\npath = '/mcp'",
        "line 1, column 9: server `s` has neither `cmd`, which starts it, nor `url`, where it runs"
    )]
    #[case::no_port(
        "[server.s]\ncmd = 'x --port 80'",
        "line 2, column 7: the command `x --port 80` has no {port} in it (a program with a fixed port needs --url beside --cmd)"
    )]
    #[case::a_quote("[server.s]\ncmd = \"x 'y {port}\"", "cannot be split into words: a quote is not closed")]
    #[case::a_quote_with_a_url(&format!("{SERVER}cmd = \"x 'y\""), "line 3, column 7: the command is empty, or a quote in it is not closed")]
    #[case::nothing_to_start(&format!("{SERVER}start-timeout = '1s'"), "line 3, column 17: `start-timeout` is for a server with `cmd`")]
    #[case::no_name("server = 3", "line 1, column 1: a server has a name: write `[server.NAME]`")]
    #[case::no_name_of_its_own(
        "[server]\nurl = 'x'",
        "line 2, column 1: a server has a name: write `[server.NAME]` above `url`"
    )]
    #[case::several_without_names("[[server]]\nurl = 'x'", "a server has a name: write `[server.NAME]`")]
    #[case::no_table(
        "[profile]\nci = 3",
        "line 2, column 1: `ci` is no table: write `[profile.ci]`, with its settings below"
    )]
    #[case::a_bad_name(
        "[server.'../x']\nurl = 'x'",
        "line 1, column 9: `../x` is no name: it has letters, digits, `-`, `_` and `.`"
    )]
    #[case::an_empty_name("[server.'']\nurl = 'x'", "`` is no name")]
    #[case::its_name_twice(&format!("{SERVER}name = 'x'"), "a server is called what its table is called: `[server.NAME]`")]
    #[case::a_role(
        "tool.slwo = 'x'",
        "line 1, column 6: tool role `slwo` is not known (known roles: slow, progress, error, large, server-request, echo, side-effect, effect); did you mean `slow`?"
    )]
    #[case::no_tools(
        "tool = 'slow=x'",
        "line 1, column 8: `tool` is a table, such as tool.slow = \"my-slow-tool\", not a text"
    )]
    #[case::no_tool(
        "tool.slow = 3",
        "the tool for `slow` is its name, or { name = \"…\", arguments = { … } }, not a number"
    )]
    #[case::a_tool_without_a_name(
        "tool.slow = { arguments = {} }",
        "line 1, column 6: the tool for `slow` has no `name`"
    )]
    #[case::a_tool_with_more(
        "tool.slow = { name = 'x', args = {} }",
        "line 1, column 27: unknown key `args` (valid in a tool: name, arguments)"
    )]
    #[case::arguments(
        "tool.slow = { name = 'x', arguments = [1] }",
        "the `arguments` of a tool are a table, such as { ms = 500 }, not a list"
    )]
    #[case::an_empty_tool(
        "tool.slow = { name = '' }",
        "the `name` of a tool is a text in quotation marks, not an empty text"
    )]
    #[case::no_number_of_json(
        "tool.slow = { name = 'x', arguments = { a = inf } }",
        "line 1, column 45: there is no such number in JSON"
    )]
    #[case::no_date_of_json(
        "tool.slow = { name = 'x', arguments = { a = 2026-01-01 } }",
        "there are no dates: write a text, in quotation marks, since in JSON"
    )]
    #[case::control_characters("\"a\\u001b[31m\" = 1", "unknown key `a\\u{1b}[31m`")]
    fn what_is_wrong_is_told_with_its_place(#[case] text: &str, #[case] words: &str) {
        let error = Config::read("m.toml", text).expect_err("it is wrong").to_string();
        assert!(error.starts_with("m.toml, line ") && error.contains(words), "{error}");
        assert!(!error.contains('\n') && !error.contains("Authorization"), "{error}");
    }

    #[test]
    fn whatever_is_nested_ends() {
        for text in [
            "[".repeat(100_000),
            format!("a = {}", "[".repeat(100_000)),
            "a.".repeat(50_000),
            "a = {b = ".repeat(50_000),
        ] {
            assert!(Config::read("m.toml", &text).is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn reading_never_panics(text in ".{0,200}") {
            let _ = Config::read("m.toml", &text);
        }

        /// From pieces of a file that is right, which get further than letters do.
        #[test]
        fn reading_never_panics_on_pieces(pieces in prop::collection::vec(
            prop::sample::select(vec![
                "[server.s]\n", "[client.c]\n", "[profile.ci]\n", "[server]\n", "[[server]]\n", "url", "cmd", "command", "tool", ".slow",
                " = ", "\"http://127.0.0.1\"", "\"x {port}\"", "['x']", "{ name = 'x' }", "\n", "only", "'sse/*'", "budget", "'1s'",
                "3", "2025-11-25", "inf", "true", "\u{e4}", "\"", "{", "}", "[", "]", ",", "#", "\r", "\u{0}",
            ]), 0..24))
        {
            let _ = Config::read("m.toml", &pieces.concat());
        }
    }
}
