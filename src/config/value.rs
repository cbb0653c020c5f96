//! What a setting can be, and how it is read from texts, wherever they come from.

use std::path::Path;
use std::time::Duration;

use crate::catalogue;
use crate::report::output::Output;
use crate::sets::FrozenSet;
use crate::spec::Revision;
use crate::target::ToolRoles;
use crate::verdict::Level;

/// What a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// The words of a command.
    Words,
    /// Header fields: secrets.
    Fields,
    /// Names of targets.
    Names,
    /// Names of environment variables.
    Variables,
    /// A file.
    Path,
    /// Files.
    Paths,
    /// A duration.
    Duration,
    /// Revisions, or `auto`.
    Revisions,
    /// Ids of checks, or patterns.
    Patterns,
    /// A level.
    Level,
    /// The date of a frozen set.
    Set,
    /// Reports.
    Reports,
    /// Tools by role.
    Tools,
}

/// What a setting is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
    /// A duration.
    Duration(Duration),
    /// Revisions.
    Revisions(Vec<Revision>),
    /// A level.
    Level(Level),
    /// Tools by role.
    Tools(ToolRoles),
}

impl Kind {
    /// Whether it takes several texts.
    pub fn is_list(self) -> bool {
        !matches!(self, Self::Text | Self::Path | Self::Duration | Self::Level | Self::Set)
    }

    /// The texts in a variable: of several, one stands on a line, or, where none can have a comma in it, between commas.
    pub fn split(self, text: &str) -> Vec<&str> {
        let between: &[char] = match self {
            _ if !self.is_list() => return vec![text],
            Self::Names | Self::Variables | Self::Revisions | Self::Patterns => &['\n', ','],
            _ => &['\n'],
        };
        text.split(between).map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    /// Reads one text of it.
    ///
    /// # Errors
    ///
    /// A sentence that says what would be right.
    pub fn check(self, text: &str) -> Result<(), String> {
        match self {
            // A secret, which no sentence may repeat.
            Self::Fields => return Ok(()),
            Self::Words => return Ok(()),
            _ if text.trim().is_empty() => return Err("an empty text says nothing".to_owned()),
            Self::Text | Self::Path | Self::Paths | Self::Names => {}
            Self::Variables if text.contains(['=', ':', ' ']) => {
                // It may be the field itself, that is, a secret.
                return Err("this is the name of a variable, which holds `Name: value`".to_owned());
            }
            Self::Variables => {}
            Self::Duration => drop(duration(text)?),
            Self::Revisions => drop(revisions(text)?),
            Self::Level => drop(text.parse::<Level>().map_err(|error| error.to_string())?),
            Self::Set => drop(text.parse::<FrozenSet>().map_err(|error| error.to_string())?),
            Self::Reports => drop(text.parse::<Output>().map_err(|error| error.to_string())?),
            Self::Patterns => {
                drop(catalogue::select(None, &[text.to_owned()], &[]).map_err(|error| error.to_string())?);
            }
            Self::Tools => ToolRoles::default().map(text).map_err(|error| error.to_string())?,
        }
        Ok(())
    }

    /// The value of texts that were checked; those of a kind that is no list are one.
    ///
    /// # Errors
    ///
    /// As [`Kind::check`].
    pub fn value(self, texts: &[&str]) -> Result<Value, String> {
        for text in texts {
            self.check(text)?;
        }
        let first = || texts.first().copied().unwrap_or_default();
        Ok(match self {
            Self::Text | Self::Path | Self::Set => Value::Text(first().to_owned()),
            Self::Duration => Value::Duration(duration(first())?),
            Self::Level => Value::Level(first().parse::<Level>().map_err(|error| error.to_string())?),
            Self::Revisions => {
                let mut all = Vec::new();
                for text in texts {
                    all.extend(revisions(text)?);
                }
                all.sort_unstable();
                all.dedup();
                Value::Revisions(all)
            }
            Self::Tools => {
                let mut roles = ToolRoles::default();
                for text in texts {
                    roles.map(text).map_err(|error| error.to_string())?;
                }
                Value::Tools(roles)
            }
            _ => Value::Texts(texts.iter().map(|text| (*text).to_owned()).collect()),
        })
    }

    /// A text of a file in a folder, as seen from where mcpwire runs.
    pub fn below(self, folder: &Path, text: &str) -> String {
        let moved = |path: &str| folder.join(path).display().to_string();
        match self {
            _ if folder.as_os_str().is_empty() => text.to_owned(),
            Self::Path | Self::Paths => moved(text),
            Self::Reports => match text.split_once('=') {
                Some((format, path)) => format!("{format}={}", moved(path)),
                None => text.to_owned(),
            },
            _ => text.to_owned(),
        }
    }
}

/// Reads `auto`, or revisions between commas.
///
/// # Errors
///
/// Where one is not known.
pub fn revisions(text: &str) -> Result<Vec<Revision>, String> {
    if text == "auto" {
        return Ok(Revision::ALL.to_vec());
    }
    let read = |date: &str| date.trim().parse::<Revision>().map_err(|error| format!("{error}, or auto"));
    let mut all = text.split(',').map(read).collect::<Result<Vec<_>, _>>()?;
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// Reads a duration such as `10ms` or `2s`.
///
/// # Errors
///
/// Where it is none above zero and up to a day.
pub fn duration(text: &str) -> Result<Duration, String> {
    // Longer than anybody waits, and far from where adding it to a time overflows.
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    let read: Option<Duration> = text.parse::<jiff::SignedDuration>().ok().and_then(|signed| signed.try_into().ok());
    read.filter(|duration| !duration.is_zero() && *duration <= LONGEST)
        .ok_or_else(|| format!("`{text}` is not a duration above zero and up to a day, such as 500us, 10ms or 2s"))
}
