//! How faults are written on the command line, and what each one does in a sentence.
//!
//! `NAME[=VALUE][@BYTE][,to-client|,to-server][,connection=N]`

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use super::{Direction, Fault, Kind};

/// A kind of fault, for whoever asks which there are.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// One that is valid.
    pub example: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// The directions in which it can be, and whether it is in both where none is named.
    directions: Directions,
    /// Whether it has a place in the bytes of its direction.
    has_place: bool,
    read: fn(Option<&str>) -> Result<Kind, &'static str>,
    of: fn(&Kind) -> bool,
}

#[derive(Debug, PartialEq)]
enum Directions {
    /// Either, and both where none is named.
    Both,
    /// Either, and this one where none is named.
    Either(Direction),
    /// This one.
    Only(Direction),
    /// None: it concerns connections.
    None,
}

/// The place of what has one and is given none: behind the first byte.
pub(super) const AT: u64 = 1;

/// Bounds: nothing waits longer than a patient client, and nothing takes for ever.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_LATENCY: Duration = Duration::from_secs(10);
const SLOWEST: u64 = 100;
const FASTEST: u64 = 10_000_000_000;
const LONGEST_PIECE: u64 = 1 << 20;

const WAIT: &str = "a time from 1us to 60s, such as 500ms";
const LATENCY: &str = "a time up to 10s or a range of times, such as 20ms or 20ms..80ms";
const RATE: &str = "bytes in a second from 100B/s to 10GB/s, such as 64kB/s";
const LENGTHS: &str = "a length in bytes from 1 to 1048576 or a range of them, such as 1 or 1..7";
const LENGTH: &str = "a length in bytes from 1 to 1048576, such as 1";
const COUNT: &str = "a count of bytes, such as 120";
const MESSAGES: &str = "a count of messages from 1 on, such as 2";
const NOTHING: &str = "no value";

