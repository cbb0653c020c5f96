//! Where a direction is over before its time: `half-close` and `reset-after`.

use super::{Fault, Kind};

/// How it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// In order; the other direction goes on (RFC 9293, section 3.6).
    Finish,
    /// At once, with all that is under way.
    Reset,
}

/// The place in the bytes of a direction at which a fault ends it.
pub(super) fn at(fault: &Fault) -> Option<(u64, End)> {
    match fault.kind {
        Kind::HalfClose(_) => Some((fault.at?, End::Finish)),
        Kind::ResetAfter(bytes) => Some((bytes, End::Reset)),
        _ => None,
    }
}

/// The number of messages behind which a fault ends the direction, where it counts these.
pub(super) fn behind_messages(fault: &Fault) -> Option<u64> {
    match fault.kind {
        Kind::HalfClose(messages) if fault.at.is_none() => Some(messages),
        _ => None,
    }
}
