//! Each situation without a fault, and with those that show in it.

use std::time::Instant;

use rstest::rstest;

use super::peer::*;
use super::*;

/// A call's stream whose last chunk comes that late.
fn late_end(asked: &Asked, ms: u64) -> Option<Vec<Part>> {
    is_call(asked).then(|| vec![stream_head(asked.result_event("done")), Part::Pause(ms), last_chunk()])
}

#[rstest]
#[case(None)]
#[case(Some(Fault::DropsBody))]
#[case(Some(Fault::ResetsBody))]
#[case(Some(Fault::HoldsBody))]
#[case(Some(Fault::ReturnsAtEndOfBody))]
fn bodies_are_drained_behind_the_callers_back(#[case] fault: Option<Fault>) {
    let mut script = calls(MODERN, 2);
    script["steps"].as_array_mut().unwrap().insert(2, json!({ "step": "rest", "do": "wait", "ms": 400 }));
    let begun = Instant::now();
    let (told, record) = play(&script, fault, |asked| late_end(asked, 200));
    let took = begun.elapsed();
    assert_eq!(told.text("1"), "done");
    let times = record.times("tools/call");
    let is_late = times[1] - times[0] >= Duration::from_millis(600);
    assert_eq!(is_late, fault == Some(Fault::ReturnsAtEndOfBody));
    assert!(took < Duration::from_millis(2000), "{took:?}");

    let ends = record.ends_of_calls();
    match fault {
        None | Some(Fault::ReturnsAtEndOfBody) => assert_eq!((record.connections(), record.resets()), (1, 0)),
        Some(Fault::HoldsBody) => {
            // Whether something lies unread when it ends, so that the kernel resets, is a matter of chance.
            assert_eq!(record.connections(), 2);
            assert!(ends[0] >= Duration::from_millis(400));
        }
        _ => {
            assert_eq!(record.connections(), 2);
            assert!(ends.iter().all(|end| *end < Duration::from_millis(100)), "{ends:?}");
            assert_eq!(record.resets(), if fault == Some(Fault::ResetsBody) { 2 } else { 0 });
        }
    }
}

#[test]
fn a_body_that_is_about_to_end_is_waited_for() {
    let (_, record) = play(&calls(MODERN, 3), None, |asked| late_end(asked, 15));
    assert_eq!(record.connections(), 1);
}

#[test]
fn a_body_without_end_is_given_up_in_order() {
    let begun = Instant::now();
    let (told, record) =
        play(&calls(MODERN, 3), None, |asked| is_call(asked).then(|| vec![stream_head(asked.result_event("done"))]));
    assert_eq!(told.text("2"), "done");
    assert!(begun.elapsed() < Duration::from_millis(1600));
    assert_eq!((record.connections(), record.resets()), (3, 0));
    let ends = record.ends_of_calls();
    assert!(ends.iter().all(|end| (900..1300).contains(&end.as_millis())), "{ends:?}");
}

#[rstest]
#[case(None, 1, 1)]
#[case(Some(Fault::ConnectionPerCall), 4, 4)]
#[case(Some(Fault::ConnectionPerStream), 3, 1)]
fn connections_are_reused(#[case] fault: Option<Fault>, #[case] for_streams: usize, #[case] for_json: usize) {
    let (_, record) = play(&calls(MODERN, 3), fault, |_| None);
    assert_eq!((record.connections(), record.resets()), (for_streams, 0));
    let (_, record) = play(&calls(MODERN, 3), fault, |asked| {
        is_call(asked).then(|| json(200, &json!({ "jsonrpc": "2.0", "id": asked.id(), "result": {} })))
    });
    assert_eq!((record.connections(), record.resets()), (for_json, 0));
}

#[test]
fn a_connection_that_was_closed_while_idle_is_replaced() {
    let (told, record) = play(&calls(MODERN, 3), None, |asked| {
        let mut parts = stream(asked.result_event("done"));
        parts.push(Part::Fin);
        is_call(asked).then_some(parts)
    });
    assert_eq!(told.text("2"), "done");
    assert_eq!(record.asked("tools/call").len(), 3);
}

