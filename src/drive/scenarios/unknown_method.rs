//! A method that does not exist, and a request behind it.

use crate::drive::ask::Call;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::trace::Part;

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(call) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    session.probe(Part::Control, |session| session.request("unknown-method", call, &session.next_id()))?;
    let unknown = Call::bare("mcpwire/no-such-method");
    session.probe(Part::Probe, |session| session.request("unknown-method", &unknown, &session.next_id()))?;
    session.call("after-unknown-method", call)?;
    session.close();
    Ok(())
}
