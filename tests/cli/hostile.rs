//! Servers that mean harm, or are badly broken: mcpwire ends in time, in bounded memory, with a sentence.
//!
//! Each of them is met twice: as it is, and as a server that behaves until the survey is over.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use rstest::rstest;

use crate::mcpwire::{Ended, run};
use crate::peer::{answer, answering, drip, endlessly, hostile_after, hostile_at_once, keep_silent};

/// The survey of the reference server takes 15 requests or so.
const AFTER_THE_SURVEY: usize = 25;

/// What a run may work, in a build that is not optimised; the time on the clock is bounded for every run.
const IN_TIME: Duration = Duration::from_secs(20);

const PEAK_MIB: u64 = 400;

const JSON: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1099511627776\r\n\r\n";
const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n";
const CHUNKS: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

#[derive(Clone, Copy, Debug)]
enum When {
    AtOnce,
    AfterTheSurvey,
}

#[derive(Clone, Copy, Debug)]
enum Misdeed {
    EndlessFields,
    EndlessHeaderLine,
    EndlessInterimAnswers,
    EndlessJsonText,
    EndlessJsonValues,
    EndlessComments,
    EndlessEvents,
    EndlessOddEvents,
    EndlessResponses,
    ManyEventsAndSilence,
    EndlessTinyChunks,
    OneEndlessEvent,
    OneEndlessId,
    GiantChunk,
    ImpossibleChunk,
    DeeplyNestedJson,
    SlowDripOfAHead,
    SlowDripOfAStream,
    ThousandsOfCookies,
    Garbage,
    Reset,
    Silence,
    Close,
    SwitchingProtocols,
    Tls,
    Http2,
}

impl Misdeed {
    fn commit(self, stream: &mut TcpStream) -> io::Result<()> {
        const PAUSE: Duration = Duration::from_millis(50);
        match self {
            Self::EndlessFields => endlessly(stream, "HTTP/1.1 200 OK\r\n", "X-Endless: 1\r\n"),
            Self::EndlessHeaderLine => endlessly(stream, "HTTP/1.1 200 OK\r\nX-Endless: ", "x"),
            Self::EndlessInterimAnswers => endlessly(stream, "", "HTTP/1.1 100 Continue\r\n\r\n"),
            Self::EndlessJsonText => endlessly(stream, &format!("{JSON}{{\"jsonrpc\":\""), "x"),
            Self::EndlessJsonValues => endlessly(stream, &format!("{JSON}["), "0,"),
            Self::EndlessComments => endlessly(stream, STREAM, ":\n"),
            Self::EndlessEvents => endlessly(stream, STREAM, "data: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\n"),
            Self::EndlessOddEvents => endlessly(stream, STREAM, "retry: soon\nodd: field\ndata: x\n\n"),
            Self::EndlessResponses => {
                endlessly(stream, STREAM, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n")
            }
            Self::ManyEventsAndSilence => {
                let event = "data: {\"jsonrpc\":\"2.0\",\"method\":\"x\"}\n\ndata: x\n\n";
                stream.write_all(format!("{STREAM}{}", event.repeat(15_000)).as_bytes())?;
                keep_silent(stream)
            }
            Self::EndlessTinyChunks => endlessly(stream, CHUNKS, "1\r\n:\r\n1\r\n\n\r\n"),
            Self::OneEndlessEvent => endlessly(stream, &format!("{STREAM}data: "), "x"),
            Self::OneEndlessId => endlessly(stream, &format!("{STREAM}id: "), "x"),
            Self::GiantChunk => endlessly(stream, &format!("{CHUNKS}7fffffffffffffff\r\n"), "data: x\n\n"),
            Self::ImpossibleChunk => endlessly(stream, &format!("{CHUNKS}fffffffffffffffff\r\n"), "data: x\n\n"),
            Self::DeeplyNestedJson => {
                let body = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
                stream.write_all(answer("200 OK", "application/json", &body).as_bytes())?;
                keep_silent(stream)
            }
            Self::SlowDripOfAHead => drip(stream, "HTTP/1.1 200 OK\r\nX-Slow: 1\r\n", PAUSE),
            Self::SlowDripOfAStream => {
                stream.write_all(STREAM.as_bytes())?;
                drip(stream, ": still here\n", PAUSE)
            }
            Self::ThousandsOfCookies => {
                let mut head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n".to_owned();
                (0..200).for_each(|number| head.push_str(&format!("Set-Cookie: session-{number:08}=secret\r\n")));
                endlessly(stream, &format!("{head}Content-Length: 1099511627776\r\n\r\n"), "session-0000 ")
            }
            Self::Garbage => {
                stream.write_all(
                    &(0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>(),
                )?;
                keep_silent(stream)
            }
            Self::Reset => socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)),
            Self::Silence => keep_silent(stream),
            Self::Close => Ok(()),
            Self::SwitchingProtocols => {
                stream.write_all(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
                )?;
                endlessly(stream, "", "\u{1}")
            }
            Self::Tls => {
                stream.write_all(b"\x15\x03\x03\x00\x02\x02\x46")?;
                keep_silent(stream)
            }
            Self::Http2 => {
                stream.write_all(
                    b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00",
                )?;
                keep_silent(stream)
            }
        }
    }
}

