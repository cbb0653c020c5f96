//! What provokes the target: sessions of both eras, and the scenarios.
//!
//! Everything here is blocking and runs on threads of its own: order and time are evidence.

mod ask;
mod client_run;
mod client_scenarios;
mod embedded;
mod facts;
mod peer;
mod proxy;
mod run;
mod said;
mod scenarios;
mod session;
mod stage;

pub use client_run::{ClientSubject, record_again, record_client, record_client_scenarios};
pub use proxy::{ProxySubject, record_proxied};
#[cfg(feature = "cargo-test")]
pub use run::instruments;
pub use run::{Observer, Progress, RunError, Subject, record, record_scenarios};
pub use stage::Experiments;
