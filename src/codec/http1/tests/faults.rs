//! Every fault, the bytes that it points at, and what becomes of the message.

use rstest::rstest;

use super::*;
use FaultKind::*;

/// The single fault of these, after checking that it points at `shown`.
#[track_caller]
fn assert_single(wire: &[u8], faults: &[Fault], kind: FaultKind, shown: &str) {
    let [fault] = faults else { panic!("expected {kind:?} alone, got {faults:?}") };
    assert_eq!(fault.kind, kind);
    let at = &wire[fault.at.start as usize..fault.at.end as usize];
    assert_eq!(String::from_utf8_lossy(at), shown);
}

#[rstest]
#[case::status_line("HTTP/1.1 200 OK\nContent-Length: 2\r\n\r\nhi", BareLf, "\n")]
#[case::field_line("HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nhi", BareLf, "\n")]
#[case::empty_line("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\nhi", BareLf, "\n")]
#[case::cr_in_value("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\rc\r\n\r\nhi", BareCr, "\r")]
#[case::two_crs_at_the_end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\r\n\r\nhi", BareCr, "\r")]
#[case::cr_in_reason("HTTP/1.1 200 O\rK\r\nContent-Length: 2\r\n\r\nhi", BareCr, "\r")]
#[case::leading_crlf("\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", LeadingBlankLine, "\r\n")]
#[case::missing_reason_space("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", MissingReasonSpace, "")]
#[case::status_600("HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\nhi", StatusAbove599, "600")]
#[case::status_999("HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi", StatusAbove599, "999")]
#[case::blank_before_colon("HTTP/1.1 200 OK\r\nContent-Length \t: 2\r\n\r\nhi", BlankBeforeColon, " \t")]
#[case::blank_before_first_field(
    "HTTP/1.1 200 OK\r\n A: b\r\nContent-Length: 2\r\n\r\nhi",
    BlankBeforeFirstField,
    " A: b"
)]
#[case::no_colon("HTTP/1.1 200 OK\r\nwhat\r\nContent-Length: 2\r\n\r\nhi", FieldWithoutColon, "what")]
#[case::blank_in_name("HTTP/1.1 200 OK\r\nA b: c\r\nContent-Length: 2\r\n\r\nhi", FieldNameNotToken, "A b")]
#[case::empty_name("HTTP/1.1 200 OK\r\n: c\r\nContent-Length: 2\r\n\r\nhi", FieldNameNotToken, "")]
#[case::name_beyond_ascii("HTTP/1.1 200 OK\r\nÄ: c\r\nContent-Length: 2\r\n\r\nhi", FieldNameNotToken, "Ä")]
#[case::nul_in_value("HTTP/1.1 200 OK\r\nA: b\0c\0\r\nContent-Length: 2\r\n\r\nhi", ControlCharacter, "\0")]
#[case::delete_in_value("HTTP/1.1 200 OK\r\nA: \x7F\r\nContent-Length: 2\r\n\r\nhi", ControlCharacter, "\x7F")]
#[case::nul_in_reason("HTTP/1.1 200 \0\r\nContent-Length: 2\r\n\r\nhi", ControlCharacter, "\0")]
#[case::obs_fold("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: b\r\n \tc\r\n\r\nhi", ObsFold, " \t")]
#[case::two_framings(
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    LengthAndTransferEncoding,
    "Content-Length: 9\r\n"
)]
#[case::length_twice(
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 02\r\n\r\nhi",
    DuplicateContentLength,
    "02"
)]
#[case::length_list("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi", DuplicateContentLength, "2, 2")]
#[case::chunked_twice(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    ChunkedTwice,
    "chunked"
)]
#[case::chunked_in_http_1_0(
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
    TransferEncodingInHttp10,
    "Transfer-Encoding: chunked\r\n"
)]
#[case::blank_after_size(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nhi\r\n0\r\n\r\n",
    ChunkSizeBlanks,
    " "
)]
#[case::blank_before_size(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\t 2\r\nhi\r\n0\r\n\r\n",
    ChunkSizeBlanks,
    "\t "
)]
#[case::blank_before_extension(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 ;a\r\nhi\r\n0\r\n\r\n",
    ChunkSizeBlanks,
    " "
)]
#[case::control_in_extension(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;\0\r\nhi\r\n0\r\n\r\n",
    ControlCharacter,
    "\0"
)]
#[case::cr_in_extension("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a\rb\r\nhi\r\n0\r\n\r\n", BareCr, "\r")]
#[case::lf_after_size("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n", BareLf, "\n")]
#[case::lf_after_data("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\n0\r\n\r\n", BareLf, "\n")]
#[case::lf_after_last_chunk("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\n\r\n", BareLf, "\n")]
#[case::lf_after_trailers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\n", BareLf, "\n")]
#[case::trailer_faults(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA : b\r\n\r\n",
    BlankBeforeColon,
    " "
)]
fn a_tolerated_fault_is_reported_and_the_content_still_read(
    #[case] wire: &str,
    #[case] kind: FaultKind,
    #[case] shown: &str,
) {
    let (parser, events) = responses(&["GET"], wire.as_bytes());
    assert_single(wire.as_bytes(), &events.faults(), kind, shown);
    assert!(!kind.is_fatal());
    let content = outline(wire.as_bytes(), &events).iter().any(|event| event == "data hi");
    assert!(content, "{events:?}");
    assert_eq!(events.last(), Some(&ResponseEvent::End { at: wire.len() as u64 }));
    assert_eq!(parser.state(), State::Idle);
}

