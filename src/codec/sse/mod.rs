//! # Server-sent events, read by a judge
//!
//! The event stream of WHATWG HTML, sections 9.2.5 (parsing) and 9.2.6 (interpretation): bytes of a body in, events out,
//! each with its place in that body. A browser dispatches events and forgets the rest; this reader also reports the
//! blocks that dispatch nothing, the comments, and whatever a browser would skip in silence.
//!
//! Offsets count bytes of the body, with the transfer coding already taken off, from 0.
//!
//! Cutting the same bytes differently never changes the events, no input panics, and work is linear. What is held is
//! bounded: one block and one line, each up to the cap.

mod fault;
mod line;
mod parser;

#[cfg(test)]
mod tests;

pub use fault::{SseFault, SseFaultKind};
pub use line::LineEndings;
pub use parser::{DEFAULT_CAP, SseParser};

/// A range of byte offsets in a body.
pub type Span = std::ops::Range<u64>;

/// What an [`SseParser`] sees, in the order of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SseEvent {
    /// A blank line ended a block with at least one `data` field. A browser dispatches it, even if the data is empty.
    Dispatch(Event),
    /// A blank line ended a block without a `data` field (only an id or a retry time, say). A browser takes these over
    /// and dispatches nothing.
    NoData(Event),
    /// A comment line, its end not included.
    Comment(Span),
    /// Something that a browser would skip or repair in silence.
    Fault(SseFault),
}

/// A block of field lines that a blank line ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// From the first byte of the block's first field to just after the blank line. The event is complete with the last
    /// byte of this span: if the blank line ends in CRLF, that is the CR, since the LF changes nothing any more.
    pub span: Span,
    /// The value of the last `event` field.
    pub kind: Option<String>,
    /// The value of the last valid `id` field of this block.
    pub id: Option<String>,
    /// The value of the last valid `retry` field, in milliseconds.
    pub retry: Option<u64>,
    /// The values of all `data` fields, joined by line feeds; cut where the parser's cap says.
    pub data: String,
    /// How many `data` fields there were.
    pub data_lines: u32,
    /// How many bytes of data came, the joining line feeds included, whatever was cut.
    pub data_size: u64,
}

impl Event {
    /// Whether a browser dispatches this. One `data` field is enough, empty or not: section 9.2.6 looks at the data
    /// buffer before it removes the line feed that every `data` field appended.
    pub fn dispatched_by_browsers(&self) -> bool {
        self.data_lines > 0
    }

    /// Whether its type is `message`, which a missing or an empty `event` field means as well (section 9.2.6).
    pub fn is_message(&self) -> bool {
        self.kind.as_deref().is_none_or(|kind| kind.is_empty() || kind == "message")
    }

    /// Whether this is dispatched without any data, as the event that primes a client with an id is.
    pub fn is_blank(&self) -> bool {
        self.data_lines > 0 && self.data_size == 0
    }
}
