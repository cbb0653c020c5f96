//! A message that was on a page already is not written again: where it stands is said instead.
//!
//! So a message that changes, changes one page: all others go on saying where it stands. What is said of it elsewhere
//! tells nothing of its content, and the same words in answer to something else are another message.

use std::collections::HashMap;

use super::fields::Baselines;
use crate::scenario::Scenario;
use crate::spec::Revision;

/// What has been written so far in the book.
#[derive(Debug, Default)]
pub struct Fold {
    places: HashMap<String, Place>,
    /// What the fields of a head are compared with.
    pub fields: Baselines,
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The revision of the page.
    pub revision: Revision,
    /// The scenario of the page.
    pub scenario: Scenario,
    /// The turn.
    pub turn: String,
}

impl Fold {
    /// Where the message with this key stands; from here on it stands at `here`, if it did not anywhere.
    pub fn place(&mut self, key: &str, here: &Place) -> Option<Place> {
        if let Some(place) = self.places.get(key) {
            return Some(place.clone());
        }
        self.places.insert(key.to_owned(), here.clone());
        None
    }
}

impl Place {
    /// How one says it who stands at `here`.
    pub fn seen_from(&self, here: &Self) -> String {
        let turn = &self.turn;
        match (self.revision == here.revision, self.scenario == here.scenario) {
            (true, true) if self.turn == here.turn => "as above".to_owned(),
            (true, true) => format!("as {turn}"),
            (true, false) => format!("as {}/{turn}", self.scenario),
            (false, _) => format!("as {}/{}/{turn}", self.revision, self.scenario),
        }
    }
}
