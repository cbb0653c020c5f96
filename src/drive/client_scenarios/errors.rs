//! JSON-RPC errors, on streams that could be resumed.

use crate::drive::peer::{Ask, Reply, Scene, Shared, Step, turn};
use crate::spec::Revision;

/// Four calls that end in an error, and a rest in which a client would resume their streams.
pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
        turn("error-primed", |call| {
            let error =
                format!("id: error-primed/1\ndata: {}\n\n", call.error(-32602, "the tool wants other arguments"));
            Reply::stream(["id: error-primed/0\nretry: 100\ndata:\n\n", &error])
        }),
        turn("error-with-id", |call| {
            let error = call.error(-32603, "the tool has a defect");
            Reply::stream([format!("id: error-with-id/0\nretry: 100\ndata: {error}\n\n").as_str()])
        }),
        turn("error-without-id", |call| {
            let error = call.error(-32603, "the tool has a defect");
            Reply::stream([format!("data: {error}\n\n").as_str()])
        }),
        turn("error-in-json", |call| Reply::json(200, &[], &call.error(-32602, "the tool wants other arguments"))),
        turn("behind", |call| call.streamed()),
    ])
    .in_steps(vec![
        Step::Call("warm-up"),
        Step::Call("error-primed"),
        Step::Call("error-with-id"),
        Step::Call("error-without-id"),
        Step::Call("error-in-json"),
        Step::Wait(600),
        Step::Call("behind"),
    ])
    .reacting(nothing_more)
}

/// Whoever resumes one of these streams finds that it has ended.
fn nothing_more(ask: &Ask<'_>, shared: &Shared) -> Option<Reply> {
    let session = ask.field("mcp-session-id")?;
    let resumes = ask.http() == "GET" && ask.field("last-event-id").is_some();
    let is_open = shared.state().is_open(&session) == Some(true);
    (resumes && is_open && !shared.is_modern()).then(|| Reply::stream([]).labelled("resumption"))
}
