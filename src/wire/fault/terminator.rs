//! The end of a chunked answer, later or never: `late-terminator` and `no-terminator`.
//!
//! The last chunk and the empty line behind the trailers (RFC 9112, section 7.1) are what tells a client that the answer
//! is over. Servers that leave a stream open, and gateways that die, keep it back.

use std::time::Duration;

use super::{Fault, Kind};
use crate::codec::http1::Framing;
use crate::trace::Exchange;

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Terminator {
    /// It comes so much later.
    Late(Duration),
    /// It never comes.
    Missing,
}

impl Terminator {
    pub fn of(fault: &Fault) -> Option<Self> {
        match fault.kind {
            Kind::LateTerminator(late) => Some(Self::Late(late)),
            Kind::NoTerminator => Some(Self::Missing),
            _ => None,
        }
    }
}

/// Where in the bytes of its connection the terminator of a chunked answer begins, as far as the answer has come:
/// behind the last chunk that has data.
pub fn terminator_from(exchange: &Exchange) -> Option<u64> {
    const CRLF: u64 = 2;
    let answer = exchange.answer.as_ref().filter(|answer| answer.framing == Framing::Chunked)?;
    Some(answer.pieces.last().map_or(answer.head.span.end, |piece| piece.wire.end + CRLF))
}