/// All kinds of fault.
pub const LISTED: &[Listed] = &[
    Listed {
        name: "latency",
        syntax: "latency=TIME[..TIME]",
        example: "latency=20ms..80ms",
        summary: "Bytes arrive so much later; of a range, a time is drawn for each message.",
        directions: Directions::Both,
        has_place: false,
        read: |value| Ok(Kind::Latency(times(value).filter(|range| *range.end() <= LONGEST_LATENCY).ok_or(LATENCY)?)),
        of: |kind| matches!(kind, Kind::Latency(_)),
    },
    Listed {
        name: "bandwidth",
        syntax: "bandwidth=BYTES/s",
        example: "bandwidth=64kB/s",
        summary: "No more than so many bytes a second, in a hundred beats.",
        directions: Directions::Both,
        has_place: false,
        read: |value| Ok(Kind::Bandwidth(value.and_then(rate).ok_or(RATE)?)),
        of: |kind| matches!(kind, Kind::Bandwidth(_)),
    },
    Listed {
        name: "slices",
        syntax: "slices[=LENGTH[..LENGTH]]",
        example: "slices=1..7",
        summary: "A system call for so many bytes, without a value for each byte; of a range, a length is drawn for each.",
        directions: Directions::Both,
        has_place: false,
        read: |value| Ok(Kind::Slices(value.map_or(Some(1..=1), lengths).ok_or(LENGTHS)?)),
        of: |kind| matches!(kind, Kind::Slices(_)),
    },
    Listed {
        name: "segments",
        syntax: "segments[=LENGTH]",
        example: "segments=1",
        summary: "A segment for so many bytes, without a value for each byte: they leave some time apart.",
        directions: Directions::Both,
        has_place: false,
        read: |value| Ok(Kind::Segments(value.map_or(Some(1), length).ok_or(LENGTH)?)),
        of: |kind| matches!(kind, Kind::Segments(_)),
    },
    Listed {
        name: "zero-window",
        syntax: "zero-window=TIME[@BYTE]",
        example: "zero-window=500ms",
        summary: "Behind so many bytes (1) nothing is read for so long, with a small window, so that the sender has to wait.",
        directions: Directions::Either(Direction::ToClient),
        has_place: true,
        read: |value| Ok(Kind::ZeroWindow(value.and_then(time).ok_or(WAIT)?)),
        of: |kind| matches!(kind, Kind::ZeroWindow(_)),
    },
    Listed {
        name: "half-close",
        syntax: "half-close[=MESSAGES][@BYTE]",
        example: "half-close=1",
        summary: "The direction ends in order (FIN) behind so many whole messages (1), or bytes; the other one goes on.",
        directions: Directions::Either(Direction::ToClient),
        has_place: true,
        read: |value| Ok(Kind::HalfClose(value.map_or(Some(1), number).filter(|count| *count > 0).ok_or(MESSAGES)?)),
        of: |kind| matches!(kind, Kind::HalfClose(_)),
    },
    Listed {
        name: "reset-after",
        syntax: "reset-after=BYTES",
        example: "reset-after=120",
        summary: "The connection is torn down (RST) on both sides behind so many bytes of the direction.",
        directions: Directions::Either(Direction::ToClient),
        has_place: false,
        read: |value| Ok(Kind::ResetAfter(value.and_then(number).ok_or(COUNT)?)),
        of: |kind| matches!(kind, Kind::ResetAfter(_)),
    },
    Listed {
        name: "stall",
        syntax: "stall=TIME[@BYTE]",
        example: "stall=2s@300",
        summary: "Behind so many bytes (1), nothing goes on for so long.",
        directions: Directions::Either(Direction::ToClient),
        has_place: true,
        read: |value| Ok(Kind::Stall(value.and_then(time).ok_or(WAIT)?)),
        of: |kind| matches!(kind, Kind::Stall(_)),
    },
    Listed {
        name: "reorder",
        syntax: "reorder[=TIME]",
        example: "reorder=200ms",
        summary: "Every second connection, by chance, waits until a later one has had its turn, or for so long (200ms).",
        directions: Directions::None,
        has_place: false,
        read: |value| {
            Ok(Kind::Reorder(match value {
                None => Duration::from_millis(200),
                Some(value) => time(value).ok_or(WAIT)?,
            }))
        },
        of: |kind| matches!(kind, Kind::Reorder(_)),
    },
    Listed {
        name: "duplicate",
        syntax: "duplicate",
        example: "duplicate",
        summary: "Each whole request is delivered once more, on a connection of its own, and its answer thrown away.",
        directions: Directions::Only(Direction::ToServer),
        has_place: false,
        read: |value| if value.is_none() { Ok(Kind::Duplicate) } else { Err(NOTHING) },
        of: |kind| matches!(kind, Kind::Duplicate),
    },
    Listed {
        name: "late-terminator",
        syntax: "late-terminator=TIME",
        example: "late-terminator=1s",
        summary: "The end of a chunked answer (its last chunk) comes so much later.",
        directions: Directions::Only(Direction::ToClient),
        has_place: false,
        read: |value| Ok(Kind::LateTerminator(value.and_then(time).ok_or(WAIT)?)),
        of: |kind| matches!(kind, Kind::LateTerminator(_)),
    },
    Listed {
        name: "no-terminator",
        syntax: "no-terminator",
        example: "no-terminator",
        summary: "The end of a chunked answer never comes, and nothing behind it; the connection stays open.",
        directions: Directions::Only(Direction::ToClient),
        has_place: false,
        read: |value| if value.is_none() { Ok(Kind::NoTerminator) } else { Err(NOTHING) },
        of: |kind| matches!(kind, Kind::NoTerminator),
    },
];

/// Why a text is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// The name.
    #[error("unknown fault `{0}` (known: {known})", known = known())]
    Name(String),
    /// The value.
    #[error("`{text}`: {name} takes {takes}")]
    Value {
        /// What was written.
        text: String,
        /// The fault.
        name: &'static str,
        /// What it takes.
        takes: &'static str,
    },
    /// The place.
    #[error("`{text}`: {name} takes {takes}", takes = place(*.has_place))]
    Place {
        /// What was written.
        text: String,
        /// The fault.
        name: &'static str,
        /// Whether it takes any.
        has_place: bool,
    },
    /// What stands behind a comma.
    #[error("`{text}`: {name} takes {takes} behind a comma")]
    Selection {
        /// What was written.
        text: String,
        /// The fault.
        name: &'static str,
        /// What it takes.
        takes: &'static str,
    },
}

fn known() -> String {
    LISTED.iter().map(|listed| listed.name).collect::<Vec<_>>().join(", ")
}

fn place(has_place: bool) -> &'static str {
    match has_place {
        true => "a count of bytes behind `@`, such as @300",
        false => "no place behind `@` (stall, zero-window and half-close do)",
    }
}

