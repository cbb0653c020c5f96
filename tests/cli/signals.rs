//! A signal ends the run soon: the partial report is there, and nothing that was started goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use libc::{SIGINT, SIGTERM};
use rstest::rstest;

use crate::mcpwire::{BINARY, Running, folder, run, start, text};

/// What an end may take on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// A server that is slow to end its streams, so that the run takes its time; the shell and a child of its own are
/// in its group, and their numbers in the file.
fn slow_target(pids: &Path) -> String {
    let pids = text(pids);
    let server = format!("'{BINARY}' reference --port {{port}} --fault stream-left-open");
    format!("sh -c 'sleep 600 & echo $! >> {pids}; echo $$ >> {pids}; \"$@\"' sh {server}")
}

pub fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    let began = Instant::now();
    while !there() {
        assert!(began.elapsed() < SOON, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Started, and past the survey: the first stream that stays open holds it.
fn started(arguments: &[&str], pids: &Path) -> Running {
    let command = slow_target(pids);
    let running = start(&[&["server", "--stream-end-grace", "20s", "--cmd", &command][..], arguments].concat());
    wait_for("the command starts", || numbers(pids).len() == 2);
    thread::sleep(Duration::from_secs(2));
    running
}

pub fn numbers(pids: &Path) -> Vec<i32> {
    fs::read_to_string(pids).unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect()
}

#[track_caller]
pub fn assert_gone(pids: &Path) {
    for pid in numbers(pids) {
        // SAFETY: kill has no memory to get wrong, and signal 0 sends nothing.
        wait_for("the group ends", || unsafe { libc::kill(pid, 0) } != 0 || is_zombie(pid));
    }
}

/// In a container nobody may be there to reap an orphan.
fn is_zombie(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

#[rstest]
#[case::ctrl_c(SIGINT, 130, "SIGINT")]
#[case::terminate(SIGTERM, 143, "SIGTERM")]
fn a_signal_ends_the_run_and_its_children_and_the_partial_report_is_written(
    #[case] signal: i32,
    #[case] code: i32,
    #[case] name: &str,
) {
    assert_partial_report("signal", started, signal, code, name);
}

/// A run that is started so, with these options and its processes in this file, ends upon the signal with all that it
/// started, and its partial report and recording are there.
pub fn assert_partial_report(
    label: &str,
    start: impl FnOnce(&[&str], &Path) -> Running,
    signal: i32,
    code: i32,
    name: &str,
) {
    let folder = folder(label);
    let (pids, recording, report): (PathBuf, PathBuf, PathBuf) =
        (folder.join("pids"), folder.join("recording"), folder.join("report.json"));
    let json = format!("json={}", text(&report));
    let running = start(&["--record", &text(&recording), "--report", &json, "--report", "text"], &pids);
    let asked = Instant::now();
    running.signal(signal);
    let ended = running.end();
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    assert_eq!(ended.code, code, "{}", ended.stderr);
    assert_gone(&pids);

    assert!(ended.stdout.contains(&format!("incomplete: interrupted by {name}")), "{}", ended.stdout);
    let live = fs::read_to_string(report).expect("the partial report");
    assert!(live.contains(&format!("interrupted by {name}")), "{live}");
    let again = run(&["judge", &text(&recording), "--report", "json"]);
    assert_eq!(again.stdout, live, "the recording can be judged");
    assert_ne!(again.code, 0);
}

#[test]
fn a_signal_while_the_command_comes_up_ends_it_and_its_children() {
    let folder = folder("coming-up");
    let pids = folder.join("pids");
    let path = text(&pids);
    let command = format!("sh -c 'sleep 600 & echo $! >> {path}; echo $$ >> {path}; wait' {{port}}");
    let running = start(&["server", "--cmd", &command]);
    wait_for("the command starts", || numbers(&pids).len() == 2);
    running.signal(SIGINT);
    let ended = running.end();
    ended.assert_says(130, &["interrupted while"]);
    assert!(ended.took < SOON, "{:?}", ended.took);
    assert_gone(&pids);
}

#[test]
fn a_second_signal_ends_at_once_and_takes_the_children_along() {
    let folder = folder("twice");
    let pids = folder.join("pids");
    let path = text(&pids);
    // It does not end when it is asked to, which holds up an orderly end.
    let server = format!("'{BINARY}' reference --port {{port}} --fault stream-left-open");
    let command =
        format!("sh -c 'trap \"\" TERM; sleep 600 & echo $! >> {path}; echo $$ >> {path}; \"$@\"; wait' sh {server}");
    let running = start(&["server", "--stream-end-grace", "20s", "--cmd", &command]);
    wait_for("the command starts", || numbers(&pids).len() == 2);
    thread::sleep(Duration::from_secs(1));
    running.signal(SIGINT);
    thread::sleep(Duration::from_millis(200));
    running.signal(SIGINT);
    let asked = Instant::now();
    let ended = running.end();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_gone(&pids);
}

#[test]
fn a_command_that_does_not_end_when_asked_is_made_to() {
    let folder = folder("stubborn");
    let pids = folder.join("pids");
    let path = text(&pids);
    let server = format!("'{BINARY}' reference --port {{port}}");
    let command =
        format!("sh -c 'trap \"\" TERM; sleep 600 & echo $! >> {path}; echo $$ >> {path}; \"$@\"; wait' sh {server}");
    let ended = run(&["server", "--only", "sse/*", "--revision", "2025-11-25", "--cmd", &command]);
    assert_eq!(ended.code, 0, "{}\n{}", ended.stderr, ended.stdout);
    assert_eq!(numbers(&pids).len(), 2);
    assert_gone(&pids);
}
