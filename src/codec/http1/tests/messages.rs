//! Legal messages, the odd ones above all.

use rstest::rstest;

use super::*;

#[rstest]
#[case::length(&["GET"], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", &["head 200 Length(2)", "data hi", "end 40"])]
#[case::zero_length(&["POST"], "HTTP/1.1 202 \r\ncontent-length: 0\r\n\r\n", &["head 202 Length(0)", "end 36"])]
#[case::leading_zeros_in_length(&["GET"], "HTTP/1.1 200 \r\nContent-Length: 002\r\n\r\nhi", &["head 200 Length(2)", "data hi", "end 40"])]
#[case::chunked(
    &["GET"],
    "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2\r\nhi\r\n00a\r\n0123456789\r\n0\r\n\r\n",
    &["head 200 Chunked", "chunk 2", "data hi", "chunk 10", "data 0123456789", "chunk 0", "end 76"]
)]
#[case::capital_digits(
    &["GET"],
    "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n000\r\n\r\n",
    &["head 200 Chunked", "chunk 10", "data 0123456789", "chunk 0", "end 67"]
)]
#[case::chunk_extension(
    &["GET"],
    "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2;a=b; c=\"d\"\r\nhi\r\n0;e\r\n\r\n",
    &["head 200 Chunked", "chunk 2 extended", "data hi", "chunk 0 extended", "end 70"]
)]
#[case::trailers(
    &["GET"],
    "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\nC:d \r\n\r\n",
    &["head 200 Chunked", "chunk 0", "trailer A: b", "trailer C: d", "end 62"]
)]
#[case::another_coding_before_chunked(
    &["GET"],
    "HTTP/1.1 200 \r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n",
    &["head 200 Chunked", "chunk 0", "end 76"]
)]
#[case::head(&["HEAD"], "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", &["head 200 Bodyless", "end 38"])]
#[case::not_modified(&["GET"], "HTTP/1.1 304 \r\nContent-Length: 2\r\n\r\n", &["head 304 Bodyless", "end 36"])]
#[case::no_content(&["DELETE"], "HTTP/1.1 204 \r\n\r\n", &["head 204 Bodyless", "end 17"])]
#[case::reset_content(&["POST"], "HTTP/1.1 205 \r\nContent-Length: 0\r\n\r\n", &["head 205 Length(0)", "end 36"])]
#[case::reset_content_chunked(
    &["POST"],
    "HTTP/1.1 205 \r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    &["head 205 Chunked", "chunk 0", "end 50"]
)]
#[case::the_last_status_of_a_class(&["GET"], "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n", &["head 599 Length(0)", "end 36"])]
#[case::interim_responses(
    &["POST"],
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 \r\n\r\n",
    &["interim 100", "interim 103", "head 204 Bodyless", "end 82"]
)]
#[case::pipelined(
    &["HEAD", "GET", "POST"],
    "HTTP/1.1 200 \r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 204 \r\n\r\n",
    &["head 200 Bodyless", "end 36", "head 200 Length(2)", "data hi", "end 74", "head 204 Bodyless", "end 91"]
)]
fn a_legal_response_is_read_without_a_fault(#[case] methods: &[&str], #[case] wire: &str, #[case] expected: &[&str]) {
    let (parser, events) = responses(methods, wire.as_bytes());
    assert_outline(wire.as_bytes(), &events, expected);
    assert_eq!(parser.state(), State::Idle);
}

#[rstest]
#[case::bytes_after_the_end(&["GET"], "HTTP/1.1 204 \r\n\r\n", "\r\n")]
#[case::content_after_204(&["GET"], "HTTP/1.1 204 \r\n\r\n", "hi")]
#[case::more_than_the_length(&["GET"], "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "hi")]
#[case::a_second_response(&["GET"], "HTTP/1.1 204 \r\n\r\n", "HTTP/1.1 204 \r\n\r\n")]
#[case::a_response_before_any_request(&[], "", "HTTP/1.1 408 \r\n\r\n")]
fn bytes_that_nobody_asked_for_are_surplus(#[case] methods: &[&str], #[case] wire: &str, #[case] surplus: &str) {
    let wire = [wire, surplus].concat();
    let (parser, events) = responses(methods, wire.as_bytes());
    let start = (wire.len() - surplus.len()) as u64;
    assert_eq!(events.last(), Some(&ResponseEvent::Surplus(start..wire.len() as u64)));
    assert_eq!(parser.state(), State::Idle);
    assert_eq!(events.faults(), []);
}

#[rstest]
#[case::upgrade("GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")]
#[case::tunnel("CONNECT", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")]
fn nothing_can_be_read_after_a_switch_of_protocol(#[case] method: &str, #[case] wire: &str) {
    let (parser, events) = responses(&[method], wire.as_bytes());
    let end = wire.len() as u64;
    assert!(matches!(events[0], ResponseEvent::Head(_, Framing::Bodyless)));
    assert_eq!(events[1], ResponseEvent::End { at: end });
    assert_eq!(events[2], ResponseEvent::Fault(Fault { at: 0..end, kind: FaultKind::ProtocolSwitched }));
    assert_eq!(parser.state(), State::Lost);
}

#[test]
fn a_refused_tunnel_is_an_ordinary_response() {
    let wire = b"HTTP/1.1 405 \r\nContent-Length: 2\r\n\r\nno";
    let (_, events) = responses(&["CONNECT"], wire);
    assert_outline(wire, &events, &["head 405 Length(2)", "data no", "end 38"]);
}

