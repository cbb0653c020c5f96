//! A call that its caller gives up.

use crate::drive::peer::{Act, Reply, Scene, Step, sse_head, turn};
use crate::spec::Revision;

/// The head of the stream comes at once: some clients send nothing else before they have it.
pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
        turn("given-up", |_| Reply::of(vec![Act::Write(sse_head(&[])), Act::Hold])),
        turn("behind", |call| call.streamed()),
    ])
    .in_steps(vec![
        // Its limit is over when the answer is long there: an answered call is not given up.
        Step::CallFor("warm-up", 500),
        Step::CallFor("given-up", 300),
        Step::Wait(500),
        Step::Call("behind"),
        Step::Wait(100),
    ])
}
