//! A session that ends between two calls.

use crate::drive::peer::{Act, Call, Reply, Scene, State, turn};
use crate::spec::Revision;

/// The call `expired` gets 404, and is answered where the client makes it again in a new session.
pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
        turn("last", last),
        turn("expired", |call| call.json()),
        turn("after-expiry", |call| call.json()),
    ])
}

/// The session ends before the client can know that it has its answer.
fn last(call: &Call<'_>) -> Reply {
    let mut reply = call.json();
    reply.acts.insert(0, Act::Change(State::end_all));
    reply
}
