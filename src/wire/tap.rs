//! The tap: where sockets and scenarios write down what happens, in one order, while it happens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock::Clock;
use crate::trace::{Bytes, ConnectionId, Event, Nanos, What};

/// Received bytes that one trace keeps; what comes beyond is counted only. Far above what an honest answer
/// needs, and small enough to hold a dozen traces of a hostile one in memory.
pub const KEPT_BYTES: u64 = 16 << 20;

/// A handle on the recording of one trace; clones write to the same one.
#[derive(Clone, Debug)]
pub struct Tap {
    clock: Clock,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    events: Vec<Event>,
    connections: ConnectionId,
    kept: u64,
}

impl Default for Tap {
    fn default() -> Self {
        Self::start()
    }
}

impl Tap {
    /// Starts an empty recording, and its clock.
    pub fn start() -> Self {
        Self { clock: Clock::start(), log: Arc::default() }
    }

    /// The recording's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Writes down what has just happened.
    pub fn note(&self, what: What) -> Event {
        self.note_at(self.clock.now(), what)
    }

    /// Writes down what happened at a time that was read before.
    pub fn note_at(&self, at: Nanos, what: What) -> Event {
        let mut log = self.log();
        let seq = log.events.len() as u32;
        let event = Event { seq, at, what };
        log.events.push(event.clone());
        event
    }

    /// Writes down one read, and how much of it the trace still has room for.
    pub fn note_read(
        &self,
        at: Nanos,
        conn: ConnectionId,
        bytes: &[u8],
        kernel: Option<Nanos>,
        segments: Option<u32>,
    ) -> Event {
        let mut log = self.log();
        let room = usize::try_from(KEPT_BYTES.saturating_sub(log.kept)).unwrap_or(usize::MAX).min(bytes.len());
        log.kept += room as u64;
        let what = What::Read {
            conn,
            kernel,
            segments,
            bytes: Bytes(bytes[..room].to_vec()),
            dropped: (bytes.len() - room) as u64,
        };
        let event = Event { seq: log.events.len() as u32, at, what };
        log.events.push(event.clone());
        event
    }

    /// The number of the next connection.
    pub fn next_connection(&self) -> ConnectionId {
        let mut log = self.log();
        log.connections += 1;
        log.connections - 1
    }

    /// What has been recorded so far. The events keep the order in which they were written down.
    pub fn events(&self) -> Vec<Event> {
        self.log().events.clone()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // A thread that panicked while it wrote an event down left a shorter list, not a broken one.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
