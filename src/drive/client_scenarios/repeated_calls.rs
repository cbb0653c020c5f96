//! The same call many times, with nothing else going on, against a peer that answers at once.

use crate::drive::peer::{Scene, Turn, turn};
use crate::spec::Revision;

/// Enough for a median that is no matter of luck.
pub fn scene(_revision: Revision) -> Scene {
    let mut turns = vec![turn("warm-up", |call| call.streamed())];
    turns.extend(REPEATS.map(|label| Turn { label, reply: |call| call.streamed() }));
    Scene::calls(turns).timed()
}

/// The labels of the calls whose times count.
pub const REPEATS: [&str; 25] = [
    "repeat-1",
    "repeat-2",
    "repeat-3",
    "repeat-4",
    "repeat-5",
    "repeat-6",
    "repeat-7",
    "repeat-8",
    "repeat-9",
    "repeat-10",
    "repeat-11",
    "repeat-12",
    "repeat-13",
    "repeat-14",
    "repeat-15",
    "repeat-16",
    "repeat-17",
    "repeat-18",
    "repeat-19",
    "repeat-20",
    "repeat-21",
    "repeat-22",
    "repeat-23",
    "repeat-24",
    "repeat-25",
];
