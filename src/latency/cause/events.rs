//! Whether events leave the server when they are made, by the number of segments that bring an answer.

use super::mostly;
use crate::trace::{ConnectionId, Ending, Exchange, Trace, What};

/// How the events of answers with several of them came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Leaving {
    /// Answers with at least two events before the response.
    pub(super) answers: usize,
    /// Those that took fewer segments than they have events.
    pub(super) together: usize,
    /// Those that took at least one for each event.
    pub(super) apart: usize,
}

impl Leaving {
    /// The calls with events of a trace.
    pub(super) fn of(trace: &Trace) -> Self {
        let mut leaving = Self::default();
        for exchange in trace.labelled("call-with-events") {
            let events = exchange.messages().len();
            let (Some(segments), 3..) = (segments(trace, exchange), events) else { continue };
            leaving.answers += 1;
            match segments < events {
                true => leaving.together += 1,
                false => leaving.apart += 1,
            }
        }
        leaving
    }

    /// Nothing leaves before the end.
    pub(super) fn is_together(self) -> bool {
        mostly(self.together, self.answers)
    }

    /// Each event leaves when it is made.
    pub(super) fn is_apart(self) -> bool {
        mostly(self.apart, self.answers)
    }
}

/// How many segments brought the answer, where our kernel was asked.
fn segments(trace: &Trace, exchange: &Exchange) -> Option<usize> {
    let Ending::Complete(end) = exchange.ending else { return None };
    let before = match exchange.nth {
        0 => 0,
        _ => count_by(trace, exchange.conn, exchange.asked.seq)?,
    };
    count_by(trace, exchange.conn, end.seq)?.checked_sub(before)?.try_into().ok()
}

/// How many segments the connection had received with the last read up to this event.
fn count_by(trace: &Trace, wanted: ConnectionId, seq: u32) -> Option<u32> {
    let until = trace.events.iter().rev().skip_while(|event| event.seq > seq);
    let mut reads = until.filter_map(|event| match &event.what {
        What::Read { conn, segments, .. } if *conn == wanted => Some(*segments),
        _ => None,
    });
    reads.next()?
}
