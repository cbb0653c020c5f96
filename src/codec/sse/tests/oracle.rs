//! The crate `sse-parse` as a second opinion, on everything that a browser would hand to a script.
//!
//! No difference is known. What one might look for and not find: both dispatch empty data, both take over an id from a
//! block without data, both skip an id with NUL and one leading byte order mark. `retry` is not compared: for a number
//! beyond 64 bits the text leaves a choice, and the two choose differently (ours is the largest number, theirs none).

use proptest::prelude::*;

use super::properties::body;
use super::*;

/// Type, data and last event id, as a script would see them.
type Seen = (String, String, String);

fn ours(body: &[u8]) -> (Vec<Seen>, String) {
    let (parser, events) = read(body);
    let mut id = String::new();
    let mut seen = Vec::new();
    for event in events {
        let (SseEvent::Dispatch(event) | SseEvent::NoData(event)) = event else { continue };
        let dispatched = event.dispatched_by_browsers();
        id = event.id.unwrap_or(id);
        if dispatched {
            let kind = event.kind.filter(|kind| !kind.is_empty()).unwrap_or_else(|| "message".to_owned());
            seen.push((kind, event.data, id.clone()));
        }
    }
    (seen, parser.last_event_id().to_owned())
}

fn theirs(body: &[u8]) -> (Vec<Seen>, String) {
    let mut parser = sse_parse::SseParser::new();
    parser.feed(body);
    let seen = std::iter::from_fn(|| parser.next_event()).map(|event| (event.event, event.data, event.id)).collect();
    parser.finish();
    (seen, parser.last_event_id().to_owned())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

    #[test]
    fn a_script_sees_the_same_through_both_parsers(body in body()) {
        prop_assert_eq!(ours(&body), theirs(&body));
    }
}
