//! mcpwire tests how implementations of the Model Context Protocol behave on the wire.
//!
//! It talks to a server over sockets that it made and instruments itself, records every byte, segment time and
//! socket state, and then judges the recording:
//!
//! ```text
//! target ──▶ drive ──▶ wire ═▶ trace ──▶ checks ──▶ verdict ──▶ report
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
mod judgement;
mod latency;
mod manifest;
mod pattern;
mod plan;
#[doc(hidden)]
pub mod reference;
mod report;
mod scenario;
mod spec;
mod target;
mod trace;
mod verdict;
#[doc(hidden)]
pub mod wire;

pub use conversation::Snapshot;
pub use drive::RunError;
pub use manifest::Options;
pub use report::Report;
pub use spec::Revision;
pub use target::{Command, CommandError, Endpoint, EndpointError, InProcess, Target, ToolRoles};
pub use verdict::{Level, Verdict};

use drive::{Experiments, Subject};
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
    let interrupt = Interrupt::default();
    // Whoever drops the future, in a timeout say, stops the run.
    let stop = StopOnDrop(interrupt.clone());
    let subject = Subject {
        target,
        revisions,
        options,
        roles: ToolRoles::default(),
        experiments: Experiments::WhereSlow,
        allow_load: Vec::new(),
        given: String::new(),
        interrupt,
    };
    let (done, report) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let judged = drive::record(subject, &mut ()).and_then(|recording| Ok(judgement::judge(&recording)?));
        // Nobody may be waiting any more.
        let _ = done.send(judged);
    });
    let judged = report.await;
    drop(stop);
    judged.unwrap_or(Err(RunError::Interrupted))
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
