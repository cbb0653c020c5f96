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
//! mcpwire::check(target).await?.assert_conformant();
//! # Ok(()) }
//! ```

// What only the command line uses is no dead weight worth a condition at every place.
#![cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports))]

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
mod entry;
mod gate;
mod judgement;
mod latency;
mod manifest;
mod narrowing;
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
pub use entry::{Run, check, check_client, snapshots};
pub use manifest::{Crowd, Load};
pub use report::Report;
pub use spec::Revision;
pub use target::client::Client;
pub use target::{Assignment, Command, CommandError, Endpoint, EndpointError, InProcess, Inventory, Target};
#[cfg(feature = "tracing")]
pub use target::{TracingLayer, capture_tracing};
pub use verdict::{Level, Verdict};

/// The examples of the README compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples of the page about `cargo test` compile.
#[cfg(all(doctest, feature = "tower"))]
#[doc = include_str!("../docs/cargo-test.md")]
struct CargoTest;

/// Says that a test, or a part of one, was skipped, and why; where `MCPWIRE_REQUIRE` names what it needs, that
/// is a failure. For the tests of this crate.
#[doc(hidden)]
pub fn skipped(needed: &str, why: &str) {
    let required = std::env::var("MCPWIRE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == needed), "MCPWIRE_REQUIRE={needed}, but {why}");
    eprintln!("SKIPPED ({needed}): {why}");
}