#[rstest]
#[case(None, false)]
#[case(Some(Fault::PausesBeforeCalls), true)]
fn calls_are_made_at_once(#[case] fault: Option<Fault>, #[case] is_slow: bool) {
    let (_, record) = play(&calls(NOVEMBER, 5), fault, |_| None);
    let times = record.times("tools/call");
    assert_eq!(times[4] - times[0] > Duration::from_millis(110), is_slow);
}

#[rstest]
#[case(None, 0, false)]
#[case(Some(Fault::ErrorNotTerminal), 3, true)]
#[case(Some(Fault::ErrorResumesAnyway), 3, false)]
fn an_error_is_the_end(#[case] fault: Option<Fault>, #[case] resumptions: usize, #[case] is_late: bool) {
    let mut script = calls(NOVEMBER, 1);
    script["steps"].as_array_mut().unwrap().insert(2, json!({ "step": "rest", "do": "wait", "ms": 200 }));
    let begun = Instant::now();
    let (told, record) = play(&script, fault, |asked| match asked.method() {
        "tools/call" => Some(stream(format!("retry: 30\nid: 7\n{}", asked.error_event()))),
        _ => None,
    });
    assert_eq!(told.line("0")["error"], json!({ "code": -32000, "message": "no" }));
    let gets = record.asked("GET");
    assert_eq!(gets.iter().filter(|get| get.field("last-event-id").as_deref() == Some("7")).count(), resumptions);
    assert_eq!(begun.elapsed() > Duration::from_millis(280), is_late, "{:?}", begun.elapsed());
}

#[rstest]
#[case(None)]
#[case(Some(Fault::HoldsUnwantedBody))]
fn bodies_without_use_are_let_go(#[case] fault: Option<Fault>) {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<p/>";
    let (told, record) = play(&calls(MODERN, 2), fault, move |asked| is_call(asked).then(|| vec![bytes(page)]));
    assert!(told.line("0")["error"]["message"].as_str().unwrap().contains("text/html"));
    assert_eq!((record.connections(), record.resets()), (if fault.is_some() { 2 } else { 1 }, 0));

    let acknowledged = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nnull\r\n0\r\n\r\n";
    let (_, record) = play(&calls(NOVEMBER, 2), fault, move |asked| {
        (asked.method() == "notifications/initialized").then(|| vec![bytes(acknowledged)])
    });
    assert_eq!((record.connections() > 2, record.resets()), (fault.is_some(), 0));
}

#[rstest]
#[case(None, 1, 0)]
#[case(Some(Fault::NoDelete), 0, 0)]
#[case(Some(Fault::ResetsAtExit), 1, 1)]
fn it_closes_in_order(#[case] fault: Option<Fault>, #[case] deletes: usize, #[case] least_resets: usize) {
    let (_, record) = play(&calls(NOVEMBER, 1), fault, |_| None);
    assert_eq!(record.asked("DELETE").len(), deletes);
    assert_eq!(record.resets() >= 1, least_resets == 1);
}

#[test]
fn it_may_open_connections_for_nothing() {
    let unused = |fault| play(&calls(MODERN, 1), fault, |_| None).1.connections();
    assert_eq!((unused(None), unused(Some(Fault::OpensUnusedConnections))), (1, 4));
}

