//! What runs for a revision, and why the rest does not. Pure.

use crate::catalogue::Listed;
use crate::manifest::Load;
use crate::scenario::Scenario;
use crate::spec::Revision;

impl Scenario {
    /// The revisions in which it can be played.
    pub fn revisions(self) -> &'static [Revision] {
        match self {
            Self::SessionLifecycle
            | Self::FailedInitialize
            | Self::GetStream
            | Self::Resumption
            | Self::ClientRedirect
            | Self::ClientSessionExpiry => Revision::LEGACY,
            Self::ReusedIds | Self::LastEventId | Self::ClientHeaders => &[Revision::R20260728],
            _ => &Revision::ALL,
        }
    }

    /// The option that asks for it, where it is not part of an ordinary run and these do not ask for it.
    pub fn lacks(self, load: &Load) -> Option<&'static str> {
        match self {
            Self::Soak if load.soak.is_none() => Some("--soak"),
            Self::Crowd if load.crowd.is_none() => Some("--crowd"),
            _ => None,
        }
    }
}

/// The scenarios that the checks need in a revision, in the order of playing. Those that find out which revisions are
/// spoken are not among them: they are played before anything is planned.
pub fn scenarios(checks: &[&Listed], revision: Revision) -> Vec<Scenario> {
    let wanted = |scenario: Scenario| {
        checks
            .iter()
            .any(|listed| listed.level(revision).is_some() && listed.check.kind.scenarios().contains(&scenario))
    };
    Scenario::ALL
        .iter()
        .copied()
        .filter(|scenario| !matches!(scenario, Scenario::Survey | Scenario::ClientCalls))
        .filter(|scenario| scenario.revisions().contains(&revision))
        .filter(|scenario| wanted(*scenario))
        .collect()
}
