//! The revisions of the specification, and their two eras.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A released revision that defines Streamable HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Revision {
    /// The first with Streamable HTTP; batches.
    #[serde(rename = "2025-03-26")]
    R20250326,
    /// `MCP-Protocol-Version`; no batches.
    #[serde(rename = "2025-06-18")]
    R20250618,
    /// Priming events, polling, 403 for a foreign origin.
    #[serde(rename = "2025-11-25")]
    R20251125,
    /// Stateless.
    #[serde(rename = "2026-07-28")]
    R20260728,
}

/// The two shapes of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// `initialize`, sessions, GET streams, resumption.
    Legacy,
    /// Stateless: per-request `_meta` and mirrored headers.
    Modern,
}

impl Revision {
    /// All of them, oldest first.
    pub const ALL: [Self; 4] = [Self::R20250326, Self::R20250618, Self::R20251125, Self::R20260728];

    /// Those with the legacy shape.
    pub const LEGACY: &[Self] = &[Self::R20250326, Self::R20250618, Self::R20251125];

    /// Its date, as it stands on the wire.
    pub fn date(self) -> &'static str {
        match self {
            Self::R20250326 => "2025-03-26",
            Self::R20250618 => "2025-06-18",
            Self::R20251125 => "2025-11-25",
            Self::R20260728 => "2026-07-28",
        }
    }

    /// Its shape.
    pub fn era(self) -> Era {
        match self {
            Self::R20250326 | Self::R20250618 | Self::R20251125 => Era::Legacy,
            Self::R20260728 => Era::Modern,
        }
    }

    /// Whether it has the legacy shape.
    pub fn is_legacy(self) -> bool {
        self.era() == Era::Legacy
    }

    /// The page that defines the transport.
    pub fn transport_page(self) -> &'static str {
        match self {
            Self::R20250326 => "https://modelcontextprotocol.io/specification/2025-03-26/basic/transports",
            Self::R20250618 => "https://modelcontextprotocol.io/specification/2025-06-18/basic/transports",
            Self::R20251125 => "https://modelcontextprotocol.io/specification/2025-11-25/basic/transports",
            Self::R20260728 => {
                "https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http"
            }
        }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.date())
    }
}

/// A revision that does not exist, or that has no Streamable HTTP.
#[derive(Debug, thiserror::Error)]
#[error("revision `{0}` is not known (known revisions: 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28)")]
pub struct UnknownRevision(String);

impl FromStr for Revision {
    type Err = UnknownRevision;

    fn from_str(text: &str) -> Result<Self, UnknownRevision> {
        Self::ALL.into_iter().find(|revision| revision.date() == text).ok_or_else(|| UnknownRevision(text.to_owned()))
    }
}
