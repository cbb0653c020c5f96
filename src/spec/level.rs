//! How binding a rule is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How binding a finding is, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Worth knowing; no clause stands behind it.
    Advice,
    /// A limit that the user sets.
    Budget,
    /// SHOULD or SHOULD NOT.
    Should,
    /// MUST or MUST NOT.
    Must,
}

impl Level {
    /// All of them, most binding first.
    pub const ALL: [Self; 4] = [Self::Must, Self::Should, Self::Budget, Self::Advice];
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Advice => "advice",
            Self::Budget => "budget",
            Self::Should => "should",
            Self::Must => "must",
        })
    }
}

/// A level that does not exist.
#[derive(Debug, thiserror::Error)]
#[error("level `{0}` is not known (known levels: must, should, budget, advice)")]
pub struct UnknownLevel(String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.to_string() == text).ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}
