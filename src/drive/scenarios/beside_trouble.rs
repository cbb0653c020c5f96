//! Marked calls of several callers, each in a session and over connections of its own, while another one makes trouble:
//! many requests at once, a call that fails, a request body that stalls, a stream that nobody reads, connections dropped
//! in mid-answer, a session deleted in mid-call. Before and after, the same calls with no trouble around.
//!
//! Each call carries a mark in its id, its progress token and, where a tool says what it is told, its argument: whatever
//! comes back shows whose it is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::listening;
use crate::drive::ask::{Ask, Call};
use crate::drive::session::{Reply, Session};
use crate::drive::stage::{Experiments, Stage, Stop, Until};
use crate::target::ToolRole;
use crate::wire::connection::Connection;

/// How long calls are under way before trouble begins.
const HEAD_START: Duration = Duration::from_millis(25);

/// How long a server on a busy machine may need until it has begun to read a request, or to write an answer, that then
/// does not go on. Others who came before that would show nothing.
const TAKES_EFFECT: Duration = Duration::from_millis(60);
const BEGINS: Duration = Duration::from_secs(1);

/// How long trouble lasts where others are not answered meanwhile, round after round. Where they are, that was the last.
const HELD: [Duration; 4] =
    [Duration::from_millis(150), Duration::from_millis(400), Duration::from_millis(600), Duration::from_millis(800)];

/// So often must others overtake a body that stalls: nobody can tell whether its server had seen it by then.
const OVERTAKEN: u32 = 2;

/// How many requests the crowd makes at once.
const CROWD: [&str; 8] = ["one", "two", "three", "four", "five", "six", "seven", "eight"];

/// The receive buffer of a connection that nobody reads; the system may double it.
const NARROW: usize = 4096;

/// So many bytes are more than a head and a first event: the large answer is being written.
const MORE_THAN_A_HEAD: u64 = 1024;

/// How far apart the looks at a stream are that nobody reads.
const A_GLANCE: Duration = Duration::from_millis(2);

/// How long an answer is looked at that nobody needs.
const A_LOOK: Duration = Duration::from_millis(30);

/// How long an answer to a request whose body stalled is waited for.
const A_WHILE: Duration = Duration::from_millis(500);

/// Somebody whose calls are marked.
struct Caller<'s> {
    name: &'static str,
    session: Session<'s>,
    calls: u32,
}

/// The calls that there are.
struct Calls {
    /// One that is answered at once, with its mark where a tool is known that says what it is told.
    quick: Call,
    /// One that takes its time, where such a tool is known.
    slow: Call,
    /// One that reports progress, where such a tool is known.
    reporting: Call,
}

impl<'s> Caller<'s> {
    fn new(name: &'static str, session: Session<'s>) -> Self {
        Self { name, session, calls: 0 }
    }

    fn call(&mut self, label: &str, call: &Call) -> Result<(), Stop> {
        self.call_with_id(label, call, None).map(|_| ())
    }

    /// A call on which others stand: it must be answered.
    fn call_alone(&mut self, label: &str, call: &Call) -> Result<(), Stop> {
        match self.call_with_id(label, call, None)?.response {
            Some(_) => Ok(()),
            None => Err(Stop::Lacks("this needs calls that are answered while nothing else goes on".to_owned())),
        }
    }

    fn call_with_id(&mut self, label: &str, call: &Call, id: Option<&str>) -> Result<Reply, Stop> {
        self.calls += 1;
        let mark = format!("mcpwire-{}-{:03}", self.name, self.calls);
        let id = format!("\"{}\"", id.unwrap_or(&mark));
        let call = call.clone().marked(&mark).with_progress(&mark);
        // A connection that ends under a call is the end of that call, and no accident of reuse.
        self.session.use_a_fresh_connection();
        self.session.call_with_id(&format!("{label}-{}", self.name), &call, &id)
    }
}

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(cheapest) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let quick = stage.tool(ToolRole::Echo).or_else(|| stage.facts.harmless_tool.clone());
    let quick = quick.unwrap_or_else(|| cheapest.clone());
    let calls = Calls {
        slow: stage.tool(ToolRole::Slow).unwrap_or_else(|| quick.clone()),
        reporting: stage.tool(ToolRole::Progress).unwrap_or_else(|| quick.clone()),
        quick,
    };
    let anna = Session::open(stage)?;
    let ben = Session::open(stage)?;
    let trouble = Session::open(stage)?;
    // One who shares a session with the trouble, as two windows of one client do.
    let carol = trouble.beside();
    let over = AtomicBool::new(false);
    let mut listeners = Vec::new();
    if stage.revision.is_legacy() && anna.id().is_some() {
        for (session, label) in [(&anna, "listen-anna"), (&ben, "listen-ben")] {
            listeners.extend(listening::listen(stage, session, label)?.map(|stream| (stream, session.beside())));
        }
    }
    let mut callers = vec![Caller::new("anna", anna), Caller::new("ben", ben), Caller::new("carol", carol)];
    let mut trouble = Caller::new("trouble", trouble);
    let played = thread::scope(|scope| {
        for (stream, beside) in listeners {
            let over = &over;
            scope.spawn(move || listening::attend(stream, beside, over));
        }
        let played = rounds(stage, &calls, &mut callers, &mut trouble);
        over.store(true, Ordering::Relaxed);
        played
    });
    for caller in callers.into_iter().take(2) {
        caller.session.close();
    }
    trouble.session.close();
    played
}

