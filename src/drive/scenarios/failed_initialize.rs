//! A handshake that fails, and whether it grants a session.

use crate::drive::ask::Call;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::trace::Part;

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let mut session = Session::unopened(stage);
    // Without its parameters: no server can tell which revision is meant.
    let probe = session.request("failed-initialize", &Call::bare("initialize"), "1").damaged();
    session.probe(probe, Part::Probe)?;
    session.use_a_fresh_connection();
    Session::open(stage)?.close();
    Ok(())
}
