//! Times of a recording.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Nanoseconds since the beginning of the trace that the value stands in, on the monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// `self - earlier`, or zero where the two are out of order.
    pub fn since(self, earlier: Nanos) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Nanos {
    type Output = Nanos;

    fn add(self, later: Duration) -> Nanos {
        Nanos(self.0.saturating_add(u64::try_from(later.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Nanos {
    type Output = Nanos;

    fn sub(self, earlier: Duration) -> Nanos {
        Nanos(self.0.saturating_sub(u64::try_from(earlier.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(Duration::from_nanos(self.0)).fmt(f)
    }
}

/// A duration as a reader wants to see it: three digits and a unit.
#[derive(Clone, Copy, Debug)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_nanos() as f64 / 1_000.0;
        let (value, unit) = match micros {
            m if m < 1_000.0 => (m, "µs"),
            m if m < 1_000_000.0 => (m / 1_000.0, "ms"),
            m => (m / 1_000_000.0, "s"),
        };
        let digits = match value {
            v if v < 10.0 => 2,
            v if v < 100.0 => 1,
            _ => 0,
        };
        write!(f, "{value:.digits$} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_with_three_digits_and_a_unit() {
        let shown = |nanos| Span(Duration::from_nanos(nanos)).to_string();
        assert_eq!(shown(1_234), "1.23 µs");
        assert_eq!(shown(43_912_000), "43.9 ms");
        assert_eq!(shown(2_000_000_000), "2.00 s");
        assert_eq!(shown(131_000_000_000), "131 s");
    }
}
