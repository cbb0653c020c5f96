//! What a target holds: where to count descriptors and threads.

use crate::reference::Census;
use crate::wire::os::{self, Held};

/// Where to count what a target holds.
#[derive(Clone, Debug)]
pub enum Holdings {
    /// In the process that was started, and in all that it started.
    Processes(u32),
    /// In the embedded reference server: its own sockets and threads, since the descriptors of this process are ours.
    Reference(Census),
    /// Nowhere; what it would take, as the object of "needs".
    Unknown(&'static str),
}

impl Holdings {
    /// Counts.
    ///
    /// # Errors
    ///
    /// What it would take.
    pub fn count(&self) -> Result<Held, &'static str> {
        match self {
            Self::Processes(leader) => {
                os::held_by(*leader).ok_or("a system that lets us look into the target's processes (Linux)")
            }
            Self::Reference(census) => {
                let sockets = census.sockets();
                let states: Option<Vec<String>> =
                    sockets.iter().map(|socket| os::tcp_info(socket).map(|info| info.state)).collect();
                let left = |states: Vec<String>| states.iter().filter(|state| *state == "CLOSE_WAIT").count() as u32;
                Ok(Held { descriptors: sockets.len() as u32, close_wait: states.map(left), threads: census.threads() })
            }
            Self::Unknown(needed) => Err(needed),
        }
    }

    /// How much memory the target takes, in bytes.
    ///
    /// # Errors
    ///
    /// What it would take.
    pub fn resident(&self) -> Result<u64, &'static str> {
        match self {
            Self::Processes(leader) => {
                os::resident(*leader).ok_or("a system that lets us look into the target's processes (Linux)")
            }
            Self::Reference(_) => Err("a target in a process of its own, started with --cmd"),
            Self::Unknown(needed) => Err(needed),
        }
    }
}
