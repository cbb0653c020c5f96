//! What is wrong with a command line is told in one sentence, before anything runs.

use std::fs;
use std::time::Duration;

use rstest::rstest;

use crate::mcpwire::{folder, run, text};

#[rstest]
#[case::option(&["server", "--no-such-option"], &["--no-such-option"])]
#[case::subcommand(&["sever"], &["sever", "server"])]
#[case::revision(&["server", "--revision", "2024-11-05"], &["2024-11-05", "2025-03-26", "2026-07-28", "auto"])]
#[case::duration(&["server", "--timeout", "soon"], &["soon", "10ms"])]
#[case::negative_duration(&["server", "--timeout=-1s"], &["-1s", "above zero"])]
#[case::endless_duration(&["server", "--timeout", "1000000h"], &["1000000h", "up to a day"])]
#[case::level(&["server", "--fail-on", "perhaps"], &["perhaps", "must, should, budget, advice"])]
#[case::id(&["server", "--only", "sse/no-such-check"], &["sse/no-such-check", "sse/stream-ends-after-response"])]
#[case::area(&["server", "--skip", "no-such-area/*"], &["no-such-area/*", "known areas", "sse/*"])]
#[case::nothing_left(&["server", "--only", "sse/*", "--skip", "sse/*"], &["leaves no check"])]
#[case::explain(&["explain", "sse/no-such-check"], &["sse/no-such-check"])]
#[case::fault(&["server", "--fault", "no-such-fault"], &["no-such-fault", "stream-left-open"])]
#[case::fault_elsewhere(&["server", "--fault", "nagle", "--url", "http://127.0.0.1:1"], &["--fault", "--url"])]
#[case::start_timeout_alone(&["server", "--start-timeout", "1s"], &["--cmd"])]
#[case::https(&["server", "--url", "https://127.0.0.1:1/mcp"], &["https://127.0.0.1:1/mcp", "not supported yet"])]
#[case::not_a_url(&["server", "--url", "127.0.0.1:1"], &["127.0.0.1:1", "http://"])]
#[case::bad_port(&["server", "--url", "http://127.0.0.1:99999"], &["host or port"])]
#[case::role(&["server", "--tool", "quick=x"], &["quick", "slow, progress, error, large, server-request, echo, side-effect, effect"])]
#[case::role_form(&["server", "--tool", "slow"], &["ROLE=NAME"])]
#[case::role_arguments(&["server", "--tool", "slow=x:[1]"], &["JSON object"])]
#[case::report_format(&["server", "--report", "html"], &["html", "text, json, junit, github"])]
#[case::report_path(&["server", "--report", "json="], &["no path"])]
#[case::report_folder(&["server", "--report", "json=/no/such/folder/x.json"], &["/no/such/folder"])]
#[case::quote(&["server", "--cmd", "server --name 'x {port}"], &["a quote is not closed"])]
#[case::empty_command(&["server", "--cmd", " "], &["empty"])]
#[case::no_port(&["server", "--cmd", "server --port 80"], &["{port}", "--url"])]
#[case::header(&["server", "--header", "Authorization s3cr3t-value"], &["--header", "Name: value"])]
#[case::header_file(&["server", "--header-file", "/no/such/file"], &["/no/such/file"])]
#[case::client_fault(&["client", "--fault", "no-such-fault"], &["no-such-fault", "drops-body"])]
#[case::client_fault_elsewhere(&["client", "--fault", "drops-body", "--", "true"], &["--fault", "COMMAND"])]
#[case::server_fault_of_a_client(&["client", "--fault", "stream-left-open"], &["stream-left-open"])]
#[case::check_of_servers(&["client", "--only", "sse/*"], &["`sse/*`", "`mcpwire server` runs it"])]
#[case::check_of_clients(&["server", "--only", "client/body-drained"], &["`client/body-drained`", "`mcpwire client` runs it"])]
#[case::client_area(&["client", "--only", "no-such-area/*"], &["no-such-area/*", "known areas", "client/*"])]
#[case::client_revision(&["client", "--revision", "2024-11-05"], &["2024-11-05", "2025-11-25", "auto"])]
#[case::client_duration(&["client", "--timeout", "0s"], &["0s", "above zero"])]
#[case::client_command_without_dashes(&["client", "python3"], &["python3", "--"])]
#[case::empty_client(&["client", "--", ""], &["the command", "is empty"])]
#[case::no_client(&["client", "--"], &["no command behind `--`", "embedded reference client"])]
#[case::client_report_folder(&["client", "--report", "json=/no/such/folder/x.json"], &["/no/such/folder"])]
#[case::no_recording(&["judge", "/no/such/folder"], &["/no/such/folder", "manifest.json"])]
fn a_bad_command_line_is_refused_with_a_sentence_that_says_what_would_be_right(
    #[case] arguments: &[&str],
    #[case] words: &[&str],
) {
    let ended = run(arguments);
    ended.assert_says(2, words);
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    assert!(!ended.stderr.contains("s3cr3t-value"), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(10), "nothing ran for it: {:?}", ended.took);
}

#[test]
fn no_command_at_all_shows_the_help_and_is_an_error() {
    let ended = run::<&str>(&[]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("Usage: mcpwire"), "{}", ended.stderr);
}

#[test]
fn help_is_no_error_and_lists_the_exit_codes() {
    let ended = run(&["--help"]);
    assert_eq!(ended.code, 0);
    for words in ["  0    ", "  3    ", "  6    ", "130"] {
        assert!(ended.stdout.contains(words), "{words} is not in {}", ended.stdout);
    }
}

#[test]
fn a_malformed_line_of_a_header_file_is_named_by_its_number_and_not_shown() {
    let file = folder("header-file").join("headers");
    fs::write(&file, "X-Fine: yes\n\nAuthorization Bearer s3cr3t-token-value\n").expect("a file");
    let ended = run(&["server", "--header-file", &text(&file)]);
    ended.assert_says(2, &["line 3", "Name: value"]);
    assert!(!ended.stderr.contains("s3cr3t"), "{}", ended.stderr);
}

#[cfg(target_os = "linux")]
#[rstest]
#[case::of_a_server(&["server", "--only", "sse/*"])]
#[case::of_a_client(&["client", "--only", "client/connection-reused", "--revision", "2025-11-25"])]
fn a_report_that_cannot_be_written_does_not_take_the_others_along(#[case] tested: &[&str]) {
    let good = folder("reports").join("good.json");
    let wanted = ["json=/dev/full", &format!("json={}", text(&good)), "text"];
    let arguments: Vec<&str> = wanted.iter().flat_map(|output| ["--report", output]).collect();
    let ended = run(&[tested, &arguments].concat());
    ended.assert_says(5, &["cannot write /dev/full"]);
    let report: serde_json::Value = serde_json::from_slice(&fs::read(good).expect("the other report")).expect("JSON");
    assert_eq!(report["schema"], "mcpwire-report/1");
    assert!(ended.stdout.contains("conforms"), "{}", ended.stdout);
}

#[rstest]
fn a_folder_that_holds_something_else_is_not_recorded_into(#[values("server", "client")] tested: &str) {
    let folder = folder("not-a-recording");
    fs::create_dir(folder.join("traces")).expect("a folder");
    fs::write(folder.join("traces/precious.txt"), "mine").expect("a file");
    let ended = run(&[tested, "--record", &text(&folder)]);
    ended.assert_says(2, &["cannot record into", "no recording"]);
    assert_eq!(fs::read_to_string(folder.join("traces/precious.txt")).expect("still there"), "mine");
}
