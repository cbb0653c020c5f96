//! Request ids that are used again after their request has ended: on the same connection, and on another one. Only
//! 2026-07-28 allows that.

use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::trace::Part;

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let calls = [("cheapest", &stage.facts.cheapest), ("tool", &stage.facts.harmless_tool)];
    if calls.iter().all(|(_, call)| call.is_none()) {
        return Err(Stop::Lacks("the target offers no call that could be repeated".to_owned()));
    }
    let mut session = Session::open(stage)?;
    for (label, call) in calls {
        let Some(call) = call else { continue };
        let id = format!(r#""mcpwire-{label}""#);
        session.probe(Part::Control, |session| session.request(label, call, &id))?;
        session.probe(Part::Probe, |session| session.request(&format!("{label}-again"), call, &id))?;
        // What may have changed meanwhile is not the id.
        session.probe(Part::Control, |session| {
            session.request(&format!("{label}-with-another-id"), call, &session.next_id())
        })?;
        session.use_a_fresh_connection();
        session.probe(Part::Probe, |session| session.request(&format!("{label}-again-elsewhere"), call, &id))?;
    }
    session.close();
    Ok(())
}
