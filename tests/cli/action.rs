//! The GitHub Action: what it says, and what its script does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde::Deserialize;

use crate::mcpwire::{BINARY, folder, run, text};

const ACTION: &str = include_str!("../../ci/action/action.yml");
const SCRIPT: &str = include_str!("../../ci/action/run");

#[derive(Deserialize)]
struct Action {
    inputs: BTreeMap<String, Input>,
    runs: Runs,
}

#[derive(Deserialize)]
struct Input {
    description: String,
    #[serde(default)]
    default: String,
}

#[derive(Deserialize)]
struct Runs {
    using: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    shell: String,
    run: String,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default, rename = "if")]
    condition: String,
}

fn action() -> Action {
    serde_saphyr::from_str(ACTION).expect("the action is YAML")
}

/// The names behind `inputs.` in a text.
fn named(text: &str) -> BTreeSet<String> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_');
    text.split("inputs.").skip(1).map(|rest| rest.split(ends).next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn every_input_is_used_and_every_name_is_an_input() {
    let action = action();
    assert_eq!(action.runs.using, "composite");
    let used: BTreeSet<String> = action
        .runs
        .steps
        .iter()
        .flat_map(|step| step.env.values().chain([&step.condition]))
        .flat_map(|text| named(text))
        .collect();
    assert_eq!(used, action.inputs.keys().cloned().collect());
    assert!(action.inputs.values().all(|input| !input.description.is_empty()));
    for official in ["mode", "url", "command", "expected-failures", "timeout"] {
        assert!(action.inputs.contains_key(official), "the official action has {official}");
    }
    assert_eq!(action.inputs["timeout"].default, "30000", "as in the official action");
}

#[test]
fn no_input_is_pasted_into_a_script() {
    for step in action().runs.steps {
        assert_eq!(step.shell, "bash");
        assert!(!step.run.contains("${{"), "{}", step.run);
    }
    assert!(!SCRIPT.contains("${{") && !SCRIPT.contains("eval"));
}

#[test]
fn every_variable_of_the_script_is_set_by_the_action() {
    let set: BTreeSet<String> = action().runs.steps.into_iter().flat_map(|step| step.env.into_keys()).collect();
    let ends = |c: char| !(c.is_ascii_uppercase() || c == '_');
    let read: BTreeSet<String> = SCRIPT
        .split("INPUT_")
        .skip(1)
        .filter_map(|rest| rest.split(ends).next())
        .filter(|name| !name.is_empty())
        .map(|name| format!("INPUT_{name}"))
        .collect();
    assert_eq!(read, set);
}

#[test]
fn every_option_of_the_script_exists() {
    let ends = |c: char| !(c.is_ascii_lowercase() || c == '-');
    let options: BTreeSet<&str> = SCRIPT
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split(" --").skip(1))
        .map(|rest| rest.split(ends).next().unwrap_or_default())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(options.len() >= 10, "{options:?}");
    let (server, client) = (run(&["server", "--help"]).stdout, run(&["client", "--help"]).stdout);
    let is_in = |help: &str, option: &str| help.contains(&format!("--{option} "));
    for option in options {
        assert!(is_in(&server, option), "`mcpwire server` has no --{option}");
        // What says which server is tested has no place in the other role.
        assert!(is_in(&client, option) || ["url", "cmd"].contains(&option), "`mcpwire client` has no --{option}");
    }
}

/// Runs the script with these inputs, and gives what it said and what it wrote into the summary.
fn script(inputs: &[(&str, &str)], folder: &Path) -> (Output, String) {
    script_with(inputs, folder, BINARY)
}

fn script_with(inputs: &[(&str, &str)], folder: &Path, binary: &str) -> (Output, String) {
    let summary = folder.join("summary.md");
    let mut command = Command::new("bash");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/ci/action/run")).current_dir(folder);
    for (name, value) in action().runs.steps.iter().flat_map(|step| &step.env) {
        let input = named(value).pop_first().expect("each is an input");
        let given = inputs.iter().find(|(name, _)| *name == input).map(|(_, value)| (*value).to_owned());
        command.env(name, given.unwrap_or_else(|| action().inputs[&input].default.clone()));
    }
    command.env("INPUT_BINARY", binary).env("GITHUB_STEP_SUMMARY", &summary);
    let output = command.output().expect("bash");
    (output, fs::read_to_string(summary).unwrap_or_default())
}

