//! Targets that do not come up, are somewhere else, or are no MCP server: each ends with its own sentence.

use std::net::TcpListener;
use std::time::Duration;

use rstest::rstest;

use crate::mcpwire::{BINARY, folder, run, text};
use crate::peer::{answer, answering, serve_on};
use crate::proxy::{Serving, events};

/// A port of 127.0.0.1 on which nobody listens.
fn dead_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a port").port()
}

#[test]
fn a_dead_port_is_not_reached_and_nothing_passes() {
    let ended = run(&["server", "--url", &format!("http://127.0.0.1:{}/mcp", dead_port())]);
    ended.assert_says(3, &["cannot be reached", "Connection refused"]);
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
}

#[rstest]
#[case::not_found("404 Not Found", &["every request with 404", "--path"])]
#[case::unauthorized("401 Unauthorized", &["every request with 401", "--header"])]
#[case::redirected("307 Temporary Redirect", &["every request with 307", "slash"])]
#[case::forbidden("403 Forbidden", &["every request with 403", "--header"])]
fn a_target_that_refuses_everything_is_no_server_to_judge(#[case] status: &str, #[case] words: &[&str]) {
    let ended = run(&["server", "--url", &answering(answer(status, "text/plain", "no"))]);
    ended.assert_says(3, words);
    assert!(ended.stdout.is_empty(), "{}", ended.stdout);
}

#[test]
fn a_web_page_speaks_no_revision_and_nothing_is_judged() {
    let url = answering(answer("200 OK", "text/html", "<html>hello</html>"));
    let ended = run(&["server", "--url", &url]);
    assert_eq!(ended.code, 6, "{}", ended.stderr);
    assert!(ended.stdout.contains("speaks none of the revisions"), "{}", ended.stdout);
    assert!(!ended.stdout.contains("passed (with"), "{}", ended.stdout);
}

#[test]
fn where_the_text_report_is_not_on_standard_output_the_conclusion_is_on_standard_error() {
    let url = answering(answer("200 OK", "text/html", "<html>hello</html>"));
    let ended = run(&["server", "--url", &url, "--report", "json"]);
    ended.assert_says(6, &["speaks none of the revisions"]);
    assert_eq!(ended.json()["summary"]["gate"], "too-little");
}

#[test]
fn a_revision_that_the_target_does_not_speak_leaves_nothing_to_judge() {
    let ended = run(&["server", "--variant", "legacy-only", "--revision", "2026-07-28"]);
    assert_eq!(ended.code, 6, "{}", ended.stdout);
    assert!(ended.stdout.contains("speaks none of the revisions"), "{}", ended.stdout);
}

#[test]
fn checks_that_no_spoken_revision_has_leave_nothing_to_judge() {
    if run(&["list", "session/*"]).code != 0 {
        // Becomes a test with the first check that is not in every revision.
        return;
    }
    let ended = run(&["server", "--only", "session/*", "--revision", "2026-07-28"]);
    assert_eq!(ended.code, 6, "{}", ended.stdout);
    assert!(ended.stdout.contains("none of the selected checks applies"), "{}", ended.stdout);
}

#[test]
fn a_target_that_offers_nothing_to_examine_does_not_pass() {
    // Only JSON answers: no event stream can be seen to end.
    let ended = run(&["server", "--variant", "json-answers", "--only", "sse/stream-ends-after-response"]);
    assert_eq!(ended.code, 6, "{}", ended.stdout);
    assert!(ended.stdout.contains("offered nothing that the selected checks could examine"), "{}", ended.stdout);
}

#[test]
fn a_program_that_is_not_there_cannot_be_started() {
    run(&["server", "--cmd", "no-such-program-anywhere {port}"])
        .assert_says(3, &["cannot start `no-such-program-anywhere`"]);
}

#[cfg(unix)]
#[test]
fn a_program_that_ends_at_once_is_quoted_with_its_last_words() {
    let ended = run(&["server", "--cmd", "sh -c 'echo the database is missing >&2; exit 7' {port}"]);
    ended.assert_says(3, &["exit code 7", "the database is missing"]);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[cfg(unix)]
#[test]
fn a_program_that_opens_no_port_is_waited_for_as_long_as_was_said() {
    let ended = run(&["server", "--start-timeout", "300ms", "--cmd", "sh -c 'echo loading >&2; exec sleep 60' {port}"]);
    ended.assert_says(3, &["did not answer HTTP", "300 ms", "nobody listens", "loading"]);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_somebody_else_serves_is_not_taken_for_the_programs_own() {
    let url = answering(answer("200 OK", "text/plain", "I was here before"));
    run(&["server", "--cmd", "sleep 60", "--url", &url]).assert_says(3, &["served by another process than `sleep 60`"]);
}

#[test]
fn a_command_is_started_on_a_free_port_and_judged() {
    let command = format!("'{BINARY}' reference --port {{port}}");
    let ended = run(&["server", "--cmd", &command, "--report", "json"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stderr, ended.stdout);
    assert_eq!(ended.json()["target"]["kind"], "command");
}

#[test]
fn a_command_with_a_port_of_its_own_is_found_at_its_url() {
    let port = dead_port();
    let command = format!("'{BINARY}' reference --port {port}");
    let url = format!("http://localhost:{port}");
    let ended = run(&["server", "--cmd", &command, "--url", &url, "--only", "sse/*"]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stderr, ended.stdout);
}

#[test]
fn localhost_is_found_where_only_the_other_address_family_is_served() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        eprintln!("SKIPPED: this machine has no IPv6");
        return;
    };
    let port = listener.local_addr().expect("an address").port();
    serve_on(listener, |mut stream| {
        use std::io::Write;
        loop {
            crate::peer::read_request(&mut stream)?;
            stream.write_all(answer("404 Not Found", "text/plain", "no").as_bytes())?;
        }
    });
    run(&["server", "--url", &format!("http://localhost:{port}")]).assert_says(3, &["every request with 404"]);
    run(&["server", "--url", &format!("http://[::1]:{port}")]).assert_says(3, &["every request with 404"]);
}

#[cfg(unix)]
#[test]
fn a_target_that_dies_in_the_middle_is_reported_as_far_as_it_got() {
    // The shell ends the server behind it after a while; its own end comes with that of the group.
    let server = format!("'{BINARY}' reference --port {{port}} --fault stream-left-open");
    let command = format!("sh -c '\"$@\" & sleep 3; kill $!; sleep 60' sh {server}");
    let ended = run(&["server", "--cmd", &command, "--stream-end-grace", "1s", "--report", "json"]);
    // What was found before counts: it comes before the incomplete run.
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let report = ended.json();
    assert!(report["incomplete"].is_string(), "{:#}", report["incomplete"]);
    let judged = report["checks"].as_array().expect("checks").iter().any(|check| check["verdict"] == "fail");
    assert!(judged, "{report:#}");
    ended.assert_says(1, &["does not conform"]);
}

#[test]
fn how_long_a_server_waited_for_a_processor_is_known_of_one_that_runs_for_itself() {
    if !cfg!(all(target_os = "linux", not(mcpwire_portable))) {
        mcpwire::skipped("linux", "another process cannot be looked into");
        return;
    }
    let (server, recording) = (Serving::start(&["reference"]), folder("waited"));
    let options = ["--revision", "2025-11-25", "--only", "latency/*", "--record", &text(&recording)];
    run(&[&["server", "--url", &server.url], &options[..]].concat());
    assert!(events(&recording).contains(r#""event":"peer-waited""#));
}
