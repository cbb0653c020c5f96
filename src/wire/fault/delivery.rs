//! What happens to connections and requests as a whole: `reorder` (`duplicate` needs no plan).
//!
//! TCP keeps the order of bytes within a connection; between connections there is none. A client that sends on two at
//! once, or on one while the answer on another is still out, has to expect that the server reads them in any order.

use super::random::Random;
use crate::trace::ConnectionId;

/// What is drawn here.
const PURPOSE: u64 = 4;

/// Whether `reorder` holds this connection back until a later one has had its turn: every second one, by chance.
pub fn is_held(seed: u64, connection: ConnectionId) -> bool {
    Random::of(seed, &[PURPOSE, u64::from(connection)]).next() & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_every_second_connection_is_held_and_the_seed_says_which() {
        let held = |seed| (0..100).map(|connection| is_held(seed, connection)).collect::<Vec<_>>();
        assert_eq!(held(3), held(3));
        assert_ne!(held(3), held(4));
        let count = held(3).iter().filter(|held| **held).count();
        assert!((30..70).contains(&count), "{count}");
    }
}
