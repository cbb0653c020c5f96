//! Requests in pieces of every kind, each with the same request in one piece before it: on connections of their own, so
//! that both meet the same state.

use std::time::Duration;

use crate::drive::ask::{Ask, Call};
use crate::drive::session::Session;
use crate::drive::stage::{Patience, Stage, Stop};
use crate::trace::{Conduct, Part};
use crate::wire::connection::Connection;
use crate::wire::fault::{Direction, Fault, Kind, Plan};

/// Time for a peer to read a piece by itself.
const APART: Duration = Duration::from_millis(2);

/// A chunked body has this in it, cut in two: a character of three bytes.
const CUT: &str = "€";

/// How a request is cut.
enum Pieces {
    /// As a fault of the way cuts it.
    By(Kind),
    /// At these places, with time between the pieces.
    At(Vec<usize>),
}

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(call) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    let in_chunks = |label: &str| label == "chunks-cut";
    for label in ["byte-by-byte", "tiny-segments", "head-cut", "body-cut", "chunks-cut"] {
        let control = send(stage, &mut session, call, label, in_chunks(label), |_| None)?;
        // Where chunks are refused in one piece, nothing can be said of the pieces.
        if control {
            send(stage, &mut session, call, label, in_chunks(label), |bytes| Some(pieces(label, bytes)))?;
        }
    }
    session.close();
    Ok(())
}

/// Sends the request in these pieces, or in one; whether it was answered with a response.
fn send(
    stage: &Stage,
    session: &mut Session<'_>,
    call: &Call,
    label: &str,
    in_chunks: bool,
    pieces: impl Fn(&[u8]) -> Option<Pieces>,
) -> Result<bool, Stop> {
    session.use_a_fresh_connection();
    let id = format!(r#""{}-größe-{CUT}""#, session.next_id());
    let ask = session.request(label, call, &id);
    let bytes = if in_chunks { chunked(stage, ask.clone()) } else { ask.bytes(&stage.endpoint) };
    let mut connection = session.take_connection()?;
    match pieces(&bytes) {
        None => connection.ask(label, Part::Control, Conduct::Conforming, &bytes),
        Some(pieces) => {
            connection.ask(label, Part::Probe, Conduct::Conforming, &[]);
            write(stage, &mut connection, pieces, &bytes)?;
        }
    }
    session.settle(&mut connection, Patience::Brief)?;
    let answered = connection.exchanges().last().is_some_and(|exchange| exchange.response().is_some());
    session.keep(connection, &ask)?;
    Ok(answered)
}

fn write(stage: &Stage, connection: &mut Connection, pieces: Pieces, bytes: &[u8]) -> Result<(), Stop> {
    match pieces {
        Pieces::By(kind) => {
            let fault = Fault { kind, direction: None, at: None, connection: None };
            // Nothing is drawn: the lengths are fixed.
            let mut plan = Plan::of(&[fault], 0, connection.id(), Direction::ToServer);
            connection.write_by(&mut plan, bytes);
        }
        Pieces::At(places) => {
            let mut from = 0;
            for place in places {
                connection.write(&bytes[from..place]);
                stage.pause(APART)?;
                from = place;
            }
            connection.write(&bytes[from..]);
        }
    }
    Ok(())
}

/// The kind of pieces that a label stands for.
fn pieces(label: &str, bytes: &[u8]) -> Pieces {
    let head = find(bytes, b"\r\n\r\n");
    let body = head + 4;
    let in_a_character = last(bytes, CUT.as_bytes()) + 1;
    match label {
        "byte-by-byte" => Pieces::By(Kind::Slices(1..=1)),
        "tiny-segments" => Pieces::By(Kind::Segments(5)),
        // In the method, in the name of a field, and in the line ends behind the head.
        "head-cut" => Pieces::At(vec![2, find(bytes, b"Content-Type") + 5, head + 1, head + 3]),
        "body-cut" => Pieces::At(vec![body, in_a_character, bytes.len() - 1]),
        // In the size of the first chunk, in its line end, in its data (where the character is whole and where it is
        // not), and in what ends the body.
        _ => {
            let first = body + find(&bytes[body..], b"\r\n");
            Pieces::At(vec![body + 1, first + 1, first + 3, bytes.len() - 5, bytes.len() - 3, bytes.len() - 1])
        }
    }
}

/// The request with its body in two chunks, the boundary in the middle of a character (RFC 9112, section 7.1).
fn chunked(stage: &Stage, mut ask: Ask) -> Vec<u8> {
    let body = ask.body.take().unwrap_or_default();
    let (first, second) = body.split_at(last(&body, CUT.as_bytes()) + 1);
    let mut bytes = ask.field("Transfer-Encoding", "chunked").bytes(&stage.endpoint);
    for chunk in [first, second, b""] {
        // Two digits at least, so that the size can be cut.
        bytes.extend_from_slice(format!("{:02x}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).position(|window| window == wanted).unwrap_or_default()
}

fn last(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).rposition(|window| window == wanted).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every cut lies within what it should cut.
    #[test]
    fn the_places_are_where_they_are_meant_to_be() {
        let body = format!(r#"{{"jsonrpc":"2.0","id":"1-größe-{CUT}","method":"ping"}}"#);
        let plain = format!("POST /mcp HTTP/1.1\r\nHost: here\r\nContent-Type: x\r\n\r\n{body}").into_bytes();
        let shown = |label: &str, bytes: &[u8]| {
            let Pieces::At(places) = pieces(label, bytes) else { panic!("{label}") };
            assert!(places.is_sorted() && places.iter().all(|place| *place > 0 && *place < bytes.len()), "{places:?}");
            let around = |place: usize| bytes[place - 1..=place].escape_ascii().to_string();
            places.into_iter().map(around).collect::<Vec<_>>()
        };
        assert_eq!(shown("head-cut", &plain), ["OS", "en", "\\r\\n", "\\r\\n"]);
        assert_eq!(shown("body-cut", &plain), ["\\n{", "\\xe2\\x82", "\\\"}"]);
        let (first, second) = body.as_bytes().split_at(last(body.as_bytes(), CUT.as_bytes()) + 1);
        let sizes = (format!("{:02x}", first.len()), format!("{:02x}", second.len()));
        let chunks =
            [sizes.0.as_bytes(), b"\r\n", first, b"\r\n", sizes.1.as_bytes(), b"\r\n", second, b"\r\n00\r\n\r\n"];
        let chunked = [b"POST /mcp HTTP/1.1\r\n\r\n", chunks.concat().as_slice()].concat();
        let at = shown("chunks-cut", &chunked);
        assert_eq!(at, [sizes.0.as_str(), "\\r\\n", "{\\\"", "00", "\\r\\n", "\\r\\n"]);
    }
}
