//! Answers that break off, or cannot be read.

use crate::drive::peer::{Act, Call, Reply, Scene, Step, chunk, json_head, sse_head, turn};
use crate::spec::Revision;

/// The streams go side by side, so that a client that waits for all of them waits once; before the others, over which
/// some clients end altogether. A plain call behind each shows whether they do. No event has an id: there is nothing to resume. Whoever makes one of the
/// calls again gets a plain answer.
pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
        turn("fin-in-stream", |call| once(call, vec![Act::Write(half_a_stream(call)), Act::Fin])),
        turn("reset-in-stream", |call| once(call, vec![Act::Write(half_a_stream(call)), Act::Reset])),
        turn("stream-without-response", |call| {
            once(call, vec![Act::Write([sse_head(&[]), chunk(b": that was all\n\n")].concat()), Act::Write(chunk(b""))])
        }),
        turn("short-json", |call| {
            let text = call.response();
            let bytes = [json_head(200, &[], text.len()).as_slice(), half(&text)].concat();
            once(call, vec![Act::Write(bytes), Act::Fin])
        }),
        turn("broken-json", |call| {
            let text = call.response();
            let bytes = [json_head(200, &[], half(&text).len()).as_slice(), half(&text)].concat();
            once(call, vec![Act::Write(bytes)])
        }),
        turn("no-answer", |call| once(call, vec![Act::Fin])),
        turn("behind-streams", |call| call.streamed()),
        turn("behind-short-json", |call| call.streamed()),
        turn("behind-no-answer", |call| call.streamed()),
    ])
    .in_steps(vec![
        Step::Call("warm-up"),
        Step::Together(&["fin-in-stream", "reset-in-stream", "stream-without-response", "broken-json"]),
        Step::Call("behind-streams"),
        Step::Call("short-json"),
        Step::Call("behind-short-json"),
        Step::Call("no-answer"),
        Step::Call("behind-no-answer"),
    ])
}

fn once(call: &Call<'_>, acts: Vec<Act>) -> Reply {
    match call.earlier {
        0 => Reply::of(acts).damaged(),
        _ => call.streamed(),
    }
}

fn half_a_stream(call: &Call<'_>) -> Vec<u8> {
    [sse_head(&[]), chunk(half(&call.event()))].concat()
}

fn half(text: &str) -> &[u8] {
    &text.as_bytes()[..text.len() / 2]
}
