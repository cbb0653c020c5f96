//! The cheapest call, many times on one connection.

use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};

/// The first call is apart: it may warm things up.
const CALLS: u32 = 26;

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(call) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    for nth in 0..CALLS {
        stage.note_peer_waited();
        session.call(if nth == 0 { "first-call" } else { "repeated-call" }, call)?;
    }
    stage.note_peer_waited();
    session.close();
    Ok(())
}
