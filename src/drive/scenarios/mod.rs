//! The scenarios against a server, a file each: small blocking functions that label what they do.

mod beside_trouble;
mod calls_beside;
mod churn;
mod crowd;
mod disconnect;
mod experiments;
mod failed_initialize;
mod get_stream;
mod ids;
mod ids_in_flight;
mod last_event_id;
mod listening;
mod malformed_input;
mod repeated_calls;
mod resumption;
mod reused_ids;
mod reused_tokens;
mod segmentation;
mod sequential_calls;
mod session_lifecycle;
mod soak;
pub mod survey;
mod unknown_method;
mod withheld_ack;

use super::stage::{Stage, Stop};
use crate::scenario::Scenario;

/// Plays a scenario. The survey is played by itself, since it brings facts.
pub fn play(scenario: Scenario, stage: &Stage) -> Result<(), Stop> {
    match scenario {
        Scenario::Survey => survey::play(stage).map(|_| ()),
        Scenario::SequentialCalls => sequential_calls::play(stage),
        Scenario::RepeatedCalls => repeated_calls::play(stage),
        Scenario::WithheldAck => withheld_ack::play(stage),
        Scenario::CallsBeside => calls_beside::play(stage),
        Scenario::Ids => ids::play(stage),
        Scenario::IdsInFlight => ids_in_flight::play(stage),
        Scenario::ReusedIds => reused_ids::play(stage),
        Scenario::ReusedTokens => reused_tokens::play(stage),
        Scenario::UnknownMethod => unknown_method::play(stage),
        Scenario::Segmentation => segmentation::play(stage),
        Scenario::MalformedInput => malformed_input::play(stage),
        Scenario::Resumption => resumption::play(stage),
        Scenario::LastEventId => last_event_id::play(stage),
        Scenario::SessionLifecycle => session_lifecycle::play(stage),
        Scenario::FailedInitialize => failed_initialize::play(stage),
        Scenario::GetStream => get_stream::play(stage),
        Scenario::Disconnect => disconnect::play(stage),
        Scenario::BesideTrouble => beside_trouble::play(stage),
        Scenario::Churn => churn::play(stage),
        Scenario::Crowd => crowd::play(stage),
        Scenario::Soak => soak::play(stage),
        other => Err(Stop::Lacks(format!("{other} is a scenario against clients"))),
    }
}
