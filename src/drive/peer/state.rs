//! What has happened between the client and the peer, as far as later answers depend on it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What has happened so far.
#[derive(Debug)]
pub struct State {
    /// How often a request with this label came.
    seen: BTreeMap<String, usize>,
    /// Sessions that were granted, and whether they still live.
    sessions: Vec<(String, bool)>,
    /// Calls that came without a number of the script.
    pub(super) unnumbered: usize,
    /// Another origin of ours.
    elsewhere: SocketAddr,
}

impl State {
    pub(super) fn new(elsewhere: SocketAddr) -> Self {
        Self { seen: BTreeMap::new(), sessions: Vec::new(), unnumbered: 0, elsewhere }
    }

    /// A request came.
    pub(super) fn saw(&mut self, label: &str) {
        *self.seen.entry(label.to_owned()).or_default() += 1;
    }

    /// How often a request with this label came.
    pub fn seen(&self, label: &str) -> usize {
        self.seen.get(label).copied().unwrap_or_default()
    }

    /// How often a request came whose label begins so.
    pub fn seen_any(&self, prefix: &str) -> usize {
        self.seen.iter().filter(|(label, _)| label.starts_with(prefix)).map(|(_, count)| count).sum()
    }

    /// Another origin of ours, for redirects.
    pub fn elsewhere(&self) -> SocketAddr {
        self.elsewhere
    }

    /// Opens a session.
    pub(super) fn grant(&mut self, id: String) {
        self.sessions.push((id, true));
    }

    /// Whether a session of this id is open; `None` where there never was one.
    pub fn is_open(&self, id: &str) -> Option<bool> {
        self.sessions.iter().find(|(granted, _)| granted == id).map(|(_, open)| *open)
    }

    /// How many sessions were granted.
    pub fn granted(&self) -> usize {
        self.sessions.len()
    }

    /// Ends a session; whether there was one.
    pub fn end(&mut self, id: &str) -> bool {
        let found = self.sessions.iter_mut().find(|(granted, open)| granted == id && *open);
        found.map(|(_, open)| *open = false).is_some()
    }

    /// Ends all sessions.
    pub fn end_all(&mut self) {
        self.sessions.iter_mut().for_each(|(_, open)| *open = false);
    }
}
