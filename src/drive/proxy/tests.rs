//! The embedded client and the embedded server with the proxy between them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use rstest::rstest;

use super::{Proxied, ProxyError, ProxySubject, record_proxied};
use crate::judgement::judge;
use crate::manifest::Options;
use crate::reference::client::{self, Fault as ClientFault};
use crate::reference::{Config, Fault as ServerFault, Reference};
use crate::spec::Revision;
use crate::target::Endpoint;
use crate::trace::store::Recording;
use crate::trace::{Conduct, Ending, Harm, Trace, What};
use crate::verdict::Verdict;
use crate::wire::fault::{Fault, LISTED};
use crate::wire::interrupt::Interrupt;

/// No conversation of these tests takes as long.
const LIMIT: Duration = Duration::from_secs(20);

/// What happens at either end, and between them.
#[derive(Clone, Default)]
struct Setting {
    server: Option<ServerFault>,
    client: Option<ClientFault>,
    revision: Option<Revision>,
    faults: Vec<String>,
    seed: u64,
}

impl Setting {
    fn under(faults: &[&str]) -> Self {
        Self { faults: faults.iter().map(|fault| (*fault).to_owned()).collect(), ..Self::default() }
    }

    fn revision(&self) -> Revision {
        self.revision.unwrap_or(Revision::R20251125)
    }

    /// The embedded client calls the embedded server.
    fn play(&self) -> Proxied {
        let (revision, fault) = (self.revision(), self.client);
        let call = |step: &str, name: &str, arguments: serde_json::Value| serde_json::json!({"step": step, "do": "call-tool", "name": name, "arguments": arguments});
        let script = serde_json::json!({"version": 1, "revision": revision.to_string(), "steps": [
            {"step": "connect", "do": "connect"},
            {"step": "tools", "do": "list-tools"},
            call("one", "greet", serde_json::json!({"name": "Ada"})),
            call("two", "progress", serde_json::json!({"steps": 2})),
            call("three", "fail", serde_json::json!({})),
            call("four", "echo", serde_json::json!({"text": "ü".repeat(6_000)})),
            {"step": "close", "do": "close"},
        ]});
        self.play_by(move |url| {
            let until = Instant::now() + LIMIT;
            let ran = client::run(url, &script.to_string(), fault, &|_| (), &|| Instant::now() > until);
            ran.expect("a script");
        })
        .expect("a recording")
    }

    /// The same with a client of the test's own.
    fn play_by(&self, talk: impl FnOnce(&str) + Send + 'static) -> Result<Proxied, ProxyError> {
        let reference = Reference::start(Config { fault: self.server, ..Config::default() }).expect("a server");
        let interrupt = Interrupt::default();
        let subject = ProxySubject {
            server: Endpoint::loopback(reference.address(), "/mcp"),
            port: 0,
            faults: self.faults.iter().map(|text| text.parse().expect("a fault")).collect::<Vec<Fault>>(),
            seed: self.seed,
            options: Options::default(),
            interrupt: interrupt.clone(),
        };
        let mut talking = None;
        let proxied = record_proxied(&subject, |url| {
            let url = url.to_owned();
            talking = Some(thread::spawn(move || {
                // Also where the test fails.
                let _over = Over(interrupt);
                talk(&url);
            }));
        });
        talking.expect("it was told the URL").join().expect("no panic");
        proxied
    }
}

/// Ends the proxy when the conversation is over.
struct Over(Interrupt);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.set(2);
    }
}

fn with(verdict: Verdict, recording: &Recording) -> Vec<String> {
    let report = judge(recording).expect("no selection");
    report.checks.iter().filter(|check| check.verdict == verdict).map(|check| check.id.clone()).collect()
}

fn findings(recording: &Recording) -> String {
    format!(
        "{:#?}",
        judge(recording).expect("no selection").checks.iter().flat_map(|c| &c.findings).collect::<Vec<_>>()
    )
}

fn trace(recording: &Recording) -> &Trace {
    &recording.traces[0]
}

/// What passed in a direction of a connection, as one side saw it.
fn read(trace: &Trace, connection: u32) -> Vec<u8> {
    let bytes = trace.events.iter().filter_map(|event| match &event.what {
        What::Read { conn, bytes, .. } if *conn == connection => Some(&bytes.0),
        _ => None,
    });
    bytes.flatten().copied().collect()
}

fn written(trace: &Trace, connection: u32) -> Vec<Vec<u8>> {
    let bytes = trace.events.iter().filter_map(|event| match &event.what {
        What::Wrote { conn, bytes, .. } if *conn == connection => Some(bytes.0.clone()),
        _ => None,
    });
    bytes.collect()
}

