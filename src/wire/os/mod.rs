//! What only some systems can tell: one module, whose functions say `None` where the answer is not to be had.
//!
//! `--cfg mcpwire_portable` builds the fallback on Linux too, so that CI sees what other systems see.

#[cfg(all(target_os = "linux", not(mcpwire_portable)))]
#[path = "linux.rs"]
mod system;

#[cfg(not(all(target_os = "linux", not(mcpwire_portable))))]
#[path = "fallback.rs"]
mod system;

pub use system::*;

/// When our side acknowledges what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledge {
    /// As late as the kernel allows (some 40 ms on Linux).
    Late,
    /// What is pending now, at once; what comes later, late again.
    PendingNow,
    /// At once, until the kernel changes its mind.
    Promptly,
}

/// What one read brought.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// How many bytes; zero at the end of the stream.
    pub len: usize,
    /// The kernel's receive time of the last segment in it, CLOCK_REALTIME in nanoseconds since the epoch.
    pub stamp: Option<i128>,
}

/// What the processes of a target hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldByProcesses {
    /// Open descriptors.
    pub descriptors: u32,
    /// Sockets among them that are in CLOSE_WAIT, where that can be told.
    pub close_wait: Option<u32>,
    /// Threads.
    pub threads: u32,
}
