//! Requests with and without the session's id, before and after its end.

use std::time::Duration;

use crate::drive::ask::Ask;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop, Until};
use crate::trace::Part;

/// How long a session may take to end, and how often we look where 202 said that the end is still to come.
const A_MOMENT: Duration = Duration::from_millis(50);
const LOOKS: u32 = 40;

/// How long a stream is read once its head is there: its first event tells what it is.
const A_LOOK: Duration = Duration::from_millis(20);

/// The field that the pairs differ in.
const SESSION_ID: &str = "Mcp-Session-Id";

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(call) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    if session.id().is_none() {
        stage.learned("session", "none granted");
        return Ok(());
    }
    let post = |session: &Session<'_>, label: &str| session.request(label, call, &session.next_id());

    let control = post(&session, "post-without-session");
    session.probe(control, Part::Control)?;
    let probe = post(&session, "post-without-session").without_field(SESSION_ID).damaged();
    session.probe(probe, Part::Probe)?;

    // One GET per session: several servers refuse a second one.
    let get = |session: &Session<'_>, label: &str| session.with_session(Ask::get(label));
    let probe = get(&session, "get-without-session").without_field(SESSION_ID).damaged().part(Part::Probe);
    only_the_head(stage, &probe)?;
    let control = get(&session, "get-without-session").part(Part::Control);
    only_the_head(stage, &control)?;

    let delete = |session: &Session<'_>, label: &str| session.with_session(Ask::bare("DELETE", label));
    let probe = delete(&session, "delete-without-session").without_field(SESSION_ID).damaged();
    session.probe(probe, Part::Probe)?;
    let control = post(&session, "post-after-delete");
    session.probe(control, Part::Control)?;
    let control = delete(&session, "delete");
    let deleted = session.probe(control, Part::Control)?;

    for _ in 0..LOOKS {
        stage.pause(A_MOMENT)?;
        let probe = post(&session, "post-after-delete").damaged();
        let reply = session.probe(probe, Part::Probe)?;
        if deleted.status != Some(202) || reply.result().is_none() {
            break;
        }
    }
    let probe = get(&session, "get-after-delete").damaged().part(Part::Probe);
    only_the_head(stage, &probe)?;
    let probe = delete(&session, "delete").damaged();
    session.probe(probe, Part::Probe)?;
    Ok(())
}

/// A GET may open a stream that stays: its head is the answer that counts.
fn only_the_head(stage: &Stage, ask: &Ask) -> Result<(), Stop> {
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, ask);
    stage.settle(&mut connection, Until::Head)?;
    stage.settle(&mut connection, Until::For(A_LOOK))?;
    connection.close();
    Ok(())
}
