//! A redirect to another origin.

use crate::drive::peer::{Ask, Reply, Scene, Shared, turn};
use crate::spec::Revision;

/// The first call behind the warm-up is redirected; nobody is served where it leads.
pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
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
    let is_due = ask.method() == "tools/call" && state.seen("warm-up") > 0 && state.seen("redirected") == 0;
    is_due.then(|| Reply::empty(307, &[("Location", &state.url_elsewhere())]).labelled("redirected"))
}
