//! Answers whose body ends later than their response, or never.

use std::time::Duration;

use crate::drive::peer::{Act, Call, Reply, Scene, Step, chunk, sse_head, turn};
use crate::spec::Revision;

/// Each call is followed by a rest that outlasts the delay: the next request says whether the connection survived.
pub fn scene(_revision: Revision) -> Scene {
    let turns = vec![
        turn("warm-up", |call| call.streamed()),
        turn("end-after-20-ms-1", |call| ends_after(call, 20)),
        turn("end-after-20-ms-2", |call| ends_after(call, 20)),
        turn("end-after-20-ms-3", |call| ends_after(call, 20)),
        turn("end-after-20-ms-4", |call| ends_after(call, 20)),
        turn("end-after-20-ms-5", |call| ends_after(call, 20)),
        turn("end-after-200-ms-1", |call| ends_after(call, 200)),
        turn("end-after-200-ms-2", |call| ends_after(call, 200)),
        turn("end-after-200-ms-3", |call| ends_after(call, 200)),
        turn("end-after-2-s-1", |call| ends_after(call, 2_000)),
        turn("never-ends-1", never_ends),
        turn("behind-endless", |call| call.streamed()),
    ];
    let rest = |label: &str| match label {
        "warm-up" => 20,
        label if label.starts_with("end-after-20-ms") => 100,
        label if label.starts_with("end-after-200-ms") => 400,
        _ => 50,
    };
    let steps = turns.iter().flat_map(|turn| [Step::Call(turn.label), Step::Wait(rest(turn.label))]).collect();
    Scene::calls(turns).in_steps(steps)
}

/// The head and the response at once, the terminator later.
fn ends_after(call: &Call<'_>, ms: u64) -> Reply {
    Reply::of(vec![
        Act::Write([sse_head(&[]), chunk(call.event().as_bytes())].concat()),
        Act::Wait(Duration::from_millis(ms)),
        Act::Write(chunk(b"")),
    ])
}

fn never_ends(call: &Call<'_>) -> Reply {
    Reply::of(vec![Act::Write([sse_head(&[]), chunk(call.event().as_bytes())].concat()), Act::Hold])
}
