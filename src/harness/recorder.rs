//! Makes a target, and the recording of it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::made::Making;
use super::settings::Settings;
use super::signals;
use crate::drive::{self, Experiments, RunError, Subject};
use crate::target::{Permission, Target};
use crate::trace::Span;
use crate::trace::redact::Redactor;
use crate::trace::store::Recording;
use crate::wire::interrupt::Interrupt;

/// Does something that makes a recording while nobody else in this process makes one: what two of them do at once, each
/// would measure in the other.
pub(super) fn in_turn<T>(record: impl FnOnce(&Interrupt) -> T) -> T {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let recording = signals::recording();
    let recorded = record(recording.interrupt());
    drop((recording, turn));
    recorded
}

/// Makes the target and records it; when this returns, the target is gone.
///
/// # Errors
///
/// The sentence that says why there is no recording.
pub(super) fn record(
    name: &str,
    making: Making,
    settings: &Settings,
    interrupt: &Interrupt,
) -> Result<Recording, String> {
    let recorded = with_target(making, settings, |target| {
        let secrets = Redactor::new([], target.secrets());
        let subject = Subject {
            target,
            revisions: settings.revisions.clone(),
            options: settings.options.clone(),
            roles: settings.roles.clone(),
            experiments: Experiments::WhereSlow,
            permission: Permission::default(),
            given: settings.given(),
            interrupt: interrupt.clone(),
        };
        let failed = |error: RunError| secrets.redact_text(&error.to_string());
        match panic::catch_unwind(AssertUnwindSafe(|| drive::record(subject, &mut ()))) {
            Ok(recorded) => recorded.map_err(failed),
            Err(panic) => Err(format!("mcpwire itself failed: please report it: {}", words(&*panic))),
        }
    });
    recorded.and_then(|recorded| recorded).map_err(|why| format!("{name} cannot be tested: {why}"))
}

/// Does something with a target that lives on a runtime of its own for as long.
fn with_target<T>(making: Making, settings: &Settings, work: impl FnOnce(Target) -> T) -> Result<T, String> {
    let Making::Server(make) = making;
    let (sender, made) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let life = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return drop(sender.send(Err(format!("cannot start a tokio runtime: {error}")))),
        };
        runtime.block_on(async move {
            // Whoever waited may have lost patience.
            let _ = sender.send(make().await.target());
            let _ = stopped.await;
        });
        // A task of the target's that never yields must not keep us.
        runtime.shutdown_background();
    });
    let outcome = match made.recv_timeout(settings.made_within) {
        Ok(target) => target.map(work),
        Err(RecvTimeoutError::Timeout) => {
            // Its thread is left behind: what never returns cannot be stopped.
            return Err(format!("it was not made within {}", Span(settings.made_within)));
        }
        Err(RecvTimeoutError::Disconnected) => {
            let panic = life.join().err();
            let words = panic.map(|panic| words(&*panic)).unwrap_or_default();
            return Err(format!("making it panicked: {words}"));
        }
    };
    drop(stop);
    let _ = life.join();
    outcome
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().cloned();
    words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
