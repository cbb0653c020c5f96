//! Connections that cannot be used again: each call needs a new one, and that is what takes long.
//!
//! The control is a connection that was there for a while before it was used: on it, the same call is in time.

use std::time::Duration;

use super::{Calls, mostly};
use crate::latency::{Sample, median};
use crate::trace::Span;

pub(super) fn evidence(calls: &Calls<'_>) -> Option<String> {
    if !calls.reconnect {
        return None;
    }
    let over = |sample: &&Sample<'_>| calls.waited(sample).is_some_and(|took| took > calls.limit);
    let slow = calls.samples.iter().filter(over).count();
    let prepared = calls.prepared();
    let in_time = prepared.iter().filter(|sample| sample.total().is_some_and(|took| took <= calls.limit)).count();
    if !mostly(slow, calls.samples.len()) || !mostly(in_time, prepared.len()) {
        return None;
    }
    let p50 = |durations: Vec<Duration>| Span(median(durations).unwrap_or_default());
    Some(format!(
        "{} of {} calls needed a connection of their own, since that of the call before could not be used again; they \
         took {} in the median, and {} on connections that were open for a while before they were used ({in_time} of \
         {} in time)",
        calls.samples.len(),
        calls.samples.len(),
        p50(calls.samples.iter().filter_map(|sample| calls.waited(sample)).collect()),
        p50(prepared.iter().filter_map(Sample::total).collect()),
        prepared.len(),
    ))
}

/// Whether the reconnecting is excluded as what takes long: calls on prepared connections take as long.
pub(super) fn is_excluded(calls: &Calls<'_>) -> bool {
    let prepared = calls.prepared();
    let over = prepared.iter().filter(|sample| sample.total().is_some_and(|took| took > calls.limit)).count();
    !calls.reconnect || mostly(over, prepared.len())
}
