//! What is held is bounded, whatever comes. Work is counted in bytes and events, never in time.

use rstest::rstest;

use super::*;

/// The most that a parser may ever hold: one head, or one trailer section.
const BOUND: usize = MAX_HEAD as usize;

/// Pushes `piece` again and again until `total` bytes are through. Gives the most that was held and the events.
fn flood(parser: &mut ResponseParser, piece: &[u8], total: u64) -> (usize, Vec<ResponseEvent>) {
    let mut all = Vec::new();
    let mut held = 0;
    let end = parser.consumed() + total;
    while parser.consumed() < end {
        let mut events = Vec::new();
        parser.push(piece, &mut events);
        held = held.max(parser.held());
        if all.len() < 8 {
            all.append(&mut events);
        }
    }
    (held, all)
}

#[rstest]
#[case::length("Content-Length: 1073741824\r\n\r\n")]
#[case::one_chunk("Transfer-Encoding: chunked\r\n\r\n40000000\r\n")]
#[case::until_close("\r\n")]
fn nothing_of_a_body_is_held(#[case] rest: &str) {
    let (mut parser, _) = responses(&["GET"], format!("HTTP/1.1 200 OK\r\n{rest}").as_bytes());
    let (held, _) = flood(&mut parser, &[b'x'; 64 * 1024], 1 << 30);
    assert_eq!(held, 0);
}

#[rstest]
#[case::garbage(&["GET"], "", FaultKind::HeadTooLong)]
#[case::endless_status_line(&["GET"], "HTTP/1.1 200 ", FaultKind::HeadTooLong)]
#[case::endless_field(&["GET"], "HTTP/1.1 200 OK\r\nA: ", FaultKind::HeadTooLong)]
#[case::endless_fold(&["GET"], "HTTP/1.1 200 OK\r\nA: b\r\n ", FaultKind::HeadTooLong)]
#[case::endless_chunk_extension(&["GET"], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", FaultKind::ChunkLineTooLong)]
#[case::endless_trailer(&["GET"], "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: ", FaultKind::TrailersTooLong)]
fn an_endless_line_is_given_up(#[case] methods: &[&str], #[case] wire: &str, #[case] kind: FaultKind) {
    for piece in [1, 7, 4096, 100_000] {
        let (mut parser, _) = responses(methods, wire.as_bytes());
        let (held, events) = flood(&mut parser, &vec![b'x'; piece], 1 << 20);
        assert_eq!(events.faults().last().map(|fault| fault.kind), Some(kind));
        assert!(held <= BOUND, "{held} bytes held");
        assert_eq!(parser.state(), State::Lost);
    }
}

#[rstest]
#[case::nothing_yet("", 0)]
#[case::a_start_line("HTTP/1.1", 8)]
#[case::names_values_and_a_line("HTTP/1.1 200 OK\r\nA: bc\r\nDef", 6)]
#[case::a_size("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1234", 4)]
#[case::trailers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: bc\r\nDef", 6)]
fn what_is_held_is_said(#[case] wire: &str, #[case] held: usize) {
    assert_eq!(responses(&["GET"], wire.as_bytes()).0.held(), held);
}

#[test]
fn surplus_is_not_held() {
    let (held, events) = flood(&mut ResponseParser::new(), &[b'\n'; 4096], 1 << 24);
    assert_eq!(held, 0);
    assert_eq!(events[0], ResponseEvent::Surplus(0..4096));
}

#[test]
fn chunk_after_chunk_holds_no_more_than_a_line() {
    let (mut parser, _) = responses(&["GET"], b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    let (held, _) = flood(&mut parser, b"1;abc\r\nx\r\n1", 1 << 20);
    assert!(held <= MAX_CHUNK_LINE as usize, "{held} bytes held");
}

/// A head of `length` bytes.
fn head_of(length: u64) -> Vec<u8> {
    let mut head = b"HTTP/1.1 204 \r\nA: ".to_vec();
    head.resize(length as usize - 4, b'x');
    head.extend_from_slice(b"\r\n\r\n");
    head
}

#[test]
fn the_longest_head_is_read() {
    let wire = head_of(MAX_HEAD);
    let (_, events) = responses(&["GET"], &wire);
    assert_eq!(events.faults(), []);
    assert_eq!(events.last(), Some(&ResponseEvent::End { at: MAX_HEAD }));
}

#[test]
fn a_head_one_byte_longer_is_not() {
    let (_, events) = responses(&["GET"], &head_of(MAX_HEAD + 1));
    assert_eq!(events, [ResponseEvent::Fault(Fault { at: 0..MAX_HEAD, kind: FaultKind::HeadTooLong })]);
}

#[test]
fn blank_lines_before_a_head_count_towards_its_length() {
    let (_, events) = responses(&["GET"], &b"\r\n".repeat(MAX_HEAD as usize));
    assert_eq!(events.faults().len() as u64, MAX_HEAD / 2 + 1);
    assert_eq!(events.faults().last().map(|fault| fault.kind), Some(FaultKind::HeadTooLong));
}

#[rstest]
#[case::as_many_as_allowed(MAX_FIELDS, 0)]
#[case::one_too_many(MAX_FIELDS + 1, 1)]
fn the_number_of_fields_is_bounded(#[case] count: usize, #[case] faults: usize) {
    let fields = "A: b\r\n".repeat(count);
    let (_, events) = responses(&["GET"], format!("HTTP/1.1 204 \r\n{fields}\r\n").as_bytes());
    assert_eq!(events.faults().len(), faults);
    assert!(events.faults().iter().all(|fault| fault.kind == FaultKind::TooManyFields));

    let chunked = "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let (_, events) = responses(&["GET"], format!("{chunked}{fields}\r\n").as_bytes());
    assert_eq!(events.faults().len(), faults);
}

#[test]
fn the_longest_chunk_line_is_read_and_a_longer_one_is_not() {
    for (length, faults) in [(MAX_CHUNK_LINE, 0), (MAX_CHUNK_LINE + 1, 1)] {
        let zeros = "0".repeat(length as usize - 3);
        let (_, events) =
            responses(&["GET"], format!("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n{zeros}1\r\n").as_bytes());
        assert_eq!(events.faults().len(), faults);
    }
}

#[test]
fn the_largest_chunk_is_counted() {
    let wire = b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nx";
    let (_, events) = responses(&["GET"], wire);
    assert_outline(wire, &events, &["head 200 Chunked", "chunk 18446744073709551615", "data x"]);
}
