//! What a target leaves behind, counted in the processes that were started for it.

use rstest::rstest;
use serde_json::Value;

use crate::mcpwire::{BINARY, run};

/// The one check in a report on one revision.
fn judged(target: &[&str], id: &str) -> Value {
    // What is left behind gets as long to go as a client waits for an answer.
    let options = ["--revision", "2025-11-25", "--timeout", "800ms", "--report", "json", "--only", id];
    let ended = run(&[&["server"], target, &options[..]].concat());
    ended.json()["checks"][0].clone()
}

#[rstest]
#[case::directly(format!("'{BINARY}' reference --port {{port}}"))]
// The shell stays, and is the one that was started.
#[case::through_another_process(format!(r#"sh -c "'{BINARY}' reference --port {{port}} $*; true" sh"#))]
fn what_a_process_leaves_behind_is_seen(#[case] server: String) {
    if !cfg!(all(target_os = "linux", not(mcpwire_portable))) {
        mcpwire::skipped("linux", "the descriptors of another process cannot be counted");
        return;
    }
    let good = judged(&["--cmd", &server], "cleanup/descriptors");
    assert_eq!(good["verdict"], "pass", "{good:#}");
    let leaking = format!("{server} --fault socket-left-in-close-wait");
    let bad = judged(&["--cmd", &leaking], "cleanup/descriptors");
    assert_eq!(bad["verdict"], "fail", "{bad:#}");
    assert_eq!(bad["findings"][0]["cause"]["name"], "sockets left in CLOSE_WAIT", "{bad:#}");
    assert!(bad["findings"][0]["observed"].as_str().is_some_and(|words| words.contains("grow by 1.0")), "{bad:#}");
    let hoarding = format!("{server} --fault task-never-reaped");
    let threads = judged(&["--cmd", &hoarding], "cleanup/threads");
    assert_eq!(threads["verdict"], "fail", "{threads:#}");
}

#[test]
fn what_we_did_not_start_is_neither_counted_nor_worked_hard() {
    let reference = mcpwire::reference::Reference::start(mcpwire::reference::Config::default()).expect("it starts");
    let check = judged(&["--url", &reference.url()], "cleanup/descriptors");
    assert_eq!(check["verdict"], "not-exercised", "{check:#}");
    assert!(check["reason"].as_str().is_some_and(|reason| reason.contains("--cmd")), "{check:#}");
}
