//! The clock of a recording: monotonic, with kernel stamps brought onto it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::trace::Nanos;

/// Two looks at the offset between the realtime and the monotonic clock may differ by this much before a
/// kernel stamp is thrown away: a step of the realtime clock lies between them.
const OFFSET_MOVED: Duration = Duration::from_micros(50);

/// A monotonic clock that starts at zero with its trace.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
    /// The realtime clock's reading at `origin`, as nanoseconds since the epoch.
    origin_realtime: i128,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        let (origin, origin_realtime, _) = both_clocks();
        Self { origin, origin_realtime }
    }

    /// The time now.
    pub fn now(&self) -> Nanos {
        self.at(Instant::now())
    }

    /// An instant on this clock; zero for what lies before the start.
    pub fn at(&self, instant: Instant) -> Nanos {
        Nanos(u64::try_from(instant.saturating_duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX))
    }

    /// A kernel stamp (CLOCK_REALTIME, nanoseconds since the epoch) on this clock.
    ///
    /// `None` where the realtime clock was stepped since the start, or the stamp lies before it.
    pub fn from_kernel(&self, stamp: i128) -> Option<Nanos> {
        let (now, realtime, bracket) = both_clocks();
        let expected = self.origin_realtime + i128::try_from((now - self.origin).as_nanos()).ok()?;
        let moved = u64::try_from((realtime - expected).unsigned_abs()).map_or(Duration::MAX, Duration::from_nanos);
        if moved > OFFSET_MOVED + bracket {
            return None;
        }
        u64::try_from(stamp - self.origin_realtime).ok().map(Nanos)
    }
}

/// One moment on both clocks, and how far apart they may have been read: we can be preempted in between, so
/// the tightest of a few tries counts.
fn both_clocks() -> (Instant, i128, Duration) {
    const TIGHT: Duration = Duration::from_micros(5);
    let mut best = look();
    for _ in 0..3 {
        if best.2 <= TIGHT {
            break;
        }
        let next = look();
        if next.2 < best.2 {
            best = next;
        }
    }
    best
}

fn look() -> (Instant, i128, Duration) {
    let before = Instant::now();
    let realtime = realtime();
    let bracket = before.elapsed();
    (before + bracket / 2, realtime, bracket)
}

fn realtime() -> i128 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    }
}
