//! A machine that is too busy to tell: most of what calls took, the server's threads waited for a processor.

use std::time::Duration;

use crate::latency::{Sample, median};
use crate::trace::Span;

/// What shows it, where it is so.
pub fn evidence(samples: &[&Sample<'_>], p50: Duration, limit: Duration) -> Option<String> {
    // A lower bound of the server's own time: threads that waited side by side are all subtracted.
    let own_time = |sample: &&Sample<'_>| Some(sample.total()?.saturating_sub(sample.peer_waited.unwrap_or_default()));
    let corrected = median(samples.iter().filter_map(own_time)).unwrap_or(p50);
    (corrected <= limit).then(|| {
        format!(
            "the machine was too busy: p50 is {}, of which the server's threads waited most for a processor",
            Span(p50)
        )
    })
}
