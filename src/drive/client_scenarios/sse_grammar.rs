//! Event streams in every spelling that the grammar allows.

use crate::drive::peer::{Scene, turn};
use crate::spec::Revision;

pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![turn("warm-up", |call| call.streamed())])
}
