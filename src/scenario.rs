//! The names of the scenarios: what the driver plays, and what checks ask for.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A scenario against a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Which revision is spoken, and what is offered.
    Survey,
    /// Requests of every kind one after another on one connection: results, errors, notifications, with the
    /// patience to see each stream end.
    SequentialCalls,
    /// The cheapest call, many times on one connection.
    RepeatedCalls,
    /// The withheld-ACK test.
    WithheldAck,
    /// Requests with ids of every kind.
    Ids,
    /// Two requests in flight whose ids differ in their JSON type only.
    IdsInFlight,
    /// A method that does not exist, and a request behind it.
    UnknownMethod,
    /// Bytes that are no message, each followed by a request.
    MalformedInput,
    /// Requests with and without the session's id, before and after its end.
    SessionLifecycle,
    /// A handshake that fails, and whether it grants a session.
    FailedInitialize,
    /// The stream that a GET opens.
    GetStream,
}

impl Scenario {
    /// All of them, in the order in which they are played: what may upset a target comes last.
    pub const ALL: [Self; 11] = [
        Self::Survey,
        Self::SequentialCalls,
        Self::RepeatedCalls,
        Self::WithheldAck,
        Self::Ids,
        Self::IdsInFlight,
        Self::UnknownMethod,
        Self::GetStream,
        Self::SessionLifecycle,
        Self::FailedInitialize,
        Self::MalformedInput,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Survey => "survey",
            Self::SequentialCalls => "sequential-calls",
            Self::RepeatedCalls => "repeated-calls",
            Self::WithheldAck => "withheld-ack",
            Self::Ids => "ids",
            Self::IdsInFlight => "ids-in-flight",
            Self::UnknownMethod => "unknown-method",
            Self::MalformedInput => "malformed-input",
            Self::SessionLifecycle => "session-lifecycle",
            Self::FailedInitialize => "failed-initialize",
            Self::GetStream => "get-stream",
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
