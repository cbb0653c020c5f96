//! SIGINT and SIGTERM while a recording is made: what was started has process groups of its own, and nobody else would
//! end it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::wire::interrupt::Interrupt;

/// How long a recording may take to stop: a group of processes that was asked to end is made to after two seconds.
const ENDS_WITHIN: Duration = Duration::from_secs(4);

/// How many recordings are being made.
static AT_WORK: AtomicUsize = AtomicUsize::new(0);

/// A recording that is being made, until this is dropped.
pub(super) struct AtWork(Interrupt);

impl AtWork {
    /// What stops it.
    pub(super) fn interrupt(&self) -> &Interrupt {
        &self.0
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        AT_WORK.fetch_sub(1, Ordering::SeqCst);
        if self.0.is_set() {
            // Whoever got the signal ends this process now, with the code of the signal and not of a failed test.
            std::thread::sleep(ENDS_WITHIN);
        }
    }
}

/// Begins a recording that a signal stops.
pub(super) fn recording() -> AtWork {
    AT_WORK.fetch_add(1, Ordering::SeqCst);
    AtWork(watched().clone())
}

#[cfg(unix)]
fn watched() -> &'static Interrupt {
    use std::sync::OnceLock;

    static WATCHED: OnceLock<Interrupt> = OnceLock::new();
    WATCHED.get_or_init(|| {
        let interrupt = Interrupt::default();
        let signals = signal_hook::iterator::Signals::new([
            signal_hook::consts::SIGINT,
            signal_hook::consts::SIGTERM,
            signal_hook::consts::SIGHUP,
        ]);
        // Without them a signal ends us at once, as it would anyway.
        if let Ok(signals) = signals {
            let interrupt = interrupt.clone();
            std::thread::spawn(move || end_upon(signals, &interrupt));
        }
        interrupt
    })
}

/// The first signal asks the recording to stop, which ends what it started; then, or upon a second one, or after a
/// while, this process ends.
#[cfg(unix)]
fn end_upon(mut signals: signal_hook::iterator::Signals, interrupt: &Interrupt) {
    use std::time::Instant;

    let Some(signal) = signals.forever().next() else { return };
    interrupt.set(usize::try_from(signal).unwrap_or(2));
    let deadline = Instant::now() + ENDS_WITHIN;
    while AT_WORK.load(Ordering::SeqCst) > 0 && Instant::now() < deadline && signals.pending().next().is_none() {
        std::thread::sleep(Duration::from_millis(10));
    }
    crate::target::end_all_at_once();
    std::process::exit(128 + signal);
}

#[cfg(not(unix))]
fn watched() -> &'static Interrupt {
    static WATCHED: std::sync::LazyLock<Interrupt> = std::sync::LazyLock::new(Interrupt::default);
    &WATCHED
}
