//! What the environment makes of the selection of a run that a program asked for: less, and never more. Pure.
//!
//! The command that replays a finding is the test with its selection in the environment: `MCPWIRE_REVISION` and
//! `MCPWIRE_ONLY`. What the test itself selects stays the limit.

use std::path::PathBuf;

use crate::catalogue::{self, Listed, NoMatch};
use crate::manifest::{Options, Role};
use crate::pattern;
use crate::spec::Revision;

/// The variables.
pub const ONLY: &str = "MCPWIRE_ONLY";
/// The revisions to test.
pub const REVISION: &str = "MCPWIRE_REVISION";
/// The folder for recordings.
pub const RECORD: &str = "MCPWIRE_RECORD";

/// What the environment asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// Patterns of the checks to judge; all that are selected, where there are none.
    only: Vec<String>,
    /// The revisions to test; all that are selected, where there are none.
    revisions: Vec<Revision>,
    /// The folder below which recordings are kept.
    pub record: Option<PathBuf>,
}

/// What the environment asks for, and cannot have.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// No such check.
    #[error("MCPWIRE_ONLY: {0}")]
    Check(#[from] NoMatch),
    /// No such revision.
    #[error("MCPWIRE_REVISION: {0}")]
    Revision(String),
    /// None of the selection.
    #[error("MCPWIRE_ONLY={only} leaves none of the checks that are selected here ({selected})")]
    Checks {
        /// What was asked for.
        only: String,
        /// What is selected.
        selected: String,
    },
    /// None of the revisions.
    #[error("MCPWIRE_REVISION={wanted} is none of the revisions that are tested here ({tested})")]
    Revisions {
        /// What was asked for.
        wanted: String,
        /// What is tested.
        tested: String,
    },
}

impl Narrowing {
    /// What these variables ask for: patterns and revisions with commas between them.
    ///
    /// # Errors
    ///
    /// Where there is no such revision.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        let list = |name: &str| -> Vec<String> {
            let text = variable(name).unwrap_or_default();
            text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        };
        let revision = |text: &String| -> Result<Vec<Revision>, EnvironmentError> {
            match text.as_str() {
                "auto" => Ok(Revision::ALL.to_vec()),
                date => match date.parse() {
                    Ok(revision) => Ok(vec![revision]),
                    Err(error) => Err(EnvironmentError::Revision(format!("{error}, or auto"))),
                },
            }
        };
        let revisions = list(REVISION).iter().map(revision).collect::<Result<Vec<_>, _>>()?;
        let record = variable(RECORD).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        Ok(Self { only: list(ONLY), revisions: revisions.concat(), record })
    }

    /// Leaves of the revisions, and of the checks that are selected by these options, what is asked for as well.
    ///
    /// # Errors
    ///
    /// Where nothing is left, and where a pattern matches no check at all.
    pub fn narrow(
        &self,
        role: Role,
        selected: &[&Listed],
        options: &mut Options,
        revisions: &mut Vec<Revision>,
    ) -> Result<(), EnvironmentError> {
        if !self.revisions.is_empty() {
            let tested = dates(revisions);
            revisions.retain(|revision| self.revisions.contains(revision));
            if revisions.is_empty() {
                return Err(EnvironmentError::Revisions { wanted: dates(&self.revisions), tested });
            }
        }
        if self.only.is_empty() {
            return Ok(());
        }
        // A pattern that matches nothing is a typing error, whatever is selected here.
        catalogue::select(Some(role), &self.only, &[])?;
        let is_wanted = |id: &String| self.only.iter().any(|wanted| pattern::matches(wanted, id));
        let left: Vec<String> = selected.iter().map(|listed| listed.id()).filter(is_wanted).collect();
        if left.is_empty() {
            let selected = match options.only.is_empty() {
                true => format!("all but {}", options.skip.join(", ")),
                false => options.only.join(", "),
            };
            return Err(EnvironmentError::Checks { only: self.only.join(","), selected });
        }
        options.only = left;
        options.skip = Vec::new();
        Ok(())
    }
}

fn dates(revisions: &[Revision]) -> String {
    revisions.iter().map(|revision| revision.date()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(only: &str, revision: &str) -> Result<Narrowing, EnvironmentError> {
        Narrowing::of(|name| match name {
            ONLY => Some(only.to_owned()),
            REVISION => Some(revision.to_owned()),
            _ => None,
        })
    }

    /// What is left of this selection in all revisions.
    fn left(only: &str, revision: &str, selected: &[&str]) -> Result<(Vec<String>, Vec<Revision>), String> {
        let only_here = selected.iter().map(|pattern| (*pattern).to_owned()).collect();
        let mut options = Options { only: only_here, ..Options::default() };
        let mut revisions = Revision::ALL.to_vec();
        let narrowing = asked(only, revision).map_err(|error| error.to_string())?;
        let selected = catalogue::of_run(Role::Server, &options).expect("a selection");
        let narrowed = narrowing.narrow(Role::Server, &selected, &mut options, &mut revisions);
        narrowed.map_err(|error| error.to_string())?;
        Ok((options.only, revisions))
    }

    #[test]
    fn an_empty_environment_changes_nothing() {
        assert_eq!(left("", "", &["sse/*"]), Ok((vec!["sse/*".to_owned()], Revision::ALL.to_vec())));
    }

    #[test]
    fn what_is_selected_stays_the_limit() {
        let (checks, revisions) = left("**/well-formed", "2025-11-25", &["sse/*"]).expect("some");
        assert_eq!((checks, revisions), (vec!["sse/well-formed".to_owned()], vec![Revision::R20251125]));
        let refused = left("http/content-type", "", &["sse/*"]).expect_err("none of them");
        assert!(refused.contains("MCPWIRE_ONLY=http/content-type") && refused.contains("(sse/*)"), "{refused}");
    }

    #[test]
    fn a_revision_that_is_not_tested_here_is_an_error() {
        let mut revisions = vec![Revision::R20250326];
        let narrowing = asked("", "2025-11-25").expect("a revision");
        let refused = narrowing.narrow(Role::Server, &[], &mut Options::default(), &mut revisions);
        assert!(matches!(refused, Err(EnvironmentError::Revisions { .. })), "{refused:?}");
    }

    #[test]
    fn what_does_not_exist_is_told_with_what_does() {
        assert!(left("sse/well-fromed", "", &[]).expect_err("no check").contains("sse/well-formed"));
        assert!(left("", "2024-01-01", &[]).expect_err("no revision").contains("2025-11-25"));
    }
}
