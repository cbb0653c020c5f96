//! What one place says: the file, the environment, the command line. One lies over the other.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::time::Duration;

use super::setting::Setting;
use super::value::{Kind, Value};
use crate::catalogue;
use crate::manifest::{Options, Role};
use crate::pattern;
use crate::spec::Revision;
use crate::target::ToolRoles;
use crate::verdict::Level;

/// What a place says of some settings.
#[derive(Clone, Debug, Default)]
pub struct Layer(BTreeMap<Setting, Said>);

/// What is said, and where.
#[derive(Clone, Debug)]
pub struct Said {
    /// What.
    pub value: Value,
    /// Where.
    pub source: Source,
}

/// Where something is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// On the command line.
    Option,
    /// In the environment.
    Variable(String),
    /// In the file: the place as a person reads it.
    File(String),
}

impl fmt::Display for Source {
    /// What stands before a sentence about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option => Ok(()),
            Self::Variable(place) | Self::File(place) => write!(f, "{place}: "),
        }
    }
}

/// A variable that says nothing that can be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {why}")]
pub struct VariableError {
    variable: String,
    why: String,
}

impl Layer {
    /// Says something.
    pub fn say(&mut self, setting: Setting, value: Value, source: Source) {
        self.0.insert(setting, Said { value, source });
    }

    /// Says something of the command line, where there is something to say.
    pub fn option(&mut self, setting: Setting, value: Option<Value>) {
        if let Some(value) = value {
            self.say(setting, value, Source::Option);
        }
    }

    /// Says a list of the command line, where it is not empty.
    pub fn options(&mut self, setting: Setting, texts: &[String]) {
        self.option(setting, (!texts.is_empty()).then(|| Value::Texts(texts.to_vec())));
    }

    /// What the environment says to a run of a role, by a function that looks a variable up. An empty one says nothing:
    /// that is how CI systems hand over what nobody has filled in.
    ///
    /// # Errors
    ///
    /// The variable, and what would be right.
    pub fn of_environment(role: Role, look_up: impl Fn(&str) -> Option<String>) -> Result<Self, VariableError> {
        let mut layer = Self::default();
        for row in Setting::all().filter(|row| row.has_variable && row.roles.contains(&role)) {
            let variable = row.variable();
            let Some(text) = look_up(&variable).filter(|text| !text.trim().is_empty()) else { continue };
            let value = row.kind.value(&row.kind.split(text.trim()));
            let value = value.map_err(|why| VariableError { variable: variable.clone(), why })?;
            layer.say(row.setting, value, Source::Variable(variable));
        }
        Ok(layer)
    }

    /// This, where it says something, else that. Lists are replaced as a whole, the tools role by role.
    pub fn over(mut self, that: &Self) -> Self {
        for (setting, said) in &that.0 {
            match self.0.entry(*setting) {
                Entry::Vacant(vacant) => drop(vacant.insert(said.clone())),
                Entry::Occupied(mut mine) => {
                    let mine = mine.get_mut();
                    if let (Value::Tools(tools), Value::Tools(those)) = (&mine.value, &said.value) {
                        mine.value = Value::Tools(tools.clone().over(those.clone()));
                    }
                }
            }
        }
        self
    }

    /// Without these.
    pub fn without(mut self, settings: &[Setting]) -> Self {
        self.0.retain(|setting, _| !settings.contains(setting));
        self
    }

    /// What is said of a setting.
    pub fn get(&self, setting: Setting) -> Option<&Said> {
        self.0.get(&setting)
    }

    /// Whether anything is said of it.
    pub fn has(&self, setting: Setting) -> bool {
        self.0.contains_key(&setting)
    }

    /// Where it is said, to stand before a sentence about it.
    pub fn place(&self, setting: Setting) -> String {
        self.get(setting).map(|said| said.source.to_string()).unwrap_or_default()
    }

