//! Helpers of the tests: read a stream at once, and say what came out in a form that a table can hold.

mod oracle;
mod properties;
mod streams;

use super::*;

/// What the parser says of a whole body.
fn read(body: &[u8]) -> (SseParser, Vec<SseEvent>) {
    let mut parser = SseParser::new();
    let mut events = Vec::new();
    parser.push(body, &mut events);
    parser.finish(&mut events);
    (parser, events)
}

/// One word per event, with what it carries.
fn outline(body: &[u8], events: &[SseEvent]) -> Vec<String> {
    let text = |span: &Span| String::from_utf8_lossy(&body[span.start as usize..span.end as usize]).into_owned();
    let fields = |event: &Event| {
        let kind = event.kind.as_ref().map(|kind| format!(" event={kind}"));
        let id = event.id.as_ref().map(|id| format!(" id={id}"));
        let retry = event.retry.map(|retry| format!(" retry={retry}"));
        [kind, id, retry].into_iter().flatten().collect::<String>()
    };
    events
        .iter()
        .map(|event| match event {
            SseEvent::Dispatch(event) => format!("dispatch {:?}{}", event.data, fields(event)),
            SseEvent::NoData(event) => format!("no data{}", fields(event)),
            SseEvent::Comment(span) => format!("comment {}", text(span)),
            SseEvent::Fault(fault) => format!("fault {}: {:?}", fault.kind, text(&fault.at)),
        })
        .collect()
}

/// The events of a stream.
fn dispatched(events: &[SseEvent]) -> impl Iterator<Item = &Event> {
    events.iter().filter_map(|event| if let SseEvent::Dispatch(event) = event { Some(event) } else { None })
}
