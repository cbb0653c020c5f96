//! Makes a target, and the recording of it.

use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use super::made::{Making, Tested};
use super::settings::Settings;
use super::signals;
use crate::drive::{self, ClientSubject, Experiments, RunError, Subject};
use crate::entry::record_client_confirmed;
use crate::manifest::Role;
use crate::target::Permission;
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
    let recorded = with_target(making, settings, |tested| {
        let secrets = match &tested {
            Tested::Server(target) => Redactor::new([], target.secrets()),
            Tested::Client(_) => Redactor::default(),
        };
        let failed = |error: RunError| secrets.redact_text(&error.to_string());
        match panic::catch_unwind(AssertUnwindSafe(|| drive(tested, settings, interrupt))) {
            Ok(recorded) => recorded.map_err(failed),
            Err(panic) => Err(format!("mcpwire itself failed: please report it: {}", words(&*panic))),
        }
    });
    recorded.and_then(|recorded| recorded).map_err(|why| format!("{name} cannot be tested: {why}"))
}

fn drive(tested: Tested, settings: &Settings, interrupt: &Interrupt) -> Result<Recording, RunError> {
    let (revisions, interrupt) = (settings.revisions.clone(), interrupt.clone());
    match tested {
        Tested::Server(target) => {
            let options = settings.options(Role::Server);
            let (roles, given) = (settings.roles.clone(), settings.given(Role::Server));
            let (experiments, permission) = (Experiments::WhereSlow, Permission::default());
            let subject = Subject { target, revisions, options, roles, experiments, permission, given, interrupt };
            drive::record(subject, &mut ())
        }
        Tested::Client(client) => {
            let options = settings.options(Role::Client);
            let (within, given) = (options.timeout, settings.given(Role::Client));
            record_client_confirmed(&ClientSubject { client, revisions, options, within, given, interrupt }, &mut ())
        }
    }
}

/// Does something with a target that lives on a runtime of its own for as long.
fn with_target<T>(making: Making, settings: &Settings, work: impl FnOnce(Tested) -> T) -> Result<T, String> {
    let make = making.make;
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
            let _ = sender.send(make().await);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::target::{InProcess, Target};

    fn why(making: Making, settings: &Settings) -> String {
        record("axum", making, settings, &Interrupt::default()).expect_err("it cannot be recorded")
    }

    #[test]
    fn a_target_whose_making_panics_is_told_with_the_words_of_the_panic() {
        async fn panics() -> Target {
            panic!("the image is missing")
        }
        let why = why(Making::server(panics), &Settings::default());
        assert_eq!(why, "axum cannot be tested: making it panicked: the image is missing");
    }

    #[test]
    fn a_target_that_is_never_made_is_not_waited_for_for_ever() {
        let settings = Settings { made_within: Duration::from_millis(50), ..Settings::default() };
        let why = why(Making::server(std::future::pending::<Target>), &settings);
        assert!(why.starts_with("axum cannot be tested: it was not made within 50"), "{why}");
    }

    #[test]
    fn a_server_that_answers_nothing_is_told_once() {
        let making = Making::server(|| async { InProcess::new("mute", "/mcp", drop_all) });
        let why = why(making, &Settings::default());
        assert!(why.starts_with("axum cannot be tested: mute accepts connections but answers no request"), "{why}");
    }

    async fn drop_all(listener: tokio::net::TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    }

    #[test]
    fn what_a_target_holds_is_given_back_when_it_was_recorded() {
        struct Held(Arc<AtomicBool>);
        impl Drop for Held {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let gone = Arc::new(AtomicBool::new(false));
        let held = Held(gone.clone());
        let making = Making::server(move || async move {
            tokio::spawn(async move {
                let _held = held;
                std::future::pending::<()>().await;
            });
            InProcess::new("holds", "/mcp", drop_all)
        });
        let seen = with_target(making, &Settings::default(), |_| gone.load(Ordering::SeqCst));
        assert_eq!(seen, Ok(false), "while it is driven");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !gone.load(Ordering::SeqCst) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(gone.load(Ordering::SeqCst), "afterwards");
    }

    #[test]
    fn two_recordings_of_a_process_are_made_one_after_the_other() {
        let busy = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    in_turn(|_| {
                        assert!(!busy.swap(true, Ordering::SeqCst), "somebody else is recording");
                        thread::sleep(Duration::from_millis(20));
                        busy.store(false, Ordering::SeqCst);
                    });
                });
            }
        });
    }
}
