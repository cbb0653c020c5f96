//! The events of a session, kept for clients that lose their connection (2025-11-25, "Resumability and Redelivery").

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many streams and how many bytes of messages a session keeps; the oldest streams are dropped first.
const MAX_STREAMS: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;

/// How the events of a session are numbered and kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Habits {
    /// Each stream is numbered from 0, and no id says which it is.
    pub(super) numbers_afresh: bool,
    /// What a stream carried is dropped when it ends.
    pub(super) forgets_finished: bool,
    /// A replayed event gets an id of its own.
    pub(super) renumbers: bool,
}

/// What the streams of one session carried.
#[derive(Debug, Default)]
pub(super) struct EventStore {
    kept: Mutex<Kept>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    next_stream: u64,
    replayed: u64,
    streams: BTreeMap<u64, Stream>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Stream {
    /// The messages in order; the priming event, which has none, is an empty one.
    events: Vec<String>,
    ended: bool,
}

/// Numbers the events of one stream, and keeps them. Dropping it ends the stream.
pub(super) struct StreamLog {
    store: Arc<EventStore>,
    habits: Habits,
    stream: u64,
    events: usize,
}

/// A place in a stream: the next event that the client has not seen.
pub(super) struct Cursor {
    habits: Habits,
    stream: u64,
    event: usize,
}

impl Cursor {
    /// Goes back to the event that the client has seen last.
    pub(super) fn step_back(&mut self) {
        self.event = self.event.saturating_sub(1);
    }
}

/// What there is at a cursor.
pub(super) enum Next {
    Event {
        id: String,
        data: String,
    },
    /// Nothing new came in the time given.
    Nothing,
    End,
}

impl EventStore {
    /// Opens the log of a new stream.
    pub(super) fn open(self: &Arc<Self>, habits: Habits) -> StreamLog {
        let mut kept = self.kept();
        let stream = kept.next_stream;
        kept.next_stream += 1;
        kept.streams.insert(stream, Stream::default());
        kept.evict();
        StreamLog { store: Arc::clone(self), habits, stream, events: 0 }
    }

    /// The place just after the event with this id, if its stream is kept.
    pub(super) fn after(&self, id: &str, habits: Habits) -> Option<Cursor> {
        let (stream, event) = id.split_once('-')?;
        let event = match event.split_once('-') {
            Some((event, _)) if habits.renumbers => event,
            _ => event,
        };
        let (stream, event) = (stream.parse().ok()?, event.parse::<usize>().ok()?);
        let is_kept = self.kept().streams.get(&stream).is_some_and(|kept| event < kept.events.len());
        is_kept.then_some(Cursor { habits, stream, event: event + 1 })
    }

    /// What comes next at the cursor; waits for it if the stream has not ended.
    pub(super) fn next(&self, cursor: &mut Cursor, patience: Duration) -> Next {
        let is_waiting = |kept: &mut Kept| match kept.streams.get(&cursor.stream) {
            Some(stream) => stream.events.len() <= cursor.event && !stream.ended,
            None => false,
        };
        let (mut kept, _) =
            self.grown.wait_timeout_while(self.kept(), patience, is_waiting).unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = kept.streams.get(&cursor.stream) else { return Next::End };
        match stream.events.get(cursor.event) {
            Some(data) => {
                let (mut id, data) = (event_id(cursor.habits, cursor.stream, cursor.event), data.clone());
                cursor.event += 1;
                if cursor.habits.renumbers {
                    kept.replayed += 1;
                    id = format!("{id}-{}", kept.replayed);
                }
                Next::Event { id, data }
            }
            None if stream.ended => Next::End,
            None => Next::Nothing,
        }
    }

    /// Whether the stream at the cursor has ended.
    pub(super) fn has_ended(&self, cursor: &Cursor) -> bool {
        self.kept().streams.get(&cursor.stream).is_none_or(|stream| stream.ended)
    }

