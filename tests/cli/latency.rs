//! `mcpwire latency`: the table, the samples, the cause, and the exit code of what it found.

use std::collections::BTreeSet;

use crate::mcpwire::run;

const CLASSES: [&str; 7] = ["initialize", "first-call", "repeated-call", "list", "call", "error", "notification"];

#[test]
fn every_class_of_call_is_measured_and_every_sample_is_reported() {
    let ended = run(&["latency", "--revision", "2025-11-25", "--report", "json"]);
    // Whether a budget can be judged is a matter of the machine.
    assert!([0, 1, 6].contains(&ended.code), "{}", ended.stderr);
    let report = ended.json();
    assert_eq!(report["schema"], "mcpwire-latency/1");
    let classes = report["classes"].as_array().expect("classes");
    let named: BTreeSet<&str> = classes.iter().filter_map(|class| class["class"].as_str()).collect();
    assert_eq!(named, BTreeSet::from(CLASSES));
    let samples = report["samples"].as_array().expect("samples");
    for class in classes {
        let of_class = samples.iter().filter(|sample| sample["class"] == class["class"]);
        assert_eq!(class["n"], of_class.count(), "{class}");
        for phase in class["phases"].as_array().expect("phases") {
            let at = |name: &str| phase[name].as_u64().expect("nanoseconds");
            assert!(at("min") <= at("p50") && at("p50") <= at("p90") && at("p90") <= at("max"), "{phase}");
        }
    }
}

#[test]
fn the_table_shows_the_phases_and_the_findings_have_their_exit_code() {
    let ended = run(&["latency", "--revision", "2025-11-25", "--fault", "one-at-a-time"]);
    for phase in ["connect", "request written", "first byte", "first event", "response event", "end of body", "█"] {
        assert!(ended.stdout.contains(phase), "{phase}: {}", ended.stdout);
    }
    let observes = cfg!(all(target_os = "linux", not(mcpwire_portable)));
    if observes {
        assert_eq!(ended.code, 1, "{}", ended.stdout);
        assert!(ended.stdout.contains("head-of-line-blocking"), "{}", ended.stdout);
    } else {
        mcpwire::skipped("linux", "causes are told apart by what only Linux can observe");
    }
}

#[test]
fn what_cannot_be_measured_is_said_in_a_sentence() {
    run(&["latency", "--fault", "no-such-fault"]).assert_says(2, &["no-such-fault"]);
    run(&["latency", "--url", "http://127.0.0.1:1/mcp"]).assert_says(3, &["127.0.0.1:1"]);
}