fn test(url: &str) -> Ended {
    run(&["server", "--url", url, "--timeout", "300ms", "--stream-end-grace", "300ms"])
}

#[track_caller]
fn assert_survived(ended: &Ended, codes: &[i32]) {
    assert!(codes.contains(&ended.code), "exit code {}\n{}\n{}", ended.code, ended.stderr, ended.stdout);
    assert!(ended.worked.is_none_or(|worked| worked < IN_TIME), "{:?}\n{}", ended.worked, ended.stderr);
    assert!(ended.peak_mib.is_none_or(|peak| peak < PEAK_MIB), "{:?} MiB\n{}", ended.peak_mib, ended.stderr);
    let sentence = format!("{}{}", ended.said(), ended.stdout.lines().last().unwrap_or_default());
    assert!((20..1_000).contains(&sentence.len()), "{sentence}");
    eprintln!("{:?} ({:?} of work), {:?} MiB: {sentence}", ended.took, ended.worked, ended.peak_mib);
}

#[rstest]
fn a_server_that_means_harm_is_left_in_time_and_in_bounded_memory(
    #[values(When::AtOnce, When::AfterTheSurvey)] when: When,
    #[values(
        Misdeed::EndlessFields,
        Misdeed::EndlessHeaderLine,
        Misdeed::EndlessInterimAnswers,
        Misdeed::EndlessJsonText,
        Misdeed::EndlessJsonValues,
        Misdeed::EndlessComments,
        Misdeed::EndlessEvents,
        Misdeed::EndlessOddEvents,
        Misdeed::EndlessResponses,
        Misdeed::ManyEventsAndSilence,
        Misdeed::EndlessTinyChunks,
        Misdeed::OneEndlessEvent,
        Misdeed::OneEndlessId,
        Misdeed::GiantChunk,
        Misdeed::ImpossibleChunk,
        Misdeed::DeeplyNestedJson,
        Misdeed::SlowDripOfAHead,
        Misdeed::SlowDripOfAStream,
        Misdeed::ThousandsOfCookies,
        Misdeed::Garbage,
        Misdeed::Reset,
        Misdeed::Silence,
        Misdeed::Close,
        Misdeed::SwitchingProtocols,
        Misdeed::Tls,
        Misdeed::Http2
    )]
    misdeed: Misdeed,
) {
    match when {
        // 3: nothing that comes back is an answer. 6: answers come back, and no revision is spoken in them.
        When::AtOnce => assert_survived(&test(&hostile_at_once(move |stream| misdeed.commit(stream))), &[3, 6]),
        // 1: what was seen until then, or the misdeed itself, is a finding.
        When::AfterTheSurvey => {
            let url = hostile_after(AFTER_THE_SURVEY, move |stream| misdeed.commit(stream));
            assert_survived(&test(&url), &[1, 6]);
        }
    }
}

#[test]
fn a_server_that_never_answers_costs_a_few_time_outs_and_not_one_per_scenario() {
    let url = hostile_at_once(keep_silent);
    let ended = run(&["server", "--url", &url, "--timeout", "1s"]);
    ended.assert_says(3, &["accepts connections but answers no request", "1.00 s"]);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[test]
fn a_server_that_falls_silent_in_the_middle_is_given_up_and_the_report_says_so() {
    let url = hostile_after(AFTER_THE_SURVEY, keep_silent);
    let ended = run(&["server", "--url", &url, "--timeout", "1s", "--report", "json"]);
    let report = ended.json();
    let why = report["incomplete"].as_str().unwrap_or_default();
    assert!(why.contains("requests in a row unanswered"), "{why}");
    assert!(ended.took < Duration::from_secs(20), "{:?}", ended.took);
    assert_ne!(ended.code, 0);
}

#[test]
fn what_a_server_says_cannot_steer_the_terminal() {
    let evil = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"\u001b]0;owned\u0007\u001b[2J"}}"#;
    let ended = run(&["server", "--url", &answering(answer("200 OK", "application/json", evil))]);
    ended.assert_says(6, &[]);
    assert!(ended.stdout.contains(r"\u{1b}[2J"), "{}", ended.stdout);
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text}");
    }
}

#[test]
fn a_server_that_stops_reading_does_not_hold_the_run() {
    // Never accepted: the connections stay in the backlog.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    let ended = test(&url);
    ended.assert_says(3, &["answers no request"]);
    drop(listener);
}
