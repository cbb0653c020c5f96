//! Header fields: those of the first message of a kind, and of the others what is different.

use std::collections::HashMap;

use crate::spec::Revision;

/// The fields of a head, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it is the head of; those of one kind are compared with each other.
    pub kind: String,
    /// Names as they were sent, and values without what differs from run to run.
    pub fields: Vec<(String, String)>,
}

/// The first heads of each kind.
#[derive(Debug, Default)]
pub struct Baselines {
    /// Of each revision: what a framework adds to everything is said once.
    of_revision: HashMap<(Revision, String), Vec<(String, String)>>,
    /// Of each page: what the protocol turns on is said on every page.
    of_page: HashMap<String, Vec<(String, String)>>,
}

/// Fields that the transport turns on, beside all that begin with `Mcp-`.
const OF_THE_PROTOCOL: [&str; 9] = [
    "_meta io.modelcontextprotocol/clientcapabilities",
    "last-event-id",
    "location",
    "allow",
    "www-authenticate",
    "connection",
    "content-encoding",
    "retry-after",
    "access-control-allow-origin",
];

impl Baselines {
    /// A page begins.
    pub fn turn_the_page(&mut self) {
        self.of_page.clear();
    }

    /// The lines that say what is in a head.
    pub fn lines(&mut self, revision: Revision, head: &Head) -> Vec<String> {
        let (protocol, others): (Vec<_>, Vec<_>) =
            head.fields.iter().cloned().partition(|(name, _)| is_of_the_protocol(name));
        let mut lines = Vec::new();
        let first = self.of_page.entry(head.kind.clone()).or_insert_with(|| {
            lines.extend(protocol.iter().map(line));
            protocol.clone()
        });
        lines.extend(differences(first, &protocol));
        let first = self.of_revision.entry((revision, head.kind.clone())).or_insert_with(|| {
            lines.extend(others.iter().map(line));
            others.clone()
        });
        lines.extend(differences(first, &others));
        lines
    }
}

fn is_of_the_protocol(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("mcp-") || OF_THE_PROTOCOL.contains(&name.as_str())
}

fn line((name, value): &(String, String)) -> String {
    format!("{name}: {value}")
}

/// What is there besides, or has another value; and what is missing.
fn differences(first: &[(String, String)], these: &[(String, String)]) -> Vec<String> {
    let more = these.iter().filter(|field| !first.contains(field)).map(line);
    let is_named = |name: &str| these.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    let missing = first.iter().filter(|(name, _)| !is_named(name)).map(|(name, _)| format!("without {name}"));
    more.chain(missing).collect()
}
