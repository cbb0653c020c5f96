//! A recording is judged as the live run was, or refused with a sentence.

use std::fs;
use std::path::{Path, PathBuf};

use rstest::rstest;

use crate::mcpwire::{BINARY, folder, run, start, start_with, text};

/// Tests a server with these arguments, and gives the live report and the folder of the recording.
fn recorded(arguments: &[&str]) -> (String, PathBuf) {
    recorded_of("server", arguments)
}

fn recorded_of(tested: &str, arguments: &[&str]) -> (String, PathBuf) {
    let folder = folder("recording");
    let (path, live) = (text(&folder.join("it")), folder.join("live.json"));
    let output = format!("json={}", text(&live));
    run(&[&[tested, "--record", &path, "--report", &output][..], arguments].concat());
    (fs::read_to_string(live).expect("the live report"), folder.join("it"))
}

#[rstest]
#[case::the_reference(&[])]
#[case::a_fault(&["--fault", "stream-left-open", "--stream-end-grace", "200ms", "--only", "sse/*"])]
#[case::another_fault(&["--fault", "json-as-plain-text", "--revision", "2025-11-25"])]
#[case::a_selection(&["--only", "sse/*", "--fail-on", "must", "--budget", "3ms"])]
#[case::a_revision_that_is_not_spoken(&["--variant", "legacy-only"])]
fn a_recording_gets_byte_for_byte_the_report_of_the_live_run(#[case] arguments: &[&str]) {
    let (live, recording) = recorded(arguments);
    let again = run(&["judge", &text(&recording), "--report", "json"]);
    assert!(live.len() > 1_000, "{live}");
    assert_eq!(again.stdout, live);
}

#[rstest]
#[case::the_reference(&["--revision", "2025-11-25"])]
#[case::a_fault(&["--revision", "2026-07-28", "--fault", "drops-body", "--only", "client/body-drained"])]
#[case::a_selection(&["--only", "client/connection-reused", "--fail-on", "must", "--budget", "3ms"])]
#[case::a_command(&["--only", "client/orderly-close", "--", BINARY, "reference-client", "--fault", "no-delete"])]
fn a_recording_of_a_client_gets_byte_for_byte_the_report_of_the_live_run(#[case] arguments: &[&str]) {
    let (live, recording) = recorded_of("client", arguments);
    let again = run(&["judge", &text(&recording), "--report", "json"]);
    assert!(live.len() > 1_000, "{live}");
    assert_eq!(again.stdout, live);
}

#[test]
fn a_recording_of_a_command_gets_the_report_of_the_live_run() {
    let command = format!("'{BINARY}' reference --port {{port}}");
    let (live, recording) = recorded(&["--cmd", &command]);
    assert_eq!(run(&["judge", &text(&recording), "--report", "json"]).stdout, live);
}

#[test]
fn options_of_the_judgement_hold_unless_they_are_given_again() {
    let (_, recording) = recorded(&["--fault", "stream-left-open", "--stream-end-grace", "200ms", "--only", "sse/*"]);
    assert_eq!(run(&["judge", &text(&recording)]).code, 1);
    assert_eq!(run(&["judge", &text(&recording), "--fail-on", "must"]).code, 0);
    let other = run(&["judge", &text(&recording), "--only", "latency/*", "--report", "json"]).json();
    let ids = other["checks"].as_array().expect("checks").iter().map(|check| check["area"].as_str().unwrap_or(""));
    assert!(ids.into_iter().all(|area| area == "latency"));
}

#[test]
fn a_recording_is_replaced_by_the_next_one_in_the_same_folder() {
    let folder = text(&folder("twice"));
    run(&["server", "--record", &folder]);
    run(&["server", "--record", &folder, "--revision", "2025-11-25", "--only", "sse/*"]);
    let report = run(&["judge", &folder, "--report", "json"]).json();
    assert_eq!(report["revisions"].as_array().map(Vec::len), Some(1));
    let traces = fs::read_dir(Path::new(&folder).join("traces")).expect("traces").count();
    assert_eq!(traces, 2, "the survey and one scenario");
}

