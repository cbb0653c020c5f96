//! What a client of both eras does when its first modern request is refused.

use serde_json::json;

use crate::drive::peer::{Ask, Reply, Scene, Shared, error_text, turn};
use crate::spec::{Era, Revision};

/// A version that no client knows.
const SUPPORTED: &str = "2099-01-01";

const UNSUPPORTED_VERSION: i64 = -32022;

/// In the legacy revisions the peer is one that has never heard of the modern era: it misses the session id, and says
/// so in words of its own. In 2026-07-28 it is one of the modern era, whose only version the client does not know.
pub fn scene(revision: Revision) -> Scene {
    let scene = Scene::calls(vec![turn("warm-up", |call| call.streamed())]).probed();
    match revision.era() {
        Era::Legacy => scene,
        Era::Modern => scene.reacting(refuse),
    }
}

fn refuse(ask: &Ask<'_>, _shared: &Shared) -> Option<Reply> {
    let id = ask.id().filter(|_| ask.http() == "POST")?;
    let params = ask.params();
    let named = params["_meta"]["io.modelcontextprotocol/protocolVersion"].as_str();
    let requested = named.or(params["protocolVersion"].as_str()).unwrap_or_default();
    let data = json!({"supported": [SUPPORTED], "requested": requested});
    let text = error_text(Some(id), UNSUPPORTED_VERSION, "unsupported protocol version", Some(data));
    Some(Reply::json(400, &[], &text))
}
