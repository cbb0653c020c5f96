//! Calls whose connection is dropped before their answer: is their work done to its end? A tool with a side effect and
//! another one that tells of it show that, and where a stream can be resumed, so does the answer that is fetched there.

use std::time::{Duration, Instant};

use crate::drive::ask::{Ask, Call};
use crate::drive::session::{Reply, Session};
use crate::drive::stage::{Stage, Stop, Until};
use crate::target::ToolRole;
use crate::trace::{Exchange, Part};
use crate::wire::connection::Connection;

/// The text that the calls carry.
const MARK: &str = "mcpwire-side-effect";

/// How often a connection is dropped in each way where what comes of it seems wrong.
const TRIES: u32 = 2;

/// How far apart the looks at the effect are.
const GLANCE: Duration = Duration::from_millis(15);

/// What a tool may take: it is called several times, and waited for longer than it takes.
const LONGEST: Duration = Duration::from_secs(2);

/// How much later than it should the work may come to its end where the machine is busy, before it counts as given up.
const LATE: Duration = Duration::from_millis(1_500);

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let tools = (stage.tool(ToolRole::SideEffect), stage.tool(ToolRole::Effect));
    let slow = stage.tool(ToolRole::Slow).filter(|_| stage.revision.is_legacy());
    if slow.is_none() && (tools.0.is_none() || tools.1.is_none()) {
        return Err(Stop::Lacks("no tools are known for it".to_owned()));
    }
    let mut session = Session::open(stage)?;
    if let (Some(work), Some(effect)) = tools {
        watch_effect(stage, &mut session, &work.marked(MARK).with_progress(MARK), &effect.marked(MARK))?;
    }
    if let Some(slow) = slow {
        come_back(stage, &mut session, &slow.with_progress("mcpwire-come-back"))?;
    }
    session.close();
    Ok(())
}

fn watch_effect(stage: &Stage, session: &mut Session<'_>, work: &Call, effect: &Call) -> Result<(), Stop> {
    // Without work in between, the effect must stay as it is.
    session.call("effect-at-first", effect)?;
    let before = session.call("effect-unchanged", effect)?;
    let began = Instant::now();
    session.use_a_fresh_connection();
    let undisturbed = session.probe(Part::Control, |session| session.request("work", work, &session.next_id()))?;
    let takes = began.elapsed();
    session.use_a_fresh_connection();
    let after = session.call("effect-of-work", effect)?;
    if undisturbed.result().is_none() || told(&before).is_none() || told(&before) == told(&after) || takes > LONGEST {
        return Ok(());
    }
    // In a legacy revision the work should be done, in 2026-07-28 it should not.
    let wanted = stage.revision.is_legacy();
    for how in ["in-order", "by-reset"] {
        for _ in 0..TRIES {
            let before = told(&session.call(&format!("effect-before-{how}"), effect)?);
            let mut connection = stage.connect()?;
            let ask = session.request(&format!("dropped-{how}"), work, &session.next_id());
            let asked = Instant::now();
            stage.ask(&mut connection, &ask.part(Part::Probe).damaged());
            has_begun(stage, &mut connection, takes / 2, |_| true)?;
            drop_it(connection, how);
            let dropped = session.call(&format!("effect-at-drop-{how}"), effect)?;
            let patience = if wanted { takes * 2 + LATE } else { takes + takes.min(Duration::from_millis(100)) };
            let until = asked + patience.min(stage.options.timeout);
            let mut is_done = false;
            while told(&dropped) == before && !is_done && Instant::now() < until {
                stage.pause(GLANCE)?;
                let now = session.call(&format!("effect-after-{how}"), effect)?;
                if told(&now).is_none() {
                    break;
                }
                is_done = told(&now) != before;
            }
            if is_done == wanted {
                break;
            }
        }
    }
    Ok(())
}

/// Drops a call whose stream can be resumed, and fetches its answer there.
fn come_back(stage: &Stage, session: &mut Session<'_>, slow: &Call) -> Result<(), Stop> {
    let mut connection = stage.connect()?;
    let ask = session.request("dropped-and-resumed", slow, &session.next_id());
    stage.ask(&mut connection, &ask.part(Part::Probe).damaged());
    has_begun(stage, &mut connection, Duration::from_millis(100), |exchange| cursor(exchange).is_some())?;
    let exchange = connection.exchanges().last().filter(|exchange| exchange.response().is_none());
    let cursor = exchange.and_then(cursor).map(str::to_owned);
    connection.close();
    let Some(cursor) = cursor else { return Ok(()) };
    let ask = session.with_session(Ask::get("come-back")).field("Last-Event-ID", &cursor).damaged();
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, &ask);
    let has_response = |exchange: &Exchange| exchange.response().is_some();
    stage.settle_unless(&mut connection, Until::EndWithin(LONGEST), Instant::now(), has_response)?;
    connection.close();
    Ok(())
}

/// Waits until the stream of the answer has begun, so that it can be dropped, but no longer than that.
fn has_begun(
    stage: &Stage,
    connection: &mut Connection,
    patience: Duration,
    enough: impl Fn(&Exchange) -> bool,
) -> Result<(), Stop> {
    let is_begun = |exchange: &Exchange| exchange.answer.is_some() && enough(exchange);
    stage.settle_unless(connection, Until::EndWithin(patience), Instant::now(), is_begun)
}

fn drop_it(connection: Connection, how: &str) {
    match how {
        "in-order" => connection.close(),
        _ => connection.reset(),
    }
}

fn cursor(exchange: &Exchange) -> Option<&str> {
    exchange.answer.as_ref()?.stream.as_ref()?.last_event_id()
}

/// What a tool tells of the effect, without what may differ from answer to answer.
fn told(reply: &Reply) -> Option<serde_json::Value> {
    let mut result = reply.result()?.clone();
    result.as_object_mut()?.remove("_meta");
    Some(result)
}