#[rstest]
#[case::not_chunked_last("Transfer-Encoding: chunked, identity\r\n", "chunked, identity")]
#[case::not_chunked_at_all("Transfer-Encoding: gzip\r\n", "gzip")]
#[case::empty("Transfer-Encoding:\r\n", "")]
#[case::parameter("Transfer-Encoding: chunked;q=1\r\n", "chunked;q=1")]
fn a_response_whose_last_coding_is_not_chunked_lasts_until_the_connection_closes(
    #[case] field: &str,
    #[case] shown: &str,
) {
    let wire = format!("HTTP/1.1 200 OK\r\n{field}\r\n2\r\nhi\r\n0\r\n\r\n");
    let (mut parser, mut events) = responses(&["GET"], wire.as_bytes());
    assert_single(wire.as_bytes(), &events.faults(), TransferCodingNotChunkedLast, shown);
    assert_eq!(parser.state(), State::InBody(Framing::UntilClose));
    parser.close(Ending::Fin, &mut events);
    assert_eq!(events.last(), Some(&ResponseEvent::End { at: wire.len() as u64 }));
}

#[rstest]
#[case::length_in_204(204, "Content-Length: 0\r\n")]
#[case::coding_in_204(204, "Transfer-Encoding: chunked\r\n")]
#[case::length_in_103(103, "Content-Length: 5\r\n")]
fn a_framing_field_is_forbidden_where_there_can_be_no_content(#[case] status: u16, #[case] field: &str) {
    let wire = format!("HTTP/1.1 {status} X\r\n{field}\r\n");
    let (parser, events) = responses(&["GET"], wire.as_bytes());
    assert_single(wire.as_bytes(), &events.faults(), FramingFieldForbidden, field);
    assert_eq!(parser.state(), if status == 204 { State::Idle } else { State::AwaitingHead });
}

