//! Work of every kind, over and over: calls, errors, refused requests, connections dropped with something under way,
//! streams that nobody reads to their end, sessions opened and deleted. What the target holds is counted in between.
//!
//! One round is recorded. The others are like it, and only their counts are written down: they would be many times
//! the rest of the recording.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::drive::ask::{Ask, Call};
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop, Until};
use crate::target::{Held, ToolRole};
use crate::trace::{Exchange, What};
use crate::wire::tap::Tap;

/// So many rounds warm the target up, and the first count that matters comes after this many more: by then the pools,
/// files and modules that a runtime opens when it first needs them are there.
const WARM_UP: u32 = 4;
const ROUNDS: u32 = 16;

/// Growth by so many for each round is told from the rest by waiting for it to go.
const LEAST: f64 = 0.5;

/// A round of a healthy server takes 2 to 60 ms. Where it takes longer, the work would never end.
const SLOWEST_ROUND: Duration = Duration::from_millis(750);
const LONGEST: Duration = Duration::from_secs(20);

/// How long a stream or an answer is waited for whose end nobody needs.
const A_LOOK: Duration = Duration::from_millis(30);

/// How long a slow call is given until it is under way, where no head tells.
const UNDER_WAY: Duration = Duration::from_millis(3);

/// What a call may take that is left alone: it has ended when the server has to have settled.
const LONGEST_WORK: Duration = Duration::from_secs(1);

/// How far apart the looks at what is being closed are, and how long two of them may take to agree.
const GLANCE: Duration = Duration::from_millis(10);
const AGREES_WITHIN: Duration = Duration::from_millis(300);

/// How long what seems to be left behind may take to go: servers close in their own time, but hardly later than a
/// client that waits for them would give up.
const SETTLES_WITHIN: Duration = Duration::from_secs(6);

pub fn play(stage: &Stage) -> Result<(), Stop> {
    stage.holdings.count().map_err(lacks)?;
    let Some(call) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let slow = slow_tool(stage)?;
    let (slow, lasts) = slow.map_or((None, Duration::ZERO), |(call, took)| (Some(call), took));
    let began = Instant::now();
    let ends_sessions = round(stage, call, slow.as_ref(), None)?;
    if began.elapsed() > SLOWEST_ROUND {
        return Err(Stop::Lacks("a round of the work takes too long to be repeated many times".to_owned()));
    }
    let quiet = Stage { tap: Tap::start(), ..stage.clone() };
    let mut standing = match ends_sessions {
        true => None,
        // A session that nobody may end stays, and so does what it holds: one must do for all rounds.
        false => Some(Session::open(&quiet)?),
    };
    let mut work = |rounds: u32| {
        for _ in 0..rounds {
            if began.elapsed() > LONGEST {
                return Err(Stop::Lacks("the work takes too long to be repeated as often as it must be".to_owned()));
            }
            round(&quiet, call, slow.as_ref(), standing.as_mut())?;
        }
        Ok(())
    };
    work(WARM_UP)?;
    let mut before = counted(stage, 0, 0, None)?;
    let (mut done, mut next) = (0, ROUNDS);
    for _ in 0..3 {
        work(next)?;
        done += next;
        // What was left alone is at work for so long, rightly.
        stage.pause(lasts)?;
        let now = counted(stage, done, next, Some(before))?;
        // Growth counts where it goes on: where there is none, another step cannot show any.
        if done > ROUNDS && !grew(before, now, next) {
            break;
        }
        before = now;
        // After W, 2 W and 4 W.
        next = done;
    }
    if let Some(session) = standing {
        session.close();
    }
    Ok(())
}

fn lacks(needed: &str) -> Stop {
    Stop::Lacks(format!("this needs {needed}"))
}

fn has_head(exchange: &Exchange) -> bool {
    exchange.answer.is_some()
}

/// The slow tool and what it takes, where it is not so slow that what was left alone would still be at work when it is counted.
fn slow_tool(stage: &Stage) -> Result<Option<(Call, Duration)>, Stop> {
    let Some(slow) = stage.tool(ToolRole::Slow) else { return Ok(None) };
    let mut session = Session::open(stage)?;
    let began = Instant::now();
    let answered = session.call("churn-slow", &slow)?.response.is_some();
    let took = began.elapsed();
    session.close();
    Ok((answered && took < LONGEST_WORK).then_some((slow, took)))
}