fn a_small_recording() -> PathBuf {
    recorded(&["--revision", "2025-11-25", "--only", "sse/*"]).1
}

fn a_trace_of(recording: &Path) -> PathBuf {
    recording.join("traces/01-2025-11-25-sequential-calls.jsonl")
}

#[test]
fn a_recording_that_is_cut_off_is_not_judged() {
    for keep in [0, 1, 2] {
        let recording = a_small_recording();
        let trace = a_trace_of(&recording);
        let whole = fs::read_to_string(&trace).expect("a trace");
        // Empty, cut between two lines, cut within one.
        let cut = [0, whole[..whole.len() / 2].rfind('\n').expect("lines") + 1, whole.len() / 2][keep];
        fs::write(&trace, &whole[..cut]).expect("a file");
        run(&["judge", &text(&recording)]).assert_says(2, &["is cut off", "sequential-calls"]);
    }
}

#[test]
fn a_recording_with_a_file_missing_or_a_manifest_cut_short_is_not_judged() {
    let recording = a_small_recording();
    fs::remove_file(a_trace_of(&recording)).expect("a file");
    run(&["judge", &text(&recording)]).assert_says(2, &["is cut off"]);

    let recording = a_small_recording();
    let manifest = fs::read(recording.join("manifest.json")).expect("a manifest");
    fs::write(recording.join("manifest.json"), &manifest[..manifest.len() / 2]).expect("a file");
    run(&["judge", &text(&recording)]).assert_says(2, &["manifest.json is cut off"]);
}

#[test]
fn a_damaged_line_is_named() {
    let recording = a_small_recording();
    let trace = a_trace_of(&recording);
    let damaged = fs::read_to_string(&trace).expect("a trace").replacen("\"seq\":3,", "\"seq\":\"three\",", 1);
    fs::write(&trace, damaged).expect("a file");
    run(&["judge", &text(&recording)]).assert_says(2, &["sequential-calls.jsonl, line 5"]);
}

#[test]
fn a_recording_of_another_format_is_refused_with_both_versions() {
    let recording = a_small_recording();
    fs::write(recording.join("manifest.json"), r#"{"format": 99, "tool": "7.0.0", "whatever": true}"#).expect("a file");
    run(&["judge", &text(&recording)]).assert_says(2, &["format 99", "7.0.0", "format 1"]);
}

#[test]
fn a_folder_without_a_manifest_and_a_file_are_no_recordings() {
    let folder = folder("empty");
    run(&["judge", &text(&folder)]).assert_says(2, &["is not a recording"]);
    let file = folder.join("file");
    fs::write(&file, "x").expect("a file");
    run(&["judge", &text(&file)]).assert_says(2, &["is not a recording"]);
}

#[test]
fn a_manifest_does_not_lead_out_of_its_folder() {
    let recording = a_small_recording();
    let manifest = fs::read_to_string(recording.join("manifest.json")).expect("a manifest");
    let leading_out = manifest.replacen("01-2025", "../../01-2025", 1);
    fs::write(recording.join("manifest.json"), leading_out).expect("a file");
    run(&["judge", &text(&recording)]).assert_says(2, &["manifest.json", "../../01-2025"]);
}

#[test]
fn nothing_is_coloured_where_nobody_looks() {
    for arguments in
        [&["server", "--only", "sse/*", "--fault", "stream-left-open", "--stream-end-grace", "100ms"][..], &["list"]]
    {
        for colour in [None, Some("NO_COLOR")] {
            let ended = start_with(arguments, |command| {
                colour.map(|name| command.env(name, "1"));
            })
            .end();
            assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'), "{}", ended.stdout);
        }
    }
    let coloured = start_with(&["server", "--only", "sse/*"], |command| {
        command.env("CLICOLOR_FORCE", "1");
    });
    assert!(coloured.end().stdout.contains('\u{1b}'), "colours can be asked for");
}

#[cfg(unix)]
#[test]
fn a_reader_who_stops_reading_is_no_fault() {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "\"$0\" list | head -n 1", BINARY]);
    let output = shell.output().expect("a shell");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    drop(start(&["--version"]).end());
}
