//! The JSON Schema of the file, for editors: made from the table of settings, so that it cannot say anything else.

use serde_json::{Map, Value, json};

use super::setting::{Row, Setting, Table};
use super::value::Kind;
use crate::spec::Revision;
use crate::target::ToolRole;
use crate::verdict::Level;

/// The schema, of draft 7: that is what editors of TOML read.
pub fn schema() -> Value {
    let mut properties = properties(Table::Top);
    for (name, table, what) in [
        ("server", Table::Server, "The servers to test, by name."),
        ("client", Table::Client, "The clients to test, by name."),
        ("profile", Table::Profile, "Settings that hold instead of others where a profile is asked for, by name."),
    ] {
        let tables = json!({
            "type": "object",
            "description": what,
            "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$" },
            "additionalProperties": of_table(table),
        });
        properties.insert(name.to_owned(), tables);
    }
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "mcpwire.toml",
        "description": "What mcpwire tests, and how. docs/configuration.md says more.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn of_table(table: Table) -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": properties(table),
        "additionalProperties": false,
    });
    match table {
        Table::Server => schema["anyOf"] = json!([{ "required": ["cmd"] }, { "required": ["url"] }]),
        Table::Client => schema["required"] = json!(["command"]),
        _ => {}
    }
    schema
}

fn properties(table: Table) -> Map<String, Value> {
    Setting::of_table(table).map(|row| (row.name.to_owned(), property(row))).collect()
}

fn property(row: &Row) -> Value {
    let mut schema = match row.kind {
        Kind::Tools => tools(),
        Kind::Words => json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 }),
        kind => {
            let one = text(kind);
            match kind.is_list() {
                true => json!({ "anyOf": [one, { "type": "array", "items": one }] }),
                false => one,
            }
        }
    };
    schema["description"] = row.what.into();
    schema
}

fn text(kind: Kind) -> Value {
    match kind {
        Kind::Level => json!({ "enum": Level::ALL.map(|level| level.to_string()) }),
        Kind::Revisions => {
            // Several between commas are for variables: here, there are lists.
            let dates = Revision::ALL.iter().map(|revision| revision.date()).chain(["auto"]);
            json!({ "enum": dates.collect::<Vec<_>>() })
        }
        Kind::Duration => json!({ "type": "string", "minLength": 2, "examples": ["500us", "10ms", "2s"] }),
        Kind::Reports => {
            json!({ "type": "string", "minLength": 4, "examples": ["text", "json=report.json", "github"] })
        }
        Kind::Patterns => json!({ "type": "string", "minLength": 1, "examples": ["sse/*", "http/content-type"] }),
        _ => json!({ "type": "string", "minLength": 1 }),
    }
}

fn tools() -> Value {
    let tool = json!({
        "anyOf": [
            { "type": "string", "minLength": 1 },
            {
                "type": "object",
                "properties": {
                    "name": { "type": "string", "minLength": 1, "description": "The tool's name." },
                    "arguments": { "type": "object", "description": "What it is called with." },
                },
                "required": ["name"],
                "additionalProperties": false,
            },
        ],
    });
    let roles: Map<String, Value> = ToolRole::names().map(|name| (name.to_owned(), tool.clone())).collect();
    json!({ "type": "object", "properties": roles, "additionalProperties": false })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::{Config, Value as Said};
    use super::*;

    fn keys(value: &Value) -> BTreeSet<&str> {
        value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
    }

    /// The reader's own word: what it lists as valid for a key that nobody has.
    fn valid(head: &str) -> BTreeSet<String> {
        let error =
            Config::read("m.toml", &format!("{head}\nzzzzzzzzzzzz = 1")).expect_err("there is none").to_string();
        let list = error.rsplit_once(": tool, ").or(error.rsplit_once(": url, ")).or(error.rsplit_once(": command, "));
        let (before, list) = list.expect("a list");
        let first = error[before.len() + 2..].split(',').next().unwrap_or_default();
        let list = list.split([';', ')']).next().unwrap_or_default();
        list.split(", ").chain([first]).map(str::to_owned).collect()
    }

    #[test]
    fn the_schema_has_the_keys_that_the_reader_lists_and_no_other() {
        let schema = schema();
        for (head, at) in [
            ("[server.s]", "/properties/server/additionalProperties/properties"),
            ("[client.c]", "/properties/client/additionalProperties/properties"),
            ("[profile.p]", "/properties/profile/additionalProperties/properties"),
            ("", "/properties"),
        ] {
            let of_schema = keys(schema.pointer(at).expect("properties"));
            let of_schema: BTreeSet<String> = of_schema
                .difference(&BTreeSet::from(["server", "client", "profile"]))
                .map(|key| (*key).to_owned())
                .collect();
            assert_eq!(of_schema, valid(head), "{head}");
        }
    }

    #[test]
    fn every_key_of_the_schema_can_be_read_with_a_value_of_it() {
        for table in [Table::Top, Table::Server, Table::Client, Table::Profile] {
            for row in Setting::of_table(table) {
                let value = match row.kind {
                    Kind::Duration => "'1s'",
                    Kind::Revisions => "['2025-11-25']",
                    Kind::Level => "'must'",
                    Kind::Set => "'2026-11-21'",
                    Kind::Patterns => "['sse/*']",
                    Kind::Reports => "['json=x']",
                    Kind::Tools => "{ slow = 'x' }",
                    Kind::Words => "['x']",
                    Kind::Text if row.name == "cmd" => "'x {port}'",
                    _ => "'x'",
                };
                let (head, rest) = match (table, row.setting) {
                    (Table::Top, _) => ("", ""),
                    (Table::Profile, _) => ("[profile.p]", ""),
                    (Table::Client, Setting::Command) => ("[client.c]", ""),
                    (Table::Client, _) => ("[client.c]", "command = ['x']"),
                    (_, Setting::Cmd) => ("[server.s]", "url = 'x'"),
                    (_, _) if row.setting == Setting::Url => ("[server.s]", ""),
                    (_, _) => ("[server.s]", "cmd = 'x {port}'"),
                };
                let text = format!("{head}\n{rest}\n{} = {value}", row.name);
                let config = Config::read("m.toml", &text).unwrap_or_else(|error| panic!("{error}"));
                let layer = match table {
                    Table::Top => &config.top,
                    Table::Profile => &config.profiles[0].1,
                    _ => &config.targets[0].layer,
                };
                let said = &layer.get(row.setting).unwrap_or_else(|| panic!("{} is lost", row.name)).value;
                assert!(!matches!(said, Said::Texts(texts) if texts.is_empty()), "{}", row.name);
            }
        }
    }
}