fn applied(trace: &Trace) -> Vec<(String, u64, Harm)> {
    let applied = |what: &What| match what {
        What::FaultApplied { fault, offset, harm, .. } => Some((fault.clone(), *offset, *harm)),
        _ => None,
    };
    trace.events.iter().filter_map(|event| applied(&event.what)).collect()
}

/// Each of them, with values that keep a test short.
const EVERY: [&str; 24] = [
    "latency=1ms..9ms",
    "bandwidth=500kB/s",
    "slices",
    "slices=1..7",
    "segments=40",
    "zero-window=30ms",
    "zero-window=30ms@200,to-server",
    "half-close",
    "half-close=2",
    "half-close@300",
    "half-close=1,to-server",
    "half-close=2,to-server",
    "half-close@100,to-server",
    "reset-after=0",
    "reset-after=200",
    "reset-after=1500",
    "reset-after=700,to-server",
    "stall=30ms@300",
    "stall=30ms@500,to-server",
    "reorder=30ms",
    "duplicate",
    "late-terminator=30ms",
    "no-terminator",
    "no-terminator,connection=1",
];

/// With this seed, `reorder` holds the first and the third connection back, and not the second and the fourth.
const HOLDS_THE_FIRST: u64 = 11;

/// Those that nobody may mind.
const HARMLESS: [&str; 5] = ["latency=1ms..9ms", "bandwidth=500kB/s", "slices=1..7", "segments=40", "reorder=30ms"];

#[rstest]
#[case(Revision::R20250326, 1)]
#[case(Revision::R20250618, 1)]
#[case(Revision::R20251125, 1)]
#[case(Revision::R20251125, 2)]
#[case(Revision::R20251125, HOLDS_THE_FIRST)]
#[case(Revision::R20260728, 1)]
#[case(Revision::R20260728, 2)]
#[case(Revision::R20260728, HOLDS_THE_FIRST)]
fn a_conforming_pair_is_blamed_for_nothing_that_the_way_did(#[case] revision: Revision, #[case] seed: u64) {
    for fault in EVERY {
        let setting = Setting { revision: Some(revision), seed, ..Setting::under(&[fault]) };
        let Proxied { server, client } = setting.play();
        for side in [&server, &client] {
            assert_eq!(with(Verdict::Fail, side), [""; 0], "{fault} in {revision}: {}", findings(side));
            assert_eq!(with(Verdict::Fault, side), [""; 0], "{fault} in {revision}");
            let of_the_way = side.manifest.faults.as_ref().expect("faults");
            assert_eq!((of_the_way.faults.len(), of_the_way.seed), (1, seed));
        }
        if HARMLESS.contains(&fault) {
            let harms = applied(trace(&server)).into_iter().chain(applied(trace(&client))).map(|(.., harm)| harm);
            assert!(harms.into_iter().all(|harm| harm == Harm::None), "{fault}");
            let passed = with(Verdict::Pass, &server);
            for id in ["sse/stream-ends-after-response", "http/body-complete", "rpc/exactly-one-response"] {
                assert!(passed.contains(&id.to_owned()), "{fault} in {revision}: {passed:?}");
            }
        }
    }
}

#[test]
fn many_faults_at_once_are_held_against_nobody_either() {
    let together: [&[&str]; 4] = [
        &["slices=1..7", "latency=1ms..3ms", "duplicate", "late-terminator=5ms"],
        &["segments=90", "reset-after=2500", "reorder=20ms", "stall=9ms@80,to-server"],
        &["half-close=3", "bandwidth=500kB/s", "zero-window=20ms", "slices=1..500"],
        &["no-terminator", "half-close@900,to-server", "duplicate", "latency=2ms"],
    ];
    for faults in together {
        for seed in 0..3 {
            let Proxied { server, client } = Setting { seed, ..Setting::under(faults) }.play();
            for side in [&server, &client] {
                assert_eq!(with(Verdict::Fail, side), [""; 0], "{faults:?} {seed}: {}", findings(side));
            }
        }
    }
}

