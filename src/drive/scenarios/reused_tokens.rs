//! A progress token that is used again after its request has ended, in turn with tokens that are new.

use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::target::ToolRole;
use crate::trace::Part;

/// How often the token is used again: a target may leave a report out once, and spare its client.
const AGAIN: u32 = 2;

/// How long we look for stragglers on streams that were left open.
const STRAGGLERS: std::time::Duration = std::time::Duration::from_millis(20);

/// The token that is used again.
const TOKEN: &str = "mcpwire-reused-token";

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(tool) = stage.tool(ToolRole::Progress) else {
        return Err(Stop::Lacks("no tool is known that reports progress (`--tool progress=NAME` maps one)".to_owned()));
    };
    let mut session = Session::open(stage)?;
    let call = |session: &Session<'_>, label: &str, token: &str| {
        session.request(label, &tool.clone().with_progress(token), &session.next_id())
    };
    session.probe(Part::Control, |session| call(session, "first-use", TOKEN))?;
    for nth in 1..=AGAIN {
        session.probe(Part::Probe, |session| call(session, "used-again", TOKEN))?;
        let fresh = format!("mcpwire-fresh-token-{nth}");
        session.probe(Part::Control, |session| call(session, "fresh-token", &fresh))?;
    }
    session.use_a_fresh_connection();
    session.linger(STRAGGLERS)?;
    session.close();
    Ok(())
}
