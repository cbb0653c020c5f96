//! A lock that is held while a body comes: a call is answered only when another request is whole.
//!
//! What proves it is that we complete the other request, and the answer comes then, round after round.

use super::Rounds;
use crate::latency::median;
use crate::trace::Span;

pub(super) fn evidence(rounds: &Rounds<'_>) -> String {
    let behind = |first: crate::trace::Moment, over| first.best().since(over);
    let after = median(rounds.all.iter().filter_map(|r| Some(behind(r.call.first_byte?, r.over)))).unwrap_or_default();
    format!(
        "in most of {} rounds the answer came only when we had sent the last bytes of another request's body on \
         another connection, {} later in the median",
        rounds.all.len(),
        Span(after)
    )
}
