//! Gates: baselines, frozen sets, reports for CI systems, comparing and merging.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rstest::rstest;

use crate::mcpwire::{BINARY, Ended, folder, run, start_with, text};

const ONE: &str = "http/content-type";
const REASON: &str = "server:\n  - id: http/content-type\n    reason: issue 12\n";

/// A file with this text.
fn file(name: &str, content: &str) -> PathBuf {
    let path = folder("gating").join(name);
    fs::write(&path, content).expect("a file");
    path
}

/// Tests the reference server, which labels JSON as text, for that only and in one revision.
fn failing(more: &[&str]) -> Ended {
    tested(&["--fault", "json-as-plain-text"], more)
}

fn tested(target: &[&str], more: &[&str]) -> Ended {
    let selected = ["server", "--revision", "2025-11-25", "--only", ONE];
    run(&[&selected[..], target, more].concat())
}

/// The JSON report of a run with these arguments, in a file.
fn report(arguments: &[&str]) -> PathBuf {
    let path = folder("report").join("report.json");
    run(&[&["server"][..], arguments, &["--report", &format!("json={}", text(&path))]].concat());
    path
}

#[test]
fn what_the_baseline_expects_runs_and_is_shown_and_gates_nothing() {
    let baseline = text(&file("baseline.yml", REASON));
    assert_eq!(failing(&[]).code, 1, "without it");
    let ended = failing(&["--baseline", &baseline]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    for words in [
        "conforms, but for what the baseline expects",
        "1 failed (1 of them expected)",
        "expected to fail",
        "http/content-type (it fails in 2025-11-25)",
        "issue 12",
    ] {
        assert!(ended.stdout.contains(words), "`{words}` is not in {}", ended.stdout);
    }
    let json = failing(&["--baseline", &baseline, "--report", "json"]).json();
    assert_eq!(json["checks"][0]["verdict"], "fail");
    assert_eq!((&json["checks"][0]["baselined"], &json["checks"][0]["expected"]), (&true.into(), &"issue 12".into()));
    assert_eq!(json["baseline"]["entries"][0]["state"], "excuses");
    assert_eq!(failing(&["--expected-failures", &baseline]).code, 0, "the name that the official suite has for it");
}

#[test]
fn what_the_baseline_expects_of_a_client_gates_nothing() {
    let arguments = ["client", "--fault", "drops-body", "--revision", "2025-11-25", "--only", "client/body-drained"];
    assert_eq!(run(&arguments).code, 1);
    let baseline = text(&file("baseline.yml", "client:\n  - id: client/body-drained\n    reason: issue 13\n"));
    let ended = run(&[&arguments[..], &["--baseline", &baseline]].concat());
    assert_eq!(ended.code, 0, "{}", ended.stdout);
}

#[test]
fn what_passes_has_to_go_from_the_baseline() {
    let baseline = text(&file("baseline.yml", REASON));
    let ended = tested(&[], &["--baseline", &baseline]);
    assert_eq!(ended.code, 4, "{}", ended.stdout);
    assert!(ended.stdout.starts_with("conforms, but the baseline is stale"), "{}", ended.stdout);
    assert!(ended.stdout.contains("delete line 2: http/content-type"), "{}", ended.stdout);
}

#[test]
fn what_was_not_selected_is_neither_stale_nor_fine() {
    let baseline = text(&file("baseline.yml", "server:\n  - id: sse/well-formed\n    reason: x\n"));
    let ended = tested(&[], &["--baseline", &baseline]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(ended.stdout.contains("neither stale nor fine"), "{}", ended.stdout);
    assert!(ended.stdout.contains("line 2: sse/well-formed (not selected)"), "{}", ended.stdout);
}

#[test]
fn an_entry_whose_time_is_over_excuses_nothing() {
    let baseline = text(&file("baseline.yml", &format!("{REASON}    expires: 2026-01-31\n")));
    let ended = failing(&["--baseline", &baseline]);
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("expired on 2026-01-31, and it fails in 2025-11-25"), "{}", ended.stdout);
}

#[rstest]
fn a_baseline_that_cannot_be_used_is_refused_before_anything_runs(
    #[values(&["server"], &["client"], &["judge", "/no/such/recording"])] tested: &[&str],
) {
    let baseline = text(&file("baseline.yml", "server:\n  - id: sse/well-fromed\n    reason: x\n"));
    let ended = run(&[tested, &["--baseline", &baseline]].concat());
    ended.assert_says(2, &["baseline.yml, line 2", "sse/well-fromed", "sse/well-formed"]);
    assert!(ended.stdout.is_empty());
    run(&[tested, &["--baseline", "/no/such/file"]].concat()).assert_says(2, &["/no/such/file"]);
}

#[test]
fn a_target_that_cannot_be_reached_is_not_excused() {
    let baseline = text(&file("baseline.yml", REASON));
    // Bound and closed again: nobody listens there.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    drop(listener);
    let ended = run(&["server", "--url", &url, "--baseline", &baseline]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
}

#[test]
fn a_recording_gets_the_same_report_under_the_same_baseline() {
    let baseline = text(&file("baseline.yml", REASON));
    let folder = folder("recorded");
    let (recording, live) = (text(&folder.join("it")), text(&folder.join("live.json")));
    let output = format!("json={live}");
    let gate = ["--baseline", baseline.as_str(), "--set", "2026-11-21", "--name", "mine"];
    failing(&[&gate[..], &["--record", &recording, "--report", &output]].concat());
    let again = run(&[&["judge", &recording][..], &gate, &["--report", "json"]].concat());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(again.stdout, fs::read_to_string(&live).expect("the live report"));
    assert_eq!(again.json()["target"]["name"], "mine");
    assert_eq!(run(&["judge", &recording]).code, 1, "a baseline is no part of a recording");
    let set = run(&["judge", &recording, "--report", "json"]).json();
    assert_eq!(set["summary"]["set"], "2026-11-21", "the options of the run hold");
}

#[test]
fn a_baseline_is_written_from_a_run_and_keeps_the_reasons_it_finds() {
    let baseline = folder("written").join("baseline.yml");
    let path = text(&baseline);
    let report = report(&["--fault", "json-as-plain-text", "--only", ONE]);
    run(&["baseline", "write", &path, "--from", &text(&report)]).assert_says(0, &["0 entries kept, 1 new", "TODO"]);
    let written = fs::read_to_string(&baseline).expect("the baseline");
    assert!(written.contains("  - id: http/content-type\n    reason: \"TODO: "), "{written}");
    failing(&["--baseline", &path]).assert_says(2, &["baseline.yml, line 5", "is still `TODO", "say why it fails"]);

    fs::write(&baseline, written.replace("TODO: say why it fails", "issue 12")).expect("a file");
    assert_eq!(failing(&["--baseline", &path]).code, 0);
    let before = fs::read_to_string(&baseline).expect("the baseline");
    run(&["baseline", "write", &path, "--from", &text(&report)]).assert_says(0, &["1 entries kept, 0 new"]);
    assert_eq!(fs::read_to_string(&baseline).expect("the baseline"), before, "the same run writes the same");
}

#[test]
fn a_baseline_is_written_from_a_pipe() {
    let path = folder("piped").join("baseline.yml");
    let report = fs::read(report(&["--only", ONE, "--revision", "2025-11-25"])).expect("a report");
    fs::write(&path, REASON).expect("a file");
    let mut child = Command::new(BINARY)
        .args(["baseline", "write", &text(&path)])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    child.stdin.take().expect("a pipe").write_all(&report).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.contains("gone, since it passes: http/content-type"), "{said}");
    assert!(!fs::read_to_string(&path).expect("the baseline").contains("http/content-type"));
}

#[test]
fn a_frozen_set_is_one_that_was_published() {
    tested(&[], &["--set", "2020-01-01"]).assert_says(2, &["2020-01-01", "known sets: 2026-11-21"]);
    let ended = failing(&["--set", "2026-11-21"]);
    assert_eq!(ended.code, 1, "what is in the set gates");
}

#[test]
fn junit_is_red_where_the_gate_is() {
    let path = folder("junit").join("report.xml");
    let output = format!("junit={}", text(&path));
    let read = || {
        let xml = fs::read_to_string(&path).expect("the report");
        quick_junit::Report::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}:\n{xml}"))
    };
    assert_eq!(failing(&["--report", &output]).code, 1);
    let junit = read();
    assert_eq!((junit.failures, junit.errors), (1, 0));
    let case = junit.test_suites.iter().flat_map(|suite| &suite.test_cases).find(|case| case.name.as_str() == ONE);
    let quick_junit::TestCaseStatus::NonSuccess { message, description, .. } = &case.expect("the check").status else {
        panic!("{junit:?}");
    };
    assert!(message.as_ref().is_some_and(|message| message.as_str().contains("text/plain")), "{message:?}");
    let told = description.as_ref().expect("a description").as_str();
    for words in ["expected  ", "observed  ", "▶", "fix       ", "replay    mcpwire server"] {
        assert!(told.contains(words), "`{words}` is not in {told}");
    }
    let baseline = text(&file("baseline.yml", REASON));
    assert_eq!(failing(&["--report", &output, "--baseline", &baseline]).code, 0);
    let junit = read();
    assert_eq!((junit.failures, junit.errors), (0, 0));
    assert_eq!(tested(&[], &["--report", &output, "--baseline", &baseline]).code, 4);
    assert_eq!(read().failures, 1, "a stale entry is red");
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let summary = folder("github").join("summary.md");
    fs::write(&summary, "before\n").expect("a file");
    let arguments = ["server", "--fault", "json-as-plain-text", "--only", ONE, "--report", "github"];
    let ended = start_with(&arguments, |command| {
        command.env("GITHUB_STEP_SUMMARY", &summary);
    })
    .end();
    assert_eq!(ended.code, 1);
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.stdout);
    assert!(ended.stdout.starts_with("::error title=fail must http/content-type"), "{}", ended.stdout);
    let summary = fs::read_to_string(&summary).expect("the summary");
    assert!(summary.starts_with("before\n## ❌ mcpwire: does not conform"), "{summary}");
    assert!(ended.stderr.contains("does not conform"), "{}", ended.stderr);

    let ended = start_with(&arguments, |command| {
        command.env("GITHUB_STEP_SUMMARY", "/no/such/folder/summary.md");
    })
    .end();
    ended.assert_says(5, &["cannot write to GITHUB_STEP_SUMMARY=/no/such/folder/summary.md"]);
    assert!(ended.stdout.starts_with("::error"), "what could be written was: {}", ended.stdout);
}

