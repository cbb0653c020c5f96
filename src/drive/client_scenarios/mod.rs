//! The scenarios against a client, a file each: what the client is asked to do, and how the peer answers.

mod calls;
mod cancel;
mod concurrent;
mod era;
mod errors;
mod headers;
mod held_back;
mod http;
mod late_end;
mod redirect;
mod repeated_calls;
mod resumption;
mod server_requests;
mod session_expiry;
mod sse_grammar;
mod truncated;
mod unwanted;

use super::peer::Scene;
use crate::scenario::Scenario;
use crate::spec::Revision;

/// The scene of a scenario against a client; `None` where it is one against a server.
pub fn scene(scenario: Scenario, revision: Revision) -> Option<Scene> {
    Some(match scenario {
        Scenario::ClientCalls => calls::scene(revision),
        Scenario::ClientRepeatedCalls => repeated_calls::scene(revision),
        Scenario::ClientHeldBack => held_back::scene(revision),
        Scenario::ClientLateEnd => late_end::scene(revision),
        Scenario::ClientErrors => errors::scene(revision),
        Scenario::ClientSseGrammar => sse_grammar::scene(revision),
        Scenario::ClientHttp => http::scene(revision),
        Scenario::ClientUnwanted => unwanted::scene(revision),
        Scenario::ClientHeaders => headers::scene(revision),
        Scenario::ClientConcurrent => concurrent::scene(revision),
        Scenario::ClientServerRequests => server_requests::scene(revision),
        Scenario::ClientCancel => cancel::scene(revision),
        Scenario::ClientResumption => resumption::scene(revision),
        Scenario::ClientTruncated => truncated::scene(revision),
        Scenario::ClientRedirect => redirect::scene(revision),
        Scenario::ClientSessionExpiry => session_expiry::scene(revision),
        Scenario::ClientEra => era::scene(revision),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::scene;
    use crate::conversation::TOGETHER;
    use crate::drive::peer::Step;
    use crate::scenario::Scenario;
    use crate::spec::Revision;

    /// Conversations put them in the order of the script.
    #[test]
    fn the_calls_that_are_begun_together_are_known() {
        let scenes = Revision::ALL.into_iter().flat_map(|revision| {
            let is_shown = |scenario: &&Scenario| scenario.varies().is_none();
            Scenario::ALL.iter().filter(is_shown).filter_map(move |scenario| scene(*scenario, revision))
        });
        let together = |step: Step| if let Step::Together(labels) = step { Some(labels) } else { None };
        let begun: BTreeSet<&[&str]> = scenes.flat_map(|scene| scene.steps).filter_map(together).collect();
        assert_eq!(begun, BTreeSet::from(TOGETHER));
    }
}