    /// A text.
    pub fn text(&self, setting: Setting) -> Option<&str> {
        match &self.get(setting)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A list of texts; empty where nothing is said.
    pub fn texts(&self, setting: Setting) -> &[String] {
        match self.get(setting).map(|said| &said.value) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// A duration.
    pub fn duration(&self, setting: Setting) -> Option<Duration> {
        match self.get(setting)?.value {
            Value::Duration(duration) => Some(duration),
            _ => None,
        }
    }

    /// The revisions to test: all, where nothing is said.
    pub fn revisions(&self) -> Vec<Revision> {
        match self.get(Setting::Revision).map(|said| &said.value) {
            Some(Value::Revisions(revisions)) => revisions.clone(),
            _ => Revision::ALL.to_vec(),
        }
    }

    /// The tools, by role.
    pub fn tools(&self) -> ToolRoles {
        match self.get(Setting::Tool).map(|said| &said.value) {
            Some(Value::Tools(tools)) => tools.clone(),
            _ => ToolRoles::default(),
        }
    }

    /// The level from which on findings count.
    pub fn fail_on(&self) -> Option<Level> {
        match self.get(Setting::FailOn)?.value {
            Value::Level(level) => Some(level),
            _ => None,
        }
    }

    /// What a judgement depends on: what is said here, else those.
    pub fn options_over(&self, mut those: Options) -> Options {
        if let Some(budget) = self.duration(Setting::Budget) {
            (those.budget, those.budget_is_set) = (budget, true);
        }
        those.timeout = self.duration(Setting::Timeout).unwrap_or(those.timeout);
        those.stream_end_grace = self.duration(Setting::StreamEndGrace).unwrap_or(those.stream_end_grace);
        those.fail_on = self.fail_on().unwrap_or(those.fail_on);
        those.set = self.text(Setting::Set).map(str::to_owned).or(those.set);
        let patterns = |setting: Setting, list: &mut Vec<String>| {
            if self.has(setting) {
                *list = self.texts(setting).to_vec();
            }
        };
        patterns(Setting::Only, &mut those.only);
        patterns(Setting::Skip, &mut those.skip);
        patterns(Setting::Require, &mut those.require);
        those
    }

    /// With those patterns only that have a check in this role, of what the file says: what stands at its top is about
    /// servers and clients.
    ///
    /// # Errors
    ///
    /// Where `only` picks checks of the other role alone: nothing left would mean everything.
    pub fn of_role(mut self, role: Role) -> Result<Self, String> {
        let of_role = |wanted: &String| {
            let mut of_role = catalogue::all().iter().filter(|listed| listed.check.kind.role() == role);
            of_role.any(|listed| pattern::matches(wanted, &listed.id()))
        };
        for setting in [Setting::Only, Setting::Skip, Setting::Require] {
            let Some(Said { value: Value::Texts(patterns), source: Source::File(place) }) = self.0.get_mut(&setting)
            else {
                continue;
            };
            let is_empty = patterns.is_empty();
            patterns.retain(of_role);
            if setting == Setting::Only && patterns.is_empty() && !is_empty {
                return Err(format!("{place}: `only` picks no check of {}s", super::noun(role)));
            }
        }
        Ok(self)
    }

    /// It as options that would be typed again, each behind a blank: those that a replay needs beside the target itself.
    /// The value of a header field is a secret: whoever replays knows it.
    pub fn typed(&self, settings: &[Setting]) -> String {
        let mut typed = String::new();
        let mut one = |name: &str, value: &str| typed.push_str(&format!(" --{name} {}", shell_words::quote(value)));
        for setting in settings {
            let Some(said) = self.get(*setting) else { continue };
            let row = setting.row();
            match &said.value {
                Value::Texts(fields) if row.kind == Kind::Fields => {
                    let names = fields.iter().filter_map(|field| Some(field.split_once(':')?.0));
                    names.for_each(|name| one(row.name, &format!("{name}: …")));
                }
                Value::Text(text) => one(row.name, text),
                Value::Texts(texts) => texts.iter().for_each(|text| one(row.name, text)),
                Value::Duration(duration) => one(row.name, &format!("{}us", duration.as_micros().max(1))),
                Value::Tools(tools) => tools.typed().iter().for_each(|tool| one(row.name, tool)),
                Value::Level(level) => one(row.name, &level.to_string()),
                Value::Revisions(revisions) => {
                    let dates: Vec<&str> = revisions.iter().map(|revision| revision.date()).collect();
                    one(row.name, &dates.join(","));
                }
            }
        }
        typed
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::Config;
    use super::super::setting::{Row, Table};
    use super::*;

    fn variables(role: Role, pairs: &[(&str, &str)]) -> Result<Layer, String> {
        let look_up = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Layer::of_environment(role, look_up).map_err(|error| error.to_string())
    }

    /// Five values that each setting can have, as texts.
    fn values(row: &Row) -> [&'static str; 5] {
        match row.kind {
            Kind::Duration => ["1s", "2s", "3s", "4s", "5s"],
            Kind::Revisions => ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28", "auto"],
            Kind::Level => ["must", "should", "budget", "advice", "must"],
            Kind::Patterns => ["sse/*", "http/*", "session/*", "rpc/*", "latency/*"],
            Kind::Reports => ["text", "json", "junit", "github", "json=x"],
            // There is one set only: which of the places it came from shows in its source.
            Kind::Set => ["2026-11-21"; 5],
            Kind::Tools => ["slow=a", "slow=b", "slow=c", "slow=d", "slow=e"],
            Kind::Fields => ["A: a", "B: b", "C: c", "D: d", "E: e"],
            _ => ["/a", "/b", "/c", "/d", "/e"],
        }
    }

    /// Each setting in every place that can say something of it: the stronger place wins, whatever the others say.
    #[test]
    fn an_option_beats_a_variable_that_the_profile_that_the_target_and_that_the_top_of_the_file() {
        for row in Setting::all() {
            let values = values(row);
            let said = |text: &str, source: &str| {
                let mut layer = Layer::default();
                let value = row.kind.value(&[text]).expect("a value");
                layer.say(row.setting, value, Source::File(source.to_owned()));
                layer
            };
            let places = ["option", "variable", "profile", "target", "top"];
            let can = |place: &str| match place {
                "variable" => row.has_variable,
                "profile" => row.tables.contains(&Table::Profile),
                "target" => row.tables.contains(&Table::Server) || row.tables.contains(&Table::Client),
                "top" => row.tables.contains(&Table::Top),
                _ => true,
            };
            for present in 1_u8..32 {
                let layers: Vec<(usize, Layer)> = (0..5)
                    .filter(|place| present & (1 << place) != 0 && can(places[*place]))
                    .map(|place| (place, said(values[place], places[place])))
                    .collect();
                let Some((winner, _)) = layers.first().cloned() else { continue };
                let merged = layers.iter().fold(Layer::default(), |merged, (_, layer)| merged.over(layer));
                let got = merged.get(row.setting).expect("it is said");
                assert_eq!(got.source, Source::File(places[winner].to_owned()), "{}: {present:05b}", row.name);
                assert_eq!(got.value, row.kind.value(&[values[winner]]).unwrap(), "{}: {present:05b}", row.name);
            }
        }
    }

    /// What is said reaches the options of the judgement, and what is not said is as it was.
    #[rstest]
    #[case("budget", "3s")]
    #[case("timeout", "3s")]
    #[case("stream-end-grace", "3s")]
    #[case("fail-on", "must")]
    #[case("set", "2026-11-21")]
    #[case("only", "sse/*")]
    #[case("skip", "sse/*")]
    fn every_setting_of_the_judgement_reaches_it(#[case] name: &str, #[case] value: &str) {
        let row = Setting::all().find(|row| row.name == name).expect("a setting");
        let layer = variables(Role::Server, &[(row.variable().as_str(), value)]).expect("it can be read");
        let before = Options::default();
        assert_ne!(layer.options_over(before.clone()), before, "{name}");
        assert_eq!(Layer::default().options_over(before.clone()), before);
    }

    #[test]
    fn a_budget_that_is_said_is_set_and_what_is_required_is_asked_for() {
        let layer = variables(Role::Server, &[("MCPWIRE_BUDGET", "10ms")]).expect("it can be read");
        assert!(layer.options_over(Options::default()).budget_is_set);
        let mut layer = Layer::default();
        layer.options(Setting::Require, &["sse/*".to_owned()]);
        assert_eq!(layer.options_over(Options::default()).require, ["sse/*"]);
    }

    #[test]
    fn tools_are_replaced_role_by_role() {
        let strong = variables(Role::Server, &[("MCPWIRE_TOOL", "slow=a")]).expect("it can be read");
        let weak =
            variables(Role::Server, &[("MCPWIRE_TOOL", "slow=b\nerror=c:{\"x\":\",\"}")]).expect("it can be read");
        assert_eq!(strong.over(&weak).tools().typed(), ["slow=a", r#"error=c:{"x":","}"#]);
    }

    #[rstest]
    #[case::a_duration("MCPWIRE_TIMEOUT", "soon", "MCPWIRE_TIMEOUT: `soon` is not a duration")]
    #[case::without_a_unit("MCPWIRE_TIMEOUT", "30000", "MCPWIRE_TIMEOUT: `30000` is not a duration")]
    #[case::a_level("MCPWIRE_FAIL_ON", "perhaps", "MCPWIRE_FAIL_ON: level `perhaps` is not known (known levels: must,")]
    #[case::a_revision("MCPWIRE_REVISION", "2025-11-25,2024-11-05", "MCPWIRE_REVISION: revision `2024-11-05`")]
    #[case::a_pattern("MCPWIRE_ONLY", "sse/*,no/such", "MCPWIRE_ONLY: no check matches `no/such`")]
    #[case::a_set("MCPWIRE_SET", "2020-01-01", "MCPWIRE_SET: there is no set `2020-01-01` (known sets: 2026-11-21)")]
    #[case::a_report("MCPWIRE_REPORT", "html", "MCPWIRE_REPORT: report format `html` is not known")]
    #[case::a_tool("MCPWIRE_TOOL", "quick=x", "MCPWIRE_TOOL: tool role `quick` is not known (known roles: slow,")]
    #[case::a_field_for_its_name(
        "MCPWIRE_HEADER_ENV",
        "Authorization: s3cret",
        "MCPWIRE_HEADER_ENV: this is the name of"
    )]
    fn a_variable_that_says_nothing_is_named(#[case] name: &str, #[case] value: &str, #[case] words: &str) {
        let error = variables(Role::Server, &[(name, value)]).expect_err("it is wrong");
        assert!(error.starts_with(words), "{error}");
        assert!(!error.contains("s3cret"), "{error}");
    }

    #[test]
    fn several_values_stand_on_lines_or_between_commas() {
        let layer = variables(
            Role::Server,
            &[("MCPWIRE_ONLY", "sse/*, http/*\nrpc/*\n"), ("MCPWIRE_REVISION", "2025-11-25,2025-06-18")],
        )
        .expect("it can be read");
        assert_eq!(layer.texts(Setting::Only), ["sse/*", "http/*", "rpc/*"]);
        assert_eq!(layer.revisions(), [Revision::R20250618, Revision::R20251125]);
    }

    #[test]
    fn an_empty_variable_says_nothing_and_one_of_the_other_role_neither() {
        let layer = variables(Role::Client, &[("MCPWIRE_ONLY", " "), ("MCPWIRE_URL", "http://127.0.0.1")]);
        assert!(layer.expect("nothing to read").0.is_empty());
    }

    #[test]
    fn what_stands_at_the_top_is_about_both_roles() {
        let config =
            Config::read("m.toml", "only = ['sse/*', 'client/*']\nskip = 'client/body-drained'").expect("it can be");
        let servers = config.top.clone().of_role(Role::Server).expect("there is one");
        assert_eq!((servers.texts(Setting::Only), servers.texts(Setting::Skip).len()), (&["sse/*".to_owned()][..], 0));
        let clients = config.top.of_role(Role::Client).expect("there is one");
        assert_eq!(clients.texts(Setting::Only), ["client/*"]);
        let only = Config::read("m.toml", "only = 'sse/*'").expect("it can be read");
        let error = only.top.of_role(Role::Client).expect_err("nothing is left");
        assert_eq!(error, "m.toml, line 1, column 8: `only` picks no check of clients");
    }
}
