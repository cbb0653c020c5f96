//! Requests of every kind one after another: results, errors and notifications, on one connection as long as
//! the target keeps it, and with the patience to see each stream end. A GET stream is open beside them, where
//! the target offers one, so that a response on the wrong stream is seen.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::listening;
use crate::drive::ask::Call;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::target::ToolRole;

/// How often each kind of request comes.
const ROUNDS: u32 = 4;

/// How long we look for stragglers when everything has been asked.
const STRAGGLERS: Duration = Duration::from_millis(60);

/// A name that no tool has, and a method that no server has.
const NO_TOOL: &str = "mcpwire-no-such-tool";
const NO_METHOD: &str = "mcpwire/no-such-method";

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let mut session = Session::open(stage)?.patiently();
    let over = AtomicBool::new(false);
    let listener = match stage.revision.is_legacy() {
        true => listening::listen(stage, &session, "listen")?,
        false => None,
    };
    let played = thread::scope(|scope| {
        if let Some(listener) = listener {
            let (over, beside) = (&over, session.beside());
            scope.spawn(move || listening::attend(listener, beside, over));
        }
        let played = rounds(stage, &mut session).and_then(|()| session.linger(STRAGGLERS));
        over.store(true, Ordering::Relaxed);
        played
    });
    session.close();
    played
}

fn rounds(stage: &Stage, session: &mut Session<'_>) -> Result<(), Stop> {
    for _ in 0..ROUNDS {
        if let Some(call) = &stage.facts.cheapest {
            session.call("cheapest", call)?;
        }
        if stage.facts.has_tools {
            session.call("tools-list", &Call::bare("tools/list"))?;
        }
        if let Some(call) = &stage.facts.harmless_tool {
            session.call("tool", call)?;
        }
        if let Some(call) = stage.tool(ToolRole::Progress) {
            // Answered by a stream even where everything else is answered by JSON.
            let token = format!("progress-{}", session.next_id());
            session.call("progress", &call.with_progress(&token))?;
        }
        if stage.facts.has_tools {
            session.call("unknown-tool", &Call::tool(NO_TOOL, None))?;
        }
        session.call("unknown-method", &Call::bare(NO_METHOD))?;
        if stage.revision.is_legacy() {
            // The only core notification that a client may send at any time, once it declared the capability.
            session.notify("notification", &Call::bare("notifications/roots/list_changed"))?;
        }
    }
    Ok(())
}