#[rstest]
#[case::other_protocol("SSH-2.0-x\r\n", StatusLineMalformed, "SSH-2.0-x")]
#[case::small_letters("http/1.1 200 OK\r\n", StatusLineMalformed, "http/1.1 200 OK")]
#[case::chunk_where_a_head_is_due("0\r\n\r\n", StatusLineMalformed, "0")]
#[case::http_2("HTTP/2.0 200 OK\r\n", VersionMalformed, "HTTP/2.0")]
#[case::long_minor("HTTP/1.10 200 OK\r\n", VersionMalformed, "HTTP/1.10")]
#[case::no_minor("HTTP/1 200 OK\r\n", VersionMalformed, "HTTP/1")]
#[case::nothing_after_version("HTTP/1.1\r\n", StatusMalformed, "")]
#[case::two_digits("HTTP/1.1 20 OK\r\n", StatusMalformed, " 20 OK")]
#[case::four_digits("HTTP/1.1 2000 OK\r\n", StatusMalformed, " 2000 OK")]
#[case::below_100("HTTP/1.1 099 OK\r\n", StatusMalformed, " 099 OK")]
#[case::letters("HTTP/1.1 OK 200\r\n", StatusMalformed, " OK 200")]
#[case::two_spaces("HTTP/1.1  200 OK\r\n", StatusMalformed, "  200 OK")]
#[case::tab_after_status("HTTP/1.1 200\tOK\r\n", StatusMalformed, " 200\tOK")]
#[case::length_with_sign("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi", ContentLengthMalformed, "+2")]
#[case::empty_length("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhi", ContentLengthMalformed, "")]
#[case::hexadecimal_length("HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nhi", ContentLengthMalformed, "0x2")]
#[case::huge_length(
    "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551616\r\n\r\nhi",
    ContentLengthMalformed,
    "18446744073709551616"
)]
#[case::gap_in_length_list("HTTP/1.1 200 OK\r\nContent-Length: 2,,2\r\n\r\nhi", ContentLengthMalformed, "2,,2")]
#[case::lengths_differ(
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    ContentLengthDiffers,
    "3"
)]
#[case::length_list_differs("HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nhi", ContentLengthDiffers, "2, 3")]
#[case::size_0x5("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n", ChunkSizeMalformed, "0x5")]
#[case::size_with_sign("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+5\r\n", ChunkSizeMalformed, "+5")]
#[case::no_size("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", ChunkSizeMalformed, "")]
#[case::only_extension("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n;a\r\n", ChunkSizeMalformed, ";a")]
#[case::blank_in_size("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 0\r\n", ChunkSizeMalformed, "1 0")]
#[case::huge_size(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
    ChunkSizeOverflow,
    "10000000000000000"
)]
#[case::overrun("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhiX", ChunkOverrun, "X")]
#[case::overrun_after_cr("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\rX", ChunkOverrun, "\rX")]
#[case::two_crs_after_data("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\r\n", ChunkOverrun, "\r\r")]
fn after_a_fatal_fault_the_rest_is_counted_and_not_read(
    #[case] wire: &str,
    #[case] kind: FaultKind,
    #[case] shown: &str,
) {
    let (mut parser, mut events) = responses(&["GET"], wire.as_bytes());
    assert_single(wire.as_bytes(), &events.faults(), kind, shown);
    assert!(kind.is_fatal());
    assert_eq!(parser.state(), State::Lost);

    let seen = events.len();
    parser.push(b"HTTP/1.1 200 OK\r\n\r\n", &mut events);
    parser.close(Ending::Reset, &mut events);
    assert_eq!(events.len(), seen);
    assert_eq!(parser.consumed(), wire.len() as u64 + 19);
    assert_eq!(parser.held(), 0);
}

#[test]
fn a_control_character_in_a_folded_line_is_reported() {
    let (_, events) = responses(&["GET"], b"HTTP/1.1 204 \r\nA: b\r\n c\0\r\n\r\n");
    assert_eq!(events.faults(), [Fault { at: 21..22, kind: ObsFold }, Fault { at: 23..24, kind: ControlCharacter }]);
}

#[test]
fn a_head_with_broken_framing_is_shown_before_its_fault() {
    let wire = b"HTTP/1.1 404 No\r\nContent-Length: x\r\n\r\n";
    let (_, events) = responses(&["GET"], wire);
    assert_outline(wire, &events, &["head 404 UntilClose", "fault content-length is not a number"]);
}

