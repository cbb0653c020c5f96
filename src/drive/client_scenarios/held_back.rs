//! The same call many times, against a peer that holds its last segment back: no TCP_NODELAY, and the response in a
//! second small segment. It is what many servers do, and legal.

use super::repeated_calls::REPEATS;
use crate::drive::peer::{Act, Call, Reply, Scene, Turn, chunk, sse_head, turn};
use crate::spec::Revision;

/// Each stall costs some 40 ms.
pub fn scene(_revision: Revision) -> Scene {
    let mut turns = vec![turn("warm-up", held_back)];
    turns.extend(REPEATS.iter().take(12).map(|label| Turn { label, reply: held_back }));
    Scene::calls(turns).timed().holding_back()
}

fn held_back(call: &Call<'_>) -> Reply {
    Reply::of(vec![
        Act::Write([sse_head(&[]), chunk(b": welcome\n\n")].concat()),
        Act::Write(chunk(call.event().as_bytes())),
        Act::State,
        Act::Write(chunk(b"")),
    ])
}
