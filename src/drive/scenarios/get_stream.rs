//! The stream that a GET opens, in a fresh session.

use std::time::Duration;

use crate::drive::ask::Ask;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop, Until};

/// How long the stream is read once its head is there.
const A_LOOK: Duration = Duration::from_millis(50);

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let session = Session::open(stage)?;
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, &session.with_session(Ask::get("get")));
    stage.settle(&mut connection, Until::Head)?;
    stage.settle(&mut connection, Until::For(A_LOOK))?;
    connection.close();
    session.close();
    Ok(())
}