#[rstest]
#[case::accepted_with_body("accepted-with-body", "http/accepted-has-no-body")]
#[case::late_notification("late-notification", "sse/nothing-after-response")]
#[case::response_sent_twice("response-sent-twice", "rpc/exactly-one-response")]
#[case::json_as_plain_text("json-as-plain-text", "http/content-type")]
#[case::fin_without_terminator("fin-without-terminator", "http/body-complete")]
#[case::ids_become_strings("ids-become-strings", "rpc/id-echoed-exactly")]
fn a_faulty_server_is_found_behind_a_harmless_fault(#[case] server: &str, #[case] id: &str) {
    for fault in HARMLESS {
        let server = Some(server.parse().expect("a fault"));
        let proxied = Setting { server, ..Setting::under(&[fault]) }.play();
        assert!(with(Verdict::Fail, &proxied.server).contains(&id.to_owned()), "{fault}");
    }
}

#[rstest]
#[case("no-version-header", "client/version-header")]
#[case("forgets-session-id", "client/session/id-echoed")]
fn a_faulty_client_is_found_behind_a_harmless_fault(#[case] client: &str, #[case] id: &str) {
    for fault in HARMLESS {
        let client = Some(client.parse().expect("a fault"));
        let proxied = Setting { client, ..Setting::under(&[fault]) }.play();
        assert_eq!(with(Verdict::Fail, &proxied.client), [id], "{fault}");
    }
}

#[test]
fn what_is_only_moved_in_time_or_cut_arrives_as_it_was_sent() {
    for fault in HARMLESS.into_iter().chain(["stall=20ms@300", "zero-window=20ms", "late-terminator=20ms"]) {
        let Proxied { server, client } = Setting::under(&[fault]).play();
        let (server, client) = (trace(&server), trace(&client));
        let count = client.connections().count() as u32;
        assert_eq!(server.connections().count() as u32, count, "{fault}");
        for connection in 0..count {
            assert_eq!(written(server, connection).concat(), read(client, connection), "{fault}");
            assert_eq!(written(client, connection).concat(), read(server, connection), "{fault}");
        }
    }
}

#[test]
fn the_same_seed_and_the_same_bytes_are_cut_at_the_same_places() {
    let ends = |seed| {
        let proxied = Setting { seed, ..Setting::under(&["slices=1..7"]) }.play();
        let pieces = written(trace(&proxied.server), 0);
        let ends = pieces.iter().scan(0, |at, piece| {
            *at += piece.len();
            Some(*at)
        });
        // The first request; what follows depends on which connection is free.
        ends.take_while(|end| *end < 300).collect::<Vec<_>>()
    };
    let first = ends(11);
    assert!(first.len() > 40, "{first:?}");
    assert_eq!(first, ends(11));
    assert_ne!(first, ends(12));
}

#[test]
fn every_fault_is_written_down_where_it_was_at_work() {
    for fault in EVERY {
        let Proxied { server, client } = Setting { seed: HOLDS_THE_FIRST, ..Setting::under(&[fault]) }.play();
        let name = fault.split(['=', '@', ',']).next().unwrap_or_default();
        let all: Vec<_> = applied(trace(&server)).into_iter().chain(applied(trace(&client))).collect();
        assert!(all.iter().any(|(said, ..)| said.starts_with(name)), "{fault}: {all:?}");
        assert!(all.iter().all(|(said, ..)| *said == fault.parse::<Fault>().unwrap().to_string()), "{all:?}");
        for (side, at) in [(&server, 0), (&client, 1)] {
            let lines = trace(side).exchanges().flat_map(|exchange| &exchange.of_the_way).count();
            assert!(applied(trace(side)).is_empty() || lines > 0 || at == 1, "{fault}");
        }
    }
    assert!(LISTED.iter().all(|listed| EVERY.iter().any(|fault| fault.starts_with(listed.name))));
}

/// No fault was asked for: the client closes its connection while a call is under way. In 2026-07-28 that cancels the
/// call, and the answer ends without a response.
#[test]
fn a_client_that_leaves_leaves_no_blame_on_the_server() {
    let Proxied { server, .. } = Setting::default()
        .play_by(|url| {
            talk(url, modern("tools/list", "{}").as_bytes(), "greet");
            // Gone with the head of the answer.
            talk(
                url,
                modern("tools/call", r#"{"name":"progress","arguments":{"steps":50}}"#).as_bytes(),
                "HTTP/1.1 200",
            );
            thread::sleep(Duration::from_millis(300));
        })
        .expect("a recording");
    let cut = trace(&server).labelled("tools/call").last().expect("an exchange");
    assert!(cut.response().is_none(), "{cut:?}");
    // Where more of the answer had come than the client has read, its end is a reset, and so is ours: nothing comes then.
    let ended_in_order = cut.is_complete() && cut.ours == Conduct::Damaged;
    assert!(ended_in_order || matches!(cut.ending, Ending::Open { .. }), "{cut:?}");
    assert_eq!(with(Verdict::Fail, &server), [""; 0], "{}", findings(&server));
}

/// A request of 2026-07-28.
fn modern(method: &str, params: &str) -> String {
    let mut params: serde_json::Value = serde_json::from_str(params).expect("JSON");
    params["_meta"] = serde_json::json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "a test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
        "progressToken": "a-token",
    });
    let name = params["name"].as_str().map_or_else(String::new, |name| format!("Mcp-Name: {name}\r\n"));
    let body = serde_json::json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params}).to_string();
    let fields = format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{name}Content-Length");
    post(&body, None).replacen("Content-Length", &fields, 1)
}

