//! What the reference server must do when nothing is switched on, rule by rule, in every revision that has the rule.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{ALL, Afterwards, Answer, Ask, Client, End, LEGACY, MODERN, Wire, conforming};
use mcpwire::codec::http1::Framing;
use mcpwire::codec::sse::SseEvent;

fn reads(answer: &Answer) -> Vec<String> {
    answer.reads.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect()
}

#[test]
fn initialize_negotiates_and_grants_a_session() {
    let server = conforming();
    for revision in LEGACY {
        let mut client = Client::connect(&server, revision);
        let answer = client.initialize().whole();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.field("content-type").as_deref(), Some("application/json"));
        assert_eq!(answer.message()["result"]["protocolVersion"], revision);
        let id = client.session.unwrap();
        assert!(id.len() >= 32 && id.iter().all(|byte| (0x21..=0x7e).contains(byte)));
    }
    let mut client = Client { revision: "1999-12-31", ..Client::connect(&server, LEGACY[0]) };
    let ask = Ask::post(
        r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"1999-12-31","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#,
    );
    assert_eq!(client.ask(&ask).whole().message()["result"]["protocolVersion"], "2025-11-25");
}

#[test]
fn a_failed_initialize_grants_nothing() {
    let server = conforming();
    let mut client = Client::connect(&server, LEGACY[2]);
    let answer = client.ask(&Ask::post(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#)).whole();
    assert_eq!((answer.status(), answer.code()), (200, -32602));
    assert_eq!(answer.field("mcp-session-id"), None);
}

#[test]
fn notifications_and_responses_are_accepted() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        let answer = client.notify("notifications/whatever", "{}").whole();
        assert_eq!((answer.status(), answer.field("content-length").as_deref()), (202, Some("0")));
        let ask = client.dress(Ask::post(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#));
        assert_eq!(client.ask(&ask).whole().status(), if revision == MODERN { 400 } else { 202 });
    }
}

#[test]
fn the_parts_of_a_stream_are_written_one_by_one() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        // A segment may be read together with its neighbour; of several tries one shows them apart.
        let expected: &[&[&str]] = match revision {
            "2025-11-25" => &[&["HTTP/1.1 200 OK\r\n", "id: ", "data: \n\n"], &["id: ", "\"result\""], &["0\r\n\r\n"]],
            MODERN => &[&["HTTP/1.1 200 OK\r\n", "\r\n\r\n"], &["data: ", "\"result\""], &["0\r\n\r\n"]],
            _ => &[&["HTTP/1.1 200 OK\r\n", "id: ", "\"result\""], &["0\r\n\r\n"]],
        };
        let seen = (0..200).any(|_| {
            let answer = client.ask(&client.call("1", "greet", "")).whole();
            assert_eq!(answer.framing, Some(Framing::Chunked));
            let reads = reads(&answer);
            reads.len() == expected.len()
                && reads.iter().zip(expected).all(|(read, parts)| parts.iter().all(|part| read.contains(part)))
        });
        assert!(seen, "{revision}");
    }
}

#[test]
fn streams_say_what_they_are() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        let answer = client.ask(&client.call("1", "greet", "")).whole();
        assert_eq!(answer.field("content-type").as_deref(), Some("text/event-stream"));
        assert_eq!(answer.field("cache-control").as_deref(), Some("no-cache"));
        assert_eq!(answer.field("x-accel-buffering").as_deref(), (revision == MODERN).then_some("no"));
        assert!(answer.field("date").is_some() && answer.field("connection").is_none());
        let events = answer.events();
        assert!(!events.iter().any(|event| matches!(event, SseEvent::Fault(_))));
        let primed = matches!(&events[0], SseEvent::Dispatch(event) if event.data.is_empty() && event.id.is_some());
        assert_eq!(primed, revision == "2025-11-25");
    }
}

#[test]
fn event_ids_are_unique_in_a_session() {
    let server = conforming();
    for revision in LEGACY {
        let mut client = Client::open(&server, revision);
        let mut ids: Vec<_> =
            (0..5).flat_map(|_| client.ask(&client.call("1", "greet", "")).whole().event_ids()).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        assert!(count >= 5 && ids.len() == count);
    }
}

