//! Streams and what they mean, the examples of section 9.2.6 among them.

use rstest::rstest;

use super::*;

#[rstest]
#[case::one_event("data: hi\n\n", &[r#"dispatch "hi""#])]
#[case::all_fields("event: add\nid: 7\nretry: 10\ndata: x\n\n", &[r#"dispatch "x" event=add id=7 retry=10"#])]
#[case::several_data_lines("data: a\ndata\ndata:b\n\n", &[r#"dispatch "a\n\nb""#])]
#[case::one_space_is_removed("data:  a \n\n", &[r#"dispatch " a ""#])]
#[case::only_the_first_colon_counts("data:a:b: c\n\n", &[r#"dispatch "a:b: c""#])]
#[case::the_last_of_equal_fields_wins("event:a\nevent:b\nid:1\nid\ndata:x\n\n", &[r#"dispatch "x" event=b id="#])]
#[case::blank_lines_between("\n\n\ndata:a\n\n\n\ndata:b\n\n\n", &[r#"dispatch "a""#, r#"dispatch "b""#])]
#[case::comments(": keep-alive\n:\ndata:a\n:in the block\n\n:end\n", &["comment : keep-alive", "comment :", "comment :in the block", r#"dispatch "a""#, "comment :end"])]
#[case::priming("id: 1\ndata:\n\n", &[r#"dispatch "" id=1"#])]
#[case::priming_without_colon("id: 1\ndata\n\n", &[r#"dispatch "" id=1"#])]
#[case::id_alone("id: 1\n\n", &["no data id=1"])]
#[case::retry_alone("retry: 5000\n\n", &["no data retry=5000"])]
#[case::kind_alone("event: x\n\ndata: y\n\n", &["no data event=x", r#"dispatch "y""#])]
#[case::byte_order_mark("\u{FEFF}data:a\n\n", &[r#"dispatch "a""#])]
#[case::byte_order_mark_alone("\u{FEFF}", &[])]
#[case::byte_order_mark_and_comment("\u{FEFF}:a\n", &["comment :a"])]
#[case::nothing("", &[])]
#[case::unterminated_comment("data:a\n\n: bye", &[r#"dispatch "a""#])]
#[case::retry_with_leading_zeros("retry: 007\ndata:x\n\n", &[r#"dispatch "x" retry=7"#])]
#[case::retry_beyond_64_bits("retry: 99999999999999999999\ndata:x\n\n", &[r#"dispatch "x" retry=18446744073709551615"#])]
#[case::stock_example("data: YHOO\ndata: +2\ndata: 10\n\n", &[r#"dispatch "YHOO\n+2\n10""#])]
#[case::four_blocks_example(
    ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
    &["comment : test stream", r#"dispatch "first event" id=1"#, r#"dispatch "second event" id="#, r#"dispatch " third event""#]
)]
#[case::identical_events_example("data:test\n\ndata: test\n\n", &[r#"dispatch "test""#, r#"dispatch "test""#])]
fn a_legal_stream_is_read_without_a_fault(#[case] body: &str, #[case] expected: &[&str]) {
    for body in [body.to_owned(), body.replace('\n', "\r\n"), body.replace('\n', "\r")] {
        let (_, events) = read(body.as_bytes());
        assert_eq!(outline(body.as_bytes(), &events), expected, "for {body:?}");
    }
}

