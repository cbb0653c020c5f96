//! Calls that were made while another request was under way.

use std::time::Duration;

use super::mostly;
use crate::trace::{Exchange, Nanos, Trace, What};

/// What was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// A call that takes long.
    SlowCall,
    /// A request whose body had not come to its end.
    SlowBody,
}

/// The rounds in which calls were made beside something.
#[derive(Debug)]
pub struct Rounds<'t> {
    /// What was under way.
    pub beside: Beside,
    /// Each round.
    pub all: Vec<Round<'t>>,
}

/// What was under way, and the first call that was made meanwhile.
#[derive(Debug)]
pub struct Round<'t> {
    /// The request that was under way.
    pub other: &'t Exchange,
    /// The call.
    pub call: &'t Exchange,
    /// When the other one was out of the way: it had been answered, or its last bytes began to be written.
    pub over: Nanos,
    /// How long the call took.
    pub took: Duration,
    /// The first byte of its answer has a time of the kernel's.
    pub by_kernel: bool,
    precision: Duration,
}

/// Several segments that are read together have the time of the last one: the response of the slow call may have come
/// this much before the end of its answer. What is under way takes far longer.
const PRECISION: Duration = Duration::from_millis(5);

impl<'t> Rounds<'t> {
    /// The rounds of a trace.
    pub fn of(trace: &'t Trace, beside: Beside) -> Self {
        let (other, call) = match beside {
            Beside::SlowCall => ("slow-call", "beside-slow-call"),
            Beside::SlowBody => ("slow-body", "beside-slow-body"),
        };
        let mut all = Vec::new();
        let others: Vec<&Exchange> = trace.labelled(other).collect();
        for (index, other) in others.iter().enumerate() {
            let next = others.get(index + 1).map_or(u32::MAX, |next| next.asked.seq);
            let meanwhile = |call: &&Exchange| call.asked.seq > other.asked.seq && call.asked.seq < next;
            let first = trace.labelled(call).find(meanwhile);
            all.extend(first.and_then(|call| round(trace, beside, other, call)));
        }
        Self { beside, all }
    }

    /// The rounds in which the call was answered only when the other request was out of the way.
    pub fn blocked(&self, limit: Duration) -> usize {
        self.all.iter().filter(|round| round.is_blocked(limit)).count()
    }

    /// Whether that is so in enough of them.
    pub fn are_blocked(&self, limit: Duration) -> bool {
        mostly(self.blocked(limit), self.all.len())
    }
}

impl Round<'_> {
    /// Over the limit, and answered only when the other request was out of the way.
    pub fn is_blocked(&self, limit: Duration) -> bool {
        self.took > limit && self.call.first_byte.is_some_and(|first| first.best() + self.precision >= self.over)
    }
}

fn round<'t>(trace: &Trace, beside: Beside, other: &'t Exchange, call: &'t Exchange) -> Option<Round<'t>> {
    let (asked, _) = call.written?;
    let first = call.first_byte?;
    let (over, precision) = match beside {
        Beside::SlowCall => {
            let over = other.response()?.moment.best();
            // One that was over before anybody could wait for it shows nothing.
            (Some(over).filter(|over| *over > asked + PRECISION + PRECISION)?, PRECISION)
        }
        // When we completed it we know exactly.
        Beside::SlowBody => (last_write(trace, other)?, Duration::ZERO),
    };
    let took = call.response()?.moment.best().since(asked);
    Some(Round { other, call, over, took, by_kernel: first.kernel.is_some(), precision })
}

/// When the last bytes of a request began to be written.
fn last_write(trace: &Trace, request: &Exchange) -> Option<Nanos> {
    trace.events.iter().rev().find_map(|event| match event.what {
        What::Wrote { conn, began, .. } if conn == request.conn => Some(began),
        _ => None,
    })
}