#[test]
fn transfer_encoding_wins_over_a_broken_content_length() {
    let wire = b"HTTP/1.1 200 OK\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let (_, events) = responses(&["GET"], wire);
    let expected = ["fault both content-length and transfer-encoding", "head 200 Chunked", "chunk 0", "end 71"];
    assert_outline(wire, &events, &expected);
}

/// `instrumentation.md`, section 5: what hyper 1.12 accepts without a word.
mod what_hyper_accepts_in_silence {
    use super::*;

    #[rstest]
    #[case::coding_and_length(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        LengthAndTransferEncoding
    )]
    #[case::equal_lengths(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
        DuplicateContentLength
    )]
    #[case::lf_only_lines("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", BareLf)]
    #[case::leading_crlf("\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", LeadingBlankLine)]
    #[case::no_space_and_reason("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", MissingReasonSpace)]
    #[case::space_after_size(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nhi\r\n0\r\n\r\n",
        ChunkSizeBlanks
    )]
    #[case::chunked_not_last(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\nhi",
        TransferCodingNotChunkedLast
    )]
    fn is_reported(#[case] wire: &str, #[case] kind: FaultKind) {
        let (_, events) = responses(&["GET"], wire.as_bytes());
        assert!(events.faults().iter().any(|fault| fault.kind == kind), "{events:?}");
    }

    /// Whether a connection stays open is a question of time, which no parser can answer. It says what was announced,
    /// and it notices a message that breaks the word.
    #[test]
    fn a_connection_that_outlives_its_announced_end_is_noticed() {
        let close = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let (mut parser, mut events) = responses(&["GET", "GET"], close);
        assert!(matches!(&events[0], ResponseEvent::Head(head, _) if !head.is_persistent()));
        events.clear();
        parser.push(b"HTTP/1.1 200 OK\r\n", &mut events);
        let start = close.len() as u64;
        assert_eq!(events, [ResponseEvent::Fault(Fault { at: start..start + 1, kind: MessageAfterClose })]);
    }
}

mod of_requests {
    use super::*;

    #[rstest]
    #[case::leading_crlf("\r\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", LeadingBlankLine, "\r\n")]
    #[case::target_beyond_ascii("POST /ä HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", TargetCharacter, "\u{FFFD}")]
    #[case::tab_in_target("POST /\t HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", TargetCharacter, "\t")]
    #[case::bare_lf("POST / HTTP/1.1\nContent-Length: 2\r\n\r\nhi", BareLf, "\n")]
    #[case::length_and_coding(
        "POST / HTTP/1.1\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        LengthAndTransferEncoding,
        "Content-Length: 9\r\n"
    )]
    fn a_tolerated_fault_is_reported_and_the_request_still_read(
        #[case] wire: &str,
        #[case] kind: FaultKind,
        #[case] shown: &str,
    ) {
        let (parser, events) = requests(wire.as_bytes());
        assert_single(wire.as_bytes(), &events.faults(), kind, shown);
        assert_eq!(events.last(), Some(&RequestEvent::End { at: wire.len() as u64 }));
        assert_eq!(parser.state(), State::Idle);
    }

    #[rstest]
    #[case::one_word("GET\r\n", RequestLineMalformed, "GET")]
    #[case::http_0_9("GET /\r\n", RequestLineMalformed, "GET /")]
    #[case::four_words("GET / x HTTP/1.1\r\n", RequestLineMalformed, "GET / x HTTP/1.1")]
    #[case::two_spaces("GET  / HTTP/1.1\r\n", RequestLineMalformed, "GET  / HTTP/1.1")]
    #[case::no_target("GET  HTTP/1.1\r\n", RequestLineMalformed, "GET  HTTP/1.1")]
    #[case::method_is_no_token("G(T / HTTP/1.1\r\n", RequestLineMalformed, "G(T / HTTP/1.1")]
    #[case::http_2_preface("PRI * HTTP/2.0\r\n", VersionMalformed, "HTTP/2.0")]
    #[case::trailing_space("GET / HTTP/1.1 \r\n", RequestLineMalformed, "GET / HTTP/1.1 ")]
    #[case::coding_without_end("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", RequestLengthUnknown, "gzip")]
    #[case::lengths_differ("POST / HTTP/1.1\r\nContent-Length: 1, 2\r\n\r\n", ContentLengthDiffers, "1, 2")]
    fn after_a_fatal_fault_the_rest_is_counted_and_not_read(
        #[case] wire: &str,
        #[case] kind: FaultKind,
        #[case] shown: &str,
    ) {
        let (mut parser, mut events) = requests(wire.as_bytes());
        assert_single(wire.as_bytes(), &events.faults(), kind, shown);
        assert!(kind.is_fatal());
        let seen = events.len();
        parser.push(b"GET / HTTP/1.1\r\n\r\n", &mut events);
        parser.close(Ending::Fin, &mut events);
        assert_eq!(events.len(), seen);
        assert_eq!(parser.state(), State::Lost);
        assert_eq!(parser.consumed(), wire.len() as u64 + 18);
    }

    #[test]
    fn a_request_after_one_with_connection_close_is_noticed() {
        let (_, events) = requests(b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\nGET / HTTP/1.1\r\n\r\n");
        assert_eq!(events.faults(), [Fault { at: 37..38, kind: MessageAfterClose }]);
    }
}