fn rounds(stage: &Stage, calls: &Calls, callers: &mut [Caller<'_>], trouble: &mut Caller<'_>) -> Result<(), Stop> {
    callers[0].call_alone("alone", &calls.quick)?;
    if stage.tool(ToolRole::Slow).is_some() {
        callers[0].call_alone("alone-slow", &calls.slow)?;
    }
    same_id(callers, stage.tool(ToolRole::Echo).as_ref().unwrap_or(&calls.slow))?;

    many_at_once(calls, callers, trouble)?;
    if let Some(failing) = stage.tool(ToolRole::Error) {
        beside(callers, "beside-failing-call", &calls.slow, || {
            stage.pause(HEAD_START)?;
            trouble.call("failing-call", &failing)
        })?;
        each(callers, "after-failing-call", &calls.quick)?;
    }
    stalled_body(stage, calls, callers, trouble)?;
    unread_stream(stage, calls, callers, trouble)?;
    if stage.revision.is_legacy()
        && trouble.session.id().is_some()
        && let Some(doomed) = opened(stage)?
    {
        let mut under_way = None;
        beside(callers, "beside-deleted-session", &calls.slow, || {
            under_way = Some(deleted(stage, &calls.slow, doomed)?);
            Ok(())
        })?;
        each(callers, "after-deleted-session", &calls.quick)?;
        // Not before: a connection that is dropped under a call is another trouble.
        drop(under_way);
    }
    // What may be the end of a target comes last.
    for how in ["dropped-in-order", "dropped-by-reset"] {
        beside(callers, &format!("beside-{how}"), &calls.slow, || dropped(stage, &calls.slow, trouble, how))?;
        each(callers, &format!("after-{how}"), &calls.quick)?;
        trouble.call(&format!("after-{how}"), &calls.quick)?;
    }
    newcomer(stage, calls)
}

/// Everybody makes this call, all at once.
fn each(callers: &mut [Caller<'_>], label: &str, call: &Call) -> Result<(), Stop> {
    beside(callers, label, call, || Ok(()))
}

/// The same, and meanwhile something else happens.
fn beside(
    callers: &mut [Caller<'_>],
    label: &str,
    call: &Call,
    act: impl FnOnce() -> Result<(), Stop>,
) -> Result<(), Stop> {
    thread::scope(|scope| {
        let made: Vec<_> = callers.iter_mut().map(|caller| scope.spawn(move || caller.call(label, call))).collect();
        let acted = act();
        let made: Vec<_> = made.into_iter().map(|call| call.join().unwrap_or(Ok(()))).collect();
        made.into_iter().chain([acted]).collect()
    })
}

/// Two clients that know nothing of each other use the same ids: both begin at 1.
fn same_id(callers: &mut [Caller<'_>], call: &Call) -> Result<(), Stop> {
    let label = "same-id";
    let made: Vec<_> = thread::scope(|scope| {
        let two = callers.iter_mut().take(2);
        let made: Vec<_> = two
            .map(|caller| scope.spawn(|| caller.call_with_id(label, call, Some("mcpwire-same-id")).map(|_| ())))
            .collect();
        made.into_iter().map(|call| call.join().unwrap_or(Ok(()))).collect()
    });
    made.into_iter().collect()
}

/// A crowd of one session makes slow and fast calls at once.
fn many_at_once(calls: &Calls, callers: &mut [Caller<'_>], trouble: &mut Caller<'_>) -> Result<(), Stop> {
    let mut crowd: Vec<_> = CROWD.iter().map(|name| Caller::new(name, trouble.session.beside())).collect();
    let made: Vec<_> = thread::scope(|scope| {
        let asking = crowd.iter_mut().enumerate().map(|(nth, caller)| {
            let call = if nth % 2 == 0 { &calls.slow } else { &calls.quick };
            scope.spawn(move || caller.call("many-at-once", call))
        });
        let asking: Vec<_> = asking.collect();
        let beside = each(callers, "beside-many-at-once", &calls.reporting);
        asking.into_iter().map(|call| call.join().unwrap_or(Ok(()))).chain([beside]).collect()
    });
    made.into_iter().collect()
}

/// A request whose last bytes do not come while the others call.
fn stalled_body(
    stage: &Stage,
    calls: &Calls,
    callers: &mut [Caller<'_>],
    trouble: &mut Caller<'_>,
) -> Result<(), Stop> {
    let session = &mut trouble.session;
    let mut overtaken = 0;
    for held in HELD {
        let mut stalled = stage.connect()?;
        let ask = session.request("stalled-body", &calls.quick, &session.next_id()).damaged();
        let bytes = ask.bytes(&stage.endpoint);
        let (most, rest) = bytes.split_at(bytes.len() - 2);
        stalled.ask(&ask.label, ask.part, ask.ours, most);
        stage.pause(TAKES_EFFECT)?;
        let end = || stalled.write(rest);
        overtaken += u32::from(while_it_lasts(callers, "beside-stalled-body", &calls.quick, held, end)?);
        stage.settle(&mut stalled, Until::EndWithin(A_WHILE))?;
        stalled.close();
        if overtaken >= OVERTAKEN && !closely(stage) {
            break;
        }
    }
    Ok(())
}

/// An answer that nobody reads while the others call: a large one, where a tool is known for that.
fn unread_stream(
    stage: &Stage,
    calls: &Calls,
    callers: &mut [Caller<'_>],
    trouble: &mut Caller<'_>,
) -> Result<(), Stop> {
    let large = stage.tool(ToolRole::Large);
    let call = large.as_ref().unwrap_or(&calls.reporting);
    for held in HELD {
        let mut unread = stage.connect_narrow(NARROW)?;
        let session = &trouble.session;
        let ask = session.request("unread-stream", call, &session.next_id()).damaged();
        stage.ask(&mut unread, &ask);
        let until = Instant::now() + BEGINS.min(stage.options.timeout);
        let enough = if large.is_some() { MORE_THAN_A_HEAD } else { 1 };
        while unread.unread().is_some_and(|bytes| bytes < enough) && Instant::now() < until {
            stage.pause(A_GLANCE)?;
        }
        stage.pause(if large.is_some() { TAKES_EFFECT } else { HEAD_START })?;
        let overtaken = while_it_lasts(callers, "beside-unread-stream", &calls.quick, held, || unread.reset())?;
        if overtaken && !closely(stage) {
            break;
        }
    }
    Ok(())
}

/// Whether every round is made, whatever the first one shows.
fn closely(stage: &Stage) -> bool {
    stage.experiments == Experiments::Always
}

/// Everybody calls while something lasts, which is ended when all are answered or the time is up. Says whether all were
/// answered before.
fn while_it_lasts(
    callers: &mut [Caller<'_>],
    label: &str,
    call: &Call,
    held: Duration,
    end: impl FnOnce(),
) -> Result<bool, Stop> {
    thread::scope(|scope| {
        let made: Vec<_> = callers.iter_mut().map(|caller| scope.spawn(move || caller.call(label, call))).collect();
        let until = Instant::now() + held;
        while Instant::now() < until && !made.iter().all(thread::ScopedJoinHandle::is_finished) {
            thread::sleep(Duration::from_millis(1));
        }
        let overtaken = made.iter().all(thread::ScopedJoinHandle::is_finished);
        end();
        made.into_iter().try_for_each(|call| call.join().unwrap_or(Ok(())))?;
        Ok(overtaken)
    })
}

/// A connection that is dropped when its answer has begun, or might have.
fn dropped(stage: &Stage, call: &Call, trouble: &mut Caller<'_>, how: &str) -> Result<(), Stop> {
    stage.pause(HEAD_START)?;
    let session = &trouble.session;
    let connection = under_way(stage, &session.request(how, call, &session.next_id()))?;
    match how {
        "dropped-by-reset" => connection.reset(),
        _ => connection.close(),
    }
    Ok(())
}

/// A session that is deleted while a call in it is at work: the connection of that call.
fn deleted(stage: &Stage, call: &Call, session: Session<'_>) -> Result<Connection, Stop> {
    stage.pause(HEAD_START)?;
    let connection = under_way(stage, &session.request("deleted-session", call, &session.next_id()))?;
    let mut deleting = stage.connect()?;
    stage.ask(&mut deleting, &session.with_session(Ask::bare("DELETE", "delete-in-mid-call")).damaged());
    stage.settle(&mut deleting, Until::EndWithin(A_WHILE))?;
    deleting.close();
    Ok(connection)
}

/// Makes a request of the trouble's, and waits briefly for the head of its answer.
fn under_way(stage: &Stage, ask: &Ask) -> Result<Connection, Stop> {
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, &ask.clone().damaged());
    let has_begun = |exchange: &crate::trace::Exchange| exchange.answer.is_some();
    stage.settle_unless(&mut connection, Until::EndWithin(A_LOOK), Instant::now(), has_begun)?;
    Ok(connection)
}

/// Another session. Where it is not granted, that is no end: the trace says why.
fn opened(stage: &Stage) -> Result<Option<Session<'_>>, Stop> {
    match Session::open(stage) {
        Ok(session) => Ok(Some(session)),
        Err(Stop::Answer(_)) => Ok(None),
        Err(stop) => Err(stop),
    }
}

/// Somebody who comes when all that is over.
fn newcomer(stage: &Stage, calls: &Calls) -> Result<(), Stop> {
    let Some(session) = opened(stage)? else { return Ok(()) };
    let mut dora = Caller::new("dora", session);
    dora.call("after-dropped", &calls.quick)?;
    dora.session.close();
    Ok(())
}
