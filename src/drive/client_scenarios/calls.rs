//! Sequential calls that are answered at once, in every ordinary form.

use crate::drive::peer::{Act, Reply, Scene, Step, head, turn};
use crate::spec::Revision;

/// Streams whose terminator is a segment of its own, JSON answers, streams that come in one piece, streams with a
/// length.
pub fn scene(_revision: Revision) -> Scene {
    let turns = vec![
        turn("warm-up", |call| call.streamed()),
        turn("stream-1", |call| call.streamed()),
        turn("stream-2", |call| call.streamed()),
        turn("stream-3", |call| call.streamed()),
        turn("stream-4", |call| call.streamed()),
        turn("stream-5", |call| call.streamed()),
        turn("json-1", |call| call.json()),
        turn("json-2", |call| call.json()),
        turn("json-3", |call| call.json()),
        turn("json-4", |call| call.json()),
        turn("json-5", |call| call.json()),
        turn("whole-1", |call| call.streamed_bytes(call.event().as_bytes())),
        turn("whole-2", |call| call.streamed_bytes(call.event().as_bytes())),
        turn("whole-3", |call| call.streamed_bytes(call.event().as_bytes())),
        turn("counted-1", |call| counted(&call.event())),
        turn("counted-2", |call| counted(&call.event())),
        turn("counted-3", |call| counted(&call.event())),
    ];
    // The rest at the end shows which connections are held although nobody needs them any more.
    let steps = turns.iter().map(|turn| Step::Call(turn.label)).chain([Step::Wait(400)]).collect();
    Scene::calls(turns).in_steps(steps)
}

/// An event stream with a Content-Length.
fn counted(events: &str) -> Reply {
    let length = events.len().to_string();
    let fields = [("Content-Type", "text/event-stream"), ("Content-Length", length.as_str())];
    let mut bytes = head(200, &fields);
    bytes.extend_from_slice(events.as_bytes());
    Reply::of(vec![Act::Write(bytes)])
}