#[test]
fn a_head_keeps_what_was_sent() {
    let wire = b"HTTP/1.1 200 Very  OK \xE4\r\nX-A: 1\r\nMCP-Session-ID:\t a b \t\r\nx-a:2\r\nEmpty:\r\nSets: A, b ,,c\r\nsets: D\r\n\r\n";
    let (_, events) = responses(&["GET"], wire);
    let ResponseEvent::Head(head, _) = &events[0] else { panic!("{events:?}") };
    assert_eq!(head.span, 0..wire.len() as u64);
    assert_eq!(head.version, (1, 1));
    assert_eq!(head.reason, b"Very  OK \xE4");

    let shown = |span: &Span| String::from_utf8_lossy(&wire[span.start as usize..span.end as usize]).into_owned();
    let fields: Vec<_> = head.fields.iter().map(|field| (field.name.as_str(), shown(&field.value_span))).collect();
    let expected =
        [("X-A", "1"), ("MCP-Session-ID", "a b"), ("x-a", "2"), ("Empty", ""), ("Sets", "A, b ,,c"), ("sets", "D")];
    assert_eq!(fields, expected.map(|(name, value)| (name, value.to_owned())));

    let fields = &head.fields;
    assert_eq!(fields.len(), 6);
    assert_eq!(fields.text("mcp-session-id").as_deref(), Some("a b"));
    assert_eq!(fields.get("X-a").map(|field| shown(&field.line)), Some("X-A: 1\r\n".to_owned()));
    assert_eq!(fields.all("x-A").map(Field::text).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(fields.list("SETS"), ["a", "b", "c", "d"]);
    assert_eq!(fields.get("absent"), None);
}

#[test]
fn a_folded_value_is_joined_by_one_space() {
    let wire = b"HTTP/1.1 200 OK\r\nA: b \r\n\t c\r\n  \r\n d\r\nE: f\r\n\r\n";
    let (_, events) = responses(&["GET"], wire);
    let Some(ResponseEvent::Head(head, _)) = events.iter().find(|event| matches!(event, ResponseEvent::Head(..)))
    else {
        panic!("{events:?}")
    };
    let field = head.fields.get("a").expect("the folded field");
    assert_eq!(field.text(), "b c d");
    assert_eq!(field.line, 17..37);
    assert_eq!(field.value_span, 20..35);
    assert_eq!(events.faults().iter().map(|fault| fault.kind).collect::<Vec<_>>(), [FaultKind::ObsFold; 3]);
}

#[rstest]
#[case("HTTP/1.1 200 \r\n\r\n", true)]
#[case("HTTP/1.1 200 \r\nConnection: Keep-Alive, Close\r\n\r\n", false)]
#[case("HTTP/1.0 200 \r\n\r\n", false)]
#[case("HTTP/1.0 200 \r\nConnection: keep-alive\r\n\r\n", true)]
#[case("HTTP/1.2 200 \r\n\r\n", true)]
fn a_head_says_whether_the_connection_persists(#[case] wire: &str, #[case] persistent: bool) {
    let (_, events) = responses(&["GET"], wire.as_bytes());
    assert!(matches!(&events[0], ResponseEvent::Head(head, _) if head.is_persistent() == persistent));
}

#[test]
fn the_state_follows_a_response_from_request_to_end() {
    let mut parser = ResponseParser::new();
    let mut events = Vec::new();
    assert_eq!(parser.state(), State::Idle);
    parser.expect("POST");
    assert_eq!(parser.state(), State::AwaitingHead);
    for (piece, state) in [
        ("HTTP/1.1 100 \r\n\r\n", State::AwaitingHead),
        ("H", State::InHead),
        ("TTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", State::InBody(Framing::Chunked)),
        ("0\r\n\r\n", State::Idle),
    ] {
        parser.push(piece.as_bytes(), &mut events);
        assert_eq!(parser.state(), state, "after {piece:?}");
    }
}

#[test]
fn requests_follow_each_other() {
    let wire = b"GET /mcp?a HTTP/1.1\r\nHost: x\r\n\r\nPOST * HTTP/1.0\r\nContent-Length: 2\r\n\r\nhiDELETE http://x/ HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n";
    let (parser, events) = requests(wire);
    let heads: Vec<_> = events
        .iter()
        .filter_map(|event| if let RequestEvent::Head(head, framing) = event { Some((head, framing)) } else { None })
        .map(|(head, framing)| (head.method.as_str(), head.target.as_str(), *framing))
        .collect();
    let expected = [
        ("GET", "/mcp?a", Framing::Bodyless),
        ("POST", "*", Framing::Length(2)),
        ("DELETE", "http://x/", Framing::Bodyless),
        ("POST", "/", Framing::Chunked),
    ];
    assert_eq!(heads, expected);
    assert!(events.iter().any(|event| matches!(event, RequestEvent::Trailer(field) if field.is("a"))));
    assert_eq!(events.iter().filter(|event| matches!(event, RequestEvent::End { .. })).count(), 4);
    // The second one is HTTP/1.0 without keep-alive.
    assert_eq!(events.faults().iter().map(|fault| fault.kind).collect::<Vec<_>>(), [FaultKind::MessageAfterClose]);
    assert_eq!(parser.state(), State::Idle);
}
