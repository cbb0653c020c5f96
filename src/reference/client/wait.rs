//! How long something may take.

use std::thread;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::shared::Client;

/// The longest nap between two looks at whether to stop.
const NAP: Duration = Duration::from_millis(5);

/// Ends at a time, or when there is nothing left to wait for.
pub(super) struct Wait<'c> {
    client: &'c Client,
    until: Option<Instant>,
    /// The session whose end is the end of the wait as well.
    generation: Option<u64>,
}

impl<'c> Wait<'c> {
    /// Lasts that long.
    pub(super) fn of(client: &'c Client, length: Duration) -> Self {
        Wait { client, until: Instant::now().checked_add(length), generation: None }
    }

    /// Lasts as long as the session, and ends when the client closes.
    pub(super) fn with_session(client: &'c Client, generation: u64) -> Self {
        Wait { client, until: None, generation: Some(generation) }
    }

    /// An error when it is over.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let client = self.client;
        let is_idle = |generation| client.is_closing() || client.standing().generation != generation;
        if client.is_halted() || self.generation.is_some_and(is_idle) {
            return Err(Failure::Stopped);
        }
        match self.until {
            Some(until) if Instant::now() >= until => Err(Failure::TimedOut),
            _ => Ok(()),
        }
    }

    /// Sleeps for that long, unless the wait is over before.
    pub(super) fn sleep(&self, length: Duration) -> Result<(), Failure> {
        let begun = Instant::now();
        loop {
            let left = length.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            self.check()?;
            thread::sleep(left.min(NAP));
        }
    }
}