/// Nobody is held to account for what came of our own misdeeds: the exchange in question is out of sight.
#[rstest]
#[case::reset("reset-after=200", false)]
#[case::fin_in_an_answer("half-close@300", false)]
#[case::no_end("no-terminator", true)]
#[case::late_end("late-terminator=30ms", true)]
fn an_answer_that_we_damaged_is_out_of_sight(#[case] fault: &str, #[case] server_is_judged: bool) {
    let Proxied { server, client } = Setting::under(&[fault]).play();
    let damaged = |side| trace(side).exchanges().filter(|exchange| exchange.ours == Conduct::Damaged).count();
    assert!(damaged(&client) > 0, "{fault}");
    if server_is_judged {
        // The server's own bytes came whole.
        assert!(applied(trace(&server)).is_empty(), "{fault}");
        assert!(with(Verdict::Pass, &server).contains(&"sse/stream-ends-after-response".to_owned()), "{fault}");
    }
}

#[test]
fn each_request_is_delivered_once_more_on_a_connection_of_its_own() {
    let plain = Setting::default().play();
    let twice = Setting::under(&["duplicate"]).play();
    let posts = |side: &Recording| trace(side).exchanges().filter(|e| e.rpc_method().is_some()).count();
    assert_eq!(posts(&twice.client), posts(&plain.client));
    assert_eq!(posts(&twice.server), 2 * posts(&plain.client));
    let same = |label: &str| {
        trace(&twice.server).labelled(label).map(|exchange| exchange.request_body.clone()).collect::<Vec<_>>()
    };
    let [first, second] = &same("tools/list")[..] else { panic!("{:?}", same("tools/list")) };
    assert_eq!(first, second);
}

/// What waits in the proxy is bounded: its sender has to wait as well, which is our doing.
#[test]
fn a_sender_that_has_to_wait_for_us_is_not_judged_by_that() {
    let Proxied { server, .. } = Setting::under(&["stall=300ms@1"])
        .play_by(|url| {
            let id = opened(url);
            let text = "x".repeat(3 << 20);
            let call = format!(
                r#"{{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{{"name":"echo","arguments":{{"text":"{text}"}}}}}}"#
            );
            let call = post(&call, Some(&id)).replacen("Host", "Connection: close\r\nHost", 1);
            let said = talk(url, call.as_bytes(), "read to the end");
            assert!(said.len() > 3 << 20, "{}", said.len());
        })
        .expect("a recording");
    let jams: Vec<_> = applied(trace(&server));
    assert!(
        matches!(&jams[..], [(fault, at, Harm::Exchange)] if fault.starts_with("stall") && *at >= 1 << 20),
        "{jams:?}"
    );
    let call = trace(&server).exchanges().last().expect("a call");
    assert!(call.rpc_method().as_deref() == Some("tools/call") && call.is_complete() && call.ours == Conduct::Damaged);
}

