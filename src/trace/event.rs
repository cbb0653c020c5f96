//! What a trace is made of: one list of events, in the order in which they were recorded.
//!
//! Nothing here is derived: messages, requests and exchanges come from the bytes, through
//! [`super::decode`], whenever somebody asks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::time::Nanos;

/// The number of a connection within its trace, counted from 0 in the order of opening.
pub type ConnectionId = u32;

/// One moment of a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the trace; findings cite it.
    pub seq: u32,
    /// When it was over, for things that take time.
    pub at: Nanos,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What can happen in a trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// A TCP connection was established.
    Connected {
        /// Its number.
        conn: ConnectionId,
        /// When `connect` was called.
        began: Nanos,
        /// Our address.
        local: String,
        /// The peer's address.
        peer: String,
    },
    /// A TCP connection of the peer's was accepted.
    Accepted {
        /// Its number.
        conn: ConnectionId,
        /// Our address.
        local: String,
        /// The peer's address.
        peer: String,
    },
    /// A TCP connection could not be established.
    ConnectFailed {
        /// The peer's address.
        peer: String,
        /// The system's words.
        error: String,
    },
    /// A socket option was set on our side.
    OptionSet {
        /// The connection.
        conn: ConnectionId,
        /// The option's usual name, such as `TCP_NODELAY`.
        option: String,
        /// Its value.
        value: i64,
    },
    /// A request is about to be written; what is written next on this connection belongs to it.
    Asked {
        /// The connection.
        conn: ConnectionId,
        /// What the scenario calls this request.
        label: String,
        /// Its part in a control pair.
        #[serde(default, skip_serializing_if = "Part::is_plain")]
        part: Part,
        /// Whether we keep to the protocol in it.
        #[serde(default, skip_serializing_if = "Conduct::conforms")]
        ours: Conduct,
    },
    /// A request of the peer's is about to be answered, the oldest on this connection that has no answer yet; what
    /// is written next belongs to it.
    Answering {
        /// The connection.
        conn: ConnectionId,
        /// What the scenario calls this exchange.
        label: String,
        /// Whether we keep to the protocol in it.
        #[serde(default, skip_serializing_if = "Conduct::conforms")]
        ours: Conduct,
    },
    /// Bytes were handed to the kernel.
    Wrote {
        /// The connection.
        conn: ConnectionId,
        /// When the call began; `at` is when it returned.
        began: Nanos,
        /// The bytes.
        bytes: Bytes,
    },
    /// The kernel refused bytes.
    WriteFailed {
        /// The connection.
        conn: ConnectionId,
        /// The system's words.
        error: String,
    },
    /// One read returned bytes.
    Read {
        /// The connection.
        conn: ConnectionId,
        /// The kernel's receive time of the last segment in it: an upper bound for all the bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kernel: Option<Nanos>,
        /// How many segments with data the connection had received by then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        segments: Option<u32>,
        /// The bytes.
        bytes: Bytes,
        /// Bytes of this read that were counted and not kept, because the trace was full.
        #[serde(default, skip_serializing_if = "is_zero")]
        dropped: u64,
    },
    /// We looked until `at`, and nothing more had come.
    Watched {
        /// The connection.
        conn: ConnectionId,
    },
    /// The peer ended its direction in order.
    Fin {
        /// The connection.
        conn: ConnectionId,
    },
    /// The peer reset the connection.
    Reset {
        /// The connection.
        conn: ConnectionId,
    },
    /// We ended our direction in order, and go on reading.
    Finished {
        /// The connection.
        conn: ConnectionId,
    },
    /// We closed the connection.
    Closed {
        /// The connection.
        conn: ConnectionId,
        /// By a reset.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        abruptly: bool,
    },
    /// A fault of the way was at work, on our own side and on purpose.
    FaultApplied {
        /// The connection.
        conn: ConnectionId,
        /// The fault, as the command line takes it.
        fault: String,
        /// Behind how many bytes of its direction.
        offset: u64,
        /// What was done, as a lowercase fragment.
        how: String,
        /// What may no longer be expected of the peer.
        #[serde(default, skip_serializing_if = "Harm::is_none")]
        harm: Harm,
    },
    /// What the kernel knew of the connection.
    State {
        /// The connection.
        conn: ConnectionId,
        /// A selection of TCP_INFO.
        info: TcpInfo,
    },
    /// The withheld acknowledgement was let go; `at` is when the releasing system call began.
    AckReleased {
        /// The connection.
        conn: ConnectionId,
        /// How long we had waited with part of the answer read, in nanoseconds.
        waited: Nanos,
        /// Bytes in our receive queue just before; a FIN counts as one.
        queued_before: u32,
        /// Bytes in our receive queue when the releasing system call had returned.
        queued_after: u32,
        /// Whether any segment (an acknowledgement) had left us between the last read and the release.
        acked_before: bool,
    },
    /// How long the peer's threads had waited for a processor by now, added up.
    PeerWaited {
        /// Nanoseconds since the peer began.
        total: u64,
    },
    /// What the target held by now, when everything that we had opened was closed again.
    PeerHeld {
        /// How many rounds of the scenario were behind it, since counting began.
        rounds: u32,
        /// Open descriptors of all its processes, or the sockets of the embedded server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        descriptors: Option<u32>,
        /// Sockets among them whose peer has closed, and that wait to be closed here (CLOSE_WAIT), where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        close_wait: Option<u32>,
        /// Threads of all its processes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threads: Option<u32>,
        /// Sessions, as it knows itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sessions: Option<u32>,
        /// Channels of requests, as it knows itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<u32>,
        /// Entries that lead from an id or a token to a channel, as it knows itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        routes: Option<u32>,
    },
    /// How much memory the target took by now.
    PeerMemory {
        /// How many calls of the scenario were behind it.
        calls: u32,
        /// Resident memory of all its processes, in bytes.
        resident: u64,
    },
    /// Exchanges of which no more is kept than this: all of them would be many times the rest of the recording.
    Abridged {
        /// What the scenario calls them.
        label: String,
        /// How many.
        exchanges: u32,
        /// How many of them were answered with a response.
        answered: u32,
        /// Bytes that were written.
        written: u64,
        /// Bytes that came.
        received: u64,
    },
    /// The client under test was started.
    ClientStarted,
    /// The client under test told what its caller got: a line of its standard output.
    Told {
        /// The line, a JSON object.
        line: String,
    },
    /// The client under test has ended, or was made to.
    ClientEnded {
        /// How, as a lowercase fragment.
        how: String,
        /// It was made to end: it had not by then.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        forced: bool,
    },
    /// The target said something beside the wire: a line of its log, or of its standard error. Such events stand behind
    /// all others of a trace, and `at` is when the line came. No check reads them.
    Said {
        /// The line.
        line: String,
    },
    /// The scenario learned something that later steps stand on.
    Learned {
        /// What it is about.
        fact: String,
        /// What it is.
        value: String,
    },
    /// The scenario ended before its last step.
    Stopped {
        /// Why, as a lowercase fragment.
        reason: String,
    },
}

