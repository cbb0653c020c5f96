//! What a browser skips or repairs in silence.

use std::fmt;

use super::Span;

/// An oddity in an event stream, and the bytes that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseFault {
    /// The bytes in question.
    pub at: Span,
    /// What they are.
    pub kind: SseFaultKind,
}

/// Everything that the parser remarks on. None of it stops the parser; which of it is a defect is for a check to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SseFaultKind {
    /// Bytes that are no UTF-8; they are read as U+FFFD. One fault a line, at the first of them.
    InvalidUtf8,
    /// An id with a NUL in it, which is ignored.
    IdWithNul,
    /// A retry time that is not made of digits, which is ignored.
    RetryNotDigits,
    /// A field of this name, shortened; it is ignored. Names are case-sensitive.
    UnknownField(String),
    /// The stream ended inside a block: a browser discards it.
    UnterminatedEvent,
    /// An event with more data than the cap: what is beyond was counted and not kept.
    EventTooLarge,
    /// A field line longer than the cap: what is beyond was counted and not read.
    LineTooLong,
}

impl fmt::Display for SseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.at.start)
    }
}

impl fmt::Display for SseFaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SseFaultKind::InvalidUtf8 => "bytes are not utf-8",
            SseFaultKind::IdWithNul => "id holds a nul character",
            SseFaultKind::RetryNotDigits => "retry time is not made of digits",
            SseFaultKind::UnknownField(name) => return write!(f, "unknown field {name:?}"),
            SseFaultKind::UnterminatedEvent => "stream ended inside an event",
            SseFaultKind::EventTooLarge => "event has more data than is kept",
            SseFaultKind::LineTooLong => "line is longer than is kept",
        })
    }
}