/// The entry of a kind.
pub(super) fn listed(kind: &Kind) -> &'static Listed {
    LISTED.iter().find(|listed| (listed.of)(kind)).expect("a test sees to it that every kind is listed")
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let mut parts = text.split(',');
        let what = parts.next().unwrap_or_default();
        let (what, at) = match what.split_once('@') {
            Some((what, at)) => (what, Some(at)),
            None => (what, None),
        };
        let (name, value) = match what.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (what, None),
        };
        let Some(listed) = LISTED.iter().find(|listed| listed.name == name) else {
            return Err(FaultError::Name(name.to_owned()));
        };
        let misread = |takes| FaultError::Value { text: text.to_owned(), name: listed.name, takes };
        let kind = (listed.read)(value).map_err(misread)?;
        let misplaced = || FaultError::Place { text: text.to_owned(), name: listed.name, has_place: listed.has_place };
        let at = match at {
            Some(at) if listed.has_place => Some(number(at).ok_or_else(misplaced)?),
            Some(_) => return Err(misplaced()),
            None => None,
        };
        let mut fault = Self { kind, direction: listed.directions.default(), at, connection: None };
        for part in parts {
            let takes = listed.directions.takes();
            let wrong = || FaultError::Selection { text: text.to_owned(), name: listed.name, takes };
            if let Some(only) = part.strip_prefix("connection=") {
                fault.connection = Some(only.parse().map_err(|_| wrong())?);
            } else {
                let direction = Direction::ALL.into_iter().find(|direction| direction.name() == part);
                let allowed = direction.filter(|direction| listed.directions.allow(*direction));
                fault.direction = Some(allowed.ok_or_else(wrong)?);
            }
        }
        Ok(fault)
    }
}

impl Directions {
    fn default(&self) -> Option<Direction> {
        match self {
            Self::Both | Self::None => None,
            Self::Either(direction) | Self::Only(direction) => Some(*direction),
        }
    }

    fn allow(&self, direction: Direction) -> bool {
        match self {
            Self::Both | Self::Either(_) => true,
            Self::Only(only) => *only == direction,
            Self::None => false,
        }
    }

    fn takes(&self) -> &'static str {
        match self {
            Self::Both | Self::Either(_) => "to-client, to-server or connection=N",
            Self::Only(Direction::ToClient) => "to-client or connection=N",
            Self::Only(Direction::ToServer) => "to-server or connection=N",
            Self::None => "connection=N",
        }
    }
}

/// As the command line takes it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = self.listed();
        f.write_str(listed.name)?;
        match &self.kind {
            Kind::Latency(range) => write!(f, "={}", shown(range.start(), range.end(), |time| shown_time(*time)))?,
            Kind::Bandwidth(rate) => write!(f, "={rate}B/s")?,
            Kind::Slices(range) => write!(f, "={}", shown(range.start(), range.end(), u64::to_string))?,
            Kind::Segments(length) => write!(f, "={length}")?,
            Kind::HalfClose(_) if self.at.is_some() => {}
            Kind::HalfClose(count) | Kind::ResetAfter(count) => write!(f, "={count}")?,
            Kind::ZeroWindow(time) | Kind::Stall(time) | Kind::Reorder(time) | Kind::LateTerminator(time) => {
                write!(f, "={}", shown_time(*time))?;
            }
            Kind::Duplicate | Kind::NoTerminator => {}
        }
        if let Some(at) = self.at {
            write!(f, "@{at}")?;
        }
        if let Some(direction) = self.direction.filter(|direction| listed.directions != Directions::Only(*direction)) {
            write!(f, ",{direction}")?;
        }
        match self.connection {
            Some(connection) => write!(f, ",connection={connection}"),
            None => Ok(()),
        }
    }
}

fn shown<T: PartialEq>(start: &T, end: &T, one: impl Fn(&T) -> String) -> String {
    match start == end {
        true => one(start),
        false => format!("{}..{}", one(start), one(end)),
    }
}

fn shown_time(time: Duration) -> String {
    let micros = time.as_micros();
    match micros {
        _ if micros.is_multiple_of(1_000_000) => format!("{}s", micros / 1_000_000),
        _ if micros.is_multiple_of(1_000) => format!("{}ms", micros / 1_000),
        _ => format!("{micros}us"),
    }
}

/// A time above zero, whole microseconds, up to the longest wait.
fn time(text: &str) -> Option<Duration> {
    let time: Duration = text.parse::<jiff::SignedDuration>().ok()?.try_into().ok()?;
    let whole = Duration::from_micros(u64::try_from(time.as_micros()).ok()?);
    (!whole.is_zero() && whole <= LONGEST_WAIT).then_some(whole)
}

fn times(text: Option<&str>) -> Option<RangeInclusive<Duration>> {
    range(text?, time)
}

fn lengths(text: &str) -> Option<RangeInclusive<u64>> {
    range(text, length)
}

fn range<T: PartialOrd + Copy>(text: &str, one: impl Fn(&str) -> Option<T>) -> Option<RangeInclusive<T>> {
    let (start, end) = text.split_once("..").unwrap_or((text, text));
    let (start, end) = (one(start)?, one(end)?);
    (start <= end).then_some(start..=end)
}

fn length(text: &str) -> Option<u64> {
    number(text).filter(|length| (1..=LONGEST_PIECE).contains(length))
}