/// The end of an answer that never comes is not told by the end of the connection either, when the server gives that up.
#[test]
fn where_the_end_never_comes_the_connection_stays_open() {
    let Proxied { client, .. } = Setting::under(&["no-terminator"])
        .play_by(|url| {
            let call = modern("tools/call", r#"{"name":"progress","arguments":{"steps":1}}"#);
            let call = call.replacen("Host", "Connection: close\r\nHost", 1);
            let began = Instant::now();
            let said = talk_for(url, call.as_bytes(), "the end", Duration::from_millis(1_500));
            assert!(said.contains("result") && !said.ends_with("0\r\n\r\n"), "{said}");
            assert!(began.elapsed() >= Duration::from_millis(1_500), "it ended");
        })
        .expect("a recording");
    let ended_by_us = |event: &crate::trace::Event| matches!(event.what, What::Finished { .. });
    assert!(!trace(&client).events.iter().any(ended_by_us));
}

/// A conversation byte by byte, for what no client of ours does.
fn talk(url: &str, bytes: &[u8], until: &str) -> String {
    talk_for(url, bytes, until, LIMIT)
}

/// The same, where nothing is said for so long at the end.
fn talk_for(url: &str, bytes: &[u8], until: &str, silence: Duration) -> String {
    let address = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("an address");
    let mut socket = TcpStream::connect(address).expect("the proxy listens");
    socket.set_read_timeout(Some(silence)).expect("a time-out");
    // It may end before it has read all.
    let _ = socket.write_all(bytes);
    let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&said).contains(until) {
        match socket.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => said.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn post(body: &str, session: Option<&str>) -> String {
    let session = session.map_or_else(String::new, |id| format!("Mcp-Session-Id: {id}\r\n"));
    format!(
        "POST /mcp HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{session}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"a test","version":"1"}}}"#;

/// Opens a session, and says its id.
fn opened(url: &str) -> String {
    let said = talk(url, post(INITIALIZE, None).as_bytes(), "protocolVersion");
    let (_, rest) = said.split_once("Mcp-Session-Id: ").expect("a session id");
    rest.lines().next().expect("a line").trim().to_owned()
}

#[test]
fn requests_that_come_at_once_are_passed_on_each_under_its_name_and_answered_in_order() {
    let ping = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"ping"}}"#);
    let list = r#"{"jsonrpc":"2.0","id":"second","method":"tools/list"}"#;
    for faults in [&[][..], &["slices=1..9"], &["latency=3ms"]] {
        let Proxied { server, client } = Setting::under(faults)
            .play_by(move |url| {
                let id = opened(url);
                let [first, second, third] =
                    [ping("first"), list.to_owned(), ping("third")].map(|body| post(&body, Some(&id)));
                let third = third.replacen("Host", "Connection: close\r\nHost", 1);
                let said = talk(url, [first, second, third].concat().as_bytes(), "read to the end");
                let at = |id: &str| said.find(&format!(r#""id":"{id}""#)).unwrap_or_else(|| panic!("{id}: {said}"));
                assert!(at("first") < at("second") && at("second") < at("third"), "{said}");
            })
            .expect("a recording");
        for side in [&server, &client] {
            let on_second = trace(side).on_connection(1);
            let names: Vec<&str> = on_second.iter().map(|exchange| exchange.label.as_str()).collect();
            assert_eq!(names, ["ping", "tools/list", "ping"], "{faults:?}");
            assert!(on_second.iter().all(|exchange| exchange.is_complete() && exchange.response().is_some()));
            assert_eq!(with(Verdict::Fail, side), [""; 0], "{faults:?}: {}", findings(side));
        }
    }
}

#[test]
fn what_cannot_be_read_as_a_request_is_passed_on_as_it_is_and_the_server_answers() {
    let noise = b"\x16\x03\x01 no request at all\r\n\r\n";
    let Proxied { server, client } = Setting::default()
        .play_by(move |url| {
            opened(url);
            let said = talk(url, noise, "HTTP/1.1 400");
            assert!(said.starts_with("HTTP/1.1 400"), "{said}");
        })
        .expect("a recording");
    assert_eq!(written(trace(&server), 1).concat(), noise);
    assert_eq!(read(trace(&client), 1), noise);
    assert!(trace(&client).connection(1).expect("a connection").unreadable.is_some());
    assert!(String::from_utf8_lossy(&written(trace(&client), 1).concat()).starts_with("HTTP/1.1 400"));
}

#[test]
fn a_recording_that_is_full_ends_the_proxy_and_says_so() {
    let Proxied { server, client } = Setting::default()
        .play_by(|url| {
            let id = opened(url);
            let large = format!(r#"{{"jsonrpc":"2.0","method":"notifications/{}"}}"#, "x".repeat(3 << 20));
            for _ in 0..4 {
                talk(url, post(&large, Some(&id)).as_bytes(), "HTTP/1.1 2");
            }
            // It ends by itself: whoever waits for it here would wait in vain otherwise.
            let until = Instant::now() + LIMIT;
            let address = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("an address");
            while TcpStream::connect(address).is_ok() {
                assert!(Instant::now() < until, "it still listens");
                thread::sleep(Duration::from_millis(20));
            }
        })
        .expect("a recording");
    let why = client.manifest.incomplete.expect("it is not complete");
    assert!(why.contains("the recording was full: it sent more than a trace keeps (8 MiB"), "{why}");
    assert_eq!(server.manifest.incomplete, None);
}
