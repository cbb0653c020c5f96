//! A handshake that fails, and whether it grants a session.

use crate::drive::ask::Call;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::trace::Part;

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let mut session = Session::unopened(stage);
    // Without its parameters: no server can tell which revision is meant.
    let initialize = Call::bare("initialize");
    session.probe(Part::Probe, |session| {
        session.request("failed-initialize", &initialize, &session.next_id()).damaged()
    })?;
    session.use_a_fresh_connection();
    Session::open(stage)?.close();
    Ok(())
}
