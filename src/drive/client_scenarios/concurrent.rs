//! Calls side by side, answered in another order.

use std::time::Duration;

use crate::drive::peer::{Act, Call, Reply, Scene, State, Step, chunk, sse_head, turn};
use crate::spec::Revision;

/// How long an answer is held back for calls that do not come.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Twice three calls that are begun together and answered from the last to the first. In the first round the head of
/// each answer comes at once, in the second one nothing comes of an answer before its turn. Once the first call has
/// its answer nothing is held back any more: a client that makes its calls one after the other costs each round its
/// patience once.
pub fn scene(_revision: Revision) -> Scene {
    let turns = vec![
        turn("warm-up", |call| call.streamed()),
        turn("crossed-1", |call| crossed(call, |state| has(state, "crossed-2"), |state| state.saw("crossed-1 done"))),
        turn("crossed-2", |call| {
            let is_next = |state: &State| has(state, "crossed-3") || has(state, "crossed-1");
            crossed(call, is_next, |state| state.saw("crossed-2 done"))
        }),
        turn("crossed-3", |call| {
            let is_next = |state: &State| state.seen_any("crossed-") >= 3 || has(state, "crossed-1");
            crossed(call, is_next, |state| state.saw("crossed-3 done"))
        }),
        turn("held-1", |call| held(call.json(), |state| has(state, "held-2"), |state| state.saw("held-1 done"))),
        turn("held-2", |call| {
            let is_next = |state: &State| has(state, "held-3") || has(state, "held-1");
            held(call.streamed(), is_next, |state| state.saw("held-2 done"))
        }),
        turn("held-3", |call| {
            let is_next = |state: &State| state.seen_any("held-") >= 3 || has(state, "held-1");
            held(call.json(), is_next, |state| state.saw("held-3 done"))
        }),
    ];
    Scene::calls(turns).in_steps(vec![
        Step::Call("warm-up"),
        Step::Together(&["crossed-1", "crossed-2", "crossed-3"]),
        Step::Together(&["held-1", "held-2", "held-3"]),
    ])
}

/// Whether the call has its answer.
fn has(state: &State, label: &str) -> bool {
    state.seen(&format!("{label} done")) > 0
}

/// The head at once, the response when it is its turn.
fn crossed(call: &Call<'_>, is_next: fn(&State) -> bool, done: fn(&mut State)) -> Reply {
    Reply::of(vec![
        Act::Write(sse_head(&[])),
        Act::Until(is_next, PATIENCE),
        Act::Write(chunk(call.event().as_bytes())),
        Act::Change(done),
        Act::Write(chunk(b"")),
    ])
}

/// All of it when it is its turn.
fn held(mut reply: Reply, is_next: fn(&State) -> bool, done: fn(&mut State)) -> Reply {
    reply.acts.insert(0, Act::Until(is_next, PATIENCE));
    reply.acts.push(Act::Change(done));
    reply
}