#[rstest]
#[case::a_path_for_github(&["server", "--report", "github=x"], &["github has no path", "GITHUB_STEP_SUMMARY"])]
#[case::latency_has_no_checks(&["latency", "--report", "junit"], &["junit", "text, json"])]
#[case::no_report(&["compare", "/no/such.json", "/no/such.json"], &["/no/such.json"])]
#[case::nothing_to_merge(&["merge"], &["JSON"])]
#[case::baseline_alone(&["baseline"], &["write"])]
fn what_cannot_be_done_is_refused(#[case] arguments: &[&str], #[case] words: &[&str]) {
    let ended = run(arguments);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    for word in words {
        assert!(ended.stderr.contains(word), "`{word}` is not in {}", ended.stderr);
    }
}

#[rstest]
fn what_is_no_report_is_refused_with_its_name(#[values("compare", "merge")] command: &str) {
    let good = report(&["--only", ONE, "--revision", "2025-11-25"]);
    let whole = fs::read_to_string(&good).expect("a report");
    let other = whole.replacen("mcpwire-report/1", "mcpwire-report/7", 1);
    for (name, content, words) in [
        ("cut.json", &whole[..whole.len() / 2], "is cut off"),
        ("text.json", "does not conform", "is no report of mcpwire"),
        ("foreign.json", "{}", "it has no `schema`"),
        ("newer.json", &other, "of the form `mcpwire-report/7`"),
    ] {
        let bad = text(&file(name, content));
        run(&[command, &text(&good), &bad]).assert_says(2, &[name, words]);
    }
}

