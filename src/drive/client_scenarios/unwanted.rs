//! Bodies that a client has no use for.

use std::time::Duration;

use crate::drive::peer::{Act, Ask, Call, Reply, Scene, Shared, Step, chunk, head, sse_head, turn};
use crate::spec::{Era, Revision};

/// More than a client takes in with the head, or keeps for somebody who may still ask for it.
const REST: usize = 128 << 10;

/// Long enough that the head has been read before the rest comes.
const MOMENT: Duration = Duration::from_millis(100);

/// How long a client has to get rid of them; then it is seen whether it has.
const LATER: u64 = 1_200;

/// How long the caller of an answer that is none waits for one.
const PATIENCE: u64 = 2_000;

/// Answers to calls that are no answers; in the legacy era, calls that are given up as well, so that there are
/// notifications to answer wrongly. Behind each half there is a plain call. Errors come last: some clients end at one.
pub fn scene(revision: Revision) -> Scene {
    let mut turns = vec![turn("plain", |call| call.streamed()), turn("unwanted-page", |call| page(call, 200))];
    if revision.era() == Era::Legacy {
        turns.extend([turn("given-up-1", late), turn("given-up-2", late)]);
    }
    turns.extend([
        turn("behind-unwanted-1", |call| call.streamed()),
        turn("unwanted-refusal", |call| page(call, 400)),
        turn("unwanted-failure", |call| page(call, 500)),
        turn("behind-unwanted-2", |call| call.streamed()),
    ]);
    let mut steps: Vec<Step> = Vec::new();
    for turn in &turns {
        steps.extend(match turn.label {
            label if label.starts_with("behind-unwanted-") => vec![Step::Wait(LATER), Step::Call(label)],
            label if label.starts_with("given-up-") => vec![Step::CallFor(label, 150)],
            label => vec![Step::CallFor(label, PATIENCE)],
        });
    }
    Scene::calls(turns).in_steps(steps).reacting(to_notifications)
}

/// A page of HTML instead of a response.
fn page(_call: &Call<'_>, status: u16) -> Reply {
    let head = head(status, &[("Content-Type", "text/html"), ("Transfer-Encoding", "chunked")]);
    let page = format!("<p>{}</p>\n", "no message ".repeat(REST / 11));
    Reply::of(vec![
        Act::Write([head, chunk(b"<!doctype html>\n")].concat()),
        Act::Wait(MOMENT),
        Act::Write([chunk(page.as_bytes()), chunk(b"")].concat()),
    ])
    .damaged()
}

/// A response that comes when its caller has given it up.
fn late(call: &Call<'_>) -> Reply {
    Reply::of(vec![
        Act::Write(sse_head(&[])),
        Act::Wait(Duration::from_millis(400)),
        Act::Write([chunk(call.event().as_bytes()), chunk(b"")].concat()),
    ])
}

/// The first cancellation is answered with JSON, the next one with a stream that stays open.
fn to_notifications(ask: &Ask<'_>, shared: &Shared) -> Option<Reply> {
    const JSON: &str = "unwanted-json-to-a-notification";
    if ask.method() != "notifications/cancelled" {
        return None;
    }
    let reply = if shared.state().seen(JSON) == 0 {
        let head = head(200, &[("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]);
        let rest = format!("{}{{}}", " ".repeat(REST));
        Reply::of(vec![
            Act::Write([head, chunk(b" ")].concat()),
            Act::Wait(MOMENT),
            Act::Write([chunk(rest.as_bytes()), chunk(b"")].concat()),
        ])
        .labelled(JSON)
    } else {
        let comments = ": nobody asked for this\n\n".repeat(REST / 25);
        Reply::of(vec![
            Act::Write([sse_head(&[]), chunk(b": welcome\n\n")].concat()),
            Act::Wait(MOMENT),
            Act::Write(chunk(comments.as_bytes())),
            Act::Hold,
        ])
        .labelled("unwanted-stream-to-a-notification")
    };
    Some(reply.damaged())
}
