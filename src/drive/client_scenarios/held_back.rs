//! The same call many times, against a peer that holds its last segment back.

use crate::drive::peer::{Scene, turn};
use crate::spec::Revision;

pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![turn("warm-up", |call| call.streamed())])
}
