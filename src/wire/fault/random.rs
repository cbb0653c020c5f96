//! Random numbers that depend on nothing but what they are asked for.

use std::ops::RangeInclusive;

/// A sequence of random numbers (SplitMix64): the same for the same seed and the same purpose, on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// The step of the sequence: 2^64 over the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The sequence for a purpose, such as the connection and the transform that draws.
    pub fn of(seed: u64, purpose: &[u64]) -> Self {
        purpose.iter().fold(Self(seed), |so_far, part| Self(mixed(so_far.0 ^ mixed(part.wrapping_add(STEP)))))
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// The next number within these, both included. An empty range yields its start.
    pub fn within(&mut self, range: &RangeInclusive<u64>) -> u64 {
        let (start, end) = (*range.start(), *range.end());
        match end.saturating_sub(start).checked_add(1) {
            // The bias is that of 64 bits over a few thousand values.
            Some(count) => start + self.next() % count,
            None => self.next(),
        }
    }
}

fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_purpose_gets_the_same_numbers_and_another_one_gets_others() {
        let drawn = |seed, purpose: &[u64]| {
            let mut random = Random::of(seed, purpose);
            (0..8).map(|_| random.within(&(1..=1_000))).collect::<Vec<_>>()
        };
        // Written down: another machine, and another version, must draw the same.
        assert_eq!(drawn(7, &[1, 2]), drawn(7, &[1, 2]));
        assert_ne!(drawn(7, &[1, 2]), drawn(7, &[2, 1]));
        assert_ne!(drawn(7, &[1, 2]), drawn(8, &[1, 2]));
        assert_eq!(Random::of(42, &[]).next(), 13_679_457_532_755_275_413);
    }

    #[test]
    fn every_number_of_a_range_comes_and_no_other() {
        let mut random = Random::of(1, &[]);
        let mut seen = [0_u32; 4];
        for _ in 0..400 {
            seen[random.within(&(0..=3)) as usize] += 1;
        }
        assert!(seen.iter().all(|count| *count > 50), "{seen:?}");
        assert_eq!(random.within(&(5..=5)), 5);
        let _ = random.within(&(0..=u64::MAX));
    }
}