/// Does everything once. Says whether its session, where there is one, was ended by the target.
fn round<'s>(
    stage: &'s Stage,
    call: &Call,
    slow: Option<&Call>,
    standing: Option<&mut Session<'s>>,
) -> Result<bool, Stop> {
    let stays = standing.is_some();
    let mut own = None;
    let session = match standing {
        Some(standing) => standing,
        None => own.insert(Session::open(stage)?),
    };
    // Each on a connection of its own: there is more to close, and a last segment that is held back holds nobody up.
    session.call("churn-call", call)?;
    session.use_a_fresh_connection();
    if let Some(tool) = &stage.facts.harmless_tool {
        session.call("churn-tool", tool)?;
        session.use_a_fresh_connection();
    }
    session.call("churn-error", &Call::bare("mcpwire/no-such-method"))?;
    session.use_a_fresh_connection();
    session.send(&session.with_session(Ask::post("churn-refused", "mcpwire says hello")).damaged())?;

    let request = |session: &Session<'_>, label: &str| {
        let call = stage.facts.harmless_tool.as_ref().unwrap_or(call);
        session.request(label, call, &session.next_id()).damaged()
    };
    // Dropped with the answer under way, by a reset and in order.
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, &request(session, "churn-reset"));
    connection.reset();
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, &request(session, "churn-dropped"));
    connection.close();
    if let Some(slow) = slow {
        // Called off, in the way of the revision, and left alone with its work under way.
        let id = session.next_id();
        let mut connection = stage.connect()?;
        stage.ask(&mut connection, &session.request("churn-cancelled", slow, &id).damaged());
        if stage.revision.is_legacy() {
            stage.settle_unless(&mut connection, Until::EndWithin(UNDER_WAY), Instant::now(), has_head)?;
            let params = json!({"requestId": id.parse::<u64>().ok(), "reason": "churn"});
            session.notify("churn-cancel", &Call::with("notifications/cancelled", params))?;
            session.use_a_fresh_connection();
        }
        connection.close();
        let mut connection = stage.connect()?;
        stage.ask(&mut connection, &session.request("churn-abandoned", slow, &session.next_id()).damaged());
        stage.settle_unless(&mut connection, Until::EndWithin(UNDER_WAY), Instant::now(), has_head)?;
        connection.close();
    }
    // Dropped in the middle of the request.
    let mut connection = stage.connect()?;
    let half = request(session, "churn-half");
    let bytes = half.bytes(&stage.endpoint);
    connection.ask(&half.label, half.part, half.ours, &bytes[..bytes.len() - 10]);
    connection.close();
    // A connection that says nothing at all.
    stage.connect()?.close();

    if stage.revision.is_legacy() {
        let mut connection = stage.connect()?;
        stage.ask(&mut connection, &session.with_session(Ask::get("churn-stream")).damaged());
        stage.settle_unless(&mut connection, Until::EndWithin(A_LOOK), Instant::now(), has_head)?;
        connection.close();
    }
    if stays || session.id().is_none() {
        session.hang_up();
        return Ok(true);
    }
    let ended = session.send(&session.with_session(Ask::bare("DELETE", "churn-delete")))?;
    Ok(ended.status.is_some_and(|status| (200..300).contains(&status)))
}

/// Counts what the target holds once it has settled, and writes it down. Where it seems to hold more than before, it
/// gets the time to close what it still may be closing.
fn counted(stage: &Stage, done: u32, rounds: u32, before: Option<Held>) -> Result<Held, Stop> {
    let (mut looked, agree) = (stage.holdings.count().map_err(lacks)?, Instant::now() + AGREES_WITHIN);
    loop {
        stage.pause(GLANCE)?;
        let now = stage.holdings.count().map_err(lacks)?;
        let agrees = now == looked;
        looked = now;
        if agrees || Instant::now() > agree {
            break;
        }
    }
    let settled = Instant::now() + SETTLES_WITHIN.min(stage.options.timeout);
    while before.is_some_and(|before| grew(before, looked, rounds)) && Instant::now() < settled {
        stage.pause(GLANCE * 5)?;
        looked = stage.holdings.count().map_err(lacks)?;
    }
    let Held { descriptors, close_wait, threads, sessions, channels, routes } = looked;
    stage.tap.note(What::PeerHeld { rounds: done, descriptors, close_wait, threads, sessions, channels, routes });
    Ok(looked)
}

fn grew(before: Held, now: Held, rounds: u32) -> bool {
    let grew = |(before, now): (Option<u32>, Option<u32>)| {
        let by = now.zip(before).map_or(0, |(now, before)| now.saturating_sub(before));
        f64::from(by) >= LEAST * f64::from(rounds)
    };
    before.all().into_iter().zip(now.all()).any(grew)
}
