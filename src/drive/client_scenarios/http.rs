//! Answers in every form that HTTP/1.1 and the transport allow.

use crate::drive::peer::{Scene, turn};
use crate::spec::Revision;

pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![turn("warm-up", |call| call.streamed())])
}
