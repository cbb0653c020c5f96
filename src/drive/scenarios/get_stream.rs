//! The stream that a GET opens, in a fresh session.

use std::time::{Duration, Instant};

use crate::drive::ask::Ask;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop, Until};
use crate::trace::{Ending, Exchange};

/// How long the stream is read once its head is there.
const A_LOOK: Duration = Duration::from_millis(50);

/// A head that waits for the first event, or for a keep-alive, is only seen where it is waited for, however short the
/// time-out is. Where there is nothing to say, it comes with the end of the stream, and that with the end of the
/// session: this is how long we wait until we end it. The claim holds from a second up.
const HELD_BACK: Duration = Duration::from_millis(1_500);

/// How long the end of a stream is waited for at least, once its session has ended.
const ENDS_WITHIN: Duration = Duration::from_millis(500);

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let mut session = Some(Session::open(stage)?);
    let Some(open) = &session else { return Ok(()) };
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, &open.with_session(Ask::get("get")));
    let asked = Instant::now();
    stage.settle(&mut connection, Until::HeadWithin(HELD_BACK))?;
    if matches!(connection.exchanges(), [Exchange { answer: None, ending: Ending::Open { .. }, .. }]) {
        if let Some(session) = session.take_if(|session| session.id().is_some()) {
            session.close();
        }
        let due = Until::HeadWithin(stage.options.timeout.max(HELD_BACK + ENDS_WITHIN));
        stage.settle_unless(&mut connection, due, asked, |_| false)?;
    }
    stage.settle(&mut connection, Until::For(A_LOOK))?;
    connection.close();
    if let Some(session) = session {
        session.close();
    }
    Ok(())
}
