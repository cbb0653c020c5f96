//! What a client of both eras does with a peer of the legacy one.

use crate::drive::peer::{Scene, turn};
use crate::spec::Revision;

pub fn scene(_revision: Revision) -> Scene {
    Scene::calls(vec![turn("warm-up", |call| call.streamed())])
}
