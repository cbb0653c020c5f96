//! `mcpwire proxy --fault`: what it takes, what it says beforehand, and what it writes down.

use std::process::Command;

use rstest::rstest;
use serde_json::Value;

use crate::mcpwire::{BINARY, folder, run, text};
use crate::proxy::{Serving, events, with};

#[rstest]
#[case::unknown("nagle", &["unknown fault `nagle` (known: latency, bandwidth, slices, segments, zero-window, half-close, reset-after, stall, reorder, duplicate, late-terminator, no-terminator)"])]
#[case::without_a_value("latency", &["latency takes a time up to 10s or a range of times, such as 20ms or 20ms..80ms"])]
#[case::beyond_the_bounds("stall=2h", &["stall takes a time from 1us to 60s, such as 500ms"])]
#[case::with_a_place_too_many("slices=1@300", &["slices takes no place behind `@` (stall, zero-window and half-close do)"])]
#[case::in_a_direction_that_it_has_not("no-terminator,to-server", &["no-terminator takes to-client or connection=N behind a comma"])]
fn a_fault_that_cannot_be_read_is_told_with_what_could(#[case] fault: &str, #[case] words: &[&str]) {
    let folder = folder("faults-bad");
    let url = "http://127.0.0.1:9/mcp";
    let ended = run(&["proxy", "--url", url, "--record", &text(&folder), "--fault", fault]);
    ended.assert_says(2, words);
    let ended = run(&["proxy", "--url", url, "--record", &text(&folder), "--fault", "slices", "--seed", "seven"]);
    ended.assert_says(2, &["--seed"]);
}

/// Nothing is sent to a machine of somebody else's: the address is one for documentation (RFC 5737).
#[test]
fn faults_towards_another_machine_need_its_name() {
    let folder = folder("faults-elsewhere");
    let record = text(&folder);
    let url = "http://192.0.2.7:9/mcp";
    let refused = |more: &[&str]| {
        let all = [&["proxy", "--url", url, "--record", &record, "--fault", "duplicate"], more].concat();
        let ended = run(&all);
        ended.assert_says(2, &["--fault is meant for this machine", "`--allow-load 192.0.2.7`"]);
        assert!(!folder.join("server").exists());
    };
    refused(&[]);
    refused(&["--allow-load", "192.0.2.70"]);
    // Named, or without a fault, it gets as far as listening.
    for more in [&["--fault", "duplicate", "--allow-load", "192.0.2.7"][..], &[]] {
        let arguments = [&["proxy", "--url", url, "--record", &record], more].concat();
        let proxy = Serving::start(&arguments);
        assert!(proxy.url.starts_with("http://127.0.0.1:"), "{}", proxy.url);
        let (code, said) = proxy.end();
        assert_eq!(code, Some(3), "{said}");
    }
}

#[test]
fn the_faults_are_listed_each_with_a_sentence() {
    let listed = run(&["proxy", "--list-faults"]);
    assert_eq!(listed.code, 0, "{}", listed.stderr);
    let help = run(&["proxy", "--help"]).stdout;
    // The help breaks lines as the terminal is wide.
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    assert!(words(&help).contains(&words(&listed.stdout)), "{help}");
    for name in ["latency=TIME[..TIME]", "zero-window=TIME[@BYTE]", "reset-after=BYTES", "no-terminator"] {
        let line = listed.stdout.lines().find(|line| line.trim_start().starts_with(name));
        assert!(line.is_some_and(|line| line.trim_end().ends_with('.')), "{name}");
    }
}

/// What it will do is said before anything passes, and stands in both recordings; Ctrl-C keeps them.
#[test]
fn what_is_done_is_said_beforehand_and_recorded_with_the_seed() {
    let folder = folder("faults");
    let record = text(&folder);
    let target = Serving::start(&["reference"]);
    let faults = ["slices=1..7", "stall=40ms@90", "no-terminator,connection=1"];
    let given = faults.iter().flat_map(|fault| ["--fault", fault]);
    let fixed = ["proxy", "--url", &target.url, "--record", &record, "--seed", "42"];
    let proxy = Serving::start(&fixed.into_iter().chain(given).collect::<Vec<_>>());
    let told = Command::new(BINARY).arg("reference-client").arg(&proxy.url).output().expect("it runs");
    assert!(String::from_utf8_lossy(&told.stdout).contains("greet"), "{told:?}");
    let (code, said) = proxy.end();
    assert_eq!(code, Some(0), "{said}");
    let says = |words: &str| said.find(words).unwrap_or_else(|| panic!("`{words}` is not in: {said}"));
    let stop = says("stopping");
    for words in ["fault slices=1..7: A system call for", "fault stall=40ms@90,to-client: ", "`--seed 42`"] {
        assert!(says(words) < stop, "{said}");
    }
    for side in ["server", "client"] {
        let manifest = std::fs::read_to_string(folder.join(side).join("manifest.json")).expect("a manifest");
        let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
        assert_eq!(manifest["faults"]["seed"], 42);
        assert_eq!(manifest["faults"]["faults"][1], "stall=40ms@90,to-client");
        let command = manifest["command"].as_str().expect("a command");
        assert!(command.ends_with("--fault no-terminator,connection=1 --seed 42"), "{command}");
        assert!(events(&folder.join(side)).contains(r#""event":"fault-applied""#));
        assert_eq!(with("fail", &folder.join(side)), [""; 0]);
    }
    assert!(events(&folder.join("client")).contains(r#""how":"nothing goes on for 40.0 ms","harm":"exchange""#));
}

#[test]
fn without_a_seed_one_is_chosen_and_said() {
    let folder = folder("faults-seed");
    let url = "http://127.0.0.1:9/mcp";
    let proxy = Serving::start(&["proxy", "--url", url, "--record", &text(&folder), "--fault", "slices"]);
    let (_, said) = proxy.end();
    assert!(said.contains("the seed of the faults is "), "{said}");
    let plain = Serving::start(&["proxy", "--url", url, "--record", &text(&folder)]);
    let (_, said) = plain.end();
    assert!(!said.contains("seed"), "{said}");
}
