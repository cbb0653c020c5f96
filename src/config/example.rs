//! The file that `mcpwire init` writes: whoever opens it finds what can be said, and what was found out.

use std::fmt::Write;

use serde_json::Value;

use super::setting::Setting;
use crate::report::text::visible;
use crate::sets;
use crate::spec::Revision;
use crate::target::MARK;

/// What was found out about a target.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What it calls itself, and its version.
    pub name: Option<String>,
    /// The revisions that it speaks.
    pub revisions: Vec<Revision>,
    /// Its tools, as `tools/list` shows them.
    pub tools: Vec<Value>,
}

/// A role that a tool seems to be made for.
struct Guess {
    role: &'static str,
    name: String,
    arguments: String,
    /// Why it is not to be called without a person's word.
    but: Option<String>,
}

/// Words in the names of tools, and the role that they speak for.
const WORDS: &[(&str, &[&str])] = &[
    ("slow", &["slow", "sleep", "delay", "wait", "long-running", "longrunning"]),
    ("progress", &["progress"]),
    ("error", &["error", "fail"]),
    ("large", &["large", "big"]),
    ("server-request", &["sampl", "elicit"]),
    ("echo", &["echo"]),
];

/// Tools of the official suite that are made to be called by one, with the arguments that they need.
const FIXTURES: &[(&str, &str, &str)] = &[
    ("progress", "test_tool_with_progress", ""),
    ("error", "test_error_handling", ""),
    ("server-request", "test_sampling", "prompt = \"hello\""),
];

/// A file for a server; `said` is where it is, as it was given on the command line.
pub fn for_server(said: &[(Setting, Vec<String>)], found: &Found) -> String {
    let name = found.name.as_deref().map(slug).unwrap_or_default();
    let name = if name.is_empty() { "mine".to_owned() } else { name };
    let mut text = head(Some(found));
    let _ = writeln!(text, "{}", remark(found, "server"));
    let _ = writeln!(text, "[server.{name}]");
    for (setting, texts) in said {
        let _ = writeln!(text, "{} = {}", setting.row().name, texts_or_text(texts));
    }
    let is_said = |setting: Setting| said.iter().any(|(known, _)| *known == setting);
    for (setting, example, why) in [
        (Setting::Path, "\"/mcp\"", "the endpoint, where the URL has no path"),
        (Setting::StartTimeout, "\"30s\"", "how long the command may take until it answers HTTP"),
        (Setting::HeaderEnv, "[\"MY_SERVER_AUTHORIZATION\"]", "variables that hold a header field, as `Name: value`"),
    ] {
        let starts = setting == Setting::StartTimeout && !is_said(Setting::Cmd);
        if !is_said(setting) && !starts {
            let _ = writeln!(text, "{:<52} # {why}", format!("# {} = {example}", setting.row().name));
        }
    }
    tools(&mut text, found);
    foot(&mut text);
    text
}

/// A file for a client.
pub fn for_client(command: &[String], found: &Found) -> String {
    let name = found.name.as_deref().map(slug).unwrap_or_default();
    let name = if name.is_empty() { "mine".to_owned() } else { name };
    let mut text = head(Some(found));
    let _ = writeln!(text, "{}", remark(found, "client"));
    let _ = writeln!(text, "[client.{name}]\ncommand = {}", list(command));
    foot(&mut text);
    text
}

/// A file for nobody in particular.
pub fn example() -> String {
    let mut text = head(None);
    text.push_str(
        "# A server that mcpwire starts: on a port of mcpwire's choice, without a shell.\n\
         # [server.mine]\n\
         # cmd = \"my-server --port {port}\"\n\
         # tool.slow = \"sleep\"\n\
         # tool.echo = { name = \"say\", arguments = { text = \"{mark}\" } }\n\
         \n\
         # A server that runs already.\n\
         # [server.deployed]\n\
         # url = \"http://127.0.0.1:8000/mcp\"\n\
         # header-env = [\"MY_SERVER_AUTHORIZATION\"]\n\
         \n\
         # A client: it is started once for each scenario, with the URL of a scripted server as its last argument.\n\
         # [client.mine]\n\
         # command = [\"my-client\", \"--quiet\"]\n",
    );
    foot(&mut text);
    text
}

