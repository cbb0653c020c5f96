//! Answers that lead astray: to another origin, and to another session.

use crate::drive::peer::{Ask, Reply, Scene, Shared, turn};
use crate::spec::Revision;

/// What an answer to a call says that the session is. It is not.
const OTHER_ID: &str = "0ther-session-than-the-one-from-initialize";

/// The first call behind the warm-up is redirected; nobody is served where it leads. A later answer names another
/// session, which changes nothing.
pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
        turn("redirected", |call| call.json()),
        turn("after-redirect", |call| call.json()),
        turn("other-id", |call| Reply::json(200, &[("Mcp-Session-Id", OTHER_ID)], &call.response()).damaged()),
        turn("after-other-id", |call| call.json()),
    ])
    .reacting(redirect)
}

fn redirect(ask: &Ask<'_>, shared: &Shared) -> Option<Reply> {
    if ask.elsewhere {
        return Some(Reply::empty(403, &[]).labelled("elsewhere"));
    }
    let state = shared.state();
    let is_due = ask.method() == "tools/call" && state.seen("warm-up") > 0 && state.seen("redirected") == 0;
    is_due.then(|| Reply::empty(307, &[("Location", &state.url_elsewhere())]).labelled("redirected"))
}
