//! Streams that end or break before their response.

use crate::drive::peer::{Scene, turn};
use crate::spec::Revision;

pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![turn("warm-up", |call| call.streamed())])
}
