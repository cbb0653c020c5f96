//! Names and arguments that header fields have to mirror.

use serde_json::{Value, json};

use crate::drive::peer::{Scene, Step, turn};
use crate::spec::Revision;

/// One tool whose name no header field can carry as it is, and one with a parameter that goes into a header field:
/// with a plain value, with values that need the Base64 form, and without any.
pub fn scene(_revision: Revision) -> Scene {
    let lookup = |step, arguments: Value| Step::Tool(step, "lookup", arguments);
    Scene::calls(vec![turn("warm-up", |call| call.streamed())]).in_steps(vec![
        Step::Call("warm-up"),
        Step::Tool("non-ascii-name", "grüße", json!({})),
        lookup("plain", json!({"region": "Graz"})),
        lookup("non-ascii", json!({"region": "Zürich"})),
        lookup("padded", json!({"region": " Graz "})),
        lookup("like-base64", json!({"region": "=?base64?Graz?="})),
        lookup("absent", json!({})),
    ])
}