#[test]
fn compare_ends_by_what_became_worse() {
    let selected = ["--only", ONE, "--revision", "2025-11-25"];
    let good = text(&report(&selected));
    let bad = text(&report(&[&selected[..], &["--fault", "json-as-plain-text"]].concat()));
    let more = text(&report(&["--only", ONE, "--only", "sse/well-formed", "--revision", "2025-11-25"]));
    let compared = |one: &str, other: &str| run(&["compare", one, other]);
    let worse = compared(&good, &bad);
    assert_eq!(worse.code, 1);
    assert!(worse.stdout.contains("http/content-type: pass → fail (must)\n    in 2025-11-25"), "{}", worse.stdout);
    assert!(worse.stdout.starts_with("1 regression, 0 improvements, 0 unchanged"), "{}", worse.stdout);
    let better = compared(&bad, &good);
    assert_eq!(better.code, 0);
    assert!(better.stdout.starts_with("0 regressions, 1 improvement, 0 unchanged"), "{}", better.stdout);
    assert_eq!(compared(&bad, &bad).code, 0, "no worse than it was");
    assert_eq!(compared(&good, &more).code, 0, "a new check is no regression");
    let lost = compared(&more, &good);
    assert_eq!(lost.code, 6, "of what was not run nobody can say that it is as it was");
    assert!(lost.stdout.contains("no longer exercised or decided (1)"), "{}", lost.stdout);
}

