//! The scenarios against a client, a file each: what the client is asked to do, and how the peer answers.

mod calls;

use super::peer::Scene;
use crate::scenario::Scenario;
use crate::spec::Revision;

/// The scene of a scenario.
pub fn scene(scenario: Scenario, revision: Revision) -> Scene {
    let _ = revision;
    match scenario {
        _ => calls::scene(),
    }
}
