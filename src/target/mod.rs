//! What is tested: where it is, how long it lives, and what may be called.

pub mod client;
mod client_closure;
mod command;
mod endpoint;
mod group;
mod holdings;
mod in_process;
mod output;
mod permission;
mod roles;
#[cfg(feature = "tracing")]
mod tracing;

use std::io;

pub use self::client_closure::Assignment;
pub use self::command::{Command, CommandError};
#[cfg(feature = "cli")]
pub(crate) use self::endpoint::field_secrets;
pub use self::endpoint::{Endpoint, EndpointError};
#[cfg(all(unix, any(feature = "cli", feature = "cargo-test")))]
pub(crate) use self::group::end_all_at_once;
pub use self::holdings::{Held, Holdings, Inventory};
pub use self::in_process::InProcess;
pub use self::output::Said;
pub use self::permission::{NotAllowed, Permission};
pub use self::roles::{MARK, RoleError, ToolRole, ToolRoles};
#[cfg(feature = "tracing")]
pub use self::tracing::{TracingLayer, capture_tracing};

use self::output::Output;
use crate::manifest::TargetFacts;
use crate::reference::{self, Reference, Variant};
use crate::trace::Distance;
use crate::wire::os;

/// What is tested.
#[derive(Debug)]
pub enum Target {
    /// A server that runs already.
    Url(Endpoint),
    /// A program that is started for the run.
    Command(Command),
    /// A server in this process.
    InProcess(InProcess),
    /// The embedded reference server.
    Reference(reference::Config),
}

/// A target that can be connected to; dropping it ends what was started.
#[derive(Debug)]
pub struct Running {
    /// Where it is.
    pub endpoint: Endpoint,
    /// What the report says about it.
    pub facts: TargetFacts,
    /// The process, where it is on this machine and not this one.
    pub process: Option<u32>,
    /// Where to count what it holds.
    pub holdings: Holdings,
    /// Tools by role that are known without asking.
    pub roles: ToolRoles,
    /// The run that made it, as a command line.
    pub command: String,
    life: Life,
}

#[derive(Debug)]
enum Life {
    None,
    Command(command::Running),
    InProcess(in_process::Running),
    Reference(#[expect(dead_code, reason = "held for its lifetime only")] Reference),
}

/// Why a target cannot be tested.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The command does not come up.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The system refuses a socket.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] io::Error),
}

impl From<InProcess> for Target {
    fn from(server: InProcess) -> Self {
        Self::InProcess(server)
    }
}

impl From<Command> for Target {
    fn from(command: Command) -> Self {
        Self::Command(command)
    }
}

impl From<Endpoint> for Target {
    fn from(endpoint: Endpoint) -> Self {
        Self::Url(endpoint)
    }
}

impl Target {
    /// What nobody should read: the values of its header fields, and those in its query.
    #[cfg(feature = "cargo-test")]
    pub(crate) fn secrets(&self) -> Vec<String> {
        match self {
            Self::Url(endpoint) => endpoint.secrets(),
            Self::Command(command) => command.secrets(),
            Self::InProcess(_) | Self::Reference(_) => Vec::new(),
        }
    }

