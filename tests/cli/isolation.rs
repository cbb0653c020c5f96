//! Several callers at once, and what one of them can do to the others: against servers that other processes, or other
//! people, run.

use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use mcpwire::reference::{Config, Fault, Reference};
use rstest::rstest;
use serde_json::Value;

use crate::mcpwire::{BINARY, Ended, folder, run, text};
use crate::peer::{drip, endlessly, hostile_after, keep_silent};

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n";

/// The reference server's tools, as a user maps his own.
const TOOLS: [&str; 14] = [
    "--tool",
    "slow=slow:{\"ms\":150}",
    "--tool",
    "progress=progress",
    "--tool",
    "error=fail",
    "--tool",
    "large=large:{\"kib\":6144}",
    "--tool",
    "echo=echo:{\"text\":\"{mark}\"}",
    "--tool",
    "side-effect=count-after:{\"key\":\"{mark}\",\"ms\":80}",
    "--tool",
    "effect=counter:{\"key\":\"{mark}\"}",
];

fn test(target: &[&str], revision: &str, options: &[&str]) -> Ended {
    let these = ["--revision", revision, "--timeout", "2s", "--report", "json", "--only", "isolation/*"];
    run(&[&["server"], target, &these, options].concat())
}

/// The verdict on the check of this name, and its reason.
fn judged(ended: &Ended, slug: &str) -> (String, String) {
    let report = ended.json();
    let id = format!("isolation/{slug}");
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["id"] == id.as_str()).expect("a check");
    let word = |member: &str| check[member].as_str().unwrap_or_default().to_owned();
    (word("verdict"), word("reason"))
}

#[rstest]
#[case("2025-11-25", "answers-reach-their-caller", Fault::ArgumentsKeptById)]
#[case("2025-11-25", "nothing-crosses-sessions", Fault::ReportsToEverySession)]
#[case("2026-07-28", "nothing-crosses-sessions", Fault::ReportsOnAnyStream)]
#[case("2026-07-28", "survives-a-dropped-connection", Fault::HangsUpOnAll)]
#[case("2025-11-25", "disconnect-is-no-cancellation", Fault::DisconnectCancels)]
#[case("2026-07-28", "disconnect-is-cancellation", Fault::DisconnectIgnored)]
fn what_one_caller_does_to_others_is_seen_in_another_process(
    #[case] revision: &str,
    #[case] slug: &str,
    #[case] fault: Fault,
) {
    let command = format!("'{BINARY}' reference --port {{port}}");
    let good = test(&["--cmd", &command], revision, &TOOLS);
    assert_eq!(judged(&good, slug), ("pass".to_owned(), String::new()), "{}", good.stdout);
    let bad = test(&["--cmd", &format!("{command} --fault {fault}")], revision, &TOOLS);
    assert_eq!(judged(&bad, slug).0, "fail", "{}", bad.stdout);
}

#[test]
fn without_tools_for_it_the_report_says_which_would_show_it() {
    let reference = Reference::start(Config::default()).expect("it starts");
    for (revision, slug) in
        [("2025-06-18", "disconnect-is-no-cancellation"), ("2026-07-28", "disconnect-is-cancellation")]
    {
        let ended = test(&["--url", &reference.url()], revision, &[]);
        let (verdict, reason) = judged(&ended, slug);
        assert_eq!(verdict, "not-exercised", "{}", ended.stdout);
        assert!(reason.contains("--tool side-effect=NAME --tool effect=NAME"), "{reason}");
        for slug in ["answers-reach-their-caller", "survives-a-dropped-connection"] {
            assert_eq!(judged(&ended, slug).0, "pass", "{}", ended.stdout);
        }
    }
}

#[test]
fn a_foreign_target_gets_few_requests_and_fewer_sessions() {
    let reference = Reference::start(Config::default()).expect("it starts");
    let path = text(&folder("isolation"));
    test(&["--url", &reference.url()], "2025-11-25", &[&TOOLS[..], &["--record", &path]].concat());
    let (mut requests, mut sessions) = (0, 0);
    for file in fs::read_dir(format!("{path}/traces")).expect("traces").flatten() {
        for line in fs::read_to_string(file.path()).expect("a trace").lines() {
            let event: Value = serde_json::from_str(line).expect("an event");
            requests += usize::from(event["event"] == "asked");
            sessions += usize::from(event["event"] == "asked" && event["label"] == "initialize");
        }
    }
    assert!((60..=150).contains(&requests), "{requests} requests");
    assert!((5..=8).contains(&sessions), "{sessions} sessions");
}

#[test]
fn each_check_explains_itself() {
    for slug in [
        "answers-reach-their-caller",
        "nothing-crosses-sessions",
        "bystanders-are-served",
        "survives-a-dropped-connection",
        "disconnect-is-no-cancellation",
        "disconnect-is-cancellation",
    ] {
        let ended = run(&["explain", &format!("isolation/{slug}")]);
        ended.assert_says(0, &[]);
        assert!(ended.stdout.contains("How to fix it"), "{}", ended.stdout);
    }
    let ended = run(&["explain", "isolation/disconnect-is-cancellation"]);
    assert!(ended.stdout.contains("isolation/disconnect-is-no-cancellation"), "{}", ended.stdout);
}

#[derive(Clone, Copy, Debug)]
enum Misdeed {
    Silence,
    NeverReads,
    EndlessEvents,
    SlowDrip,
    Reset,
}

impl Misdeed {
    fn commit(self, stream: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Silence => keep_silent(stream),
            Self::NeverReads => {
                std::thread::sleep(Duration::from_secs(60));
                Ok(())
            }
            Self::EndlessEvents => endlessly(stream, STREAM, "data: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n"),
            Self::SlowDrip => {
                stream.write_all(STREAM.as_bytes())?;
                drip(stream, ": still here\n", Duration::from_millis(50))
            }
            Self::Reset => socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)),
        }
    }
}

#[rstest]
fn a_server_that_turns_hostile_under_several_callers_holds_nobody_up(
    #[values(Misdeed::Silence, Misdeed::NeverReads, Misdeed::EndlessEvents, Misdeed::SlowDrip, Misdeed::Reset)]
    misdeed: Misdeed,
    // Among the dropped calls, and among those of several callers.
    #[values(14, 50, 75)] after: usize,
) {
    let url = hostile_after(after, move |stream| misdeed.commit(stream));
    let options = ["--revision", "2025-11-25", "--timeout", "300ms", "--only", "isolation/*"];
    let ended = run(&[&["server", "--url", &url], &options[..], &TOOLS[..]].concat());
    assert!([1, 6].contains(&ended.code), "exit code {}\n{}\n{}", ended.code, ended.stderr, ended.stdout);
    assert!(ended.took < Duration::from_secs(60), "{:?}\n{}", ended.took, ended.stderr);
}
