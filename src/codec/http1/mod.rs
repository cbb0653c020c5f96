//! # HTTP/1.1, read by a judge
//!
//! Bytes of one direction of one connection go in, events with absolute byte offsets come out: no sockets, no
//! clock, no files. A client's or server's HTTP library is the wrong reader for a conformance tester, since it hides
//! what it repairs; hyper alone accepts eight faults in silence. This reader goes on where such a library would go on,
//! and says each time what it had to forgive.
//!
//! ```text
//! bytes ─▶ line ─▶ head (start line, fields) ─▶ framing ─▶ body (chunks, trailers) ─▶ events
//! ```
//!
//! A **tolerated** fault is reported and reading goes on. After a **fatal** one nobody can tell where the next message
//! begins, so the rest of the connection is counted and not read.
//!
//! Three properties hold for every input and are tested as such: cutting the same bytes differently never changes the
//! events (only the cuts between neighbouring `Data` or `Surplus` spans move), no input panics, and work is linear
//! with bounded memory: never more than one head is held, and nothing of a body.

mod body;
mod fault;
mod fields;
mod framing;
mod head;
mod line;
mod message;
mod request;
mod response;

#[cfg(test)]
mod tests;

pub use body::{MAX_CHUNK_LINE, MAX_TRAILERS};
pub use fault::{Fault, FaultKind, Place};
pub use fields::{Field, Fields, MAX_FIELDS};
pub use framing::Framing;
pub use head::{MAX_HEAD, RequestHead, ResponseHead};
pub use request::{RequestEvent, RequestParser};
pub use response::{ResponseEvent, ResponseParser};

/// A range of absolute byte offsets in one direction of one connection.
pub type Span = std::ops::Range<u64>;

/// How a direction of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In order: the peer said that it has no more to send (TCP FIN).
    Fin,
    /// Torn down: whatever was on its way is lost (TCP RST).
    Reset,
}

/// Where a parser stands between two pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Between messages, and no message is owed.
    Idle,
    /// A response is owed and not one byte of its head has come. (An interim response may have.)
    AwaitingHead,
    /// Some of a head has come.
    InHead,
    /// The head is read, the message is not over.
    InBody(Framing),
    /// After a fatal fault: the rest of the connection cannot be read.
    Lost,
}