    /// Brings it up.
    ///
    /// # Errors
    ///
    /// Where a command does not come up, or the system refuses a socket.
    pub fn start(self, interrupt: &crate::wire::interrupt::Interrupt) -> Result<Running, StartError> {
        match self {
            Self::Url(endpoint) => Ok(Running {
                facts: facts("url", endpoint.shown(), &endpoint),
                command: format!("mcpwire server --url {}", shell_words::quote(&endpoint.shown())),
                process: process_behind(&endpoint),
                holdings: Holdings::Unknown("a target that mcpwire starts (`--cmd`)"),
                roles: ToolRoles::well_known(),
                life: Life::None,
                endpoint,
            }),
            Self::Command(command) => {
                let line = command.line().to_owned();
                let replay = command.replay();
                let running = command.start(interrupt)?;
                let endpoint = running.endpoint().clone();
                Ok(Running {
                    facts: facts("command", line, &endpoint),
                    command: replay,
                    process: Some(running.process()),
                    holdings: match endpoint.is_loopback() {
                        true => Holdings::Processes(running.process()),
                        // What was started may be the way to somebody who serves others, too.
                        false => Holdings::Unknown("a target on this machine"),
                    },
                    roles: ToolRoles::well_known(),
                    life: Life::Command(running),
                    endpoint,
                })
            }
            Self::InProcess(server) => {
                let name = server.name().to_owned();
                let path = server.path().to_owned();
                let holdings = match server.inventory() {
                    Some(inventory) => Holdings::Inventory(inventory),
                    None => Holdings::Unknown("an inventory of the server's (`InProcess::with_inventory`)"),
                };
                let running = server.start()?;
                let endpoint = Endpoint::loopback(running.address(), &path);
                Ok(Running {
                    facts: facts("in-process", name, &endpoint),
                    command: "mcpwire::check".to_owned(),
                    process: None,
                    holdings,
                    roles: ToolRoles::well_known(),
                    life: Life::InProcess(running),
                    endpoint,
                })
            }
            Self::Reference(config) => {
                let switches = switches(&config);
                let path = config.path.clone();
                let roles = match config.variants.contains(&Variant::NoTools) {
                    true => ToolRoles::default(),
                    false => ToolRoles::of_the_reference(),
                };
                let reference = Reference::start(config)?;
                let endpoint = Endpoint::loopback(reference.address(), &path);
                Ok(Running {
                    facts: facts("reference", format!("the embedded reference server{switches}"), &endpoint),
                    command: format!("mcpwire server{switches}"),
                    process: None,
                    holdings: Holdings::Reference(reference.census()),
                    roles,
                    life: Life::Reference(reference),
                    endpoint,
                })
            }
        }
    }
}

impl Running {
    /// The last lines that it said beside the wire. Secrets may be in them: they are [cut](crate::trace::said::shown) once they have none.
    pub fn output(&self) -> Vec<String> {
        self.voice().map(Output::lines).unwrap_or_default()
    }

    /// What it said beside the wire since this was asked last. The same holds for it.
    pub fn said(&self) -> Said {
        self.voice().map(Output::take).unwrap_or_default()
    }

    fn voice(&self) -> Option<&Output> {
        match &self.life {
            Life::Command(running) => Some(running.output()),
            Life::InProcess(running) => Some(running.output()),
            Life::None | Life::Reference(_) => None,
        }
    }

    /// Why it serves nobody any more, where that is known.
    pub fn ended(&self) -> Option<String> {
        match &self.life {
            Life::InProcess(running) => running.ended(),
            _ => None,
        }
    }

    /// The first thing that went wrong in it, where that is known.
    pub fn trouble(&self) -> Option<String> {
        match &self.life {
            Life::InProcess(running) => running.trouble(),
            _ => None,
        }
    }
}

/// The process that serves an endpoint of this machine, by the kernel's table of sockets.
fn process_behind(endpoint: &Endpoint) -> Option<u32> {
    if !endpoint.is_loopback() {
        return None;
    }
    let process = os::listens_on(endpoint.addresses().first()?.port())?;
    (process != std::process::id()).then_some(process)
}

/// The options of `mcpwire server` that make such a reference server.
fn switches(config: &reference::Config) -> String {
    let fault = config.fault.iter().map(|fault| format!(" --fault {}", fault.name()));
    let variants = config.variants.iter().map(|variant| format!(" --variant {}", variant.name()));
    fault.chain(variants).collect()
}

fn facts(kind: &str, name: String, endpoint: &Endpoint) -> TargetFacts {
    let distance = if endpoint.is_loopback() { Distance::Loopback } else { Distance::Remote };
    TargetFacts { kind: kind.to_owned(), name, server: None, distance }
}
