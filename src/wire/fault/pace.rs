//! When bytes go on: `latency`, `bandwidth` and `stall`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::random::Random;
use super::{Direction, Fault, Kind};
use crate::trace::ConnectionId;

/// What is drawn here.
const PURPOSE: u64 = 1;

/// Bytes are paced in pieces of so much time, so that a second's worth does not go out at once.
const BEAT: u64 = 100;

/// How much later bytes arrive, drawn anew for each message.
#[derive(Clone, Debug)]
pub(super) struct Latency {
    random: Random,
    micros: RangeInclusive<u64>,
    /// That of the message under way.
    pub now: Option<Duration>,
}

impl Latency {
    pub fn of(fault: &Fault, seed: u64, connection: ConnectionId, direction: Direction) -> Option<Self> {
        let Kind::Latency(range) = &fault.kind else { return None };
        let micros = |duration: &Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Some(Self {
            random: Random::of(seed, &[PURPOSE, u64::from(connection), direction as u64]),
            micros: micros(range.start())..=micros(range.end()),
            now: None,
        })
    }

    pub fn draw(&mut self) -> Duration {
        let drawn = Duration::from_micros(self.random.within(&self.micros));
        self.now = Some(drawn);
        drawn
    }
}

/// No more than so many bytes a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bandwidth {
    per_second: u64,
}

impl Bandwidth {
    pub fn of(fault: &Fault) -> Option<Self> {
        match fault.kind {
            Kind::Bandwidth(per_second) => Some(Self { per_second }),
            _ => None,
        }
    }

    /// The end of the piece that a byte is part of: a hundredth of a second's worth.
    pub fn piece_end(self, at: u64) -> u64 {
        let piece = (self.per_second / BEAT).max(1);
        (at / piece + 1).saturating_mul(piece)
    }

    /// How long so many bytes take.
    pub fn takes(self, bytes: u64) -> Duration {
        Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / self.per_second.max(1))
    }
}

/// The place at which a fault stalls the direction, and for how long.
pub(super) fn stall(fault: &Fault) -> Option<(u64, Duration)> {
    match fault.kind {
        Kind::Stall(long) => Some((fault.at.unwrap_or(super::spelling::AT), long)),
        _ => None,
    }
}