mod the_end_of_the_connection {
    use super::*;

    const HEAD: &str = "HTTP/1.1 200 OK\r\n";
    const LENGTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

    #[rstest]
    #[case::after_a_blank_line("", "\r\n", Place::StartLine)]
    #[case::after_cr("", "\r", Place::StartLine)]
    #[case::in_version("", "HTTP/1", Place::StartLine)]
    #[case::in_status_line("", "HTTP/1.1 2", Place::StartLine)]
    #[case::after_an_interim_response("HTTP/1.1 100 Continue\r\n\r\n", "", Place::StartLine)]
    #[case::before_the_first_field(HEAD, "", Place::Fields)]
    #[case::in_a_field(HEAD, "Conten", Place::Fields)]
    #[case::in_the_empty_line(HEAD, "\r", Place::Fields)]
    #[case::before_content(LENGTH, "", Place::Content)]
    #[case::in_content(LENGTH, "1234", Place::Content)]
    #[case::before_the_first_chunk(CHUNKED, "", Place::ChunkSize)]
    #[case::in_a_size(CHUNKED, "5", Place::ChunkSize)]
    #[case::before_data(CHUNKED, "5\r\n", Place::ChunkData)]
    #[case::in_data(CHUNKED, "5\r\n1234", Place::ChunkData)]
    #[case::after_data(CHUNKED, "5\r\n12345", Place::ChunkEnd)]
    #[case::after_cr_after_data(CHUNKED, "5\r\n12345\r", Place::ChunkEnd)]
    #[case::without_a_last_chunk(CHUNKED, "5\r\n12345\r\n", Place::ChunkSize)]
    #[case::after_the_last_chunk(CHUNKED, "0\r\n", Place::Trailers)]
    #[case::after_a_trailer(CHUNKED, "0\r\nA: b\r\n", Place::Trailers)]
    #[case::in_the_last_line(CHUNKED, "0\r\n\r", Place::Trailers)]
    fn cuts_off_a_response_that_is_under_way(#[case] head: &str, #[case] rest: &str, #[case] place: Place) {
        for ending in [Ending::Fin, Ending::Reset] {
            let (mut parser, mut events) = responses(&["GET"], [head, rest].concat().as_bytes());
            parser.close(ending, &mut events);
            let end = (head.len() + rest.len()) as u64;
            assert_eq!(events.last(), Some(&ResponseEvent::Fault(Fault { at: end..end, kind: Truncated(place) })));
            assert_eq!(parser.state(), State::Lost);
        }
    }

