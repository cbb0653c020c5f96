//! Load that is asked for: many calls, many streams, and whom it may be put on.

use rstest::rstest;

use crate::mcpwire::{BINARY, Ended, run};

/// A run with load, in one revision.
fn loaded(target: &[&str], load: &str, id: &str) -> Ended {
    let options = ["--revision", "2025-11-25", "--report", "json", "--only", id, load];
    run(&[&["server"], target, &options[..]].concat())
}

#[test]
fn memory_of_every_call_is_seen_in_a_process() {
    if !cfg!(all(target_os = "linux", not(mcpwire_portable))) {
        mcpwire::skipped("linux", "the memory of another process cannot be seen");
        return;
    }
    let server = format!("'{BINARY}' reference --port {{port}}");
    let good = loaded(&["--cmd", &server], "--soak", "cleanup/memory").json()["checks"][0].clone();
    assert_eq!((&good["verdict"], &good["examined"]), (&"pass".into(), &1.into()), "{good:#}");
    let leaking = format!("{server} --fault memory-of-every-call");
    let bad = loaded(&["--cmd", &leaking], "--soak", "cleanup/memory");
    let check = bad.json()["checks"][0].clone();
    assert_eq!((&check["verdict"], &check["level"]), (&"fail".into(), &"advice".into()), "{check:#}");
    let observed = check["findings"][0]["observed"].as_str().unwrap_or_default().to_owned();
    // An entry has 512 bytes; the allocator adds its own.
    let slope: f64 = observed.split_ascii_whitespace().find_map(|word| word.parse().ok()).expect("a number");
    assert!((500.0..700.0).contains(&slope), "{observed}");
    assert!(check["findings"][0]["replay"].as_str().is_some_and(|replay| replay.contains(" --soak ")), "{check:#}");
    assert_eq!(bad.code, 0, "advice does not gate: {}", bad.stderr);
}

#[test]
fn fewer_calls_are_made_and_nothing_is_said_of_memory() {
    let server = format!("'{BINARY}' reference --port {{port}}");
    let ended = loaded(&["--cmd", &server], "--soak=300", "cleanup/memory");
    let check = &ended.json()["checks"][0];
    assert_eq!(check["verdict"], "not-exercised", "{check:#}");
    assert!(ended.stderr.contains("load: 300 calls"), "{}", ended.stderr);
}

#[test]
fn a_crowd_that_loses_calls_is_told_from_one_that_does_not() {
    let good = loaded(&[], "--crowd=8x4", "isolation/crowd-is-served").json()["checks"][0].clone();
    assert_eq!((&good["verdict"], &good["examined"]), (&"pass".into(), &24.into()), "{good:#}");
    assert_eq!(good["reason"], "32 streams were held at once");
    let bad = loaded(&["--fault", "forgets-in-a-crowd", "--timeout", "2s"], "--crowd=8x4", "isolation/crowd-is-served");
    let check = &bad.json()["checks"][0];
    assert_eq!(check["verdict"], "fail", "{check:#}");
}

#[test]
fn a_server_that_has_enough_is_not_accused() {
    let server = format!("'{BINARY}' reference --port {{port}} --connections 12");
    let check = loaded(&["--cmd", &server, "--tool", "slow=slow"], "--crowd=2x10", "isolation/crowd-is-served");
    let check = check.json()["checks"][0].clone();
    assert_eq!(check["verdict"], "not-exercised", "{check:#}");
    assert!(check["reason"].as_str().is_some_and(|reason| reason.contains("a closed connection")), "{check:#}");
}

#[rstest]
#[case(&["--only", "cleanup/memory"], "`cleanup/memory` is judged under load only: add --soak")]
#[case(&["--only", "isolation/crowd-is-served", "--soak"], "add --crowd")]
#[case(&["--soak=0"], "1..=1000000")]
#[case(&["--crowd=10"], "`10` is not of the form SESSIONSxSTREAMS, such as 100x10")]
#[case(&["--crowd=1000x1000"], "up to 20000 streams in all")]
#[case(&["--soak", "--url", "http://192.0.2.1:9/mcp"], "`--allow-load 192.0.2.1`")]
#[case(&["--crowd", "--url", "http://192.0.2.1:9/mcp", "--allow-load", "example.org"], "`--allow-load 192.0.2.1`")]
fn what_cannot_be_asked_for_is_said_in_one_sentence(#[case] options: &[&str], #[case] expected: &str) {
    let ended = run(&[&["server"], options].concat());
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert!(!ended.stderr.contains("asking for"), "nothing was sent: {}", ended.stderr);
}

#[test]
fn what_is_judged_under_load_only_is_no_part_of_an_ordinary_run() {
    let ended = run(&["server", "--revision", "2025-11-25", "--only", "cleanup/*", "--report", "json"]);
    let report = ended.json();
    let checks = report["checks"].as_array().expect("checks");
    assert!(checks.len() > 1 && checks.iter().all(|check| check["id"] != "cleanup/memory"), "{report:#}");
    let explained = run(&["explain", "cleanup/memory"]);
    assert!(explained.stdout.contains("runs with --soak only"), "{}", explained.stdout);
}
