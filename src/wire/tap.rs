//! The tap: where sockets and scenarios write down what happens, in one order, while it happens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock::Clock;
use crate::trace::{Bytes, ConnectionId, Event, Nanos, What};

/// What one trace keeps of what comes; the rest is counted only. Far above what an honest answer needs, and small
/// enough to hold several traces of a hostile one in memory.
pub const KEPT: Kept = Kept { bytes: 8 << 20, parts: 500_000 };

/// What an honest exchange in a crowd takes.
const OF_AN_EXCHANGE: Kept = Kept { bytes: 3 << 10, parts: 120 };

/// Where we are asked: requests are small.
const OF_A_SERVER: Limits = Limits { kept: KEPT, answered: 10_000, connections: 10_000, written: 32 << 20 };

/// Where a client under test is served: its requests are few and small.
const OF_A_CLIENT: Limits =
    Limits { kept: Kept { bytes: 2 << 20, parts: 40_000 }, answered: 500, connections: 200, written: 32 << 20 };

/// What one trace holds at most.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// What is kept of what came.
    kept: Kept,
    /// Requests that were answered.
    answered: usize,
    /// Connections.
    connections: ConnectionId,
    /// Bytes that were written.
    written: usize,
}

/// What a read costs beside its bytes, in parts: a target may send them one by one.
const PARTS_OF_A_READ: u64 = 4;

/// How much was kept of what a target sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    /// Received bytes.
    pub bytes: u64,
    /// Parts of JSON and event streams in them: decoded, each takes some hundred bytes, however short it was on the
    /// wire.
    pub parts: u64,
}

/// A handle on the recording of one trace; clones write to the same one.
#[derive(Clone, Debug)]
pub struct Tap {
    clock: Clock,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug)]
struct Log {
    events: Vec<Event>,
    connections: ConnectionId,
    kept: Kept,
    limits: Limits,
    answered: usize,
    written: usize,
}

impl Default for Tap {
    fn default() -> Self {
        Self::start()
    }
}

impl Tap {
    /// Starts an empty recording, and its clock.
    pub fn start() -> Self {
        Self::within(OF_A_SERVER)
    }

    /// The same where so many exchanges are expected.
    pub fn of_a_crowd(exchanges: u32) -> Self {
        Self::within(Limits { kept: KEPT.with_room_for(exchanges), ..OF_A_SERVER })
    }

    /// The same where a client is served.
    pub fn of_a_client() -> Self {
        Self::within(OF_A_CLIENT)
    }

    fn within(limits: Limits) -> Self {
        let kept = Kept::default();
        let log = Log { events: Vec::new(), connections: 0, kept, limits, answered: 0, written: 0 };
        Self { clock: Clock::start(), log: Arc::new(Mutex::new(log)) }
    }

    /// The recording's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Writes down what has just happened.
    pub fn note(&self, what: What) {
        self.note_at(self.clock.now(), what, |_| {});
    }

    /// Writes down what happened at a time that was read before, and shows it as it stands in the trace: a copy of
    /// every event would be a good part of what the tap costs.
    pub fn note_at(&self, at: Nanos, what: What, show: impl FnOnce(&Event)) {
        self.log().push(at, what, show);
    }

    /// Writes down one read, with as many of its bytes as the trace has room for, and shows it.
    pub fn note_read(
        &self,
        at: Nanos,
        conn: ConnectionId,
        bytes: &[u8],
        kernel: Option<Nanos>,
        segments: Option<u32>,
        show: impl FnOnce(&Event),
    ) {
        let mut log = self.log();
        let room = log.kept.room(&log.limits.kept, bytes);
        log.kept.bytes += room as u64;
        log.kept.parts += PARTS_OF_A_READ + parts(&bytes[..room]);
        let what = What::Read {
            conn,
            kernel,
            segments,
            bytes: Bytes(bytes[..room].to_vec()),
            dropped: (bytes.len() - room) as u64,
        };
        log.push(at, what, show);
    }

    /// The number of the next connection.
    pub fn next_connection(&self) -> ConnectionId {
        let mut log = self.log();
        log.connections += 1;
        log.connections - 1
    }

    /// How much of what came was kept so far.
    pub fn kept(&self) -> Kept {
        self.log().kept
    }

