//! The trace: what happened, and everything that can be derived from it.
//!
//! A [`Trace`] is one scenario against one target in one revision; a [`store::Recording`] is a folder of them.

pub mod decode;
#[cfg(test)]
pub mod edit;
#[cfg(test)]
mod edit_client;
mod event;
mod message;
pub mod redact;
pub mod render;
pub mod said;
pub mod store;
mod time;
mod told;
pub mod understanding;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

pub use self::decode::{Ending, Exchange, Moment, PeerEnd, Received};
pub use self::event::{Bytes, Conduct, ConnectionId, Event, Harm, Part, TcpInfo, What};
pub use self::message::{Id, Message, MessageKind};
pub use self::time::{Nanos, Span};
pub use self::told::Told;

pub use self::decode::ConnectionFacts;
use self::decode::Decoder;
use crate::scenario::Scenario;
use crate::spec::Revision;

/// One scenario against one target in one revision.
#[derive(Debug)]
pub struct Trace {
    /// What was played.
    pub head: TraceHead,
    /// What happened, in order.
    pub events: Vec<Event>,
    conversation: OnceLock<Conversation>,
    told: OnceLock<Vec<Told>>,
    /// The session ids that we granted, and where.
    granted: OnceLock<Vec<(u32, Vec<u8>)>>,
}

/// What a trace is a trace of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceHead {
    /// The scenario.
    pub scenario: Scenario,
    /// The revision.
    pub revision: Revision,
    /// 1, or 2 for a fresh try after a scenario that had to stop.
    pub attempt: u32,
    /// Where we stand.
    pub vantage: Vantage,
    /// How far away the peer is.
    pub distance: Distance,
}

/// Where we stand on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vantage {
    /// We are the client.
    Client,
    /// We are the server.
    Server,
}

/// How far away the peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    /// On this machine.
    Loopback,
    /// Elsewhere.
    Remote,
}

/// All connections of a trace, decoded.
#[derive(Debug)]
struct Conversation {
    decoders: Vec<Decoder>,
    /// (decoder, exchange), in the order of asking.
    order: Vec<(usize, usize)>,
}

impl Clone for Trace {
    fn clone(&self) -> Self {
        Self::new(self.head.clone(), self.events.clone())
    }
}

impl Trace {
    /// A trace of these events.
    pub fn new(head: TraceHead, events: Vec<Event>) -> Self {
        Self { head, events, conversation: OnceLock::new(), told: OnceLock::new(), granted: OnceLock::new() }
    }

    /// The scenario.
    pub fn scenario(&self) -> Scenario {
        self.head.scenario
    }

    /// The revision.
    pub fn revision(&self) -> Revision {
        self.head.revision
    }

    /// The name of its file in a recording, and of the trace in a report.
    pub fn name(&self) -> String {
        match self.head.attempt {
            1 => format!("{}/{}", self.head.revision, self.head.scenario),
            attempt => format!("{}/{}-{attempt}", self.head.revision, self.head.scenario),
        }
    }

    /// All exchanges, in the order of asking.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        let conversation = self.conversation();
        conversation.order.iter().map(|(decoder, nth)| &conversation.decoders[*decoder].exchanges()[*nth])
    }

    /// The exchanges in which our side kept to the protocol.
    pub fn conforming(&self) -> impl Iterator<Item = &Exchange> {
        self.exchanges().filter(|exchange| exchange.ours == Conduct::Conforming)
    }

    /// The exchanges that the scenario calls so.
    pub fn labelled<'a>(&'a self, label: &'a str) -> impl Iterator<Item = &'a Exchange> {
        self.exchanges().filter(move |exchange| exchange.label == label)
    }

    /// The one that plays this part in the control pair of this name; the last, where it was tried again.
    pub fn part<'a>(&'a self, label: &'a str, part: Part) -> Option<&'a Exchange> {
        self.labelled(label).filter(|exchange| exchange.part == part).last()
    }

    /// The exchanges of one connection, in order.
    pub fn on_connection(&self, conn: ConnectionId) -> &[Exchange] {
        self.decoder(conn).map_or(&[], Decoder::exchanges)
    }

    /// What is known of a connection.
    pub fn connection(&self, conn: ConnectionId) -> Option<&ConnectionFacts> {
        self.decoder(conn).map(Decoder::connection)
    }

    /// Why the scenario ended before its last step, if it did.
    pub fn stopped(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match &event.what {
            What::Stopped { reason } => Some(reason.as_str()),
            _ => None,
        })
    }

    /// What the client under test told of a step of its script.
    pub fn told(&self, step: &str) -> Option<Told> {
        self.outcomes().iter().find(|told| told.step == step).cloned()
    }

    /// All that the client under test told.
    pub fn all_told(&self) -> impl Iterator<Item = Told> {
        self.outcomes().iter().cloned()
    }

    /// Read once: a line may have megabytes.
    fn outcomes(&self) -> &[Told] {
        self.told.get_or_init(|| {
            let told = |event: &Event| match &event.what {
                What::Told { line } => Told::read(line, Moment { at: event.at, kernel: None, seq: event.seq }),
                _ => None,
            };
            self.events.iter().filter_map(told).collect()
        })
    }

    /// All connections, in the order of opening.
    pub fn connections(&self) -> impl Iterator<Item = &ConnectionFacts> {
        self.conversation().decoders.iter().map(Decoder::connection)
    }

    /// What the scenario learned about a fact.
    pub fn learned(&self, wanted: &str) -> Option<&str> {
        self.events.iter().rev().find_map(|event| match &event.what {
            What::Learned { fact, value } if fact == wanted => Some(value.as_str()),
            _ => None,
        })
    }

    fn decoder(&self, conn: ConnectionId) -> Option<&Decoder> {
        let decoders = &self.conversation().decoders;
        let nth = decoders.binary_search_by_key(&conn, |decoder| decoder.connection().id).ok()?;
        Some(&decoders[nth])
    }

    fn conversation(&self) -> &Conversation {
        self.conversation.get_or_init(|| {
            let mut by_connection = BTreeMap::new();
            for event in &self.events {
                if let Some(conn) = event.what.conn() {
                    by_connection.entry(conn).or_insert_with(|| Decoder::new(conn, self.head.vantage)).feed(event);
                }
            }
            let decoders: Vec<Decoder> = by_connection.into_values().collect();
            let mut order: Vec<(usize, usize)> = (0..decoders.len())
                .flat_map(|decoder| (0..decoders[decoder].exchanges().len()).map(move |nth| (decoder, nth)))
                .collect();
            order.sort_by_key(|(decoder, nth)| decoders[*decoder].exchanges()[*nth].asked.seq);
            Conversation { decoders, order }
        })
    }
}
