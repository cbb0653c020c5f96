//! What runs for a revision, and why the rest does not. Pure.

use crate::catalogue::Listed;
use crate::scenario::Scenario;
use crate::spec::Revision;

impl Scenario {
    /// The revisions in which it can be played.
    pub fn revisions(self) -> &'static [Revision] {
        match self {
            Self::SessionLifecycle | Self::FailedInitialize | Self::GetStream => Revision::LEGACY,
            _ => &Revision::ALL,
        }
    }
}

/// The scenarios that the checks need in a revision, in the order of playing. The survey is not among them: it
/// is played before anything is planned.
pub fn scenarios(checks: &[&Listed], revision: Revision) -> Vec<Scenario> {
    let wanted = |scenario: Scenario| {
        checks
            .iter()
            .any(|listed| listed.level(revision).is_some() && listed.check.kind.scenarios().contains(&scenario))
    };
    Scenario::ALL
        .into_iter()
        .filter(|scenario| *scenario != Scenario::Survey && scenario.revisions().contains(&revision))
        .filter(|scenario| wanted(*scenario))
        .collect()
}
