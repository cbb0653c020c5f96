//! mcpwire tests how implementations of the Model Context Protocol behave on the wire: Streamable HTTP, in the revisions
//! 2025-03-26, 2025-06-18, 2025-11-25 and 2026-07-28, servers and clients.
//!
//! It talks to the target over sockets that it made and instruments itself, records every byte, segment time and socket
//! state, and then judges the recording:
//!
//! ```text
//! target ──▶ drive ──▶ wire ═▶ trace ──▶ checks ──▶ verdict ──▶ baseline ──▶ report
//! ```
//!
//! Left of the trace is what happens, right of it are pure functions: the same recording always gets the same report.
//!
//! # From nothing to a first red test
//!
//! ```text
//! cargo add --dev mcpwire
//! cargo add --dev tokio --features macros,rt
//! ```
//!
//! Here is a server with a bug: it labels its answers as plain text. A test hands it to [`check`], which serves it on a
//! port of this machine, plays its scenarios with it, and comes to a [`Report`]:
//!
//! ```
//! # #[cfg(feature = "tower")] mod example {
//! use axum::Router;
//! use axum::http::StatusCode;
//! use axum::response::{IntoResponse, Response};
//! use mcpwire::{InProcess, Revision, Verdict};
//! use serde_json::{Value, json};
//!
//! async fn mcp(axum::Json(message): axum::Json<Value>) -> Response {
//!     let Some(id) = message.get("id") else { return StatusCode::ACCEPTED.into_response() };
//!     let outcome = match message["method"].as_str() {
//!         Some("initialize") => json!({
//!             "protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "mine", "version": "1"}
//!         }),
//!         Some("ping") => json!({}),
//!         _ => {
//!             let error = json!({"code": -32601, "message": "there is no such method"});
//!             return axum::Json(json!({"jsonrpc": "2.0", "id": id, "error": error})).into_response();
//!         }
//!     };
//!     json!({"jsonrpc": "2.0", "id": id, "result": outcome}).to_string().into_response()
//! }
//!
//! # /*
//! #[tokio::test]
//! # */ #[tokio::main(flavor = "current_thread")] pub
//! async fn my_server_conforms() -> Result<(), mcpwire::RunError> {
//!     let server = InProcess::service("mine", "/mcp", Router::new().route("/mcp", axum::routing::post(mcp)));
//!     let report = mcpwire::check(server).only("http/*").revision(Revision::R20251125).await?;
//!     // It is red: `report.assert_conformant()` would panic with the report as text.
//!     assert!(!report.conforms());
//!     assert_eq!(report.ids(Verdict::Fail, Revision::R20251125), ["http/content-type"]);
//!     Ok(())
//! }
//! # }
//! # #[cfg(feature = "tower")] fn main() { example::my_server_conforms().expect("it can be tested"); }
//! # #[cfg(not(feature = "tower"))] fn main() {}
//! ```
//!
//! The report says what was expected, what was seen and when, and how to repeat just this:
//!
//! ```text
//! FAIL must http/content-type  2025-11-25
//!   expected  Content-Type is application/json or text/event-stream
//!   observed  Content-Type is `text/plain; charset=utf-8`
//!       +0.00 µs  → POST initialize id 1 (initialize, connection #0)
//!     ▶  +212 µs  ← 200 text/plain; charset=utf-8, Content-Length: 152
//! ```
//!
//! # What else there is
//!
//! - [`check`] takes whatever leads to a server: [`InProcess::service`] (a tower service), [`InProcess::new`] (anything that
//!   serves a listener), a [`Command`], an [`Endpoint`]. [`Run`] has what can be said before it is awaited: revisions, single
//!   checks, tools, budgets, a baseline of expected failures, a frozen set.
//! - [`check_client`] tests a [`Client`], a closure that gets a URL or a program.
//! - [`Harness`] makes one test of each check, for `cargo test` and nextest.
//! - [`snapshots`] hands out the conversations as texts for your own insta.
//! - The program `mcpwire` does the same from the command line, for implementations in any language: README.md and `docs/`.
//!
//! # Features
//!
//! | feature | | default |
//! |---|---|---|
//! | `cli` | the program | yes |
//! | `cargo-test` | [`Harness`] | yes |
//! | `tower` | [`InProcess::service`] | yes |
//! | `tracing` | `capture_tracing` and `TracingLayer`: what a target in this process logs, with the scenario in which it did | no |

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
mod config;
mod confirmation;
mod conversation;
mod drive;
mod entry;
mod gate;
#[cfg(feature = "cargo-test")]
mod harness;
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
mod spelling;
mod target;
mod trace;
mod verdict;
#[doc(hidden)]
pub mod wire;

pub use conversation::Snapshot;
pub use drive::RunError;
pub use entry::{Run, check, check_client, snapshots};
#[cfg(feature = "cargo-test")]
pub use harness::{Harness, Made};
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
