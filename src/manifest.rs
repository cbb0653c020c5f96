//! The manifest of a recording: how it came about, and every option that its judgement depends on.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::narrowing;
use crate::spec::{Level, Revision};
use crate::trace::Distance;

/// The version of the recording's format. A recording of another one is refused.
pub const FORMAT: u64 = 1;

/// The version of this crate.
pub const TOOL: &str = env!("CARGO_PKG_VERSION");

/// How a recording came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub format: u64,
    /// The version of mcpwire that made it.
    pub tool: String,
    /// When, in RFC 3339.
    pub recorded: String,
    /// What was tested.
    pub target: TargetFacts,
    /// The role of what was tested.
    pub role: Role,
    /// What was asked of which revision, and whether the target speaks it.
    pub revisions: Vec<RevisionRun>,
    /// The options that the judgement depends on.
    pub options: Options,
    /// The cheapest call against the embedded peer, on the same machine in the same minute.
    pub floor: Option<Floor>,
    /// Whether the platform could observe what some checks need.
    pub instruments: Instruments,
    /// Why the run ended before its last scenario, if it did.
    pub incomplete: Option<String>,
    /// The command that made it, up to the selection.
    pub command: String,
    /// What stands behind the options of the selection: the command of a client.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub command_tail: String,
    /// How a replay of the command selects what it replays.
    #[serde(default, skip_serializing_if = "Selecting::is_by_options")]
    pub selecting: Selecting,
    /// What was done on purpose to the bytes between a client and a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<FaultsOfTheWay>,
    /// The last lines that the target said beside the wire: on standard error, or in its log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_output: Vec<String>,
    /// The trace files, in the order of playing.
    pub traces: Vec<String>,
}

/// How a replay selects what it replays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selecting {
    /// By options of the command line.
    #[default]
    ByOptions,
    /// By variables of the environment: it is a test, or another program that calls mcpwire.
    ByEnvironment,
}

impl Selecting {
    fn is_by_options(&self) -> bool {
        *self == Self::ByOptions
    }
}

impl Manifest {
    /// The command that replays one check in one revision.
    pub fn replay(&self, revision: Revision, id: &str) -> String {
        let (command, tail) = (&self.command, &self.command_tail);
        match self.selecting {
            Selecting::ByOptions => format!("{command} --revision {revision} --only {id}{tail}"),
            Selecting::ByEnvironment => {
                format!("{}={revision} {}={id} {command}{tail}", narrowing::REVISION, narrowing::ONLY)
            }
        }
    }
}

/// How a target is called that was listened to, and that nobody played scenarios with.
pub const PROXIED: &str = "proxied";

/// What was done on purpose to the bytes between a client and a server. The same faults, seed and bytes have the same
/// plan again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultsOfTheWay {
    /// The faults, as the command line takes them.
    pub faults: Vec<String>,
    /// What the random numbers began with.
    pub seed: u64,
}

/// What was tested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFacts {
    /// How it was reached: `reference`, `url`, `command`, `in-process` or `proxied`.
    pub kind: String,
    /// Its address or command, without secrets.
    pub name: String,
    /// What it calls itself, and its version.
    pub server: Option<String>,
    /// How far away it is.
    pub distance: Distance,
}

/// The side that was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A server.
    Server,
    /// A client.
    Client,
}

/// One revision in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionRun {
    /// The revision.
    pub revision: Revision,
    /// Whether the target speaks it.
    pub spoken: bool,
    /// How that showed, as a lowercase fragment.
    pub how: String,
}

/// The options that a judgement depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// What a repeated call may take over the floor.
    #[serde(with = "nanos")]
    pub budget: Duration,
    /// The user set the budget: it gates for remote targets too.
    pub budget_is_set: bool,
    /// How long an answer was waited for.
    #[serde(with = "nanos")]
    pub timeout: Duration,
    /// How long a stream may stay open after its response.
    #[serde(with = "nanos")]
    pub stream_end_grace: Duration,
    /// Findings of this level and above make the run fail.
    pub fail_on: Level,
    /// The date of the frozen set that gates; the whole catalogue, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// Patterns of the checks to judge; all, where there are none.
    pub only: Vec<String>,
    /// Patterns of the checks to leave out.
    pub skip: Vec<String>,
    /// Patterns of the checks that have to be exercised: one of the selected ones that is not makes the run fail.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub require: Vec<String>,
    /// What is done beyond the ordinary run.
    #[serde(default, skip_serializing_if = "Load::is_none")]
    pub load: Load,
}

/// Traffic beyond the ordinary: only what was asked for by name is done to a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Load {
    /// So many calls, one after another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soak: Option<u32>,
    /// So many streams at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crowd: Option<Crowd>,
}

/// Many streams at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crowd {
    /// In so many sessions.
    pub sessions: u32,
    /// So many in each.
    pub streams: u32,
}

impl Crowd {
    /// How many exchanges it comes to: the streams, and the handshake and the end of each session.
    pub fn exchanges(&self) -> u32 {
        self.sessions * (self.streams + 4)
    }
}

impl Load {
    /// Nothing beyond the ordinary.
    pub fn is_none(&self) -> bool {
        self.option().is_none()
    }

    /// The option that asks for it; one of them, where there are two.
    pub fn option(&self) -> Option<&'static str> {
        let soak = self.soak.map(|_| "--soak");
        soak.or(self.crowd.map(|_| "--crowd"))
    }
}

impl Options {
    /// The default budget of a repeated call: 10 ms separate healthy servers (0.4 to 3 ms) from held-back
    /// segments (40 ms) even on a busy machine.
    pub const BUDGET: Duration = Duration::from_millis(10);
    /// The default wait for an answer.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    /// The default grace for the end of a stream: far above what a healthy server needs (12 to 350 µs), far
    /// below what a person would wait. The claim holds up to 10 s; beyond, keep-alives begin to matter.
    pub const STREAM_END_GRACE: Duration = Duration::from_secs(2);
}

impl Default for Options {
    fn default() -> Self {
        Self {
            budget: Self::BUDGET,
            budget_is_set: false,
            timeout: Self::TIMEOUT,
            stream_end_grace: Self::STREAM_END_GRACE,
            fail_on: Level::Budget,
            set: None,
            only: Vec::new(),
            skip: Vec::new(),
            require: Vec::new(),
            load: Load::default(),
        }
    }
}

/// The cheapest call against the embedded peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// How many calls.
    pub n: usize,
    /// Their median, in nanoseconds.
    pub p50: u64,
}

/// What the platform could observe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruments {
    /// Kernel receive times.
    pub kernel_times: bool,
    /// The receive queue, and control over our acknowledgements.
    pub withheld_ack: bool,
}

impl Instruments {
    /// Whether a check may have nothing to go by where these are all that there is.
    #[cfg(any(test, feature = "cargo-test"))]
    pub fn lack_for(self, id: &str) -> bool {
        match id {
            "latency/no-held-back-segment" => !self.withheld_ack,
            "latency/repeated-calls-within-budget"
            | "latency/calls-beside-others-within-budget"
            | "isolation/bystanders-are-served"
            | "http/get-head-at-once" => !self.kernel_times,
            _ => false,
        }
    }
}

mod nanos {
    //! Durations as whole nanoseconds.

    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_nanos)
    }
}