impl What {
    /// The connection it happened on, if it happened on one.
    pub fn conn(&self) -> Option<ConnectionId> {
        match self {
            Self::Connected { conn, .. }
            | Self::Accepted { conn, .. }
            | Self::Answering { conn, .. }
            | Self::Finished { conn }
            | Self::OptionSet { conn, .. }
            | Self::Asked { conn, .. }
            | Self::Wrote { conn, .. }
            | Self::WriteFailed { conn, .. }
            | Self::Read { conn, .. }
            | Self::Watched { conn }
            | Self::Fin { conn }
            | Self::Reset { conn }
            | Self::Closed { conn, .. }
            | Self::FaultApplied { conn, .. }
            | Self::State { conn, .. }
            | Self::AckReleased { conn, .. } => Some(*conn),
            Self::ConnectFailed { .. }
            | Self::PeerWaited { .. }
            | Self::PeerHeld { .. }
            | Self::PeerMemory { .. }
            | Self::Abridged { .. }
            | Self::ClientStarted
            | Self::Told { .. }
            | Self::ClientEnded { .. }
            | Self::Said { .. }
            | Self::Learned { .. }
            | Self::Stopped { .. } => None,
        }
    }
}

/// The part that a request plays in a control pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// None: ordinary traffic.
    #[default]
    Plain,
    /// The probe: a rejection is the right answer.
    Probe,
    /// The positive control of the probe with the same label: the same bytes less one mutation.
    Control,
}

impl Part {
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

/// Whether our side kept to the protocol in an exchange; invariants look only where it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conduct {
    /// It did.
    #[default]
    Conforming,
    /// It did not, on purpose.
    Damaged,
}

impl Conduct {
    fn conforms(&self) -> bool {
        *self == Self::Conforming
    }
}

/// What a fault of ours does to a peer: what it may do then is not held against it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Harm {
    /// Nothing that a peer may mind.
    #[default]
    None,
    /// The exchanges under way on this connection are damaged.
    Exchange,
    /// These, and all that follow on this connection.
    Connection,
}

impl Harm {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// The selection of TCP_INFO that a judgement can stand on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpInfo {
    /// The state's name, such as `ESTABLISHED`.
    pub state: String,
    /// Payload bytes received, plus one for a FIN.
    pub bytes_received: u64,
    /// Segments with data received.
    pub data_segments_in: u32,
    /// Segments sent, acknowledgements included.
    pub segments_out: u32,
    /// Smoothed round-trip time in microseconds.
    pub rtt_micros: u32,
    /// Bytes that were handed to the kernel and that it has not sent yet.
    #[serde(default)]
    pub unsent_bytes: u32,
}

/// Bytes of a recording. In JSON they are a string where they are UTF-8, and `{"base64": "…"}` where not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match str::from_utf8(&self.0) {
            Ok(text) => text.serialize(serializer),
            Err(_) => Encoded { base64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Encoded(encoded) => {
                STANDARD.decode(encoded.base64).map(Self).map_err(|_| serde::de::Error::custom("bytes are not base64"))
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Encoded {
    base64: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Encoded(Encoded),
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_the_recording_whether_they_are_text_or_not() {
        for bytes in [&b"POST /mcp HTTP/1.1\r\n"[..], b"caf\xe9\x00", b""] {
            let event = Event {
                seq: 7,
                at: Nanos(9),
                what: What::Wrote { conn: 1, began: Nanos(8), bytes: Bytes(bytes.to_vec()) },
            };
            let line = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), event, "{line}");
        }
    }
}
