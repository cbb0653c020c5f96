//! Head-of-line blocking: a call is answered only when another one that is at work has been.
//!
//! What proves it is the order of the answers, round after round.

use super::Rounds;
use crate::latency::median;
use crate::trace::Span;

pub(super) fn evidence(rounds: &Rounds<'_>) -> String {
    let took = median(rounds.all.iter().map(|round| round.took)).unwrap_or_default();
    format!(
        "in most of {} rounds the answer came only when that of the slow call, asked before on another connection, was \
         there; it took {} in the median",
        rounds.all.len(),
        Span(took)
    )
}