fn head(found: Option<&Found>) -> String {
    let spoken = found.map(|found| found.revisions.iter().map(|revision| revision.date()).collect::<Vec<_>>());
    let spoken = spoken.filter(|spoken| !spoken.is_empty()).map(|spoken| format!(": {}", spoken.join(", ")));
    let mut text = "\
#:schema ./mcpwire.schema.json
#
# What mcpwire tests, and how. `mcpwire schema > mcpwire.schema.json` tells an editor what can stand here, and
# docs/configuration.md says more. Options on the command line beat variables (--timeout, MCPWIRE_TIMEOUT), and these
# beat this file. What stands behind a # is not in force; most of it shows the default.

# For every target:
"
    .to_owned();
    for (line, why) in [
        ("revision = \"auto\"", format!("all that the target speaks{}", spoken.unwrap_or_default())),
        ("budget = \"10ms\"", "what a repeated call may take".to_owned()),
        ("timeout = \"10s\"", "how long is waited for an answer".to_owned()),
        ("fail-on = \"budget\"", "must, should, budget or advice".to_owned()),
        ("skip = [\"latency/*\"]", "`mcpwire list` shows all checks".to_owned()),
        ("require = [\"sse/*\"]", "fail where these are not exercised".to_owned()),
        ("baseline = \"expected-failures.yml\"", "`mcpwire baseline write` makes it".to_owned()),
    ] {
        let _ = writeln!(text, "# {line:<38} # {why}");
    }
    text.push('\n');
    text
}

fn foot(text: &mut String) {
    let set = format!("set = {}", toml(sets::newest()));
    let _ = writeln!(text, "\n# With `--profile ci`, these hold instead:\n[profile.ci]");
    let _ = writeln!(text, "{set:<40} # what a newer mcpwire finds does not turn this red");
    let _ = writeln!(text, "{:<40} # on GitHub: [\"text\", \"github\"]", "report = [\"text\", \"junit=mcpwire.xml\"]");
}

/// What the target says of itself.
fn remark(found: &Found, word: &str) -> String {
    let name = found.name.as_deref().map(|name| format!(" calls itself {}", visible(name))).unwrap_or_default();
    format!("# This {word}{}.", if name.is_empty() { " has no name" } else { &name })
}

fn tools(text: &mut String, found: &Found) {
    let names: Vec<&str> = found.tools.iter().filter_map(|tool| tool["name"].as_str()).collect();
    if names.is_empty() {
        let _ = writeln!(text, "# It showed no tools.");
        return;
    }
    const SHOWN: usize = 20;
    let mut shown: Vec<String> = names.iter().take(SHOWN).map(|name| visible(name)).collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    let _ = writeln!(text, "#\n# Its tools: {}.", shown.join(", "));
    let _ = writeln!(
        text,
        "# Uninvited, mcpwire calls those only that are marked as read-only and need no arguments. Deeper checks need a\n\
         # tool for a role: slow, progress, error, large, server-request, echo, side-effect, effect.",
    );
    for Guess { role, name, arguments, but } in guesses(&found.tools) {
        let tool = match arguments.is_empty() {
            true => toml(&name),
            false => format!("{{ name = {}, arguments = {{ {arguments} }} }}", toml(&name)),
        };
        let _ = match but {
            None => writeln!(text, "tool.{role} = {tool}"),
            Some(why) => writeln!(text, "# tool.{role} = {tool}  # {why}"),
        };
    }
}

/// A tool for each role that one seems to be made for.
fn guesses(tools: &[Value]) -> Vec<Guess> {
    let mut guesses: Vec<Guess> = Vec::new();
    for (role, fixture, arguments) in FIXTURES {
        if tools.iter().any(|tool| tool["name"] == *fixture) {
            guesses.push(Guess { role, name: (*fixture).to_owned(), arguments: (*arguments).to_owned(), but: None });
        }
    }
    for (role, words) in WORDS {
        let speaks = |tool: &&Value| {
            let name = tool["name"].as_str().unwrap_or_default().to_lowercase().replace('_', "-");
            words.iter().any(|word| name.contains(word))
        };
        if guesses.iter().any(|guess| guess.role == *role) {
            continue;
        }
        guesses.extend(tools.iter().find(speaks).and_then(|tool| guess(role, tool)));
    }
    guesses
}

fn guess(role: &'static str, tool: &Value) -> Option<Guess> {
    // The flag and the file have a colon between a name and its arguments; nobody has such names.
    let name = tool["name"].as_str().filter(|name| !name.is_empty() && !name.contains(':'))?.to_owned();
    let schema = &tool["inputSchema"];
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let text = || if role == "echo" { toml(MARK) } else { "\"…\"".to_owned() };
    let one = |name: &&str| {
        let value = match schema["properties"][*name]["type"].as_str() {
            Some("integer" | "number") => "1".to_owned(),
            Some("boolean") => "true".to_owned(),
            Some("array") => "[]".to_owned(),
            Some("object") => "{}".to_owned(),
            _ => text(),
        };
        format!("{} = {value}", key(name))
    };
    let arguments: Vec<String> = required.iter().map(one).collect();
    let is_read_only = tool["annotations"]["readOnlyHint"] == Value::Bool(true);
    let but = match (is_read_only, required.is_empty()) {
        (true, true) => None,
        (false, true) => Some("it is not marked as read-only: may it be called?".to_owned()),
        (true, false) => Some("with which arguments?".to_owned()),
        (false, false) => Some("it is not marked as read-only: may it be called, and with which arguments?".to_owned()),
    };
    Some(Guess { role, name, arguments: arguments.join(", "), but })
}

