//! The connections that nobody reads from at the moment.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;

/// How long a request waits for a connection whose last answer is about to end.
const DRAIN: Duration = Duration::from_millis(50);

/// Keeps connections for the next request.
#[derive(Default)]
pub(super) struct Pool {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    /// When the answers began to be drained that still are.
    draining: Vec<Instant>,
    /// Those that nobody will read from again (a fault).
    held: Vec<Connection>,
}

impl Pool {
    /// An idle connection to this origin, the one last used first. One that is about to be idle is waited for, unless
    /// the request is in a hurry. The second list are connections that turned out to be at their end.
    pub(super) fn take(&self, origin: &str, is_hurried: bool) -> (Option<Connection>, Vec<Connection>) {
        let mut ended = Vec::new();
        let mut state = self.lock();
        loop {
            while let Some(index) = state.idle.iter().rposition(|connection| connection.origin() == origin) {
                let connection = state.idle.remove(index);
                if connection.is_quiet() {
                    return (Some(connection), ended);
                }
                ended.push(connection);
            }
            let begun = state.draining.iter().max();
            let left = begun.map_or(Duration::ZERO, |begun| DRAIN.saturating_sub(begun.elapsed()));
            if is_hurried || left.is_zero() {
                return (None, ended);
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub(super) fn put(&self, connection: Connection) {
        self.lock().idle.push(connection);
        self.changed.notify_all();
    }

    /// An answer begins to be drained.
    pub(super) fn begin_drain(&self) -> Instant {
        let begun = Instant::now();
        self.lock().draining.push(begun);
        begun
    }

    /// It has been drained, or given up, and its connection put back, or not.
    pub(super) fn end_drain(&self, begun: Instant) {
        self.lock().draining.retain(|other| *other != begun);
        self.changed.notify_all();
    }

    pub(super) fn hold(&self, connection: Connection) {
        self.lock().held.push(connection);
    }

    /// The idle connections.
    pub(super) fn take_idle(&self) -> Vec<Connection> {
        std::mem::take(&mut self.lock().idle)
    }

    /// The held connections.
    pub(super) fn take_held(&self) -> Vec<Connection> {
        std::mem::take(&mut self.lock().held)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
