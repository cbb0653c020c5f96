//! The request to stop: a flag that every wait looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Set once, by a signal handler or by a caller; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicUsize>);

impl Interrupt {
    /// Asks everything that waits to stop. `signal` is the number of the signal, or any number above zero.
    pub fn set(&self, signal: usize) {
        self.0.store(signal, Ordering::SeqCst);
    }

    /// The signal that asked, if one did.
    pub fn signal(&self) -> Option<usize> {
        Some(self.0.load(Ordering::SeqCst)).filter(|signal| *signal > 0)
    }

    /// Whether to stop.
    pub fn is_set(&self) -> bool {
        self.signal().is_some()
    }

    /// The flag itself, for a signal handler.
    pub fn flag(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.0)
    }
}