fn texts_or_text(texts: &[String]) -> String {
    match texts {
        [text] => toml(text),
        texts => list(texts),
    }
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| toml(text)).collect::<Vec<_>>().join(", "))
}

/// A text as TOML writes it: as JSON does, but for one character.
fn toml(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007F")
}

/// A key as TOML writes it: in quotation marks where it needs them.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_bare { name.to_owned() } else { toml(name) }
}

/// A name for a target, out of what it calls itself: without versions.
fn slug(name: &str) -> String {
    let is_version = |word: &&str| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let name: Vec<&str> = name.split_whitespace().filter(|word| !is_version(word)).collect();
    let words: Vec<String> = name
        .join(" ")
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.join("-").chars().take(40).collect::<String>().trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::super::Config;
    use super::*;
    use crate::manifest::Role;

    /// The same with everything in force that is only shown.
    fn uncommented(text: &str) -> String {
        let lines = text.lines().filter_map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.contains(" = ") || rest.starts_with('[') => Some(rest),
            Some(_) => None,
            None => Some(line),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn found() -> Found {
        Found {
            name: Some("My Server! 1.2.3".to_owned()),
            revisions: vec![Revision::R20250618, Revision::R20251125],
            tools: vec![
                json!({"name": "slow_query", "annotations": {"readOnlyHint": true}, "inputSchema": {"type": "object"}}),
                json!({"name": "failing"}),
                json!({"name": "Echo", "annotations": {"readOnlyHint": true},
                    "inputSchema": {"required": ["text", "n"], "properties": {"n": {"type": "integer"}}}}),
                json!({"name": "bigwrite", "inputSchema": {"required": ["a \"b\""]}}),
                json!({"name": "test_sampling", "inputSchema": {"required": ["prompt"]}}),
                json!({"name": "evil\n[server.x]\u{1b}[31m"}),
                json!({"name": 7}),
                json!("nothing"),
            ],
        }
    }

    #[test]
    fn what_was_found_is_in_force_where_it_does_no_harm_and_shown_where_it_may() {
        let said = [(Setting::Cmd, vec!["my-server \"a\" --port {port}".to_owned()])];
        let text = for_server(&said, &found());
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("init-server", text));
        let config = Config::read("m.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let server = config.target(Role::Server, "my-server").expect("it is there");
        assert_eq!(
            server.layer.tools().typed(),
            ["slow=slow_query", r#"server-request=test_sampling:{"prompt":"hello"}"#]
        );
        assert_eq!(server.layer.text(Setting::Cmd), Some("my-server \"a\" --port {port}"));
        assert!(config.top.get(Setting::Budget).is_none());
    }

    #[test]
    fn what_is_only_shown_is_right_as_well() {
        let said = [(Setting::Url, vec!["http://127.0.0.1:8000/mcp".to_owned()])];
        let client = for_client(&["my client".to_owned(), "--a=\\\"".to_owned()], &found());
        for text in [for_server(&said, &found()), client, example(), for_server(&said, &Found::default())] {
            assert!(Config::read("m.toml", &text).is_ok(), "{text}");
            let shown = uncommented(&text);
            let config = Config::read("m.toml", &shown).unwrap_or_else(|error| panic!("{error}\n{shown}"));
            assert!(config.top.get(Setting::Budget).is_some(), "{shown}");
            assert!(config.profile("ci").is_ok());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        /// Much of the file is the target's own words.
        #[test]
        fn whatever_a_target_says_the_file_can_be_read_and_says_no_more(
            name in ".{0,40}",
            tools in prop::collection::vec((".{0,20}", prop::bool::ANY, prop::collection::vec(".{0,8}", 0..3)), 0..4),
            cmd in "[ -~\u{0}-\u{1f}\u{7f}\u{e4}]{0,30}",
        ) {
            let tool = |(words, is_read_only, required): &(String, bool, Vec<String>)| json!({
                "name": format!("slow{words}"), "annotations": {"readOnlyHint": is_read_only},
                "inputSchema": {"required": required},
            });
            let found = Found { name: Some(name), revisions: Vec::new(), tools: tools.iter().map(tool).collect() };
            let said = [(Setting::Cmd, vec![format!("x {{port}} {}", shell_words::quote(&cmd))])];
            let text = for_server(&said, &found);
            let config = Config::read("m.toml", &text);
            prop_assert!(config.is_ok(), "{config:?}\n{text}");
            let config = config.expect("it is");
            prop_assert_eq!((config.targets.len(), config.profiles.len()), (1, 1));
            prop_assert_eq!(config.targets[0].layer.text(Setting::Cmd), Some(said[0].1[0].as_str()));
        }
    }

    #[rstest]
    #[case("My Server! 1.2.3", "my-server")]
    #[case("one", "one")]
    #[case("mcp 1.30.0 v1.30", "mcp")]
    #[case("1.0", "")]
    #[case("日本 1.0", "")]
    #[case("../../x 1", "x")]
    fn a_target_is_called_what_it_calls_itself(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(slug(name), expected);
    }
}
