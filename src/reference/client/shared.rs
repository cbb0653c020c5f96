//! What the parts of the client share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::spec::Revision;

use super::Fault;
use super::mirror::Mirror;
use super::pool::Pool;
use super::quirks::Order;
use super::request::Session;
use super::script::{Answers, Script};
use super::url::Url;

/// A client, its conversation with one server, and the threads that belong to it.
pub(super) struct Client {
    pub(super) url: Url,
    pub(super) fault: Option<Fault>,
    pub(super) asked: Revision,
    pub(super) probes: bool,
    pub(super) answers: Option<Answers>,
    pub(super) pool: Pool,
    /// Held while a session is made, so that there is one new session for all who lost the old one.
    pub(super) renewal: Mutex<()>,
    /// The parameters of each tool that go into header fields.
    pub(super) mirrors: Mutex<HashMap<String, Vec<Mirror>>>,
    /// Held during a call where there is one at a time (a fault).
    pub(super) turn: Mutex<()>,
    pub(super) order: Order,
    standing: Mutex<Standing>,
    next_id: AtomicU64,
    is_closing: AtomicBool,
    is_halted: AtomicBool,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// Where the conversation stands.
#[derive(Clone)]
pub(super) struct Standing {
    /// What is spoken.
    pub(super) revision: Revision,
    pub(super) session: Option<Session>,
    /// How many times a session was made.
    pub(super) generation: u64,
}

impl Client {
    pub(super) fn new(url: Url, script: &mut Script, fault: Option<Fault>) -> Self {
        Client {
            url,
            fault,
            asked: script.revision,
            probes: script.probe,
            answers: script.answers.take(),
            pool: Pool::default(),
            renewal: Mutex::default(),
            mirrors: Mutex::default(),
            turn: Mutex::default(),
            order: Order::default(),
            standing: Mutex::new(Standing { revision: script.revision, session: None, generation: 0 }),
            next_id: AtomicU64::new(1),
            is_closing: AtomicBool::new(false),
            is_halted: AtomicBool::new(false),
            tasks: Mutex::default(),
        }
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn standing(&self) -> Standing {
        lock(&self.standing).clone()
    }

    pub(super) fn change_standing(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut lock(&self.standing));
    }

    pub(super) fn is_modern(&self) -> bool {
        !lock(&self.standing).revision.is_legacy()
    }

    /// From now on nothing is begun in the background.
    pub(super) fn begin_to_close(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    /// Ends all that waits.
    pub(super) fn halt(&self) {
        self.is_halted.store(true, Ordering::Release);
    }

    pub(super) fn is_halted(&self) -> bool {
        self.is_halted.load(Ordering::Acquire)
    }

    /// Does something that nobody waits for, except the end of the client.
    pub(super) fn background(self: &Arc<Self>, work: impl FnOnce(&Arc<Client>) + Send + 'static) {
        let client = Arc::clone(self);
        let spawned = thread::Builder::new().name("reference-client".to_owned()).spawn(move || work(&client));
        // Where no thread can be had, the work is dropped; its connection is closed with it.
        lock(&self.tasks).extend(spawned);
    }

    /// Waits for the end of all that was begun in the background.
    pub(super) fn join(&self) {
        loop {
            let Some(task) = lock(&self.tasks).pop() else { return };
            let _ = task.join();
        }
    }
}

/// Locks, whether or not somebody panicked in between.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
