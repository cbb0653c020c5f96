//! A cold start: the first call of each session or connection is slow, and no other.

use std::time::Duration;

use super::mostly;
use crate::latency::{Class, Sample, median, samples};
use crate::trace::{Span, Trace};

/// What shows it, where it is so.
pub fn evidence(trace: &Trace, limit: Duration) -> Option<String> {
    let own = |sample: &Sample<'_>| Some(sample.total()?.saturating_sub(sample.peer_waited.unwrap_or_default()));
    let first: Vec<Duration> = samples(trace).filter(|s| s.class == Class::FirstCall).filter_map(|s| own(&s)).collect();
    let later: Vec<Duration> =
        samples(trace).filter(|s| s.class == Class::RepeatedCall).filter_map(|s| s.total()).collect();
    let cold = first.iter().filter(|took| **took > limit).count();
    let warm = later.iter().filter(|took| **took <= limit).count();
    (mostly(cold, first.len()) && mostly(warm, later.len())).then(|| {
        format!(
            "{cold} of {} first calls were over {}, with a median of {}; {warm} of {} later ones were within",
            first.len(),
            Span(limit),
            Span(median(first.iter().copied()).unwrap_or_default()),
            later.len()
        )
    })
}
