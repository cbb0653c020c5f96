//! How bytes are cut: `slices` and `segments`.
//!
//! A stream of octets has no boundaries, and a recipient parses octets (RFC 9112, section 2.2): whatever the pieces, the
//! message is the same.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::random::Random;
use super::{Direction, Fault, Kind};
use crate::trace::ConnectionId;

/// What is drawn here.
const PURPOSE: u64 = 2;

/// So many pieces of one direction of one connection are cut; what comes then goes on in one piece. A megabyte, byte by
/// byte, would be a million system calls.
pub const MOST_PIECES: u64 = 4_096;

/// Time for a piece to leave, and for a peer that waits for it to read it alone. Acknowledgements are not waited for:
/// they may take 40 ms.
const APART: Duration = Duration::from_micros(100);

/// The places at which a direction is cut.
#[derive(Clone, Debug)]
pub(super) struct Cuts {
    random: Random,
    lengths: RangeInclusive<u64>,
    /// How long nothing is sent behind a piece.
    pub apart: Option<Duration>,
    /// The end of the piece under way.
    end: u64,
    made: u64,
}

impl Cuts {
    pub fn of(fault: &Fault, seed: u64, connection: ConnectionId, direction: Direction) -> Option<Self> {
        let (lengths, apart) = match &fault.kind {
            Kind::Slices(lengths) => (lengths.clone(), None),
            Kind::Segments(length) => (*length..=*length, Some(APART)),
            _ => return None,
        };
        let random = Random::of(seed, &[PURPOSE, u64::from(connection), direction as u64]);
        Some(Self { random, lengths, apart, end: 0, made: 0 })
    }

    /// The end of the piece that the byte at this place is part of; places never go back.
    pub fn piece_end(&mut self, at: u64) -> u64 {
        while self.end <= at {
            if self.made >= MOST_PIECES {
                return u64::MAX;
            }
            self.made += 1;
            self.end += self.random.within(&self.lengths).max(1);
        }
        self.end
    }
}
