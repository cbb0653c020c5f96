//! A recording is shown as conversations.

use rstest::rstest;

use crate::mcpwire::{folder, run, text};

/// What `show` prints of a recording that was made so.
fn shown(tested: &[&str], arguments: &[&str]) -> crate::mcpwire::Ended {
    let recording = text(&folder("shown").join("it"));
    run(&[tested, &["--record", &recording]].concat());
    run(&[&["show", &recording], arguments].concat())
}

#[test]
fn the_conversations_with_a_server_are_shown_in_two_columns() {
    let server = ["server", "--only", "rpc/unknown-method-is-an-error", "--revision", "2025-11-25"];
    let shown = shown(&server, &[]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    let pages: Vec<&str> = shown.stdout.split("\n\n\n").filter_map(|page| page.lines().next()).collect();
    assert_eq!(pages, ["survey in 2025-11-25", "unknown-method in 2025-11-25"]);
    assert!(shown.stdout.contains("  → POST ping <id>"), "{}", shown.stdout);
    assert!(shown.stdout.contains("\n                                        ← 200 "), "{}", shown.stdout);
}

#[test]
fn a_scenario_of_a_client_is_shown_by_itself() {
    let client = ["client", "--only", "client/body-drained", "--revision", "2025-11-25"];
    let shown = shown(&client, &["--scenario", "client-late-end"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.starts_with("client-late-end in 2025-11-25\n"), "{}", shown.stdout);
    // Whatever stands on no page yet is written out.
    assert!(!shown.stdout.contains("client-calls/"), "{}", shown.stdout);
}

#[rstest]
#[case(&["--scenario", "survay"], "`survay` is not a scenario (known scenarios: survey, sequential-calls, ")]
#[case(&["--scenario", "crowd"], "nothing in the recording fits (scenarios in it: survey, unknown-method)")]
#[case(&["--revision", "2025-06-18"], "nothing in the recording fits")]
fn what_is_not_there_is_an_error_that_says_what_is(#[case] arguments: &[&str], #[case] expected: &str) {
    let server = ["server", "--only", "rpc/unknown-method-is-an-error", "--revision", "2025-11-25"];
    let shown = shown(&server, arguments);
    assert_eq!(shown.code, 2, "{}", shown.stderr);
    assert!(shown.stderr.contains(expected), "{}", shown.stderr);
}