    #[test]
    fn a_tls_alert_is_no_truncated_status_line() {
        let (mut parser, mut events) = responses(&["GET"], b"\x15\x03\x01\x00\x02\x02\x16");
        parser.close(Ending::Fin, &mut events);
        assert_eq!(events, [ResponseEvent::Fault(Fault { at: 0..7, kind: StatusLineMalformed })]);
    }

    #[test]
    fn completes_content_that_lasts_until_then() {
        let wire = b"HTTP/1.1 200 OK\r\n\r\nhi";
        let (mut parser, mut events) = responses(&["GET"], wire);
        parser.close(Ending::Fin, &mut events);
        assert_outline(wire, &events, &["head 200 UntilClose", "data hi", "end 21"]);
        assert_eq!(parser.state(), State::Idle);
    }

    #[test]
    fn completes_even_empty_content() {
        let wire = b"HTTP/1.0 200 OK\r\n\r\n";
        let (mut parser, mut events) = responses(&["GET"], wire);
        parser.close(Ending::Fin, &mut events);
        assert_outline(wire, &events, &["head 200 UntilClose", "end 19"]);
    }

    #[test]
    fn by_reset_never_completes_content() {
        let wire = b"HTTP/1.1 200 OK\r\n\r\nhi";
        let (mut parser, mut events) = responses(&["GET"], wire);
        parser.close(Ending::Reset, &mut events);
        assert_eq!(events.faults(), [Fault { at: 21..21, kind: Truncated(Place::Content) }]);
    }

    #[rstest]
    #[case::before_any_request(&[], "")]
    #[case::with_a_response_owed_of_which_nothing_came(&["POST"], "")]
    #[case::after_a_complete_response(&["POST"], "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")]
    #[case::after_an_interim_and_a_final_response(&["GET", "GET"], "HTTP/1.1 100 \r\n\r\nHTTP/1.1 204 \r\n\r\n")]
    #[case::after_a_surplus(&[], "HTTP/1.1 408 Request Timeout\r\n")]
    fn says_nothing_between_responses(#[case] methods: &[&str], #[case] wire: &str) {
        let (mut parser, mut events) = responses(methods, wire.as_bytes());
        let seen = events.len();
        parser.close(Ending::Fin, &mut events);
        parser.close(Ending::Reset, &mut events);
        assert_eq!(events.len(), seen);
    }

    #[rstest]
    #[case("GE", Place::StartLine)]
    #[case("POST /mcp ", Place::StartLine)]
    #[case("GET / HTTP/1.1\r\n", Place::Fields)]
    #[case("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", Place::Content)]
    #[case("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n", Place::ChunkData)]
    fn cuts_off_a_request_that_is_under_way(#[case] wire: &str, #[case] place: Place) {
        let (mut parser, mut events) = requests(wire.as_bytes());
        parser.close(Ending::Fin, &mut events);
        let end = wire.len() as u64;
        assert_eq!(events.faults(), [Fault { at: end..end, kind: Truncated(place) }]);
    }

    #[test]
    fn a_tls_greeting_is_no_truncated_request_line() {
        let (mut parser, mut events) = requests(b"\x16\x03\x01\x02\x00");
        parser.close(Ending::Fin, &mut events);
        assert_eq!(events, [RequestEvent::Fault(Fault { at: 0..5, kind: RequestLineMalformed })]);
    }

    #[test]
    fn says_nothing_between_requests() {
        let (mut parser, mut events) = requests(b"GET / HTTP/1.1\r\n\r\n");
        let seen = events.len();
        parser.close(Ending::Fin, &mut events);
        assert_eq!(events.len(), seen);
    }
}

#[test]
fn a_fault_names_its_kind_and_its_place() {
    let fault = Fault { at: 17..19, kind: Truncated(Place::ChunkSize) };
    assert_eq!(fault.to_string(), "connection ended where a chunk size was due at byte 17");
}
