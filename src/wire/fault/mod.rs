//! # Faults of the way
//!
//! What a network, a gateway or a bad day may do to the bytes between a client and a server, each under a name. A
//! fault is a transform on our own side: no packet is forged, nothing but our system calls differs.
//!
//! What happens when is a [`Plan`], which is pure: the same seed, connection, direction and bytes have the same plan,
//! however the bytes came. Carrying it out is for those who hold the sockets.
//!
//! Several faults of one direction compose in this order, whatever the order in which they are given: bytes come later
//! (`latency`), wait or end at a place (`stall`, `reset-after`, `half-close`, the terminators), are cut into pieces
//! (`slices`, `segments`), and the pieces are paced (`bandwidth`).

mod delivery;
mod ends;
mod pace;
mod pieces;
mod plan;
mod random;
mod spelling;
mod terminator;

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::delivery::is_held;
pub use self::pieces::MOST_PIECES;
pub use self::plan::{Applied, Plan, Step};
pub use self::spelling::{FaultError, LISTED, Listed};
pub use self::terminator::terminator_from;
use crate::trace::{ConnectionId, Harm};

/// A fault as it was asked for: what, in which direction, where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is done.
    pub kind: Kind,
    /// In this direction only; in both, where there is none.
    pub direction: Option<Direction>,
    /// Behind so many bytes of the direction, where the kind has a place.
    pub at: Option<u64>,
    /// On this connection only; on all, where there is none. Connections are counted from 0, as in a trace.
    pub connection: Option<ConnectionId>,
}

/// Where bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// What the server sent.
    ToClient,
    /// What the client sent.
    ToServer,
}

/// What is done, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes arrive so much later; drawn anew for each message.
    Latency(RangeInclusive<Duration>),
    /// No more than so many bytes a second.
    Bandwidth(u64),
    /// A system call for so many bytes, drawn anew for each.
    Slices(RangeInclusive<u64>),
    /// A segment for so many bytes: the one before has left, and time has passed.
    Segments(u64),
    /// The sender's window closes for so long.
    ZeroWindow(Duration),
    /// The direction ends in order behind so many messages, or behind the bytes of [`Fault::at`].
    HalfClose(u64),
    /// Both connections are torn down behind so many bytes.
    ResetAfter(u64),
    /// Nothing goes on for so long.
    Stall(Duration),
    /// A connection waits until a later one has had its turn, but no longer than this.
    Reorder(Duration),
    /// Each request is delivered a second time.
    Duplicate,
    /// The end of a chunked answer comes so much later.
    LateTerminator(Duration),
    /// The end of a chunked answer never comes.
    NoTerminator,
}

impl Direction {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::ToClient, Self::ToServer];

    fn name(self) -> &'static str {
        match self {
            Self::ToClient => "to-client",
            Self::ToServer => "to-server",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Fault {
    /// Whether it concerns this direction of this connection.
    pub fn concerns(&self, connection: ConnectionId, direction: Direction) -> bool {
        self.connection.is_none_or(|only| only == connection) && self.direction.is_none_or(|only| only == direction)
    }

    /// What it does to the peer that it reaches, as far as a judge has to know.
    pub fn harm(&self) -> Harm {
        match self.kind {
            // A stream of bytes has no boundaries and no deadlines: nobody may mind.
            Kind::Latency(_) | Kind::Bandwidth(_) | Kind::Slices(_) | Kind::Segments(_) | Kind::Reorder(_) => {
                Harm::None
            }
            Kind::ZeroWindow(_) | Kind::Stall(_) | Kind::LateTerminator(_) | Kind::Duplicate => Harm::Exchange,
            Kind::HalfClose(_) | Kind::ResetAfter(_) | Kind::NoTerminator => Harm::Connection,
        }
    }

    /// What it does, for a person, as a sentence without its end.
    pub fn summary(&self) -> &'static str {
        self.listed().summary
    }

    fn listed(&self) -> &'static Listed {
        spelling::listed(&self.kind)
    }
}

/// For how long a connection may be held, and everything that concerns the way of whole requests.
impl Fault {
    /// How long a connection waits at most for a later one, where this fault asks for that.
    pub fn reorders(&self) -> Option<Duration> {
        match self.kind {
            Kind::Reorder(most) => Some(most),
            _ => None,
        }
    }

    /// Whether requests are delivered twice on this connection.
    pub fn duplicates(&self, connection: ConnectionId) -> bool {
        self.kind == Kind::Duplicate && self.concerns(connection, Direction::ToServer)
    }

    /// Behind how many bytes reading stops, and for how long, where this fault asks for that.
    pub fn closes_window(&self) -> Option<(u64, Duration)> {
        match self.kind {
            Kind::ZeroWindow(long) => Some((self.at.unwrap_or(spelling::AT), long)),
            _ => None,
        }
    }
}
