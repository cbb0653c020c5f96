//! Cheap calls while a slow one is at work, and while the body of another one comes slowly: does anybody wait who has
//! nothing to do with it?

use std::time::Duration;

use crate::drive::ask::Call;
use crate::drive::session::Session;
use crate::drive::stage::{Experiments, Patience, Stage, Stop, Until};
use crate::target::ToolRole;
use crate::trace::Part;
use crate::wire::connection::Connection;

/// How often a wait has to be seen before it counts. Where the first round shows none, it is the last.
const ROUNDS: u32 = 5;

/// How many cheap calls are made in a round.
const CALLS: u32 = 3;

/// How long a request is under way before the cheap calls come.
const HEAD_START: Duration = Duration::from_millis(20);

/// How long a body is held back while a cheap call waits for its answer. Where that did not come the first time, the
/// machine may have been busy: then, and from then on, longer.
const HELD: Duration = Duration::from_millis(80);
const HELD_LONGER: Duration = Duration::from_millis(250);

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(cheap) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    for _ in 0..ROUNDS {
        session.call("alone", cheap)?;
    }
    let closely = stage.experiments == Experiments::Always;
    if let Some(slow) = stage.tool(ToolRole::Slow) {
        for _ in 0..ROUNDS {
            if beside_slow_call(stage, &mut session, &slow, cheap)? && !closely {
                break;
            }
        }
    }
    for nth in 0..ROUNDS {
        let held = if nth == 0 || closely { HELD } else { HELD_LONGER };
        if beside_slow_body(stage, &mut session, cheap, held)? && !closely {
            break;
        }
    }
    session.close();
    Ok(())
}

/// Whether the cheap calls were answered before the slow one.
fn beside_slow_call(stage: &Stage, session: &mut Session<'_>, slow: &Call, cheap: &Call) -> Result<bool, Stop> {
    let mut busy = stage.connect()?;
    stage.ask(&mut busy, &session.request("slow-call", slow, &session.next_id()));
    stage.pause(HEAD_START)?;
    for _ in 0..CALLS {
        session.call("beside-slow-call", cheap)?;
    }
    busy.glance();
    let overtook = !has_response(&busy);
    session.settle(&mut busy, Patience::Brief)?;
    busy.close();
    Ok(overtook)
}

/// Whether the cheap call was answered while the other request was not whole yet.
fn beside_slow_body(stage: &Stage, session: &mut Session<'_>, cheap: &Call, held: Duration) -> Result<bool, Stop> {
    let mut halting = stage.connect()?;
    let ask = session.request("slow-body", cheap, &session.next_id());
    let bytes = ask.bytes(&stage.endpoint);
    let (most, rest) = bytes.split_at(bytes.len() - 2);
    halting.ask(&ask.label, Part::Plain, ask.ours, most);
    stage.pause(HEAD_START)?;

    let mut connection = session.take_connection()?;
    let beside = session.request("beside-slow-body", cheap, &session.next_id());
    stage.ask(&mut connection, &beside);
    stage.settle(&mut connection, Until::EndWithin(held))?;
    let overtook = has_response(&connection);
    halting.write(rest);
    session.settle(&mut connection, Patience::Brief)?;
    session.keep(connection, &beside)?;
    session.settle(&mut halting, Patience::Brief)?;
    halting.close();
    Ok(overtook)
}

fn has_response(connection: &Connection) -> bool {
    connection.exchanges().last().is_some_and(|exchange| exchange.response().is_some())
}
