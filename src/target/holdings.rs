//! What a target holds: where to count descriptors and threads, and what a server in this process says of itself.

use std::fmt;
use std::sync::Arc;

use crate::reference::Census;
use crate::wire::os;

/// What a server in this process holds, as it knows itself.
///
/// Its descriptors are those of this process, and so are ours: this is the only way to see from within a test what
/// requests and sessions leave behind. It is asked between rounds of work, when every connection of mcpwire's is closed;
/// what grows with the work is a finding of `cleanup/router-entries`. `None` for what it cannot tell.
pub trait Inventory: Send + Sync {
    /// How many sessions are open.
    fn sessions(&self) -> Option<u32> {
        None
    }

    /// How many requests have a channel to their client: one that is open still, whether anybody listens or not.
    fn channels(&self) -> Option<u32> {
        None
    }

    /// How many entries lead from a request id, or from a progress token, to a channel.
    fn routes(&self) -> Option<u32> {
        None
    }
}

/// Where to count what a target holds.
#[derive(Clone)]
pub enum Holdings {
    /// In the process that was started, and in all that it started.
    Processes(u32),
    /// In the embedded reference server: its own sockets and threads, since the descriptors of this process are ours.
    Reference(Census),
    /// In a server of this process, by its own account.
    Inventory(Arc<dyn Inventory>),
    /// Nowhere; what it would take, as the object of "needs".
    Unknown(&'static str),
}

/// What a target holds; `None` for what cannot be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Open descriptors.
    pub descriptors: Option<u32>,
    /// Sockets among them that are in CLOSE_WAIT.
    pub close_wait: Option<u32>,
    /// Threads.
    pub threads: Option<u32>,
    /// Sessions.
    pub sessions: Option<u32>,
    /// Channels of requests.
    pub channels: Option<u32>,
    /// Entries that lead to channels.
    pub routes: Option<u32>,
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
                let held = os::held_by(*leader).ok_or(LINUX)?;
                Ok(Held {
                    descriptors: Some(held.descriptors),
                    close_wait: held.close_wait,
                    threads: Some(held.threads),
                    ..Held::default()
                })
            }
            Self::Reference(census) => {
                let sockets = census.sockets();
                let states: Option<Vec<String>> =
                    sockets.iter().map(|socket| os::tcp_info(socket).map(|info| info.state)).collect();
                let left = |states: Vec<String>| states.iter().filter(|state| *state == "CLOSE_WAIT").count() as u32;
                Ok(Held {
                    descriptors: Some(sockets.len() as u32),
                    close_wait: states.map(left),
                    threads: Some(census.threads()),
                    ..Held::by(census)
                })
            }
            Self::Inventory(inventory) => Ok(Held::by(inventory.as_ref())),
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
            Self::Processes(leader) => os::resident(*leader).ok_or(LINUX),
            Self::Reference(_) | Self::Inventory(_) => Err("a target in a process of its own, started with --cmd"),
            Self::Unknown(needed) => Err(needed),
        }
    }
}

const LINUX: &str = "a system that lets us look into the target's processes (Linux)";

impl Held {
    fn by(inventory: &dyn Inventory) -> Self {
        let (sessions, channels, routes) = (inventory.sessions(), inventory.channels(), inventory.routes());
        Self { sessions, channels, routes, ..Self::default() }
    }

    /// All counts.
    pub fn all(&self) -> [Option<u32>; 5] {
        [self.descriptors, self.threads, self.sessions, self.channels, self.routes]
    }
}

impl fmt::Debug for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Processes(leader) => f.debug_tuple("Processes").field(leader).finish(),
            Self::Reference(_) => f.write_str("Reference"),
            Self::Inventory(_) => f.write_str("Inventory"),
            Self::Unknown(needed) => f.debug_tuple("Unknown").field(needed).finish(),
        }
    }
}
