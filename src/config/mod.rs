//! The settings of a run: what `mcpwire.toml`, the environment and the options on the command line say, one over the
//! other. Pure: who reads files and variables is the command line.
//!
//! ```toml
//! budget = "20ms"
//! baseline = "expected-failures.yml"
//!
//! [server.everything]
//! cmd = "my-server --port {port}"
//! tool.slow = "sleep"
//!
//! [client.mine]
//! command = ["my-client", "--quiet"]
//!
//! [profile.ci]
//! set = "2026-11-21"
//! report = ["text", "junit=report.xml"]
//! ```
//!
//! A key is called like the long option on the command line that says the same, and so is the variable (`timeout`,
//! `--timeout`, `MCPWIRE_TIMEOUT`). Options beat variables, these beat the profile, that beats the target, and that what
//! stands at the top of the file. A list is replaced as a whole; the tools are replaced role by role.

// What only the command line asks for.
#![cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports))]

mod example;
mod layer;
mod read;
mod schema;
mod setting;
mod value;

use crate::manifest::Role;

pub use example::{Found, example, for_client, for_server};
pub use layer::{Layer, Source};
pub use schema::schema;
pub use setting::Setting;
pub use value::{Value, duration, revisions};

/// What the file is called where no other name is given.
pub const FILE: &str = "mcpwire.toml";

/// So large a file is read: a thousand times what anybody writes.
pub const LARGEST: u64 = 1 << 20;

/// A configuration, as it was read.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file, as it was named.
    pub file: String,
    /// What holds for every target.
    pub top: Layer,
    /// The targets, those of each role in the order of the file.
    pub targets: Vec<Named>,
    /// The profiles, in the order of the file.
    pub profiles: Vec<(String, Layer)>,
}

/// A target of a configuration.
#[derive(Clone, Debug)]
pub struct Named {
    /// How it is called.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// What is said of it.
    pub layer: Layer,
}

/// A target or a profile that is not in the file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no {what} `{name}` in {file} ({})", listed(.known))]
pub struct NotThere {
    what: &'static str,
    name: String,
    file: String,
    known: Vec<String>,
}

fn listed(known: &[String]) -> String {
    match known.is_empty() {
        true => "there is none at all".to_owned(),
        false => format!("there are: {}", known.join(", ")),
    }
}

impl Config {
    /// The targets of a role.
    pub fn targets(&self, role: Role) -> impl Iterator<Item = &Named> {
        self.targets.iter().filter(move |target| target.role == role)
    }

    /// The target of a role that is called so.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn target(&self, role: Role, name: &str) -> Result<&Named, NotThere> {
        self.targets(role).find(|target| target.name == name).ok_or_else(|| NotThere {
            what: noun(role),
            name: name.to_owned(),
            file: self.file.clone(),
            known: self.targets(role).map(|target| target.name.clone()).collect(),
        })
    }

    /// The profile that is called so.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn profile(&self, name: &str) -> Result<&Layer, NotThere> {
        let found = self.profiles.iter().find(|(known, _)| known == name).map(|(_, layer)| layer);
        found.ok_or_else(|| NotThere {
            what: "profile",
            name: name.to_owned(),
            file: self.file.clone(),
            known: self.profiles.iter().map(|(name, _)| name.clone()).collect(),
        })
    }
}

/// How a target of a role is called in a sentence, and in the file.
pub fn noun(role: Role) -> &'static str {
    match role {
        Role::Server => "server",
        Role::Client => "client",
    }
}
