//! The binary as its users meet it: real processes, real sockets, real signals.

mod bad_input;
mod cleanup;
mod clients;
mod hostile;
mod latency;
mod load;
mod mcpwire;
mod misdeeds;
mod peer;
#[cfg(unix)]
mod proxy;
#[cfg(unix)]
mod readme;
mod recordings;
mod secrets;
mod show;
#[cfg(unix)]
mod signals;
mod targets;
mod waiting;
