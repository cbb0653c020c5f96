//! What the target said beside the wire while a trace was recorded: lines of its log, or of its standard error.
//!
//! No check reads them: they stand with a finding so that its reader sees what the target made of it.

use super::event::What;
use super::render::{Line, since};
use super::time::Nanos;
use super::{Event, Trace};

/// How much of a line is kept, in characters.
const KEPT: usize = 400;

/// How many lines stand with a finding.
const SHOWN: usize = 12;

/// As much of a line as is kept. To be cut once it has no secrets any more: cut before, it could end within one.
pub fn shown(line: &str) -> String {
    let mut text: String = line.chars().take(KEPT).collect();
    if text.len() < line.len() {
        text.push('…');
    }
    text
}

/// The last lines that were said up to a finding that these events show, or the last ones of all where none of those is
/// kept; with their times since the exchange began in which the first event stands.
pub fn around(trace: &Trace, events: &[u32]) -> Vec<Line> {
    let event = |seq: &u32| trace.events.get(*seq as usize);
    let said = || trace.events.iter().filter_map(|event| Some((event.at, line(event)?)));
    let Some(last) = events.iter().filter_map(event).map(|event| event.at).max() else { return Vec::new() };
    let origin = events.iter().filter_map(event).find_map(|event| begun(trace, event));
    // What a handler says when it is done, it says behind its last byte; where a line comes on its own way, later still.
    let mut near: Vec<(Nanos, &str)> = said().filter(|(at, _)| at.0 <= last.0.saturating_add(LATER)).collect();
    if near.is_empty() {
        // Of a target that says much, only the last lines of the scenario are kept: their times say that they are later.
        near = said().collect();
    }
    let before = near.len().saturating_sub(SHOWN);
    let left_out = (before > 0).then(|| Line { what: format!("… {before} lines before"), ..Line::default() });
    let shown = near[before..].iter().map(|(at, line)| Line {
        at: origin.map(|origin| since(origin, *at)).unwrap_or_default(),
        what: (*line).to_owned(),
        here: false,
    });
    left_out.into_iter().chain(shown).collect()
}

/// How long behind the last event of a finding a line may come, in nanoseconds.
const LATER: u64 = 250_000_000;

fn line(event: &Event) -> Option<&str> {
    match &event.what {
        What::Said { line } => Some(line),
        _ => None,
    }
}

/// When the exchange was begun in which an event stands.
fn begun(trace: &Trace, event: &Event) -> Option<Nanos> {
    let exchanges = trace.on_connection(event.what.conn()?);
    let exchange = exchanges.iter().rfind(|exchange| exchange.asked.seq <= event.seq)?;
    Some(exchange.written.map_or(exchange.asked.at, |(began, _)| began))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::spec::Revision;
    use crate::trace::{Bytes, Conduct, Distance, Part, TraceHead, Vantage};

    const MS: u64 = 1_000_000;

    /// One request that is written at 100 ms, and these lines.
    fn trace(lines: impl IntoIterator<Item = (u64, &'static str)>) -> Trace {
        let asked = What::Asked { conn: 0, label: "x".to_owned(), part: Part::Plain, ours: Conduct::Conforming };
        let head = b"POST /mcp HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_vec();
        let wrote = What::Wrote { conn: 0, began: Nanos(100 * MS), bytes: Bytes(head) };
        let connected = What::Connected { conn: 0, began: Nanos(0), local: String::new(), peer: String::new() };
        let wire = [(0, connected), (99, asked), (101, wrote)];
        let said = lines.into_iter().map(|(at, line)| (at, What::Said { line: line.to_owned() }));
        let events = wire.into_iter().chain(said).zip(0..);
        let events = events.map(|((at, what), seq)| Event { seq, at: Nanos(at * MS), what }).collect();
        let (scenario, revision) = (Scenario::Survey, Revision::R20251125);
        let (vantage, distance) = (Vantage::Client, Distance::Loopback);
        Trace::new(TraceHead { scenario, revision, attempt: 1, vantage, distance }, events)
    }

    fn shown_at(lines: &[Line]) -> Vec<(&str, &str)> {
        lines.iter().map(|line| (line.at.as_str(), line.what.as_str())).collect()
    }

    #[test]
    fn lines_have_their_times_since_the_exchange_began() {
        let trace = trace([(60, "before"), (150, "at work"), (900, "long after")]);
        assert_eq!(shown_at(&around(&trace, &[1, 2])), [("−40.0 ms", "before"), ("+50.0 ms", "at work")]);
    }

    #[test]
    fn the_last_lines_are_shown_and_the_others_counted() {
        let trace = trace((0..30).map(|at| (at, "again")));
        let shown = around(&trace, &[2]);
        assert_eq!((shown.len(), shown[0].what.as_str()), (SHOWN + 1, "… 18 lines before"));
    }

    #[test]
    fn where_only_later_lines_are_kept_they_are_shown_as_later() {
        assert_eq!(shown_at(&around(&trace([(900, "long after")]), &[2])), [("+800 ms", "long after")]);
    }

    #[test]
    fn without_an_event_nothing_is_near() {
        assert_eq!(around(&trace([(1, "said")]), &[]), []);
    }
}