#[test]
fn merge_ends_as_one_run_of_everything_would_have() {
    let one = text(&report(&["--only", "sse/well-formed", "--revision", "2025-11-25", "--name", "mine"]));
    let other =
        text(&report(&["--only", ONE, "--revision", "2026-07-28", "--name", "mine", "--fault", "json-as-plain-text"]));
    let merged = run(&["merge", &one, &other, "--report", "json"]);
    assert_eq!(merged.code, 1);
    let json = merged.json();
    assert_eq!(json["checks"].as_array().map(Vec::len), Some(2));
    assert_eq!(json["revisions"].as_array().map(Vec::len), Some(2));
    assert_eq!(run(&["merge", &other, &one, "--report", "json"]).stdout, merged.stdout, "in either order");
    assert_eq!(run(&["merge", &one]).code, 0);

    let baseline = text(&file("baseline.yml", REASON));
    assert_eq!(run(&["merge", &one, &other, "--baseline", &baseline]).code, 0);
    let text_report = run(&["merge", &one, &other]).stdout;
    assert!(text_report.contains("FAIL must http/content-type  2026-07-28"), "{text_report}");
    assert!(text_report.contains("fix "), "how to fix it is told of a report that was read: {text_report}");

    let older = fs::read_to_string(&other).expect("a report").replacen("\"mcpwire 0", "\"mcpwire 9", 1);
    let older = text(&file("older.json", &older));
    run(&["merge", &one, &older]).assert_says(2, &["older.json was made by mcpwire 9", "merged by one version"]);
}

/// What a failing team reads first.
#[test]
fn the_text_report_leads_with_the_verdict_and_fits_into_80_columns() {
    let ended = run(&["server", "--fault", "json-as-plain-text", "--only", "http/*", "--only", "session/*"]);
    let out = &ended.stdout;
    assert!(out.starts_with("does not conform: findings (must "), "{out}");
    let place = |words: &str| out.find(words).unwrap_or_else(|| panic!("`{words}` is not in {out}"));
    let order = ["FAIL must http/content-type", "replay    ", " failed, ", "not applicable\n", "\npassed"].map(place);
    assert!(order.is_sorted(), "{order:?}\n{out}");
    assert!(out.trim_end().lines().last().is_some_and(|line| line.starts_with("does not conform")), "{out}");
    // What is copied from a terminal is not broken: the target, commands, links; and moments are lines of their own.
    let whole = |line: &str| ["  replay", "            http", "    "].iter().any(|start| line.starts_with(start));
    for line in out.lines().enumerate().filter(|(nth, line)| *nth != 1 && !whole(line)).map(|(_, line)| line) {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    assert!(!out.contains('\u{1b}'));
}

/// A target that prints what a CI system would take for a command.
#[test]
fn the_last_words_of_a_target_are_no_commands() {
    let folder = folder("last-words");
    let script = folder.join("server");
    fs::write(
        &script,
        format!("echo '::error::mine' >&2\nexec '{BINARY}' reference --fault json-as-plain-text \"$@\"\n"),
    )
    .expect("a file");
    let command = format!("sh '{}' --port {{port}}", text(&script));
    let ended = run(&["server", "--cmd", &command, "--only", ONE, "--revision", "2025-11-25"]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stdout.contains("  | ::error::mine"), "{}", ended.stdout);
    assert!(ended.stdout.lines().all(|line| !line.trim_start().starts_with("::")), "{}", ended.stdout);
}

#[test]
fn a_set_is_written_from_the_list() {
    let script = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/new-set")).expect("the script");
    assert!(script.contains("list"));
    // What awk takes from the list is an id and four levels.
    let listed = run(&["list"]).stdout;
    for line in listed.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().take(5).collect();
        assert!(words[0].contains('/'), "{line}");
        let level = |word: &&str| ["must", "should", "budget", "advice", "-"].contains(word);
        assert!(words.len() == 5 && words[1..].iter().all(level), "{line}");
    }
}
