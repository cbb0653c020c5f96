//! The stream that a GET opens, in a fresh session.

use std::time::{Duration, Instant};

use crate::drive::ask::Ask;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop, Until};
use crate::trace::{Ending, Exchange};

/// How long the stream is read once its head is there.
const A_LOOK: Duration = Duration::from_millis(50);

/// A head that waits for the first event is only seen where it is waited for, however short the time-out is.
const AT_LEAST: Duration = Duration::from_millis(1_500);

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let session = Session::open(stage)?;
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, &session.with_session(Ask::get("get")));
    let asked = Instant::now();
    stage.settle(&mut connection, Until::Head)?;
    while matches!(connection.exchanges(), [Exchange { answer: None, ending: Ending::Open { .. }, .. }])
        && asked.elapsed() < AT_LEAST
    {
        stage.settle(&mut connection, Until::Head)?;
    }
    stage.settle(&mut connection, Until::For(A_LOOK))?;
    connection.close();
    session.close();
    Ok(())
}
