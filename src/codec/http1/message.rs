//! What both directions share: a connection carries message after message, each a head and a body.

use super::body::BodyReader;
use super::head::{HeadReader, StartLine};
use super::{Ending, Fault, FaultKind};

/// What the next byte belongs to.
#[derive(Debug)]
pub(super) enum Stage<S> {
    /// A head, of which nothing may have come yet.
    Head(HeadReader<S>),
    /// A body that is not over.
    Body(BodyReader),
    /// Nothing that could be read.
    Lost,
}

/// What the end of a connection means.
pub(super) enum Close {
    /// Nothing: no byte of a message had come.
    Between,
    /// It is the end of the message.
    Complete,
    /// A message is cut off.
    CutOff(Fault),
}

impl<S: StartLine> Stage<S> {
    /// Before the first byte of a message.
    pub(super) fn next_message() -> Self {
        Stage::Head(HeadReader::new())
    }

    /// What it means if the connection ends here, at offset `at`.
    pub(super) fn close(&self, ending: Ending, at: u64) -> Close {
        match self {
            Stage::Head(head) if head.has_begun() => Close::CutOff(head.cut_off(at)),
            Stage::Head(_) | Stage::Lost => Close::Between,
            Stage::Body(body) => match body.close(ending) {
                Ok(()) => Close::Complete,
                Err(place) => Close::CutOff(FaultKind::Truncated(place).at(at..at)),
            },
        }
    }

    /// How many bytes are kept here.
    pub(super) fn held(&self) -> usize {
        match self {
            Stage::Head(head) => head.held(),
            Stage::Body(body) => body.held(),
            Stage::Lost => 0,
        }
    }
}
