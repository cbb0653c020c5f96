//! Ids of events: by their position in the stream that had them first.

use super::{Kind, Names};

/// The name of an event's id.
pub fn name(names: &mut Names, id: &str) -> String {
    match id.is_empty() {
        true => "(empty)".to_owned(),
        false => names.name(Kind::Event, id),
    }
}
