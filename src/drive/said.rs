//! What the target said in a scenario, as events of its trace.

use crate::target::Said;
use crate::trace::{Event, What};
use crate::wire::tap::Tap;

/// The events of a trace, with what was said in the meantime behind them: it came on a way of its own, so that it has
/// no place among them.
pub fn with_said(mut events: Vec<Event>, said: Said, tap: &Tap) -> Vec<Event> {
    let mut add = |at, line| {
        let seq = u32::try_from(events.len()).unwrap_or(u32::MAX);
        events.push(Event { seq, at, what: What::Said { line } });
    };
    if let (1.., Some((first, _))) = (said.left_out, said.lines.first()) {
        add(tap.clock().at(*first), format!("… {} lines before were not kept", said.left_out));
    }
    for (at, line) in said.lines {
        add(tap.clock().at(at), line);
    }
    events
}
