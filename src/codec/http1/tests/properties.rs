//! What holds for every input.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// Pieces that real and broken peers put together; strung at random, they reach every state.
const RESPONSE_PIECES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 \r\n\r\n",
    "HTTP/1.0 204 No Content\r\n",
    "HTTP/1.1 304 \n",
    "HTTP/1.1 700 \n",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "Content-Length: 3\r\n",
    "Content-Length: 3, 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Connection: close\r\n",
    "X-Y : z\r\n",
    " folded\r\n",
    "no colon\r\n",
    "\r\n",
    "\n",
    "\r",
    " ",
    "3\r\nabc\r\n",
    "3 ;x=y\r\nabc\n",
    "0003\nabc\r\n",
    "0\r\n\r\n",
    "0\r\nT: u\r\n\r\n",
    "0x1\r\n",
    "abc",
    "\0",
    "\u{e4}",
];

const REQUEST_PIECES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "POST /mcp HTTP/1.1\r\n",
    "POST /mcp HTTP/1.0\n",
    "GET / HTTP/1.1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "Host: x\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Connection: close\r\n",
    " folded\r\n",
    "\r\n",
    "\n",
    "\r",
    "3\r\nabc\r\n",
    "0\r\n\r\n",
    "0\r\nT: u\r\n\r\n",
    "abc",
    "\0",
];

fn near_valid(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    vec(select(pieces), 0..16).prop_map(|pieces| pieces.concat().into_bytes())
}

/// Any bytes, and bytes that get far.
fn wire(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![1 => vec(any::<u8>(), 0..200), 4 => near_valid(pieces), 1 => damaged(pieces)]
}

/// A near-valid stream with one byte replaced.
fn damaged(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    (near_valid(pieces), any::<Index>(), any::<u8>()).prop_map(|(mut wire, index, byte)| {
        if !wire.is_empty() {
            let index = index.index(wire.len());
            wire[index] = byte;
        }
        wire
    })
}

/// The same bytes in pieces, some of them empty.
fn split<'a>(wire: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
    cuts.sort_unstable();
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([wire.len()]);
    starts.zip(ends).map(|(start, end)| &wire[start..end]).collect()
}

fn read_responses(methods: &[&str], pieces: &[&[u8]], ending: Ending) -> (State, usize, Vec<ResponseEvent>) {
    let mut parser = ResponseParser::new();
    methods.iter().for_each(|method| parser.expect(method));
    let mut events = Vec::new();
    pieces.iter().for_each(|piece| parser.push(piece, &mut events));
    let held = parser.held();
    parser.close(ending, &mut events);
    (parser.state(), held, join_responses(events))
}

fn read_requests(pieces: &[&[u8]], ending: Ending) -> (State, usize, Vec<RequestEvent>) {
    let mut parser = RequestParser::new();
    let mut events = Vec::new();
    pieces.iter().for_each(|piece| parser.push(piece, &mut events));
    let held = parser.held();
    parser.close(ending, &mut events);
    (parser.state(), held, join_requests(events))
}

fn ending() -> impl Strategy<Value = Ending> {
    select(&[Ending::Fin, Ending::Reset][..])
}

fn methods() -> impl Strategy<Value = Vec<&'static str>> {
    vec(select(&["GET", "POST", "HEAD", "CONNECT"][..]), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn cutting_responses_differently_changes_nothing(
        wire in wire(RESPONSE_PIECES), methods in methods(), cuts in vec(any::<Index>(), 0..12), ending in ending(),
    ) {
        let whole = read_responses(&methods, &[&wire], ending);
        prop_assert_eq!(&read_responses(&methods, &split(&wire, &cuts), ending), &whole);
        let bytes: Vec<&[u8]> = wire.chunks(1).collect();
        prop_assert_eq!(&read_responses(&methods, &bytes, ending), &whole);
    }

    #[test]
    fn cutting_requests_differently_changes_nothing(
        wire in wire(REQUEST_PIECES), cuts in vec(any::<Index>(), 0..12), ending in ending(),
    ) {
        let whole = read_requests(&[&wire], ending);
        prop_assert_eq!(&read_requests(&split(&wire, &cuts), ending), &whole);
        let bytes: Vec<&[u8]> = wire.chunks(1).collect();
        prop_assert_eq!(&read_requests(&bytes, ending), &whole);
    }

    #[test]
    fn events_come_in_the_order_of_their_bytes_and_never_overlap(wire in wire(RESPONSE_PIECES), methods in methods()) {
        let (_, _, events) = read_responses(&methods, &[&wire], Ending::Fin);
        let mut reached = 0;
        for event in &events {
            let span = match event {
                ResponseEvent::Interim(head) | ResponseEvent::Head(head, _) => head.span.clone(),
                ResponseEvent::Chunk { size_line, .. } => size_line.clone(),
                ResponseEvent::Data(span) | ResponseEvent::Surplus(span) => span.clone(),
                ResponseEvent::Trailer(field) => field.line.clone(),
                ResponseEvent::End { at } => *at..*at,
                ResponseEvent::Fault(fault) => {
                    prop_assert!(fault.at.start <= fault.at.end && fault.at.end <= wire.len() as u64);
                    continue;
                }
            };
            prop_assert!(reached <= span.start && span.start <= span.end, "{:?} in {:?}", event, events);
            reached = span.end;
        }
        prop_assert!(reached <= wire.len() as u64);
    }

    #[test]
    fn nothing_but_the_end_follows_a_fatal_fault(wire in wire(RESPONSE_PIECES), methods in methods()) {
        let (state, _, events) = read_responses(&methods, &[&wire], Ending::Fin);
        let fatal = events.iter().position(|event| matches!(event, ResponseEvent::Fault(fault) if fault.kind.is_fatal()));
        prop_assert_eq!(fatal.is_some(), state == State::Lost);
        if let Some(fatal) = fatal {
            prop_assert_eq!(fatal, events.len() - 1);
        }
    }

    #[test]
    fn what_is_held_is_never_more_than_what_came(wire in wire(RESPONSE_PIECES), methods in methods()) {
        let (_, held, _) = read_responses(&methods, &[&wire], Ending::Fin);
        prop_assert!(held <= wire.len());
    }

    #[test]
    fn chunks_give_back_the_content_that_was_put_into_them(
        chunks in vec(vec(any::<u8>(), 1..40), 0..8), cuts in vec(any::<Index>(), 0..6),
    ) {
        let mut wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for chunk in &chunks {
            wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            wire.extend_from_slice(chunk);
            wire.extend_from_slice(b"\r\n");
        }
        wire.extend_from_slice(b"0\r\n\r\n");

        let (state, _, events) = read_responses(&["GET"], &split(&wire, &cuts), Ending::Fin);
        let content: Vec<u8> = events
            .iter()
            .filter_map(|event| if let ResponseEvent::Data(span) = event { Some(span) } else { None })
            .flat_map(|span| wire[span.start as usize..span.end as usize].iter().copied())
            .collect();
        prop_assert_eq!(content, chunks.concat());
        prop_assert_eq!(events.last(), Some(&ResponseEvent::End { at: wire.len() as u64 }));
        prop_assert_eq!(state, State::Idle);
    }
}