    /// What a client did that is more than a trace should hold of it, as a lowercase fragment.
    pub fn overflow(&self) -> Option<String> {
        let log = self.log();
        let Limits { kept: Kept { bytes, parts }, answered, connections, written } = log.limits;
        if log.connections > connections {
            Some(format!("it opened more than {connections} connections"))
        } else if log.answered > answered {
            Some(format!("it made more than {answered} requests"))
        } else if log.written > written {
            Some(format!("it had itself sent more than {} MiB", written >> 20))
        } else if log.kept.bytes >= bytes || log.kept.parts >= parts {
            Some(format!("it sent more than a trace keeps ({} MiB, or {parts} values and lines)", bytes >> 20))
        } else {
            None
        }
    }

    /// What has been recorded so far. The events keep the order in which they were written down.
    pub fn events(&self) -> Vec<Event> {
        self.log().events.clone()
    }

    /// The same in the order of their causes. What we write is written down when it is out: on another connection, the
    /// peer may have acted on it by then.
    pub fn events_by_cause(&self) -> Vec<Event> {
        let mut events = self.events();
        events.sort_by_key(|event| match event.what {
            What::Wrote { began, .. } => began,
            _ => event.at,
        });
        for (seq, event) in (0..).zip(&mut events) {
            event.seq = seq;
        }
        events
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // A thread that panicked while it wrote an event down left a shorter list, not a broken one.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn push(&mut self, at: Nanos, what: What, show: impl FnOnce(&Event)) {
        let seq = self.events.len() as u32;
        match &what {
            What::Answering { .. } => self.answered += 1,
            What::Wrote { bytes, .. } => self.written += bytes.0.len(),
            _ => {}
        }
        self.events.push(Event { seq, at, what });
        show(&self.events[seq as usize]);
    }
}

impl Kept {
    /// With room for so many exchanges more.
    pub const fn with_room_for(self, exchanges: u32) -> Self {
        let more = exchanges as u64;
        Self { bytes: self.bytes + more * OF_AN_EXCHANGE.bytes, parts: self.parts + more * OF_AN_EXCHANGE.parts }
    }

    /// How many of these bytes there is room for.
    fn room(&self, limits: &Self, bytes: &[u8]) -> usize {
        match self.parts < limits.parts {
            true => usize::try_from(limits.bytes.saturating_sub(self.bytes)).unwrap_or(usize::MAX).min(bytes.len()),
            false => 0,
        }
    }
}

/// Every value of a JSON text, and every line of an event stream, has one of these bytes.
pub(crate) fn parts(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',' | b':' | b'\n' | b'\r')).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tap: &Tap, bytes: &[u8]) -> (usize, u64) {
        let mut seen = None;
        tap.note_read(Nanos(0), 0, bytes, None, None, |event| {
            if let What::Read { bytes, dropped, .. } = &event.what {
                seen = Some((bytes.0.len(), *dropped));
            }
        });
        seen.expect("a read")
    }

    #[test]
    fn what_comes_beyond_the_cap_is_counted_and_not_kept() {
        let tap = Tap::start();
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..8 {
            assert_eq!(read(&tap, &piece), (1 << 20, 0));
        }
        assert_eq!(read(&tap, &piece), (0, 1 << 20));
    }

    #[test]
    fn a_flood_of_tiny_parts_fills_a_trace_as_well() {
        let tap = Tap::start();
        let piece = b":\n".repeat(32 << 10);
        while read(&tap, &piece).1 == 0 {}
        assert!(tap.kept().bytes < 2 << 20, "{:?}", tap.kept());
    }

    #[test]
    fn what_the_peer_did_upon_our_words_stands_behind_them() {
        let tap = Tap::start();
        let read = |conn| What::Read { conn, kernel: None, segments: None, bytes: Bytes(Vec::new()), dropped: 0 };
        let wrote = What::Wrote { conn: 0, began: Nanos(2), bytes: Bytes(Vec::new()) };
        for (at, what) in [(1, read(0)), (4, read(1)), (5, wrote), (6, read(0))] {
            tap.note_at(Nanos(at), what, |_| {});
        }
        let order: Vec<_> = tap.events_by_cause().iter().map(|event| (event.seq, event.at.0)).collect();
        assert_eq!(order, [(0, 1), (1, 5), (2, 4), (3, 6)]);
    }
}
