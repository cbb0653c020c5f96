//! The binary as its users meet it: real processes, real sockets, real signals.

#[cfg(unix)]
mod action;
mod bad_input;
mod cleanup;
mod clients;
mod gating;
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
#[cfg(unix)]
mod signals;
mod targets;
mod waiting;
