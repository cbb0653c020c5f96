//! Answers that lead astray: to another session, and to another origin.

use crate::drive::peer::{Ask, Reply, Scene, Shared, turn};
use crate::spec::Revision;

/// What an answer to a call says that the session is. It is not.
const OTHER_ID: &str = "0ther-session-than-the-one-from-initialize";

/// An answer names another session, which changes nothing. The call behind the next one is redirected; nobody is served
/// where that leads.
pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
        turn("other-id", |call| Reply::json(200, &[("Mcp-Session-Id", OTHER_ID)], &call.response()).damaged()),
        turn("after-other-id", |call| call.json()),
        turn("redirected", |call| call.json()),
        turn("after-redirect", |call| call.json()),
    ])
    .reacting(redirect)
}

fn redirect(ask: &Ask<'_>, shared: &Shared) -> Option<Reply> {
    if ask.elsewhere {
        return Some(Reply::empty(403, &[]).labelled("elsewhere"));
    }
    let state = shared.state();
    // The call after the misleading answer: one that has been misled is refused, and has no turn.
    let has_gone_on = state.seen("after-other-id") + state.seen("tools/call") > 0;
    let is_due = ask.method() == "tools/call" && has_gone_on && state.seen("redirected") == 0;
    is_due.then(|| Reply::empty(307, &[("Location", &state.url_elsewhere())]).labelled("redirected"))
}
