//! What holds for every input.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// Pieces that streams are made of, whole and broken.
const PIECES: &[&[u8]] = &[
    b"data: a\n",
    b"data:  b",
    b"data",
    b"data:{\"x\":1}\r\n",
    b"event: e\r",
    b"id: 1\n",
    b"id\n",
    b"id: a\0\n",
    b"retry: 10\n",
    b"retry: x\n",
    b": comment\n",
    b":",
    b"\xEF\xBB\xBF",
    b"\xEF\xBB",
    b"\xC3\xA4",
    b"\xC3",
    b"\xF0\x9F\x98",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"field: x\n",
    b"\0",
];

/// Any bytes, and bytes that look like a stream.
pub(super) fn body() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec(select(PIECES), 0..24).prop_map(|pieces| pieces.concat());
    prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => pieces]
}

/// Everything that a parser with this cap says of a body pushed in these pieces.
fn read_pieces<'a>(cap: usize, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<SseEvent>, LineEndings, String, usize) {
    let mut parser = SseParser::with_cap(cap);
    let mut events = Vec::new();
    pieces.for_each(|piece| parser.push(piece, &mut events));
    let held = parser.held();
    parser.finish(&mut events);
    (events, parser.endings(), parser.last_event_id().to_owned(), held)
}

/// The same bytes in pieces, some of them empty.
fn split<'a>(body: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    cuts.sort_unstable();
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([body.len()]);
    starts.zip(ends).map(|(start, end)| &body[start..end]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn cutting_a_stream_differently_changes_nothing(
        body in body(), cuts in vec(any::<Index>(), 0..12), cap in select(&[0, 1, 5, 1 << 20][..]),
    ) {
        let whole = read_pieces(cap, std::iter::once(body.as_slice()));
        prop_assert_eq!(&read_pieces(cap, split(&body, &cuts).into_iter()), &whole);
        prop_assert_eq!(&read_pieces(cap, body.chunks(1)), &whole);
    }

    #[test]
    fn cutting_lines_beyond_the_cap_differently_changes_nothing(
        length in 1000_usize..1100, text in select(&["a", "\u{e4}", "\u{20ac}"][..]), cuts in vec(any::<Index>(), 0..12),
    ) {
        let body = ["data:", &text.repeat(length), "\n:", &text.repeat(length), "\n", &text.repeat(length), "\n\n"].concat();
        let whole = read_pieces(5, std::iter::once(body.as_bytes()));
        prop_assert_eq!(&read_pieces(5, split(body.as_bytes(), &cuts).into_iter()), &whole);
        let invalid = |event: &SseEvent| matches!(event, SseEvent::Fault(fault) if fault.kind == SseFaultKind::InvalidUtf8);
        prop_assert!(!whole.0.iter().any(invalid));
    }

    #[test]
    fn events_come_in_the_order_of_their_bytes(body in body()) {
        let (events, ..) = read_pieces(DEFAULT_CAP, std::iter::once(body.as_slice()));
        let mut reached = 0;
        for event in &events {
            let span = match event {
                SseEvent::Dispatch(event) | SseEvent::NoData(event) => {
                    // Comments inside a block come before the block is over.
                    prop_assert!(event.span.end > reached, "{:?} in {:?}", event, events);
                    event.span.clone()
                }
                SseEvent::Comment(span) => {
                    prop_assert!(span.start >= reached, "{:?} in {:?}", span, events);
                    span.clone()
                }
                SseEvent::Fault(fault) => {
                    prop_assert!(fault.at.start < fault.at.end && fault.at.end <= body.len() as u64);
                    continue;
                }
            };
            reached = span.end;
        }
        prop_assert!(reached <= body.len() as u64);
    }

    #[test]
    fn sizes_agree_with_the_data(body in body()) {
        let (events, ..) = read_pieces(DEFAULT_CAP, std::iter::once(body.as_slice()));
        for event in dispatched(&events) {
            let is_whole = !event.data.contains('\u{FFFD}');
            prop_assert!(!is_whole || event.data_size == event.data.len() as u64);
            prop_assert_eq!(event.data.is_empty(), event.is_blank());
            prop_assert!(event.data_lines as usize >= 1);
        }
    }
}
