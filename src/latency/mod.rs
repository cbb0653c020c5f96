//! How long exchanges took, phase by phase, and what a budget makes of it. Pure.

pub mod cause;
mod phases;
mod rounds;

pub use phases::{Class, Phases, Sample, samples};
pub use rounds::{Round, rounds};

use std::time::Duration;

/// The value below which `share` of the samples lie (nearest rank); `None` where there are none.
pub fn quantile(durations: impl IntoIterator<Item = Duration>, share: f64) -> Option<Duration> {
    let mut sorted: Vec<Duration> = durations.into_iter().collect();
    sorted.sort_unstable();
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

/// The median; `None` where there are no samples.
pub fn median(durations: impl IntoIterator<Item = Duration>) -> Option<Duration> {
    quantile(durations, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let durations = || [3, 1, 2, 4].map(Duration::from_millis);
        assert_eq!(median(durations()), Some(Duration::from_millis(2)));
        assert_eq!(quantile(durations(), 0.95), Some(Duration::from_millis(4)));
        assert_eq!(quantile(durations(), 0.0), Some(Duration::from_millis(1)));
        assert_eq!(median([]), None);
    }
}