/// What stands before a response on a stream, and in which pieces all of it comes.
#[rstest]
#[case(Fault::LfOnly, "data: 1\r\r\n", "", false)]
#[case(Fault::KeepsByteOrderMark, "\u{feff}", "", false)]
#[case(Fault::CommentsAreErrors, ": hello\n", "", false)]
#[case(Fault::UnknownFieldEndsStream, "extra: 1\n", "", false)]
#[case(Fault::AnyEventTypeIsAMessage, "event: other\ndata: WRONG\n\n", "", false)]
#[case(Fault::EmptyDataIsAnError, "id: 1\ndata:\n\n", "", false)]
#[case(Fault::RetryWithSign, "retry: -1\n", "", false)]
#[case(Fault::DispatchesIncompleteEvent, "", "", false)]
#[case(Fault::DecodesEachRead, "", "", true)]
fn streams_are_read_by_their_grammar(
    #[case] fault: Fault,
    #[case] before: &'static str,
    #[case] after: &'static str,
    #[case] is_split: bool,
) {
    let answer = move |asked: &Asked| {
        let wrong =
            event(&json!({ "jsonrpc": "2.0", "id": asked.id(), "result": { "content": [{ "text": "wrong" }] } }));
        let before = before.replace("data: WRONG\n\n", &wrong);
        let response = asked.result_event("dänn");
        let response = if fault == Fault::LfOnly { response.replace('\n', "\r\n") } else { response };
        let content = [before.as_bytes(), response.as_bytes(), after.as_bytes()].concat();
        if fault == Fault::DispatchesIncompleteEvent {
            return is_call(asked).then(|| stream(content.trim_ascii_end()));
        }
        let split = if is_split { content.iter().position(|byte| *byte > 127).unwrap() + 1 } else { 0 };
        let (first, second) = content.split_at(split);
        let first = if first.is_empty() { b":\n".as_slice() } else { first };
        let parts = match is_split {
            true => vec![stream_head(first), Part::Pause(30), chunk(second), last_chunk()],
            false => stream(&content),
        };
        is_call(asked).then_some(parts)
    };
    let (told, _) = play(&calls(MODERN, 1), None, answer);
    match fault {
        Fault::DispatchesIncompleteEvent => assert!(told.line("0")["error"].is_object()),
        _ => assert_eq!(told.text("0"), "dänn"),
    }
    let (told, record) = play(&calls(MODERN, 1), Some(fault), answer);
    match fault {
        Fault::DispatchesIncompleteEvent => assert_eq!(told.text("0"), "dänn"),
        Fault::AnyEventTypeIsAMessage => assert_eq!(told.text("0"), "wrong"),
        Fault::DecodesEachRead => assert_ne!(told.text("0"), "dänn"),
        _ => assert!(told.line("0")["error"].is_object(), "{told:?}"),
    }
    assert_eq!((record.connections(), record.resets()), (1, 0), "the rest is drained all the same");
}

#[rstest]
#[case(Fault::LastDataLineOnly)]
#[case(Fault::OneMebibyteLimit)]
#[case(Fault::HundredEventsLimit)]
fn events_may_be_large_and_many(#[case] fault: Fault) {
    let answer = move |asked: &Asked| {
        let text = if fault == Fault::OneMebibyteLimit { "x".repeat(1 << 20) } else { "done".to_owned() };
        let response = asked.result_event(&text);
        let content = match fault {
            Fault::LastDataLineOnly => response.replace(",\"result\"", "\ndata: ,\"result\""),
            Fault::HundredEventsLimit => "id: 1\ndata: {}\n\n".repeat(100) + &response,
            _ => response,
        };
        is_call(asked).then(|| stream(content))
    };
    let (told, _) = play(&calls(MODERN, 1), None, answer);
    assert!(told.text("0").len() >= 4);
    let (told, record) = play(&calls(MODERN, 1), Some(fault), answer);
    assert!(told.line("0")["error"].is_object());
    assert_eq!((record.connections(), record.resets()), (1, 0));
}

