//! Sessions of the legacy revisions (2025-11-25, "Session Management").

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::event_store::EventStore;
use super::in_flight::InFlight;
use super::revision::Revision;

/// How many sessions there may be. Another one ends the oldest, which a server may do at any time.
const MAX_SESSIONS: usize = 256;

/// How many messages may wait for the GET stream.
const MAX_UNSENT: usize = 64;

/// The sessions of a server, by id.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_id: HashMap<Vec<u8>, Arc<Session>>,
    by_age: VecDeque<Vec<u8>>,
}

/// What one client and the server agreed on, and what goes on between them.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) revision: Revision,
    pub(super) events: Arc<EventStore>,
    pub(super) in_flight: InFlight,
    /// The way to the GET stream, while there is one.
    listener: Mutex<Option<SyncSender<String>>>,
    ended: AtomicBool,
    poisoned: AtomicBool,
}

impl Sessions {
    /// Opens a session under this id.
    pub(super) fn open(&self, id: Vec<u8>, revision: Revision) -> Arc<Session> {
        let session = Arc::new(Session::new(revision, Arc::default()));
        let mut open = self.sessions();
        open.by_id.insert(id.clone(), Arc::clone(&session));
        open.by_age.push_back(id);
        while open.by_age.len() > MAX_SESSIONS
            && let Some(oldest) = open.by_age.pop_front()
        {
            open.by_id.remove(&oldest).inspect(|session| session.end());
        }
        session
    }

    /// How many sessions are open, and how many requests are entered in them.
    pub(super) fn count(&self) -> (usize, usize) {
        let open = self.sessions();
        (open.by_id.len(), open.by_id.values().map(|session| session.in_flight.len()).sum())
    }

    /// Sends a message on the GET streams of all sessions but this one.
    pub(super) fn push_to_others(&self, than: Option<&Arc<Session>>, message: &str) {
        let is_it = |session: &Arc<Session>| than.is_some_and(|than| Arc::ptr_eq(than, session));
        for session in self.sessions().by_id.values().filter(|session| !is_it(session)) {
            session.push(message);
        }
    }

    /// Calls off what is at work in any session.
    pub(super) fn cancel_all(&self) {
        self.sessions().by_id.values().for_each(|session| session.in_flight.cancel_all());
    }

    /// Ends this session.
    pub(super) fn drop_out(&self, session: &Arc<Session>) {
        let id = self.sessions().by_id.iter().find(|(_, other)| Arc::ptr_eq(session, other)).map(|(id, _)| id.clone());
        if let Some(id) = id {
            self.end(&id);
        }
    }

    /// The session of this id, unless it never was or has ended.
    pub(super) fn find(&self, id: &[u8]) -> Option<Arc<Session>> {
        self.sessions().by_id.get(id).cloned()
    }

    /// Ends the session of this id; `false` if there is none.
    pub(super) fn end(&self, id: &[u8]) -> bool {
        let mut open = self.sessions();
        open.by_age.retain(|other| other != id);
        open.by_id.remove(id).inspect(|session| session.end()).is_some()
    }

    fn sessions(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    pub(super) fn new(revision: Revision, events: Arc<EventStore>) -> Session {
        Session {
            revision,
            events,
            in_flight: InFlight::default(),
            listener: Mutex::default(),
            ended: AtomicBool::new(false),
            poisoned: AtomicBool::new(false),
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Ends it, and its GET stream with it.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.stop_listening();
    }

    /// Whether a handler panicked while it held what the session guards; it never does unless that is the fault.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Relaxed)
    }

    pub(super) fn poison(&self) {
        self.poisoned.store(true, Ordering::Relaxed);
    }

    /// Takes the one place of the GET stream; `None` if it is taken.
    pub(super) fn listen(&self) -> Option<Receiver<String>> {
        let mut listener = self.listener();
        if listener.is_some() {
            return None;
        }
        let (sender, receiver) = sync_channel(MAX_UNSENT);
        *listener = Some(sender);
        Some(receiver)
    }

    /// Gives the place of the GET stream back.
    pub(super) fn stop_listening(&self) {
        *self.listener() = None;
    }

    /// Sends a message on the GET stream; `false` if there is none or it is clogged.
    pub(super) fn push(&self, message: &str) -> bool {
        self.listener().as_ref().is_some_and(|listener| listener.try_send(message.to_owned()).is_ok())
    }

    fn listener(&self) -> MutexGuard<'_, Option<SyncSender<String>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session id that cannot be guessed: 128 bits in hexadecimal digits.
pub(super) fn random_id() -> String {
    let mut bytes = [0; 16];
    if File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes)).is_err() {
        // Elsewhere the standard library's hash keys are the randomness of the system that is at hand.
        for half in bytes.chunks_mut(8) {
            half.copy_from_slice(&RandomState::new().hash_one(0).to_le_bytes());
        }
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
