//! Streams that are lost and resumed: what is found, what it costs the target, and servers that mean harm.

use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use crate::mcpwire::{folder, run, text};
use crate::peer::{endlessly, hostile_where, keep_silent};

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n";

/// So many requests does a scenario make at the most.
const MOST_REQUESTS: usize = 40;

/// What a run may take on the clock; most of it is waiting for other programs.
const IN_TIME: Duration = Duration::from_secs(60);

/// The verdicts of the area in one revision, by id.
fn judged(options: &[&str], revision: &str) -> Vec<(String, String)> {
    let only = ["--revision", revision, "--stream-end-grace", "400ms", "--report", "json", "--only", "resumption/*"];
    let ended = run(&[&["server"], options, &only[..]].concat());
    let report = ended.json();
    let word = |check: &Value, member: &str| check[member].as_str().unwrap_or_default().to_owned();
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().map(|check| (word(check, "id"), word(check, "verdict"))).collect()
}

fn with(verdict: &str, verdicts: &[(String, String)]) -> Vec<String> {
    verdicts.iter().filter(|(_, other)| other == verdict).map(|(id, _)| id.clone()).collect()
}

#[rstest]
#[case("event-ids-per-stream", "resumption/ids-unique-in-session")]
#[case("replay-reversed", "resumption/replays-what-was-missed")]
#[case("replay-starts-too-early", "resumption/nothing-twice")]
#[case("replay-of-all-streams", "resumption/nothing-of-other-streams")]
#[case("replay-never-ends", "resumption/finished-stream-can-be-fetched")]
fn a_server_that_resumes_wrongly_is_found_out(#[case] fault: &str, #[case] id: &str) {
    assert_eq!(with("fail", &judged(&["--fault", fault], "2025-06-18")), [id]);
}

#[rstest]
#[case::whole(&[], 5)]
#[case::under_new_ids(&["--variant", "new-ids-on-replay"], 5)]
#[case::refusing_what_it_does_not_know(&["--variant", "unknown-event-id-refused"], 5)]
#[case::polled(&["--variant", "polling"], 5)]
#[case::without_ids(&["--variant", "no-event-ids"], 0)]
// Its ids are judged all the same.
#[case::without_get(&["--variant", "get-405"], 1)]
fn what_the_specification_leaves_open_is_not_held_against_a_server(#[case] options: &[&str], #[case] passed: usize) {
    let verdicts = judged(options, "2025-11-25");
    assert_eq!(with("fail", &verdicts), [""; 0]);
    assert_eq!(with("pass", &verdicts).len(), passed, "{verdicts:?}");
}

#[rstest]
fn what_a_target_is_asked_is_bounded(#[values("polling", "new-ids-on-replay")] variant: &str) {
    let recording = folder("resumption");
    run(&["server", "--variant", variant, "--only", "resumption/*", "--record", &text(&recording)]);
    let mut scenarios = 0;
    for entry in fs::read_dir(recording.join("traces")).expect("traces").flatten() {
        let path = entry.path();
        if !path.to_string_lossy().ends_with("-resumption.jsonl") {
            continue;
        }
        scenarios += 1;
        let asked = fs::read_to_string(&path).expect("a trace").matches(r#""event":"asked""#).count();
        assert!((10..=MOST_REQUESTS).contains(&asked), "{asked} requests in {}", path.display());
    }
    assert_eq!(scenarios, 3);
}

#[derive(Clone, Copy, Debug)]
enum Misdeed {
    EndlessReplay,
    EndlessIds,
    NeverAnswers,
    SaysNothing,
    ComeBackTomorrow,
    Reset,
}

impl Misdeed {
    fn commit(self, stream: &mut TcpStream) -> io::Result<()> {
        let report =
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"x","progress":1}}"#;
        match self {
            Self::EndlessReplay => endlessly(stream, STREAM, &format!("id: again\ndata: {report}\n\n")),
            Self::EndlessIds => endlessly(stream, STREAM, "id: 0-0\ndata:\n\n"),
            Self::NeverAnswers => keep_silent(stream),
            Self::SaysNothing => {
                stream.write_all(STREAM.as_bytes())?;
                keep_silent(stream)
            }
            Self::ComeBackTomorrow => {
                stream.write_all(format!("{STREAM}id: later\nretry: 86400000\ndata:\n\n").as_bytes())
            }
            Self::Reset => socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)),
        }
    }
}

#[rstest]
fn a_server_that_means_harm_when_a_stream_is_resumed_is_left_in_time(
    #[values(
        Misdeed::EndlessReplay,
        Misdeed::EndlessIds,
        Misdeed::NeverAnswers,
        Misdeed::SaysNothing,
        Misdeed::ComeBackTomorrow,
        Misdeed::Reset
    )]
    misdeed: Misdeed,
) {
    const PEAK_MIB: u64 = 400;

    let resumes = |request: &[u8]| request.windows(15).any(|name| name.eq_ignore_ascii_case(b"\r\nLast-Event-ID"));
    let url = hostile_where(resumes, move |stream| misdeed.commit(stream));
    let patience = ["--timeout", "600ms", "--stream-end-grace", "300ms"];
    let only = ["--only", "resumption/*", "--tool", "progress=progress", "--report", "json"];
    let ended = run(&[&["server", "--url", &url], &patience[..], &only[..]].concat());
    assert!([0, 1, 6].contains(&ended.code), "{}", ended.stderr);
    assert!(ended.took < IN_TIME, "{:?}", ended.took);
    assert!(ended.peak_mib.is_none_or(|peak| peak < PEAK_MIB), "{:?} MiB", ended.peak_mib);
    // What a server does not replay it need not: nothing that binds is violated, whatever comes instead.
    for check in ended.json()["checks"].as_array().expect("checks") {
        let findings = check["findings"].as_array().into_iter().flatten();
        let levels: Vec<&str> = findings.filter_map(|finding| finding["level"].as_str()).collect();
        assert!(levels.iter().all(|level| *level == "advice"), "{check:#}");
    }
}