#[test]
fn ids_come_back_as_they_went() {
    let server = conforming();
    let ids = ["1", "\"1\"", "\"\"", "-5", "9007199254740993", "123456789012345678901234567890", r#""ü\u00fc\"""#, "0"];
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        for id in ids {
            for ask in [client.call(id, "greet", ""), client.request(id, "tools/list", ""), client.request(id, "x", "")]
            {
                let text = client.ask(&ask).whole().texts().join("");
                assert!(text.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"#)), "{text}");
            }
        }
    }
}

#[test]
fn the_tools_do_what_they_say() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        let list = client.ask(&client.request("1", "tools/list", "")).whole();
        assert_eq!(list.field("content-type").as_deref(), Some("application/json"));
        let tools = list.message()["result"]["tools"].as_array().unwrap().clone();
        let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, ["greet", "echo", "slow", "progress", "fail", "large", "count-after", "counter"]);
        assert!(tools.iter().all(|tool| tool["inputSchema"]["type"] == "object"));
        let read_only: Vec<_> = tools.iter().map(|tool| tool["annotations"]["readOnlyHint"] == true).collect();
        assert_eq!(read_only, [true, false, true, true, true, true, false, true]);

        let result = |answer: Answer| answer.whole().message()["result"].clone();
        let echo = result(client.ask(&client.call("1", "echo", r#""arguments":{"text":"äß€😀\n"}"#)));
        assert_eq!(echo["content"][0]["text"], "äß€😀\n");
        assert_eq!(result(client.ask(&client.call("1", "fail", "")))["isError"], true);

        let start = Instant::now();
        result(client.ask(&client.call("1", "slow", r#""arguments":{"ms":60}"#)));
        assert!(start.elapsed() >= Duration::from_millis(60));
        let large = result(client.ask(&client.call("1", "large", r#""arguments":{"kib":2}"#)));
        assert!(large["content"][0]["text"].as_str().is_some_and(|text| text.len() >= 2048));
        let key = format!(r#""arguments":{{"key":"{revision}","ms":10}}"#);
        let counted = |client: &mut Client| {
            let told = client.ask(&client.call("1", "counter", &key)).whole().message();
            told["result"]["content"][0]["text"].as_str().unwrap().to_owned()
        };
        assert_eq!(counted(&mut client), "0");
        result(client.ask(&client.call("1", "count-after", &key)));
        assert_eq!(counted(&mut client), "1");
        let unknown = client.ask(&client.call("1", "nonesuch", "")).whole();
        assert!(unknown.is_stream());
        assert_eq!((unknown.status(), unknown.code()), (200, -32602));
    }
}

#[test]
fn progress_comes_before_the_response_and_only_if_asked_for() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        for token in ["\"t\"", "5", "12345678901234567890123"] {
            let ask = client.call("1", "progress", &format!(r#""_meta":{{"progressToken":{token}}}"#));
            let texts = client.ask(&ask).whole().texts();
            assert_eq!(texts.len(), 4, "{texts:?}");
            for (step, text) in texts[..3].iter().enumerate() {
                let expected = format!(r#"{{"progressToken":{token},"progress":{},"total":3}}"#, step + 1);
                assert!(text.contains("notifications/progress") && text.contains(&expected), "{text}");
            }
        }
        assert_eq!(client.ask(&client.call("1", "progress", r#""arguments":{"steps":7}"#)).whole().texts().len(), 1);
    }
}

#[test]
fn unknown_methods_are_errors() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        let answer = client.ask(&client.request("1", "no/such", "")).whole();
        assert_eq!(answer.code(), -32601);
        assert_eq!((answer.status(), answer.is_stream()), if revision == MODERN { (404, false) } else { (200, true) });
        let ping = client.ask(&client.request("1", "ping", "")).whole();
        assert_eq!(ping.status(), if revision == MODERN { 404 } else { 200 });
    }
}

#[test]
fn malformed_input_is_refused() {
    let server = conforming();
    let unreadable: [&[u8]; 4] = [b"{\"jsonrpc\"", b"", b"\"\xff\"", b"{} {}"];
    let invalid = [
        "{}",
        "3",
        "[]",
        "null",
        r#"{"jsonrpc":"1.0","method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","method":5}"#,
        r#"{"jsonrpc":"2.0","method":"x","params":[1]}"#,
    ];
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        for body in unreadable {
            let answer = client.ask(&client.dress(Ask::post(body))).whole();
            assert_eq!((answer.status(), answer.code()), (400, -32700), "{body:?}");
            assert!(answer.message()["id"].is_null() && answer.message().get("id").is_some());
        }
        for body in invalid {
            let answer = client.ask(&client.dress(Ask::post(body))).whole();
            assert_eq!((answer.status(), answer.code()), (400, -32600), "{body}");
            assert!(answer.message()["id"].is_null());
        }
        let answer = client.ask(&client.dress(Ask::post(r#"{"jsonrpc":"1.0","id":"x","method":"ping"}"#))).whole();
        assert_eq!(answer.message()["id"], "x", "an id that can be read is echoed");
        assert_eq!(client.ask(&client.call("1", "greet", "")).whole().status(), 200);
    }
}

#[test]
fn batches_belong_to_the_first_revision() {
    let server = conforming();
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"n"},7,
        {"jsonrpc":"2.0","id":"b","method":"tools/call","params":{"name":"greet"}},
        {"jsonrpc":"2.0","id":2,"method":"initialize","params":{}}]"#;
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        let answer = client.ask(&client.dress(Ask::post(batch))).whole();
        if revision != "2025-03-26" {
            assert_eq!((answer.status(), answer.code()), (400, -32600));
            continue;
        }
        let responses = answer.message();
        assert_eq!(answer.status(), 200);
        assert_eq!(responses.as_array().unwrap().len(), 4);
        assert_eq!(responses[0]["result"], serde_json::json!({}));
        assert_eq!(responses[1]["error"]["code"], -32600);
        assert_eq!(responses[2]["id"], "b");
        assert_eq!(responses[3]["error"]["code"], -32600);

        let notes = r#"[{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":3,"result":{}}]"#;
        let answer = client.ask(&client.dress(Ask::post(notes))).whole();
        assert_eq!((answer.status(), answer.body.len()), (202, 0));
        assert_eq!(client.ask(&client.dress(Ask::post("[1,2]"))).whole().status(), 400);
    }
}

#[test]
fn sessions_are_required_and_end() {
    let server = conforming();
    for revision in LEGACY {
        let mut client = Client::open(&server, revision);
        let ping = client.request("1", "ping", "");
        for ask in [&ping, &client.get(), &client.delete()] {
            assert_eq!(client.ask(&ask.clone().without("mcp-session-id")).whole().status(), 400);
            assert_eq!(client.ask(&ask.clone().replacing("Mcp-Session-Id", "nobody")).whole().status(), 404);
        }
        assert_eq!(client.ask(&ping).whole().status(), 200);

        let mut listener = client.again();
        listener.wire.write("GET", &client.get().bytes());
        assert_eq!(listener.wire.read(crate::common::PATIENCE, |_| true).status(), 200);
        assert_eq!(client.ask(&client.delete()).whole().status(), 200);
        let answer = listener.wire.answer(crate::common::PATIENCE);
        assert_eq!(answer.end, End::Complete, "the stream ends with its session");

        let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
        let initialize = client.dress(Ask::post(initialize));
        for ask in [&ping, &client.get(), &client.delete(), &client.notification("n", "{}"), &initialize] {
            assert_eq!(client.ask(ask).whole().status(), 404);
        }
    }
}

#[test]
fn the_version_header_must_name_a_version() {
    let server = conforming();
    for revision in LEGACY {
        let mut client = Client::open(&server, revision);
        for ask in [client.request("1", "ping", ""), client.delete()] {
            let answer = client.ask(&ask.clone().replacing("MCP-Protocol-Version", "1999-12-31")).whole();
            assert_eq!(answer.status(), if revision == "2025-03-26" { 200 } else { 400 });
        }
        let mut client = Client::open(&server, revision);
        assert_eq!(client.ask(&client.request("1", "ping", "").without("mcp-protocol-version")).whole().status(), 200);
    }
}

#[test]
fn get_opens_one_stream_at_once() {
    let server = conforming();
    for revision in LEGACY {
        let client = Client::open(&server, revision);
        let (mut first, mut second) = (client.again(), client.again());
        first.wire.write("GET", &client.get().bytes());
        let answer = first.wire.read(crate::common::PATIENCE, |_| true);
        assert_eq!((answer.status(), answer.is_stream(), answer.end), (200, true, End::Open));
        assert!(answer.first_byte() < Duration::from_millis(100));
        assert_eq!(second.ask(&client.get()).whole().status(), 409);
        drop(first);
        second.wire.write("GET", &client.get().bytes());
        assert_eq!(second.wire.read(crate::common::PATIENCE, |_| true).status(), 200, "the place is free again");
        let mut third = client.again();
        assert_eq!(third.ask(&client.get().replacing("Accept", "application/json")).whole().status(), 406);
    }
}

#[test]
fn a_lost_stream_is_resumed() {
    let server = conforming();
    let client = Client::open(&server, "2025-11-25");
    let mut lost = client.again();
    lost.wire.write("POST", &client.call("5", "slow", r#""arguments":{"ms":120}"#).bytes());
    let begun = lost.wire.read(crate::common::PATIENCE, |body| !body.is_empty());
    let id = begun.event_ids().remove(0);
    drop(lost);

    // While the tool runs, and once more after it.
    let ask = client.get().with("Last-Event-ID", &id);
    for _ in 0..2 {
        let answer = client.again().ask(&ask).whole();
        assert_eq!(answer.message()["id"], 5);
        assert_eq!(answer.event_ids().len(), 1);
    }
    // Nothing of another stream.
    let other = client.again().ask(&client.call("6", "progress", r#""_meta":{"progressToken":1}"#)).whole();
    let ids = other.event_ids();
    let answer = client.again().ask(&client.get().with("Last-Event-ID", &ids[2])).whole();
    assert_eq!(answer.event_ids(), ids[3..]);
    assert_eq!(answer.texts(), other.texts()[2..]);
}

#[test]
fn disconnecting_cancels_in_the_modern_revision_only() {
    let server = conforming();
    let legacy = Client::open(&server, "2025-11-25");
    let mut lost = legacy.again();
    lost.wire.write("POST", &legacy.call("5", "slow", "").bytes());
    let id = lost.wire.read(crate::common::PATIENCE, |body| !body.is_empty()).event_ids().remove(0);
    drop(lost);
    thread::sleep(Duration::from_millis(50));
    let answer = legacy.again().ask(&legacy.get().with("Last-Event-ID", &id)).whole();
    assert_eq!(answer.message()["id"], 5, "it went on");

    // Whether a tool stopped shows in how long the server waits for it when it is dropped: not at all in either case,
    // but a client that only closes its writing half still sees the end of the stream, and no response in it.
    let mut modern = Client::open(&server, MODERN);
    let start = Instant::now();
    modern.wire.write("POST", &modern.call("5", "slow", r#""arguments":{"ms":350}"#).bytes());
    modern.wire.read(crate::common::PATIENCE, |_| true);
    modern.wire.stream.shutdown(std::net::Shutdown::Write).unwrap();
    let answer = modern.wire.answer(crate::common::PATIENCE);
    assert!(start.elapsed() < Duration::from_millis(200));
    assert_eq!((answer.end, answer.texts().len()), (End::Complete, 0));
}

#[test]
fn a_notification_cancels_in_the_legacy_revisions() {
    let server = conforming();
    for revision in LEGACY {
        let mut client = Client::open(&server, revision);
        let mut caller = client.again();
        let start = Instant::now();
        caller.wire.write("POST", &client.call("\"5\"", "slow", "").bytes());
        thread::sleep(Duration::from_millis(20));
        client.notify("notifications/cancelled", r#"{"requestId":5}"#).whole();
        client.notify("notifications/cancelled", r#"{"requestId":"5"}"#).whole();
        let answer = caller.wire.answer(crate::common::PATIENCE);
        assert!(start.elapsed() < Duration::from_millis(200));
        assert_eq!((answer.end, answer.texts().len()), (End::Complete, 0));
    }
}

#[test]
fn headers_are_checked_in_every_revision() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        let call = client.call("1", "greet", "");
        let refused = [
            (406, call.clone().without("accept")),
            (406, call.clone().replacing("Accept", "application/json")),
            (406, call.clone().replacing("Accept", "application/json, text/event-stream;q=0")),
            (415, call.clone().without("content-type")),
            (415, call.clone().replacing("Content-Type", "text/plain")),
            (403, call.clone().with("Origin", "http://evil.example")),
            (403, call.clone().with("Origin", "null")),
            (403, call.clone().with("Origin", "http://localhost.evil.example")),
            (403, client.get().with("Origin", "https://evil.example")),
            (403, client.delete().with("Origin", "https://evil.example")),
            (404, call.clone().to("/elsewhere")),
            (404, call.clone().to("/mcp/")),
            (405, client.dress(Ask::new("PUT"))),
            (405, client.dress(Ask::new("HEAD"))),
            (400, call.clone().without("host")),
        ];
        for (status, ask) in refused {
            let answer = client.ask(&ask).whole();
            assert_eq!(answer.status(), status, "{ask:?}");
            assert_eq!(answer.field("allow").is_some(), status == 405);
        }
        let taken = [
            call.clone(),
            call.clone().replacing("Accept", "*/*"),
            call.clone().replacing("Accept", "text/*").with("Accept", "application/json;q=0.1"),
            call.clone().replacing("Content-Type", "Application/JSON; charset=utf-8"),
            call.clone().with("Origin", "http://localhost:8080"),
            call.clone().with("Origin", "https://127.0.0.1"),
            call.clone().with("Origin", "http://[::1]:1"),
            call.clone().to("/mcp?x=y"),
            call.clone().to("http://localhost/mcp"),
        ];
        for ask in taken {
            assert_eq!(client.ask(&ask).whole().status(), 200, "{ask:?}");
        }
    }
}

#[test]
fn allow_names_the_methods_of_the_era() {
    let server = conforming();
    let mut legacy = Client::open(&server, "2025-11-25");
    assert_eq!(legacy.ask(&legacy.dress(Ask::new("PUT"))).field("allow").as_deref(), Some("POST, GET, DELETE"));
    let mut modern = Client::open(&server, MODERN);
    for method in ["GET", "DELETE", "PUT"] {
        let answer = modern.ask(&modern.dress(Ask::new(method))).whole();
        assert_eq!((answer.status(), answer.field("allow").as_deref()), (405, Some("POST")));
    }
}

#[test]
fn modern_requests_mirror_their_body() {
    let server = conforming();
    let mut client = Client::open(&server, MODERN);
    let call = client.call("1", "greet", "");
    let refused = [
        (-32020, call.clone().without("mcp-protocol-version")),
        (-32020, call.clone().replacing("MCP-Protocol-Version", "2025-11-25")),
        (-32020, call.clone().with("MCP-Protocol-Version", MODERN)),
        (-32020, call.clone().without("mcp-method")),
        (-32020, call.clone().replacing("Mcp-Method", "Tools/Call")),
        (-32020, call.clone().without("mcp-name")),
        (-32020, call.clone().replacing("Mcp-Name", "echo")),
        (-32020, call.clone().replacing("Mcp-Name", "=?base64?Z3JlZXQ?=")),
    ];
    for (code, ask) in refused {
        let answer = client.ask(&ask).whole();
        assert_eq!((answer.status(), answer.code()), (400, code), "{ask:?}");
        assert_eq!(answer.message()["id"], 1);
    }
    let encoded = call.clone().replacing("Mcp-Name", "=?base64?Z3JlZXQ=?=");
    assert_eq!(client.ask(&encoded).whole().status(), 200);

    let bare = Ask::post(r#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}"#)
        .with("Mcp-Method", "server/discover");
    assert_eq!(client.ask(&client.dress(bare)).whole().code(), -32602);
    let without = Ask {
        body: String::from_utf8(call.body.clone()).unwrap().replace("clientCapabilities", "x").into(),
        ..call.clone()
    };
    assert_eq!(client.ask(&without).whole().code(), -32602);
    let future =
        Ask { body: String::from_utf8(call.body.clone()).unwrap().replace(MODERN, "1900-01-01").into(), ..call };
    let answer = client.ask(&future.replacing("MCP-Protocol-Version", "1900-01-01")).whole();
    assert_eq!((answer.status(), answer.code()), (400, -32022));
    let data = &answer.message()["error"]["data"];
    assert_eq!(data["requested"], "1900-01-01");
    assert_eq!(data["supported"][0], MODERN);
}

#[test]
fn modern_results_carry_their_metadata() {
    let server = conforming();
    let mut client = Client::open(&server, MODERN);
    let discover = client.ask(&client.request("\"d\"", "server/discover", "")).whole();
    let list = client.ask(&client.request("1", "tools/list", "")).whole();
    let call = client.ask(&client.call("1", "greet", "")).whole();
    assert!(!discover.is_stream() && !list.is_stream() && call.is_stream());
    for answer in [&discover, &list, &call] {
        let result = &answer.message()["result"];
        assert_eq!(result["resultType"], "complete");
        assert!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"].is_string());
        assert_eq!(answer.field("mcp-session-id"), None);
    }
    for answer in [&discover, &list] {
        let result = &answer.message()["result"];
        assert!(result["ttlMs"].is_u64());
        assert_eq!(result["cacheScope"], "public");
    }
    assert_eq!(discover.message()["result"]["supportedVersions"][0], MODERN);
    assert!(call.event_ids().is_empty());
}

#[test]
fn both_eras_share_a_connection() {
    let server = conforming();
    let legacy = Client::open(&server, "2025-06-18");
    let modern = Client::open(&server, MODERN);
    let mut wire = Wire::connect(server.address());
    for ask in [legacy.call("1", "greet", ""), modern.call("1", "greet", ""), legacy.request("1", "ping", "")] {
        assert_eq!(wire.ask(&ask).whole().status(), 200);
    }
    // A body that names the version makes it modern, whatever the headers lack.
    let ask = modern.call("1", "greet", "").without("mcp-protocol-version");
    assert_eq!(wire.ask(&ask).whole().code(), -32020);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        let asks: Vec<_> = ["1", "2", "3"]
            .iter()
            .zip([("slow", r#""arguments":{"ms":30}"#), ("greet", ""), ("nope", "")])
            .map(|(id, (tool, more))| client.call(id, tool, more))
            .collect();
        for ask in &asks[..2] {
            client.wire.write("POST", &ask.bytes());
        }
        thread::sleep(Duration::from_millis(5));
        client.wire.write("POST", &asks[2].bytes());
        // The client reads answers one at a time; here they may share segments, so the bytes have to tell.
        let mut bytes = Vec::new();
        while bytes.windows(5).filter(|window| window == b"0\r\n\r\n").count() < 3 {
            let mut buffer = [0; 4096];
            client.wire.stream.set_read_timeout(Some(crate::common::PATIENCE)).unwrap();
            let count = client.wire.stream.read(&mut buffer).unwrap();
            bytes.extend_from_slice(&buffer[..count]);
        }
        let text = String::from_utf8(bytes).unwrap();
        let places: Vec<_> = (1..=3).map(|id| text.find(&format!("\"id\":{id},")).unwrap()).collect();
        assert!(places.is_sorted(), "{text}");
    }
}

#[test]
fn connection_close_is_honoured() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        for ask in
            [client.call("1", "greet", ""), client.request("1", "tools/list", ""), client.notification("n", "{}")]
        {
            let answer = client.ask(&ask.clone().with("Connection", "close"));
            assert_eq!((answer.end, answer.afterwards.clone()), (End::Complete, Afterwards::Fin), "{answer:?}");
            assert_eq!(answer.field("connection").as_deref(), Some("close"));
        }
    }
}

#[test]
fn http_1_0_gets_no_chunks() {
    let server = conforming();
    let client = Client::open(&server, "2025-11-25");
    let mut wire = Wire::connect(server.address());
    let bytes = String::from_utf8(client.call("1", "greet", "").bytes()).unwrap().replace("HTTP/1.1", "HTTP/1.0");
    wire.write("POST", bytes.as_bytes());
    let answer = wire.answer(crate::common::PATIENCE);
    assert_eq!((answer.framing, answer.end), (Some(Framing::UntilClose), End::Complete));
    assert_eq!(answer.message()["id"], 1);
}

#[test]
fn chunked_and_expecting_requests_are_read() {
    let server = conforming();
    let client = Client::open(&server, "2025-06-18");
    let mut wire = Wire::connect(server.address());
    let body = client.call("1", "greet", "").body;
    let (first, second) = body.split_at(10);
    let mut chunked = client.call("1", "greet", "").with("Transfer-Encoding", "chunked");
    chunked.body = Vec::new();
    for part in [first, second] {
        chunked.body.extend_from_slice(format!("{:x};ext=1\r\n", part.len()).as_bytes());
        chunked.body.extend_from_slice(part);
        chunked.body.extend_from_slice(b"\r\n");
    }
    chunked.body.extend_from_slice(b"0\r\nX-Trailer: 1\r\n\r\n");
    assert_eq!(wire.ask(&chunked).whole().message()["id"], 1);

    let expecting = client.call("2", "greet", "").with("Expect", "100-continue");
    let bytes = expecting.bytes();
    let (head, body) = bytes.split_at(bytes.len() - expecting.body.len());
    wire.write("POST", head);
    thread::sleep(Duration::from_millis(10));
    std::io::Write::write_all(&mut wire.stream, body).unwrap();
    let answer = wire.answer(crate::common::PATIENCE);
    assert!(answer.raw.starts_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
    assert_eq!(answer.message()["id"], 2);
}

#[test]
fn calls_are_fast_and_nothing_is_held_back() {
    let server = conforming();
    for revision in ALL {
        let mut client = Client::open(&server, revision);
        let mut times: Vec<_> =
            (0..30).map(|_| client.ask(&client.call("1", "greet", "")).whole().last_byte()).collect();
        times.sort();
        assert!(times[15] < Duration::from_millis(10), "{revision}: {times:?}");
    }
}