#[test]
fn the_script_tests_a_server_and_tells_github() {
    let folder = folder("action");
    let server = format!("'{BINARY}' reference --port {{port}} --fault json-as-plain-text");
    let inputs = [
        ("mode", "server"),
        ("command", server.as_str()),
        ("revision", "2025-11-25"),
        ("only", "http/content-type\nsse/well-formed\n"),
        ("name", "a $(touch pwned) `touch pwned`; touch pwned"),
        ("junit", "report.xml"),
    ];
    let (output, summary) = script(&inputs, &folder);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{stdout}");
    assert!(stdout.contains("\n::error title=fail must http/content-type"), "{stdout}");
    assert!(stdout.contains("a $(touch pwned)"), "{stdout}");
    assert!(summary.contains("❌ mcpwire: does not conform"), "{summary}");
    assert!(fs::read_to_string(folder.join("report.xml")).expect("the report").contains("<failure"));
    assert!(!folder.join("pwned").exists(), "an input is no script");

    let baseline = folder.join("baseline.yml");
    fs::write(&baseline, "server:\n  - id: http/content-type\n    reason: issue 7\n").expect("a file");
    let baseline = text(&baseline);
    let inputs = [&inputs[..], &[("expected-failures", baseline.as_str())]].concat();
    let (output, summary) = script(&inputs, &folder);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(summary.contains("❌") && summary.contains("✅"), "a summary is added to: {summary}");
}

#[test]
fn the_script_tests_a_client() {
    let command = format!("'{BINARY}' reference-client --fault no-delete");
    let inputs = [
        ("mode", "client"),
        ("command", command.as_str()),
        ("revision", "2025-11-25"),
        ("only", "client/orderly-close"),
    ];
    let (output, summary) = script(&inputs, &folder("action-client"));
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("client/orderly-close"), "{stdout}");
    assert!(summary.contains("mcpwire"), "{summary}");
}

#[test]
fn the_script_tests_what_the_configuration_says() {
    let folder = folder("action-configuration");
    let server = format!("[server.mine]\ncmd = \"'{BINARY}' reference --port {{port}}\"\nonly = [\"sse/*\"]\n");
    fs::write(folder.join("mcpwire.toml"), server + "revision = \"2025-11-25\"\n").expect("a file");
    let (output, summary) = script(&[("mode", "server"), ("target", "mine")], &folder);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(summary.contains("mine"), "{summary}");
    let (output, _) = script(&[("mode", "client"), ("target", "mine")], &folder);
    assert_eq!(output.status.code(), Some(2), "there is no such client");
}

#[test]
fn without_a_target_nothing_is_tested_and_that_is_an_error() {
    for inputs in [&[("mode", "server")][..], &[("mode", "client")], &[("mode", "sever"), ("url", "http://x")]] {
        let (output, _) = script(inputs, &folder("action-nothing"));
        assert_eq!(output.status.code(), Some(2), "{inputs:?}");
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("::error title=mcpwire::"), "{output:?}");
    }
}

/// What the script calls the binary with: each input arrives, whole, as one argument.
#[test]
fn every_input_reaches_the_binary() {
    let folder = folder("action-arguments");
    let said = folder.join("said");
    fs::write(&said, "#!/bin/sh\nfor word in \"$@\"; do printf '<%s>' \"$word\"; done\n").expect("a file");
    fs::set_permissions(&said, fs::Permissions::from_mode(0o755)).expect("a file of ours");
    let values: BTreeMap<String, String> =
        action().inputs.into_keys().map(|input| (input.clone(), format!("a {input}\u{2019}s"))).collect();
    let with = |changed: &[(&str, &str)]| {
        let inputs = values.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let changed_names: Vec<&str> = changed.iter().map(|(name, _)| *name).collect();
        let kept: Vec<(&str, &str)> = inputs.filter(|(name, _)| !changed_names.contains(name)).collect();
        let all = [&kept[..], changed].concat();
        let (output, _) = script_with(&all, &folder, text(&said).as_str());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(
        with(&[("mode", "server"), ("only", "one\nother\n"), ("timeout", "5")]),
        "<server><--url=a url’s><--cmd=a command’s><--target=a target’s><--config=a config’s><--profile=a profile’s>\
         <--baseline=a expected-failures’s><--revision=a revision’s>\
         <--set=a set’s><--fail-on=a fail-on’s><--name=a name’s><--only=one><--only=other><--skip=a skip’s>\
         <--report=json=a json’s><--report=junit=a junit’s><--report=text><--report=github>"
    );
    assert_eq!(
        with(&[("mode", "client"), ("timeout", "5"), ("only", ""), ("skip", "")]),
        "<client><--timeout=5ms><--target=a target’s><--config=a config’s><--profile=a profile’s><--baseline=a expected-failures’s><--revision=a revision’s><--set=a set’s>\
         <--fail-on=a fail-on’s><--name=a name’s><--report=json=a json’s><--report=junit=a junit’s><--report=text>\
         <--report=github><--><bash><-c><a command’s \"$@\"><mcpwire>"
    );
}
