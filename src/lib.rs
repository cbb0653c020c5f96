//! mcpwire tests how implementations of the Model Context Protocol behave on the wire.
//!
//! It talks to a server over sockets that it made and instruments itself, records every byte, segment time and
//! socket state, and then judges the recording:
//!
//! ```text
//! target ──▶ drive ──▶ wire ═▶ trace ──▶ checks ──▶ verdict ──▶ baseline ──▶ report
//! ```
//!
//! Left of the trace is what happens, right of it are pure functions: the same recording always gets the same
//! report.
//!
//! ```no_run
//! # async fn app(listener: tokio::net::TcpListener) {}
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mcpwire::RunError> {
//! let target = mcpwire::InProcess::new("my server", "/mcp", |listener| app(listener));
//! mcpwire::check(mcpwire::Target::InProcess(target)).await?.assert_conformant();
//! # Ok(()) }
//! ```

mod baseline;
mod catalogue;
mod checks;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod codec;
mod confirmation;
mod conversation;
mod drive;
mod gate;
#[cfg(feature = "cargo-test")]
mod harness;
mod judgement;
mod latency;
mod manifest;
mod pattern;
mod plan;
#[doc(hidden)]
pub mod reference;
mod report;
mod scenario;
mod sets;
mod spec;
mod target;
mod trace;
mod verdict;
#[doc(hidden)]
pub mod wire;

pub use conversation::Snapshot;
pub use drive::RunError;
#[cfg(feature = "cargo-test")]
pub use harness::{Harness, Made};
pub use manifest::{Crowd, Load, Options};
pub use report::Report;
pub use spec::Revision;
pub use target::{Command, CommandError, Endpoint, EndpointError, InProcess, Inventory, Target, ToolRoles};
pub use verdict::{Level, Verdict};

use drive::{Experiments, Subject};
use manifest::Role;
use wire::interrupt::Interrupt;

/// Tests a target in every revision that it speaks, with the default options.
///
/// The target runs on the caller's runtime; all that blocks is on threads of mcpwire's own.
///
/// # Errors
///
/// Where the target cannot be brought up or reached, or refuses everything.
pub async fn check(target: Target) -> Result<Report, RunError> {
    check_with(target, Options::default(), Revision::ALL.to_vec()).await
}

/// Tests a target in these revisions with these options.
///
/// # Errors
///
/// As [`check`], and where a pattern of the selection matches no check.
pub async fn check_with(target: Target, options: Options, revisions: Vec<Revision>) -> Result<Report, RunError> {
    on_a_thread(subject(target, options, revisions), |subject| {
        drive::record(subject, &mut ()).and_then(|recording| Ok(judgement::judge(&recording)?))
    })
    .await
}

/// What is tested from within a program.
fn subject(target: Target, options: Options, revisions: Vec<Revision>) -> Subject {
    Subject {
        target,
        revisions,
        options,
        roles: ToolRoles::default(),
        experiments: Experiments::WhereSlow,
        permission: target::Permission::default(),
        given: String::new(),
        interrupt: Interrupt::default(),
    }
}

/// Does what blocks on a thread of its own.
async fn on_a_thread<T: Send + 'static>(
    subject: Subject,
    work: impl FnOnce(Subject) -> Result<T, RunError> + Send + 'static,
) -> Result<T, RunError> {
    // Whoever drops the future, in a timeout say, stops the run.
    let stop = StopOnDrop(subject.interrupt.clone());
    let (done, outcome) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = done.send(work(subject));
    });
    let outcome = outcome.await;
    drop(stop);
    outcome.unwrap_or(Err(RunError::Interrupted))
}

/// The conversations with a server, as texts for snapshots: one for each revision and scenario that comes out alike in
/// every run. In all revisions, with the default options.
///
/// mcpwire hands out the texts; asserting them is your own insta's. A change of one message of the server changes one
/// place in one of them, and what differs from run to run is not in them: names like `<session-1>` and `<id>` stand for
/// it.
///
/// ```no_run
/// # async fn app(listener: tokio::net::TcpListener) {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), mcpwire::RunError> {
/// let target = mcpwire::InProcess::new("my server", "/mcp", |listener| app(listener));
/// for conversation in mcpwire::snapshots(mcpwire::Target::InProcess(target)).await? {
///     insta::assert_snapshot!(conversation.name, conversation.text);
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// As [`check`], and where the run ended before its last scenario: some snapshots would be missing, and nobody would see.
pub async fn snapshots(target: Target) -> Result<Vec<Snapshot>, RunError> {
    snapshots_with(target, Options::default(), Revision::ALL.to_vec()).await
}

/// The same in these revisions with these options. The selection of checks is of no account.
///
/// # Errors
///
/// As [`snapshots`].
pub async fn snapshots_with(
    target: Target,
    options: Options,
    revisions: Vec<Revision>,
) -> Result<Vec<Snapshot>, RunError> {
    let subject = subject(target, options, revisions);
    on_a_thread(subject, |subject| {
        let recording = drive::record_scenarios(subject, &conversation::steady_scenarios(Role::Server))?;
        match conversation::lacks(&recording) {
            Some(why) => Err(RunError::Incomplete { target: recording.manifest.target.name, why }),
            None => Ok(conversation::steady(&recording)),
        }
    })
    .await
}

struct StopOnDrop(Interrupt);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set(1);
    }
}

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Says that a test, or a part of one, was skipped, and why; where `MCPWIRE_REQUIRE` names what it needs, that
/// is a failure. For the tests of this crate.
#[doc(hidden)]
pub fn skipped(needed: &str, why: &str) {
    let required = std::env::var("MCPWIRE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == needed), "MCPWIRE_REQUIRE={needed}, but {why}");
    eprintln!("SKIPPED ({needed}): {why}");
}
