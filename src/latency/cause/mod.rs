//! What makes calls slow: from a trace to exactly one cause, or to none where the evidence does not single one out.
//!
//! Each rule is a file of its own and looks at one cause. What it stands on, strongest first: counts of what an
//! experiment brought about (an acknowledgement let go, a body completed), the order of events and the number of
//! segments, times by the kernel's clock less what the server's threads waited for a processor. A rule holds in
//! [`SHARE`] of at least [`ENOUGH`] cases or not at all; where several hold, or none does, no cause is named.

mod beside;
mod calls;
mod cold_start;
mod connection_not_reusable;
mod events;
mod flush_missing;
mod head_of_line;
mod held_back;
mod lock_over_body;
mod stream_not_ended;
#[cfg(test)]
mod tests;
mod thinking_time;
mod too_busy;

pub use beside::{Beside, Round, Rounds};
pub use calls::{Calls, LatePart};
pub use cold_start::evidence as cold_start;
pub use held_back::{Trials, share};
pub use too_busy::evidence as too_busy;

/// A cause, as findings name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The last segment of an answer waits for our acknowledgement.
    HeldBackSegment,
    /// The response is there, the end of its answer is not.
    StreamNotEnded,
    /// Each call needs a new connection, and that takes long.
    ConnectionNotReusable,
    /// The server takes its time.
    ThinkingTime,
    /// A call waits behind another one.
    HeadOfLine,
    /// A call waits for the body of another one.
    LockOverBody,
    /// Events leave with the end only.
    FlushMissing,
    /// The first call is slow, no other.
    ColdStart,
}

impl Cause {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::HeldBackSegment => "held-back-segment",
            Self::StreamNotEnded => "stream-not-ended",
            Self::ConnectionNotReusable => "connection-not-reusable",
            Self::ThinkingTime => "thinking-time",
            Self::HeadOfLine => "head-of-line-blocking",
            Self::LockOverBody => "lock-over-body",
            Self::FlushMissing => "flush-missing",
            Self::ColdStart => "cold-start",
        }
    }
}

/// What the rules come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// Exactly one of them holds.
    Named(Cause, String),
    /// None holds, or several do: what can be said, as a lowercase fragment.
    Unclear(String),
}

/// Fewer cases are a matter of luck.
const ENOUGH: usize = 5;

/// The share of the cases in which a rule has to hold.
const SHARE: f64 = 0.8;

/// Whether something holds in enough of enough cases.
fn mostly(holds: usize, of: usize) -> bool {
    of >= ENOUGH && holds as f64 / of as f64 >= SHARE
}

type Rule = fn(&Calls<'_>) -> Option<String>;

/// The causes of calls that are slow though they are alone.
const RULES: &[(Cause, Rule)] = &[
    (Cause::HeldBackSegment, held_back::evidence),
    (Cause::StreamNotEnded, stream_not_ended::evidence),
    (Cause::ConnectionNotReusable, connection_not_reusable::evidence),
    (Cause::FlushMissing, flush_missing::evidence),
    (Cause::ThinkingTime, thinking_time::evidence),
];

/// Why calls are slow that are alone.
pub fn of_calls(calls: &Calls<'_>) -> Diagnosis {
    let mut holding = RULES.iter().filter_map(|(cause, rule)| Some((*cause, rule(calls)?)));
    match (holding.next(), holding.next()) {
        (Some((cause, evidence)), None) => Diagnosis::Named(cause, evidence),
        (Some((one, _)), Some((other, _))) => {
            Diagnosis::Unclear(format!("both {} and {} would explain it", one.name(), other.name()))
        }
        (None, _) => Diagnosis::Unclear(calls.what_is_late()),
    }
}

/// Why calls wait beside others.
pub fn of_calls_beside(rounds: &Rounds<'_>) -> Diagnosis {
    match rounds.beside {
        Beside::SlowCall => Diagnosis::Named(Cause::HeadOfLine, head_of_line::evidence(rounds)),
        Beside::SlowBody => Diagnosis::Named(Cause::LockOverBody, lock_over_body::evidence(rounds)),
    }
}
