//! What is tried where calls take long, so that the trace tells causes apart (`latency::cause`). Each experiment
//! changes one condition and is repeated; none is made on a target whose calls are fast.

use std::time::{Duration, Instant};

use super::withheld_ack;
use crate::drive::ask::Call;
use crate::drive::session::Session;
use crate::drive::stage::{Experiments, Patience, Stage, Stop};
use crate::target::ToolRole;

/// What seems to take long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suspects {
    /// The first call.
    pub first: bool,
    /// The others.
    pub repeated: bool,
}

impl Suspects {
    /// Whether anything does.
    pub fn any(self) -> bool {
        self.first || self.repeated
    }
}

/// How often each experiment is made; five are enough to judge.
const TIMES: u32 = 8;

/// How many trials with a withheld acknowledgement tell enough.
const TRIALS: usize = 10;

/// How long a connection is there before it is used: whoever takes connections in has had the time.
const PREPARED: Duration = Duration::from_millis(60);

/// How long one experiment may take in all: a target that takes seconds for a call is not called for minutes.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many sessions are begun to see whether the first call of each is slow.
const SESSIONS: u32 = 5;

pub(super) fn play(stage: &Stage, session: &mut Session<'_>, call: &Call, suspects: Suspects) -> Result<(), Stop> {
    let always = stage.experiments == Experiments::Always;
    if suspects.repeated || always {
        session.use_a_fresh_connection();
        let _in_pieces = withheld_ack::trials(stage, session, "cheapest", call, TRIALS).or_else(lacking)?;
        if let Some(call) = stage.tool(ToolRole::Progress) {
            with_events(stage, session, &call)?;
        }
        prepared(stage, session, call)?;
    }
    if suspects.first && !suspects.repeated || always {
        fresh_sessions(stage, call)?;
    }
    if always {
        of_each_class(stage, session)?;
    }
    Ok(())
}

/// Where acknowledgements cannot be withheld, the other experiments can still be made.
fn lacking(stop: Stop) -> Result<bool, Stop> {
    match stop {
        Stop::Lacks(_) => Ok(false),
        stop => Err(stop),
    }
}

/// Calls whose answers have several events: does each leave when it is made? With acknowledgements withheld, since then
/// each read counts the segments.
fn with_events(stage: &Stage, session: &mut Session<'_>, call: &Call) -> Result<(), Stop> {
    let until = Instant::now() + PATIENCE;
    session.use_a_fresh_connection();
    for _ in 0..TIMES {
        let mut connection = session.take_connection()?;
        if connection.delay_acknowledgements().is_none() || Instant::now() > until {
            break;
        }
        let id = session.next_id();
        let call = call.clone().with_progress(&format!("call-with-events-{id}"));
        let ask = session.request("call-with-events", &call, &id);
        stage.ask(&mut connection, &ask);
        session.settle(&mut connection, Patience::Brief)?;
        session.keep(connection, &ask)?;
    }
    session.use_a_fresh_connection();
    Ok(())
}

/// Calls on connections that were there for a while: is it the new connection that takes so long?
fn prepared(stage: &Stage, session: &mut Session<'_>, call: &Call) -> Result<(), Stop> {
    let until = Instant::now() + PATIENCE;
    for _ in 0..TIMES {
        if Instant::now() > until {
            break;
        }
        let mut connection = stage.connect()?;
        stage.pause(PREPARED)?;
        let ask = session.request("prepared-call", call, &session.next_id());
        stage.note_peer_waited();
        stage.ask(&mut connection, &ask);
        session.settle(&mut connection, Patience::Brief)?;
        stage.note_peer_waited();
        session.keep(connection, &ask)?;
        session.use_a_fresh_connection();
    }
    Ok(())
}

/// Calls of every class, on one connection as long as it is kept.
fn of_each_class(stage: &Stage, session: &mut Session<'_>) -> Result<(), Stop> {
    let until = Instant::now() + PATIENCE;
    for _ in 0..TIMES {
        if Instant::now() > until {
            break;
        }
        let list = stage.facts.has_tools.then(|| Call::bare("tools/list"));
        let tool = stage.facts.harmless_tool.clone();
        let no_method = Some(Call::bare("mcpwire/no-such-method"));
        for (label, call) in [("list", list), ("tool", tool), ("no-method", no_method)] {
            let Some(call) = call else { continue };
            stage.note_peer_waited();
            session.call(label, &call)?;
        }
        stage.note_peer_waited();
        if stage.revision.is_legacy() {
            session.notify("notification", &Call::bare("notifications/roots/list_changed"))?;
            stage.note_peer_waited();
        }
    }
    Ok(())
}

/// The first calls of some sessions: is each of them slow, and no other?
fn fresh_sessions(stage: &Stage, call: &Call) -> Result<(), Stop> {
    let until = Instant::now() + PATIENCE;
    for _ in 1..SESSIONS {
        if Instant::now() > until {
            break;
        }
        let mut session = Session::open(stage)?;
        session.use_a_fresh_connection();
        for label in ["first-call", "warm-call", "warm-call"] {
            stage.note_peer_waited();
            session.call(label, call)?;
        }
        stage.note_peer_waited();
        session.close();
    }
    Ok(())
}
