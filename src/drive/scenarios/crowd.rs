//! Many streams in many sessions, all held at once: a GET stream in each session, where there is such a thing, and
//! slow calls, each over a connection of its own.
//!
//! One thread looks at all of them in turn: what came when is in the kernel's stamps.

use std::time::{Duration, Instant};

use crate::drive::ask::{Ask, Call};
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::target::{Holdings, ToolRole};
use crate::trace::Ending;
use crate::wire::connection::Connection;
use crate::wire::os;

/// How long is left between two looks at all of them.
const GLANCE: Duration = Duration::from_millis(10);

/// So many come at once, and the next ones when these have been noticed, or a little later: a server that takes
/// connections in slower than we make them would lose some, and TCP tries again after a second only.
const GROUP: usize = 64;
const GROUP_PATIENCE: Duration = Duration::from_millis(40);

/// What this process needs beside the streams.
const DESCRIPTORS: u64 = 64;

/// One stream of the crowd.
struct Member {
    connection: Connection,
    owes_response: bool,
}

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(crowd) = stage.options.load.crowd else { return Ok(()) };
    let Some(call) = stage.tool(ToolRole::Slow) else {
        return Err(Stop::Lacks("this needs a slow tool (--tool slow=NAME:ARGUMENTS)".to_owned()));
    };
    let streams = u64::from(crowd.sessions) * u64::from(crowd.streams);
    // The embedded server holds the other ends.
    let ends = if matches!(stage.holdings, Holdings::Reference(_)) { 2 } else { 1 };
    let wanted = streams * ends + DESCRIPTORS;
    if os::make_room_for_descriptors(wanted) == Some(false) {
        return Err(Stop::Lacks(format!(
            "{wanted} descriptors are needed, and this process may not have them (ulimit -n)"
        )));
    }

    let mut sessions = Vec::new();
    for _ in 0..crowd.sessions {
        let mut session = Session::open(stage)?;
        session.use_a_fresh_connection();
        sessions.push(session);
    }
    let mut members = Vec::new();
    for (nth, session) in sessions.iter().enumerate() {
        for stream in 0..crowd.streams {
            if stage.interrupt.is_set() {
                return Err(Stop::Interrupted);
            }
            let ask = ask(stage, session, &call, nth, stream);
            let mut connection = stage.connect()?;
            stage.ask(&mut connection, &ask);
            members.push(Member { connection, owes_response: ask.wants_response() });
            if members.len().is_multiple_of(GROUP) {
                let from = members.len() - GROUP;
                let deadline = Instant::now() + GROUP_PATIENCE;
                while Instant::now() < deadline && members[from..].iter().any(Member::is_silent) {
                    std::thread::sleep(GROUP_PATIENCE / 20);
                    glance(&mut members[from..]);
                }
            }
        }
    }
    glance(&mut members);
    // So many answers had not ended when the last of them had been asked for.
    stage.learned("held", members.iter().filter(|member| !member.is_over()).count().to_string());
    let deadline = Instant::now() + stage.options.timeout;
    while Instant::now() < deadline && members.iter().any(Member::is_waited_for) {
        stage.pause(GLANCE)?;
        glance(&mut members);
    }
    for member in &mut members {
        member.connection.watched();
    }
    drop(members);
    for session in sessions {
        session.close();
    }
    Ok(())
}

/// The first stream of a session is the one that a GET opens, where there is such a thing.
fn ask(stage: &Stage, session: &Session<'_>, call: &Call, nth: usize, stream: u32) -> Ask {
    if stream == 0 && stage.revision.is_legacy() {
        return session.with_session(Ask::get("crowd-stream"));
    }
    let call = call.clone().with_progress(&format!("crowd-{nth}-{stream}"));
    session.request("crowd-call", &call, &session.next_id())
}

fn glance(members: &mut [Member]) {
    for member in members.iter_mut().filter(|member| !member.is_over()) {
        member.connection.glance();
    }
}

impl Member {
    fn is_over(&self) -> bool {
        let open = |ending: &Ending| matches!(ending, Ending::Open { .. });
        self.connection.ended().is_some() || !self.connection.exchanges().last().is_some_and(|last| open(&last.ending))
    }

    /// Whether no answer has begun.
    fn is_silent(&self) -> bool {
        !self.is_over() && self.connection.received() == 0
    }

    /// A stream that owes no response stays open as long as its session does.
    fn is_waited_for(&self) -> bool {
        self.owes_response && !self.is_over()
    }
}
