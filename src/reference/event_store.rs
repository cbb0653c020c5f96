//! The events of a session, kept for clients that lose their connection (2025-11-25, "Resumability and Redelivery").

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many streams and how many bytes of messages a session keeps; the oldest streams are dropped first.
const MAX_STREAMS: usize = 256;
const MAX_BYTES: usize = 1024 * 1024;

/// What the streams of one session carried.
#[derive(Debug, Default)]
pub(super) struct EventStore {
    kept: Mutex<Kept>,
    grown: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    next_stream: u64,
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
    stream: u64,
    events: usize,
}

/// A place in a stream: the next event that the client has not seen.
pub(super) struct Cursor {
    stream: u64,
    event: usize,
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
    pub(super) fn open(self: &Arc<Self>) -> StreamLog {
        let mut kept = self.kept();
        let stream = kept.next_stream;
        kept.next_stream += 1;
        kept.streams.insert(stream, Stream::default());
        kept.evict();
        StreamLog { store: Arc::clone(self), stream, events: 0 }
    }

    /// The place just after the event with this id, if its stream is kept.
    pub(super) fn after(&self, id: &str) -> Option<Cursor> {
        let (stream, event) = id.split_once('-')?;
        let (stream, event) = (stream.parse().ok()?, event.parse::<usize>().ok()?);
        let is_kept = self.kept().streams.get(&stream).is_some_and(|kept| event < kept.events.len());
        is_kept.then_some(Cursor { stream, event: event + 1 })
    }

    /// What comes next at the cursor; waits for it if the stream has not ended.
    pub(super) fn next(&self, cursor: &mut Cursor, patience: Duration) -> Next {
        let is_waiting = |kept: &mut Kept| match kept.streams.get(&cursor.stream) {
            Some(stream) => stream.events.len() <= cursor.event && !stream.ended,
            None => false,
        };
        let (kept, _) =
            self.grown.wait_timeout_while(self.kept(), patience, is_waiting).unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = kept.streams.get(&cursor.stream) else { return Next::End };
        match stream.events.get(cursor.event) {
            Some(data) => {
                let id = event_id(cursor.stream, cursor.event);
                cursor.event += 1;
                Next::Event { id, data: data.clone() }
            }
            None if stream.ended => Next::End,
            None => Next::Nothing,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn evict(&mut self) {
        while self.streams.len() > MAX_STREAMS || self.bytes > MAX_BYTES {
            let Some((_, stream)) = self.streams.pop_first() else { return };
            self.bytes -= stream.events.iter().map(String::len).sum::<usize>();
        }
    }
}

impl StreamLog {
    /// Keeps the data of the next event, and gives its id.
    pub(super) fn record(&mut self, data: &str) -> String {
        let id = event_id(self.stream, self.events);
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
        if let Some(stream) = self.store.kept().streams.get_mut(&self.stream) {
            stream.ended = true;
        }
        self.store.grown.notify_all();
    }
}

/// Ids are unique in the session and name their stream, as the specification asks.
fn event_id(stream: u64, event: usize) -> String {
    format!("{stream}-{event}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{EventStore, MAX_BYTES, MAX_STREAMS, Next};

    fn rest(store: &EventStore, id: &str) -> Option<Vec<String>> {
        let mut cursor = store.after(id)?;
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
        let (mut one, mut two) = (store.open(), store.open());
        let first = one.record("a");
        two.record("b");
        one.record("c");
        assert_eq!(rest(&store, &first), Some(vec!["c".to_owned()]));

        let mut cursor = store.after(&first).expect("the stream is kept");
        assert!(matches!(store.next(&mut cursor, Duration::ZERO), Next::Event { .. }));
        assert!(matches!(store.next(&mut cursor, Duration::from_millis(1)), Next::Nothing));
        drop(one);
        assert!(matches!(store.next(&mut cursor, Duration::from_secs(9)), Next::End));
    }

    #[test]
    fn unknown_ids_lead_nowhere() {
        let store = Arc::new(EventStore::default());
        store.open().record("a");
        for id in ["", "-", "0", "0-1", "1-0", "0-x", "99999999999999999999-0"] {
            assert!(store.after(id).is_none(), "{id}");
        }
    }

    #[test]
    fn the_oldest_streams_make_room() {
        let store = Arc::new(EventStore::default());
        let first = store.open().record("a");
        for _ in 0..MAX_STREAMS {
            store.open().record("b");
        }
        assert!(store.after(&first).is_none());

        let mut large = store.open();
        let kept = large.record("c");
        large.record(&"x".repeat(MAX_BYTES));
        assert!(store.after(&kept).is_none(), "a stream that is too large is not kept either");
        assert_eq!(store.kept().bytes, 0);
        assert_eq!(large.record("d").split_once('-').map(|(_, event)| event), Some("2"), "and still numbered");
    }
}