    /// The messages of all streams but the one at the cursor, with their ids.
    pub(super) fn of_others(&self, cursor: &Cursor) -> Vec<(String, String)> {
        let kept = self.kept();
        let others = kept.streams.iter().filter(|(number, _)| **number != cursor.stream);
        let numbered = |(number, stream): (&u64, &Stream)| {
            let id = |event| event_id(cursor.habits, *number, event);
            stream.events.iter().enumerate().map(|(event, data)| (id(event), data.clone())).collect::<Vec<_>>()
        };
        others.flat_map(numbered).filter(|(_, data)| !data.is_empty()).collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn evict(&mut self) {
        while self.streams.len() > MAX_STREAMS || self.bytes > MAX_BYTES {
            let Some(oldest) = self.streams.keys().next().copied() else { return };
            self.forget(oldest);
        }
    }

    fn forget(&mut self, stream: u64) {
        let forgotten = self.streams.remove(&stream).unwrap_or_default();
        self.bytes -= forgotten.events.iter().map(String::len).sum::<usize>();
    }
}

impl StreamLog {
    /// Keeps the data of the next event, and gives its id.
    pub(super) fn record(&mut self, data: &str) -> String {
        let id = event_id(self.habits, self.stream, self.events);
        self.events += 1;
        let mut kept = self.store.kept();
        if let Some(stream) = kept.streams.get_mut(&self.stream) {
            stream.events.push(data.to_owned());
            kept.bytes += data.len();
            kept.evict();
        }
        self.store.grown.notify_all();
        id
    }
}

impl Drop for StreamLog {
    fn drop(&mut self) {
        let mut kept = self.store.kept();
        if let Some(stream) = kept.streams.get_mut(&self.stream) {
            stream.ended = true;
        }
        if self.habits.forgets_finished {
            kept.forget(self.stream);
        }
        drop(kept);
        self.store.grown.notify_all();
    }
}

/// Ids are unique in the session and name their stream, as the specification asks.
fn event_id(habits: Habits, stream: u64, event: usize) -> String {
    if habits.numbers_afresh { event.to_string() } else { format!("{stream}-{event}") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{EventStore, Habits, MAX_BYTES, MAX_STREAMS, Next};

    fn rest(store: &EventStore, id: &str) -> Option<Vec<String>> {
        let mut cursor = store.after(id, Habits::default())?;
        let mut rest = Vec::new();
        loop {
            match store.next(&mut cursor, Duration::ZERO) {
                Next::Event { data, .. } => rest.push(data),
                Next::Nothing | Next::End => return Some(rest),
            }
        }
    }

    #[test]
    fn a_cursor_follows_its_own_stream() {
        let store = Arc::new(EventStore::default());
        let (mut one, mut two) = (store.open(Habits::default()), store.open(Habits::default()));
        let first = one.record("a");
        two.record("b");
        one.record("c");
        assert_eq!(rest(&store, &first), Some(vec!["c".to_owned()]));

        let mut cursor = store.after(&first, Habits::default()).expect("the stream is kept");
        assert!(matches!(store.next(&mut cursor, Duration::ZERO), Next::Event { .. }));
        assert!(matches!(store.next(&mut cursor, Duration::from_millis(1)), Next::Nothing));
        drop(one);
        assert!(matches!(store.next(&mut cursor, Duration::from_secs(9)), Next::End));
    }

    #[test]
    fn unknown_ids_lead_nowhere() {
        let store = Arc::new(EventStore::default());
        store.open(Habits::default()).record("a");
        for id in ["", "-", "0", "0-1", "1-0", "0-x", "99999999999999999999-0"] {
            assert!(store.after(id, Habits::default()).is_none(), "{id}");
        }
    }

    #[test]
    fn the_oldest_streams_make_room() {
        let store = Arc::new(EventStore::default());
        let first = store.open(Habits::default()).record("a");
        for _ in 0..MAX_STREAMS {
            store.open(Habits::default()).record("b");
        }
        assert!(store.after(&first, Habits::default()).is_none());

        let mut large = store.open(Habits::default());
        let kept = large.record("c");
        large.record(&"x".repeat(MAX_BYTES));
        assert!(store.after(&kept, Habits::default()).is_none(), "a stream that is too large is not kept either");
        assert_eq!(store.kept().bytes, 0);
        assert_eq!(large.record("d").split_once('-').map(|(_, event)| event), Some("2"), "and still numbered");
    }
}