/// What stands before the head, the content type, what follows the chunk size, and what follows the last chunk.
#[rstest]
#[case(Fault::ChunkExtensionIsAnError, "", "application/json", ";a=b", "X: y\r\n")]
#[case(Fault::InterimIsFinal, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "application/json", "", "")]
#[case(Fault::CallsMustBeStreams, "", "application/json", "", "")]
#[case(Fault::ExactMediaType, "", "Application/JSON ; charset=UTF-8", "", "")]
fn all_of_http_is_understood(
    #[case] fault: Fault,
    #[case] interim: &'static str,
    #[case] content_type: &'static str,
    #[case] extension: &'static str,
    #[case] trailer: &'static str,
) {
    let answer = move |asked: &Asked| {
        let result = json!({ "content": [{ "text": "done" }] });
        let body = json!({ "jsonrpc": "2.0", "id": asked.id(), "result": result }).to_string();
        let head = format!("HTTP/1.1 200 X\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunks = format!("{:x}{extension}\r\n{body}\r\n0\r\n{trailer}\r\n", body.len());
        is_call(asked).then(|| vec![bytes([interim, &head, &chunks].concat())])
    };
    let (told, _) = play(&calls(MODERN, 2), None, answer);
    assert_eq!(told.text("1"), "done");
    let (told, record) = play(&calls(MODERN, 2), Some(fault), answer);
    assert!(told.line("1")["error"].is_object());
    assert_eq!((record.connections(), record.resets()), (1, 0));
}

#[test]
fn the_handshake_may_be_answered_by_a_stream() {
    for revision in [NOVEMBER, MODERN] {
        let answer = |asked: &Asked| {
            let result = json!({ "protocolVersion": NOVEMBER, "supportedVersions": [MODERN] });
            let is_handshake = matches!(asked.method(), "initialize" | "server/discover");
            is_handshake.then(|| stream(event(&json!({ "jsonrpc": "2.0", "id": asked.id(), "result": result }))))
        };
        assert_eq!(play(&calls(revision, 1), None, answer).0.text("0"), "done");
        let told = play(&calls(revision, 1), Some(Fault::InitializeMustBeJson), answer).0;
        assert!(told.line("connect")["error"].is_object());
    }
}

#[rstest]
#[case(None, false)]
#[case(Some(Fault::AcceptedNeedsLength), true)]
fn an_acknowledgement_may_be_an_empty_chunked_body(#[case] fault: Option<Fault>, #[case] hangs: bool) {
    let begun = Instant::now();
    play(&calls(NOVEMBER, 1), fault, |asked| {
        let is_first = asked.method() == "notifications/initialized";
        is_first.then(|| vec![bytes("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")])
    });
    assert_eq!(begun.elapsed() > Duration::from_secs(4), hangs);
}

#[rstest]
#[case(None)]
#[case(Some(Fault::ForgetsSessionId))]
#[case(Some(Fault::AdoptsAnySessionId))]
fn the_session_is_that_of_initialize(#[case] fault: Option<Fault>) {
    let (_, record) = play(&calls(NOVEMBER, 2), fault, |asked| {
        let mut parts = stream(asked.result_event("done"));
        let Part::Bytes(head) = &mut parts[0] else { unreachable!() };
        head.splice(AFTER_STATUS_LINE, *b"Mcp-Session-Id: two\r\n");
        is_call(asked).then_some(parts)
    });
    let of_call = record.asked("tools/call")[1].field("mcp-session-id");
    let of_delete = record.asked("DELETE")[0].field("mcp-session-id");
    let (of_call, of_delete) = (of_call.as_deref(), of_delete.as_deref());
    assert_eq!(
        (of_call, of_delete),
        match fault {
            None => (Some("one"), Some("one")),
            Some(Fault::ForgetsSessionId) => (None, Some("one")),
            _ => (Some("two"), Some("two")),
        }
    );
}

#[rstest]
#[case(None, 2, 4)]
#[case(Some(Fault::KeepsDeadSession), 1, 3)]
fn a_dead_session_is_replaced(#[case] fault: Option<Fault>, #[case] sessions: usize, #[case] made: usize) {
    let (told, record) =
        play(&calls(NOVEMBER, 3), fault, |asked| (is_call(asked) && asked.number == 2).then(|| empty(404)));
    assert_eq!(record.asked("initialize").len(), sessions);
    assert!(record.asked("initialize").iter().all(|asked| asked.field("mcp-session-id").is_none()));
    assert_eq!(record.asked("tools/call").len(), made);
    assert_eq!(told.line("2")["error"].is_object(), fault.is_some());
}

#[rstest]
#[case(None, None)]
#[case(Some(Fault::CarriesSessionIdEverywhere), Some("one"))]
fn the_session_id_stays_at_its_origin(#[case] fault: Option<Fault>, #[case] carried: Option<&str>) {
    let elsewhere = Peer::start(|_| None);
    let location = elsewhere.url.clone();
    let (told, record) = play(&calls(NOVEMBER, 2), fault, move |asked| {
        let to = if asked.number == 0 { location.as_str() } else { "/other" };
        let is_moved = is_call(asked) && asked.head.target == "/mcp";
        is_moved.then(|| vec![bytes(format!("HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"))])
    });
    assert_eq!((told.text("0"), told.text("1")), ("done", "done"));
    let there = Record(elsewhere.seen());
    assert_eq!(there.asked("tools/call")[0].field("mcp-session-id").as_deref(), carried);
    let here = record.asked("tools/call");
    assert_eq!((here.len(), here[2].field("mcp-session-id").as_deref()), (3, Some("one")));
}

#[test]
fn headers_can_be_left_out_or_be_wrong() {
    let call = |revision, fault| {
        let (_, record) = play(&calls(revision, 1), Some(fault), |_| None);
        record.asked("tools/call")[0].clone()
    };
    assert_eq!(call(NOVEMBER, Fault::NoVersionHeader).field("mcp-protocol-version"), None);
    for revision in ALL {
        assert_eq!(call(revision, Fault::WrongVersionHeader).field("mcp-protocol-version").unwrap(), NOVEMBER);
    }
    assert_eq!(call(NOVEMBER, Fault::AcceptsJsonOnly).field("accept").unwrap(), "application/json");
    assert_eq!(call(NOVEMBER, Fault::NoContentType).field("content-type"), None);
    assert_eq!(call(MODERN, Fault::NoMethodHeader).field("mcp-method"), None);
    assert_eq!(call(MODERN, Fault::NoNameHeader).field("mcp-name"), None);
    assert_eq!(call(MODERN, Fault::NoMeta).body["params"].get("_meta"), None);
}

#[rstest]
#[case(None, "=?base64?dMO8?=", "=?base64?IHg=?=")]
#[case(Some(Fault::RawHeaderValues), "tü", "x")]
fn headers_mirror_the_body(#[case] fault: Option<Fault>, #[case] name: &str, #[case] parameter: &str) {
    let script = json!({ "version": 1, "revision": MODERN, "steps": [
        { "step": "connect", "do": "connect" },
        { "step": "tools", "do": "list-tools" },
        { "step": "call", "do": "call-tool", "name": "tü", "arguments": { "p": " x" } },
    ] });
    let (told, record) = play(&script, fault, |asked| {
        let annotated = |name: &str, of_type: &str| {
            let parameter = json!({ "type": of_type, "x-mcp-header": "P" });
            json!({ "name": name, "inputSchema": { "properties": { "p": parameter } } })
        };
        let tools = json!([annotated("tü", "string"), annotated("bad", "number")]);
        (asked.method() == "tools/list")
            .then(|| json(200, &json!({ "jsonrpc": "2.0", "id": asked.id(), "result": { "tools": tools } })))
    });
    assert_eq!(told.line("tools")["result"]["tools"].as_array().unwrap().len(), 1);
    let call = &record.asked("tools/call")[0];
    assert_eq!(
        (call.field("mcp-name").unwrap().as_str(), call.field("mcp-param-p").unwrap().as_str()),
        (name, parameter)
    );
}

#[test]
fn stale_annotations_are_read_again() {
    let (told, record) = play(&calls(MODERN, 1), None, |asked| match asked.method() {
        "tools/list" => {
            let schema = json!({ "properties": { "p": { "type": "string", "x-mcp-header": "P" } } });
            let tools = json!([{ "name": "t", "inputSchema": schema }]);
            Some(json(200, &json!({ "jsonrpc": "2.0", "id": asked.id(), "result": { "tools": tools } })))
        }
        "tools/call" => {
            Some(json(400, &json!({ "jsonrpc": "2.0", "id": asked.id(), "error": { "code": -32020, "message": "m" } })))
        }
        _ => None,
    });
    // The call has no such argument: another try would not differ.
    assert_eq!(told.line("0")["error"]["code"], -32020);
    assert_eq!((record.asked("tools/list").len(), record.asked("tools/call").len()), (1, 1));
}

#[rstest]
#[case(vec![Part::Fin])]
#[case(vec![Part::Reset])]
#[case(vec![bytes("HTTP/1.1 200 OK\r\nContent-Type: appl"), Part::Fin])]
#[case(vec![bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"), Part::Fin])]
#[case(vec![stream_head("data: {"), Part::Fin])]
#[case(vec![stream_head("data: {"), Part::Reset])]
#[case(stream(": nothing\n\n"))]
fn a_truncated_answer_is_an_error(#[case] parts: Vec<Part>) {
    for (fault, made) in [(None, 2), (Some(Fault::ReplaysPost), 4)] {
        for revision in [NOVEMBER, MODERN] {
            let parts = parts.clone();
            let begun = Instant::now();
            let (told, record) = play(&calls(revision, 2), fault, move |asked| is_call(asked).then(|| parts.clone()));
            assert!(told.line("0")["error"].is_object());
            assert_eq!(record.asked("tools/call").len(), made);
            assert!(begun.elapsed() < Duration::from_secs(1));
        }
    }
}

#[test]
fn a_caller_may_be_left_hanging() {
    let peer = Peer::start(|asked| is_call(asked).then(|| vec![Part::Fin]));
    let (told, begun) = (Mutex::new(0), Instant::now());
    let stop = || begun.elapsed() > Duration::from_millis(500);
    let tell = |_: &str| *told.lock().unwrap() += 1;
    client::run(&peer.url, &calls(MODERN, 1).to_string(), Some(Fault::HangsOnTruncatedAnswer), &tell, &stop).unwrap();
    assert_eq!(*told.lock().unwrap(), 1, "only `connect` has an outcome");
    assert!(begun.elapsed() < Duration::from_secs(1), "`stop` is heard");
}

#[rstest]
#[case(None, NOVEMBER, 2, true)]
#[case(Some(Fault::NeverResumes), NOVEMBER, 0, false)]
#[case(Some(Fault::ResumesWithoutId), NOVEMBER, 2, true)]
#[case(Some(Fault::IgnoresRetry), NOVEMBER, 2, true)]
#[case(None, MODERN, 0, false)]
#[case(Some(Fault::ResumesInModern), MODERN, 2, true)]
fn streams_are_resumed(
    #[case] fault: Option<Fault>,
    #[case] revision: &str,
    #[case] resumptions: usize,
    #[case] is_found: bool,
) {
    let script = calls(revision, 1);
    let first_get = if revision == MODERN { 0 } else { 1 };
    let (told, record) = play(&script, fault, move |asked| match asked.method() {
        "tools/call" => Some(vec![Part::Pause(20), stream_head("retry: 150\nid: a\ndata:\n\n"), Part::Fin]),
        "GET" if asked.number == first_get => Some(stream("id: b\ndata:\n\n")),
        "GET" if asked.number > first_get => {
            let result = json!({ "content": [{ "text": "resumed" }] });
            Some(stream(event(&json!({ "jsonrpc": "2.0", "id": 2, "result": result }))))
        }
        _ => None,
    });
    let gets = &record.asked("GET")[first_get..];
    assert_eq!(gets.len(), resumptions, "{told:?}");
    match is_found {
        true => assert_eq!(told.text("0"), "resumed"),
        false => assert!(told.line("0")["error"].is_object()),
    }
    if resumptions > 0 {
        let ids: Vec<_> = gets.iter().map(|get| get.field("last-event-id")).collect();
        let expected = [Some("a".to_owned()), Some("b".to_owned())];
        assert_eq!(ids, if fault == Some(Fault::ResumesWithoutId) { [None, None] } else { expected });
        let waited = record.times("GET")[first_get] - record.times("tools/call")[0];
        assert_eq!(waited >= Duration::from_millis(150), fault != Some(Fault::IgnoresRetry), "{waited:?}");
    }
}

#[rstest]
#[case(None, false)]
#[case(Some(Fault::ResumesForEver), true)]
fn resumption_is_bounded(#[case] fault: Option<Fault>, #[case] is_endless: bool) {
    let mut script = calls(NOVEMBER, 1);
    script["steps"].as_array_mut().unwrap().insert(2, json!({ "step": "rest", "do": "wait", "ms": 300 }));
    let (told, record) = play(&script, fault, |asked| match asked.method() {
        "tools/call" => Some(stream("retry: 10\nid: a\ndata:\n\n")),
        "GET" if asked.number > 0 => Some(stream(":\n\n")),
        _ => None,
    });
    assert!(told.line("0")["error"].is_object());
    let resumptions = record.asked("GET").len() - 1;
    assert_eq!((resumptions, is_endless), if is_endless { (resumptions.max(10), true) } else { (5, false) });
}

#[rstest]
#[case(None)]
#[case(Some(Fault::IgnoresPing))]
#[case(Some(Fault::IgnoresSampling))]
fn requests_of_the_server_are_answered(#[case] fault: Option<Fault>) {
    for is_on_get in [false, true] {
        let mut script = calls(NOVEMBER, 1);
        script["answers"] = json!({ "sampling": { "model": "none" } });
        script["steps"].as_array_mut().unwrap().insert(2, json!({ "step": "rest", "do": "wait", "ms": 50 }));
        let (told, record) = play(&script, fault, move |asked| {
            let requests: String = ["ping", "sampling/createMessage", "elicitation/create"]
                .map(|method| event(&json!({ "jsonrpc": "2.0", "id": method, "method": method })))
                .concat();
            match asked.method() {
                "tools/call" if !is_on_get => Some(stream(requests + &asked.result_event("done"))),
                "GET" if is_on_get => Some(vec![stream_head(requests)]),
                _ => None,
            }
        });
        assert_eq!(told.text("0"), "done");
        let mut answers: Vec<_> = record.asked("response").into_iter().map(|asked| asked.body.clone()).collect();
        answers.sort_by_key(|answer| answer["id"].as_str().unwrap().to_owned());
        let unknown = json!({ "code": -32601, "message": "there is no such feature" });
        let mut expected = vec![
            json!({ "jsonrpc": "2.0", "id": "elicitation/create", "error": unknown }),
            json!({ "jsonrpc": "2.0", "id": "ping", "result": {} }),
            json!({ "jsonrpc": "2.0", "id": "sampling/createMessage", "result": { "model": "none" } }),
        ];
        match fault {
            Some(Fault::IgnoresPing) => drop(expected.remove(1)),
            Some(Fault::IgnoresSampling) => drop(expected.remove(2)),
            _ => {}
        }
        assert_eq!(answers, expected);
        assert_eq!(record.resets(), 0);
    }
}

#[rstest]
#[case(None)]
#[case(Some(Fault::IgnoresInputRequired))]
#[case(Some(Fault::RetriesWithTheSameId))]
#[case(Some(Fault::ChangesRequestState))]
fn required_input_is_given(#[case] fault: Option<Fault>) {
    let mut script = calls(MODERN, 1);
    script["answers"] = json!({ "elicitation": { "action": "accept" } });
    let (told, record) = play(&script, fault, |asked| {
        let required = json!({
            "resultType": "input_required",
            "inputRequests": { "who": { "method": "elicitation/create", "params": {} } },
            "requestState": "s\"ß",
        });
        let is_first = is_call(asked) && asked.number == 0;
        is_first.then(|| stream(event(&json!({ "jsonrpc": "2.0", "id": asked.id(), "result": required }))))
    });
    let calls = record.asked("tools/call");
    if fault == Some(Fault::IgnoresInputRequired) {
        assert_eq!((calls.len(), &told.line("0")["result"]["resultType"]), (1, &json!("input_required")));
        return;
    }
    assert_eq!((calls.len(), told.text("0")), (2, "done"));
    let params = &calls[1].body["params"];
    assert_eq!(params["inputResponses"], json!({ "who": { "action": "accept" } }));
    assert_eq!(params["requestState"] == "s\"ß", fault != Some(Fault::ChangesRequestState));
    assert_eq!(calls[0].id() == calls[1].id(), fault == Some(Fault::RetriesWithTheSameId));
    assert_eq!(params["_meta"]["io.modelcontextprotocol/clientCapabilities"]["elicitation"], json!({}));
}

#[rstest]
#[case(None)]
#[case(Some(Fault::OneCallAtATime))]
#[case(Some(Fault::AnswersByOrder))]
fn calls_are_made_side_by_side(#[case] fault: Option<Fault>) {
    let call = |name: &str| json!({ "step": name, "do": "call-tool", "name": name });
    let script = json!({ "version": 1, "revision": MODERN, "steps": [
        { "step": "connect", "do": "connect" },
        { "step": "together", "do": "together", "steps": [call("a"), call("b"), call("c")] },
    ] });
    let (told, record) = play(&script, fault, |asked| {
        // The later a call is made, the sooner it is answered.
        let pause = 150_u64.saturating_sub(60 * asked.number as u64);
        let name = asked.body["params"]["name"].as_str().unwrap_or_default();
        is_call(asked).then(|| [vec![Part::Pause(pause)], stream(asked.result_event(name))].concat())
    });
    let times = record.times("tools/call");
    assert_eq!(times[1] - times[0] >= Duration::from_millis(150), fault == Some(Fault::OneCallAtATime));
    let is_right = ["a", "b", "c"].iter().all(|name| told.text(name) == *name);
    assert_eq!(is_right, fault != Some(Fault::AnswersByOrder), "{told:?}");
}

#[rstest]
#[case(None, NOVEMBER)]
#[case(Some(Fault::CancelsSilently), NOVEMBER)]
#[case(Some(Fault::CancelsAnotherRequest), NOVEMBER)]
#[case(None, MODERN)]
#[case(Some(Fault::KeepsCancelledStream), MODERN)]
fn a_call_is_given_up(#[case] fault: Option<Fault>, #[case] revision: &str) {
    let script = json!({ "version": 1, "revision": revision, "steps": [
        { "step": "connect", "do": "connect" },
        { "step": "late", "do": "call-tool", "name": "t", "give-up-after-ms": 50 },
        { "step": "rest", "do": "wait", "ms": 200 },
        { "step": "next", "do": "call-tool", "name": "t" },
        { "step": "close", "do": "close" },
    ] });
    let (told, record) = play(&script, fault, |asked| {
        let is_late = is_call(asked) && asked.number == 0;
        is_late.then(|| vec![stream_head(":\n\n"), Part::Pause(150), chunk(asked.result_event("late")), last_chunk()])
    });
    assert_eq!(told.line("late")["error"], json!({ "message": "timed out" }));
    assert_eq!(told.text("next"), "done");
    let cancelled: Vec<_> = record.asked("notifications/cancelled");
    let is_closed = record.ends_of_calls()[0] < Duration::from_millis(100);
    match (revision, fault) {
        (MODERN, fault) => {
            assert!(cancelled.is_empty());
            assert_eq!(is_closed, fault.is_none());
        }
        (_, Some(Fault::CancelsSilently)) => assert!(cancelled.is_empty() && !is_closed),
        (_, fault) => {
            assert!(!is_closed);
            let is_right = cancelled[0].body["params"]["requestId"] == *record.asked("tools/call")[0].id();
            assert_eq!(is_right, fault.is_none());
        }
    }
    // What was kept unread goes down with the process.
    assert_eq!(record.resets() > 0, fault == Some(Fault::KeepsCancelledStream));
}

#[test]
fn every_fault_violates_a_check() {
    for fault in Fault::ALL {
        assert!(fault.violates().iter().all(|check| check.starts_with("client/")), "{fault}");
        assert_eq!(fault.violates().len(), 1, "{fault}");
        assert_eq!(fault.name().parse(), Ok(*fault));
    }
}
