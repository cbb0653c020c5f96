//! The requests that are being worked on, so that a later message can mean one of them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Requests by what identifies them.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    calls: Arc<Mutex<HashMap<String, Arc<AtomicBool>>>>,
    /// The progress tokens of requests that have ended: there are none, unless that is the fault.
    stale_tokens: Mutex<HashSet<String>>,
}

/// The entry of one request. Dropping it takes the request out again.
pub(super) struct Ticket {
    calls: Arc<Mutex<HashMap<String, Arc<AtomicBool>>>>,
    key: String,
    cancelled: Arc<AtomicBool>,
}

impl InFlight {
    /// Enters a request; whatever had this key before loses its entry.
    pub(super) fn enter(&self, key: &str) -> Ticket {
        let cancelled = Arc::new(AtomicBool::new(false));
        entries(&self.calls).insert(key.to_owned(), Arc::clone(&cancelled));
        Ticket { calls: Arc::clone(&self.calls), key: key.to_owned(), cancelled }
    }

    /// How many requests are entered.
    pub(super) fn len(&self) -> usize {
        entries(&self.calls).len()
    }

    /// Keeps the entry of a progress token for ever; `false` if it is there already.
    pub(super) fn keep_token(&self, token: &str) -> bool {
        self.stale_tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned())
    }

    /// Calls off every request.
    pub(super) fn cancel_all(&self) {
        entries(&self.calls).values().for_each(|cancelled| cancelled.store(true, Ordering::Relaxed));
    }

    /// Calls off the request with this key, if there is one.
    pub(super) fn cancel(&self, key: &str) {
        if let Some(cancelled) = entries(&self.calls).get(key) {
            cancelled.store(true, Ordering::Relaxed);
        }
    }
}

impl Ticket {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Whether the entry is still that of this request.
    pub(super) fn is_current(&self) -> bool {
        entries(&self.calls).get(&self.key).is_some_and(|entry| Arc::ptr_eq(entry, &self.cancelled))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.is_current() {
            entries(&self.calls).remove(&self.key);
        }
    }
}

fn entries<'a>(calls: &'a Mutex<HashMap<String, Arc<AtomicBool>>>) -> MutexGuard<'a, HashMap<String, Arc<AtomicBool>>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}
