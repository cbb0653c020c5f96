//! A session that ends between two calls.

use crate::drive::peer::{Act, Call, Reply, Scene, State, turn};
use crate::spec::Revision;

/// What an answer to a call says that the session is. It is not.
const OTHER_ID: &str = "0ther-session-than-the-one-from-initialize";

/// First an answer that names another session, which changes nothing; later the session ends: the call `expired` gets
/// 404, and is answered where the client makes it again in a new session.
pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
        turn("other-id", |call| Reply::json(200, &[("Mcp-Session-Id", OTHER_ID)], &call.response()).damaged()),
        turn("after-other-id", |call| call.json()),
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