/// Digits only: `+1` is no count.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Decimal prefixes, as rates have them.
fn rate(text: &str) -> Option<u64> {
    let text = text.strip_suffix("B/s")?;
    let (text, factor) = match text.as_bytes().last()? {
        b'k' => (&text[..text.len() - 1], 1_000),
        b'M' => (&text[..text.len() - 1], 1_000_000),
        b'G' => (&text[..text.len() - 1], 1_000_000_000),
        _ => (text, 1),
    };
    number(text)?.checked_mul(factor).filter(|rate| (SLOWEST..=FASTEST).contains(rate))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("latency=20ms", "latency=20ms")]
    #[case("latency=20ms..80ms", "latency=20ms..80ms")]
    #[case("latency=20ms..20ms,to-server", "latency=20ms,to-server")]
    #[case("bandwidth=64kB/s", "bandwidth=64000B/s")]
    #[case("slices", "slices=1")]
    #[case("slices=1..7", "slices=1..7")]
    #[case("segments", "segments=1")]
    #[case("zero-window=500ms", "zero-window=500ms,to-client")]
    #[case("zero-window=1s@70,to-server", "zero-window=1s@70,to-server")]
    #[case("half-close", "half-close=1,to-client")]
    #[case("half-close=2,to-server", "half-close=2,to-server")]
    #[case("half-close@120", "half-close@120,to-client")]
    #[case("reset-after=120", "reset-after=120,to-client")]
    #[case("stall=2s@300", "stall=2s@300,to-client")]
    #[case("stall=1500us", "stall=1500us,to-client")]
    #[case("reorder", "reorder=200ms")]
    #[case("reorder=1s,connection=3", "reorder=1s,connection=3")]
    #[case("duplicate", "duplicate")]
    #[case("duplicate,to-server,connection=2", "duplicate,connection=2")]
    #[case("late-terminator=1s", "late-terminator=1s")]
    #[case("no-terminator,connection=0", "no-terminator,connection=0")]
    fn what_is_written_is_read_and_shown_in_full(#[case] text: &str, #[case] shown: &str) {
        let fault: Fault = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(fault.to_string(), shown);
        assert_eq!(shown.parse::<Fault>().as_ref(), Ok(&fault), "{shown}");
    }

    #[rstest]
    #[case("", "unknown fault `` (known: latency, bandwidth, slices, ")]
    #[case("nagle", "late-terminator, no-terminator)")]
    #[case("latency", "latency takes a time up to 10s or a range of times, such as 20ms or 20ms..80ms")]
    #[case("latency=11s", "latency takes a time up to 10s")]
    #[case("latency=80ms..20ms", "latency takes")]
    #[case("latency=-1s", "latency takes")]
    #[case("latency=5ms@3", "latency takes no place behind `@` (stall, zero-window and half-close do)")]
    #[case("bandwidth=64", "such as 64kB/s")]
    #[case("bandwidth=0B/s", "from 100B/s")]
    #[case("bandwidth=99999999999999999999kB/s", "from 100B/s")]
    #[case("slices=0", "from 1 to 1048576")]
    #[case("slices=7..1", "from 1 to 1048576")]
    #[case("segments=1..7", "segments takes a length in bytes")]
    #[case("stall=61s", "stall takes a time from 1us to 60s")]
    #[case("stall=1s@", "such as @300")]
    #[case("stall=1s@-4", "such as @300")]
    #[case("reset-after", "a count of bytes, such as 120")]
    #[case("reset-after=+1", "a count of bytes, such as 120")]
    #[case("half-close=0", "a count of messages from 1 on")]
    #[case("duplicate=2", "duplicate takes no value")]
    #[case("duplicate,to-client", "duplicate takes to-server or connection=N behind a comma")]
    #[case("reorder,to-client", "reorder takes connection=N behind a comma")]
    #[case("slices,sideways", "slices takes to-client, to-server or connection=N behind a comma")]
    #[case("slices,connection=x", "slices takes to-client, to-server or connection=N behind a comma")]
    fn what_cannot_be_read_is_told_with_what_could(#[case] text: &str, #[case] words: &str) {
        let error = text.parse::<Fault>().expect_err("no fault").to_string();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn every_kind_is_listed_once_with_an_example_and_a_sentence() {
        for listed in LISTED {
            let fault: Fault = listed.example.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(LISTED.iter().filter(|other| (other.of)(&fault.kind)).count(), 1, "{}", listed.name);
            assert_eq!(fault.summary(), listed.summary);
            assert!(listed.syntax.starts_with(listed.name) && listed.summary.ends_with('.'), "{}", listed.name);
        }
    }
}
