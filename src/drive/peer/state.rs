//! What has happened between the client and the peer, as far as later answers depend on it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde_json::Value;

use super::protocol;
use crate::trace::Id;

/// What has happened so far.
#[derive(Debug)]
pub struct State {
    /// How often a request with this label came.
    seen: BTreeMap<String, usize>,
    /// The ids of the calls that each turn answered, the oldest first.
    calls: BTreeMap<String, Vec<String>>,
    /// Sessions that were granted, and whether they still live.
    sessions: Vec<(String, bool)>,
    /// Calls that came without a number of the script.
    pub(super) unnumbered: usize,
    /// The ids of the requests of ours that the client has answered.
    answered: Vec<Id>,
    /// The capabilities that the client declared when it began a session.
    pub(super) declared: Value,
    /// Another origin of ours.
    elsewhere: SocketAddr,
}

impl State {
    pub(super) fn new(elsewhere: SocketAddr) -> Self {
        Self {
            seen: BTreeMap::new(),
            calls: BTreeMap::new(),
            sessions: Vec::new(),
            unnumbered: 0,
            answered: Vec::new(),
            declared: Value::Null,
            elsewhere,
        }
    }

    /// A request came, or something else happened that a scenario gives this name to.
    pub fn saw(&mut self, label: &str) {
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

    /// A response to a request of ours came.
    pub(super) fn took_answer(&mut self, id: &Id) {
        self.answered.push(id.clone());
    }

    /// Whether the client has answered our request with this id (as JSON).
    pub fn answered(&self, id: &str) -> bool {
        let wanted = Id::Text(id.to_owned());
        self.answered.iter().any(|answered| answered.same_as(&wanted))
    }

    /// A call came that this turn answers; says how many came before.
    pub(super) fn called(&mut self, label: &str, id: &str) -> usize {
        let calls = self.calls.entry(label.to_owned()).or_default();
        calls.push(id.to_owned());
        calls.len() - 1
    }

    /// The id of the last call that this turn answered, as JSON.
    pub(super) fn last_call(&self, label: &str) -> Option<String> {
        self.calls.get(label)?.last().cloned()
    }

    /// The same path at another origin of ours, for redirects.
    pub fn url_elsewhere(&self) -> String {
        format!("http://{}{}", self.elsewhere, protocol::PATH)
    }

    /// Opens a session.
    pub(super) fn grant(&mut self, id: String) {
        self.sessions.push((id, true));
    }

    /// Whether a session of this id is open; `None` where there never was one.
    pub fn is_open(&self, id: &str) -> Option<bool> {
        self.sessions.iter().find(|(granted, _)| granted == id).map(|(_, open)| *open)
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