/// The example of section 9.2.6 about empty data: the first two blocks are dispatched, the last is not, since no blank
/// line follows it.
#[test]
fn empty_data_is_dispatched() {
    let body = b"data\n\ndata\ndata\n\ndata:";
    let (_, events) = read(body);
    let expected = [r#"dispatch """#, r#"dispatch "\n""#, r#"fault stream ended inside an event: "data:""#];
    assert_eq!(outline(body, &events), expected);
    assert!(dispatched(&events).all(Event::dispatched_by_browsers));
    assert_eq!(dispatched(&events).map(Event::is_blank).collect::<Vec<_>>(), [true, false]);
}

#[rstest]
#[case::byte("data: \u{0}\n\n", b'\xFF', "\u{FFFD}", 6..7)]
#[case::in_a_comment(":\u{0}\n\ndata:\n\n", b'\xC3', "", 1..2)]
#[case::in_a_name("\u{0}\ndata:\n\n", b'\x80', "", 0..1)]
fn bytes_that_are_no_utf_8_are_reported(#[case] body: &str, #[case] byte: u8, #[case] data: &str, #[case] at: Span) {
    let body: Vec<u8> = body.bytes().map(|plain| if plain == 0 { byte } else { plain }).collect();
    let (_, events) = read(&body);
    assert_eq!(events[0], SseEvent::Fault(SseFault { at, kind: SseFaultKind::InvalidUtf8 }));
    assert_eq!(dispatched(&events).next().map(|event| event.data.as_str()), Some(data));
}

#[test]
fn a_character_cut_by_a_line_end_is_no_utf_8() {
    let (_, events) = read(b"data:\xE2\x82\ndata:\xAC\n\n");
    let faults: Vec<_> = events.iter().filter(|event| matches!(event, SseEvent::Fault(_))).collect();
    let invalid = |at| SseEvent::Fault(SseFault { at, kind: SseFaultKind::InvalidUtf8 });
    assert_eq!(faults, [&invalid(5..7), &invalid(13..14)]);
    assert_eq!(dispatched(&events).next().map(|event| event.data.as_str()), Some("\u{FFFD}\n\u{FFFD}"));
}

#[rstest]
#[case::id_with_nul("id:1\nid: a\0b\ndata:x\n\n", &["fault id holds a nul character: \"id: a\\0b\"", r#"dispatch "x" id=1"#])]
#[case::retry_with_letters("retry: 1s\ndata:x\n\n", &["fault retry time is not made of digits: \"retry: 1s\"", r#"dispatch "x""#])]
#[case::retry_with_sign("retry:-1\n\n", &["fault retry time is not made of digits: \"retry:-1\"", "no data"])]
#[case::empty_retry("retry\n\n", &["fault retry time is not made of digits: \"retry\"", "no data"])]
#[case::capital_letter("Data: x\n\n", &["fault unknown field \"Data\": \"Data: x\"", "no data"])]
#[case::blank_before_name(" data: x\n\n", &["fault unknown field \" data\": \" data: x\"", "no data"])]
#[case::not_an_event_stream(r#"{"jsonrpc":"2.0"}"#, &[r#"fault stream ended inside an event: "{\"jsonrpc\":\"2.0\"}""#])]
#[case::second_byte_order_mark("\u{FEFF}\u{FEFF}data:x\n\n", &["fault unknown field \"\\u{feff}data\": \"\\u{feff}data:x\"", "no data"])]
#[case::no_blank_line("data:a\n\ndata: b\n", &[r#"dispatch "a""#, r#"fault stream ended inside an event: "data: b\n""#])]
#[case::no_line_end("data:a\n\nid", &[r#"dispatch "a""#, r#"fault stream ended inside an event: "id""#])]
#[case::comment_after_an_open_block("data:a\n:b", &[r#"fault stream ended inside an event: "data:a\n:b""#])]
fn what_a_browser_skips_in_silence_is_reported(#[case] body: &str, #[case] expected: &[&str]) {
    let (_, events) = read(body.as_bytes());
    assert_eq!(outline(body.as_bytes(), &events), expected);
}

#[test]
fn a_long_unknown_name_is_shortened() {
    let (_, events) = read(&[b"x".repeat(1000).as_slice(), b"\n"].concat());
    let SseEvent::Fault(SseFault { kind: SseFaultKind::UnknownField(name), .. }) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(name.len(), 40);
}

#[test]
fn data_lines_and_their_bytes_are_counted() {
    let (_, events) = read(b"data: ab\ndata\ndata:c\n\n");
    let event = dispatched(&events).next().expect("an event");
    assert_eq!((event.data_lines, event.data_size), (3, 5));
}

#[test]
fn an_event_spans_its_block() {
    let (_, events) = read(b"\xEF\xBB\xBFid:1\n\n:c\ndata:a\r\n\r\ndata:b\n\n");
    let spans: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            SseEvent::Dispatch(event) | SseEvent::NoData(event) => Some(event.span.clone()),
            _ => None,
        })
        .collect();
    // The second one is complete with the CR at 20; the LF at 21 belongs to no event.
    assert_eq!(spans, [3..9, 12..21, 22..30]);
}

#[test]
fn an_event_is_dispatched_at_a_cr_without_waiting_for_an_lf() {
    let mut parser = SseParser::new();
    let mut events = Vec::new();
    parser.push(b"data:a\r\r", &mut events);
    assert_eq!(dispatched(&events).count(), 1);
    assert_eq!(parser.endings(), LineEndings { lf: 0, crlf: 0, cr: 2 });
    parser.push(b"\n", &mut events);
    assert_eq!(parser.endings(), LineEndings { lf: 0, crlf: 1, cr: 1 });
    assert_eq!(events.len(), 1);
}

#[test]
fn line_ends_are_counted_by_kind() {
    let (parser, _) = read(b"\n\r\n\r\r\n\n\r");
    assert_eq!(parser.endings(), LineEndings { lf: 2, crlf: 2, cr: 2 });
    let (parser, _) = read(b"data: a\r\n\r\n");
    assert_eq!(parser.endings(), LineEndings { lf: 0, crlf: 2, cr: 0 });
}

