//! The binary as its users meet it: real processes, real sockets, real signals.

#[cfg(unix)]
mod action;
mod bad_input;
mod cleanup;
mod clients;
mod configuration;
#[cfg(unix)]
mod docs;
#[cfg(unix)]
mod faults;
mod gating;
mod hostile;
mod isolation;
mod latency;
mod load;
mod mcpwire;
mod misdeeds;
mod peer;
#[cfg(unix)]
mod proxy;
mod recordings;
mod resumption;
mod secrets;
mod show;
#[cfg(unix)]
mod signals;
mod targets;
mod waiting;
