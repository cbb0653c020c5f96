//! Streams that end or break before their response.

use std::time::Duration;

use crate::drive::peer::{Act, Ask, Call, Reply, Scene, Shared, Step, chunk, sse_head, turn};
use crate::spec::{Era, Revision};

/// The ids of the events name the call, so that a GET says by itself what it resumes. The call behind shows that the
/// client lives. In 2026-07-28, where no stream can be resumed, the ids are there all the same.
pub fn scene(revision: Revision) -> Scene {
    let turns = vec![
        turn("closed", |call| closes_early(primed("closed", 0, 500), call.revision)),
        turn("broken", |call| match call.revision.era() {
            Era::Modern if call.earlier > 0 => call.streamed(),
            _ => breaks([primed("broken", 0, 100), primed("broken", 1, 400)].concat()),
        }),
        turn("endless", |call| ends_again(0, call.revision)),
        turn("behind", |call| call.streamed()),
    ];
    let steps = match revision.era() {
        Era::Legacy if revision == Revision::R20251125 => vec![Step::Call("closed"), Step::Call("broken")],
        Era::Legacy => vec![Step::Call("broken")],
        Era::Modern => vec![Step::CallFor("broken", 1_500), Step::Wait(600)],
    };
    let endless = match revision.era() {
        Era::Legacy => vec![Step::CallFor("endless", 1_500), Step::Wait(1_200)],
        Era::Modern => Vec::new(),
    };
    let steps = [steps, endless, vec![Step::Call("behind")]].concat();
    let played = |label: &str| {
        steps.iter().any(|step| matches!(step, Step::Call(played) | Step::CallFor(played, _) if *played == label))
    };
    let turns = turns.into_iter().filter(|turn| played(turn.label)).collect();
    Scene { official: "sse-retry", ..Scene::calls(turns).in_steps(steps).reacting(rest) }
}

/// What a stream that is resumed goes on with: its response, or in the case of `endless` nothing but another end.
fn rest(ask: &Ask<'_>, shared: &Shared) -> Option<Reply> {
    if ask.http() != "GET" || shared.is_modern() {
        return None;
    }
    let last = ask.field("last-event-id")?;
    let label = last.split('/').next()?;
    let call = Call::resumed(ask, shared, label)?;
    let reply = match label {
        "endless" => ends_again(shared.state().seen(label), call.revision),
        _ => call.streamed(),
    };
    Some(reply.labelled(label))
}

/// An event that says where to go on, and how soon.
fn primed(label: &str, nth: usize, retry: u64) -> String {
    format!("id: {label}/{nth}\nretry: {retry}\ndata:\n\n")
}

/// Ends a stream before its response, in order where a server may do so (2025-11-25, "Sending Messages to the
/// Server").
fn closes_early(event: String, revision: Revision) -> Reply {
    match revision {
        Revision::R20251125 => Reply::stream([event.as_str()]),
        _ => breaks(event),
    }
}

/// The same for the stream that ends again and again; not at once, so that a client that comes back at once does not
/// take up all connections that there are.
fn ends_again(nth: usize, revision: Revision) -> Reply {
    let mut reply = closes_early(primed("endless", nth, 100), revision);
    reply.acts.insert(1, Act::Wait(Duration::from_millis(50)));
    reply
}

/// Ends the connection in the middle of the body.
fn breaks(events: String) -> Reply {
    Reply::of(vec![Act::Write(sse_head(&[])), Act::Write(chunk(events.as_bytes())), Act::Fin]).damaged()
}