#[test]
fn the_last_event_id_is_taken_over_at_a_blank_line() {
    let mut parser = SseParser::new();
    let mut events = Vec::new();
    for (piece, id) in [
        ("id: 1\n", ""),
        ("\n", "1"),
        ("data: x\n\n", "1"),
        ("id: 2\ndata: x\n", "1"),
        ("\n", "2"),
        ("id\n\n", ""),
        ("id: 3\n", ""),
    ] {
        parser.push(piece.as_bytes(), &mut events);
        assert_eq!(parser.last_event_id(), id, "after {piece:?}");
    }
    parser.finish(&mut events);
    assert_eq!(parser.last_event_id(), "");
}

#[test]
fn finishing_twice_says_nothing_new() {
    let (mut parser, mut events) = read(b"data: x\ndata");
    let seen = events.len();
    parser.finish(&mut events);
    assert_eq!(events.len(), seen);
}

mod with_a_cap {
    use super::*;

    fn read(cap: usize, body: &[u8]) -> Vec<SseEvent> {
        let mut parser = SseParser::with_cap(cap);
        let mut events = Vec::new();
        parser.push(body, &mut events);
        parser.finish(&mut events);
        events
    }

    #[rstest]
    #[case::all_of_it_fits(4, "data:abcd\n\n", "abcd", 4, 0)]
    #[case::the_last_byte_does_not(3, "data:abcd\n\n", "abc", 4, 1)]
    #[case::the_joint_does_not(2, "data:ab\ndata:cd\n\n", "ab", 5, 1)]
    #[case::the_second_line_does_not(4, "data:ab\ndata:cd\n\n", "ab\nc", 5, 1)]
    #[case::nothing_after_the_cut(1, "data:ab\ndata:\ndata:c\n\n", "a", 5, 1)]
    #[case::characters_stay_whole(4, "data:aä€\n\n", "aä", 6, 1)]
    #[case::nothing_at_all(0, "data:a\n\n", "", 1, 1)]
    #[case::empty_data(0, "data:\n\n", "", 0, 0)]
    fn data_is_cut_and_its_size_counts_on(
        #[case] cap: usize,
        #[case] body: &str,
        #[case] data: &str,
        #[case] size: u64,
        #[case] faults: usize,
    ) {
        let events = read(cap, body.as_bytes());
        let event = dispatched(&events).next().expect("an event");
        assert_eq!((event.data.as_str(), event.data_size), (data, size));
        let too_large = SseEvent::Fault(SseFault { at: event.span.clone(), kind: SseFaultKind::EventTooLarge });
        assert_eq!(events[..events.len() - 1], vec![too_large; faults]);
    }

    #[test]
    fn the_next_event_is_not_affected() {
        let events = read(3, b"data:abcd\n\ndata:abc\n\n");
        assert_eq!(dispatched(&events).map(|event| event.data.as_str()).collect::<Vec<_>>(), ["abc", "abc"]);
        assert_eq!(events.len(), 3);
    }

    #[test]
    fn a_line_is_cut_and_its_size_counts_on() {
        // Two bytes a character: the cap of the line falls into the middle of one, which is no fault of the stream.
        let body = ["data:", &"ä".repeat(4000), "\n\n"].concat();
        let events = read(100, body.as_bytes());
        let kinds: Vec<_> = events
            .iter()
            .filter_map(|event| if let SseEvent::Fault(fault) = event { Some(fault.kind.clone()) } else { None })
            .collect();
        assert_eq!(kinds, [SseFaultKind::LineTooLong, SseFaultKind::EventTooLarge]);
        let event = dispatched(&events).next().expect("an event");
        assert_eq!((event.data.len(), event.data_size), (100, 8000));
    }

    #[test]
    fn a_comment_of_any_length_is_legal() {
        let body = [":".repeat(5000).as_str(), "\n"].concat();
        assert_eq!(read(100, body.as_bytes()), [SseEvent::Comment(0..5000)]);
    }

    #[rstest]
    #[case::endless_line(b"data:", b"xxxxxxxxxxxxxxxx")]
    #[case::endless_comment(b":", b"xxxxxxxxxxxxxxxx")]
    #[case::endless_event(b"data:", b"xxx\ndata:xxxxxxx")]
    #[case::endless_ids(b"id:", b"xxx\nid:xxxxxxxxx")]
    #[case::many_events(b"\n", b"data:abcdefghi\n\n")]
    #[case::blank_lines(b"\n", b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n")]
    fn what_is_held_is_bounded(#[case] begin: &[u8], #[case] piece: &[u8]) {
        const CAP: usize = 1000;
        let mut parser = SseParser::with_cap(CAP);
        parser.push(begin, &mut Vec::new());
        for piece in std::iter::repeat_n(piece.repeat(256), (8 << 20) / (256 * 16)) {
            parser.push(&piece, &mut Vec::new());
            assert!(parser.held() <= 2 * CAP + 1024, "{} bytes held", parser.held());
        }
    }
}
