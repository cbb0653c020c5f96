//! Helpers of the tests: read some bytes at once, and say what came out in a form that a table can hold.

mod faults;
mod limits;
mod messages;
mod properties;

use super::*;

/// What a response parser says of `bytes` after a request with each of these methods.
fn responses(methods: &[&str], bytes: &[u8]) -> (ResponseParser, Vec<ResponseEvent>) {
    let mut parser = ResponseParser::new();
    methods.iter().for_each(|method| parser.expect(method));
    let mut events = Vec::new();
    parser.push(bytes, &mut events);
    (parser, events)
}

/// What a request parser says of `bytes`.
fn requests(bytes: &[u8]) -> (RequestParser, Vec<RequestEvent>) {
    let mut parser = RequestParser::new();
    let mut events = Vec::new();
    parser.push(bytes, &mut events);
    (parser, events)
}

/// The faults among events of either direction.
trait Faults {
    fn faults(&self) -> Vec<Fault>;
}

impl Faults for [ResponseEvent] {
    fn faults(&self) -> Vec<Fault> {
        self.iter()
            .filter_map(|event| if let ResponseEvent::Fault(fault) = event { Some(fault.clone()) } else { None })
            .collect()
    }
}

impl Faults for [RequestEvent] {
    fn faults(&self) -> Vec<Fault> {
        self.iter()
            .filter_map(|event| if let RequestEvent::Fault(fault) = event { Some(fault.clone()) } else { None })
            .collect()
    }
}

/// One word per event, with the bytes of `wire` that it is about.
fn outline(wire: &[u8], events: &[ResponseEvent]) -> Vec<String> {
    let text = |span: &Span| String::from_utf8_lossy(&wire[span.start as usize..span.end as usize]).into_owned();
    events
        .iter()
        .map(|event| match event {
            ResponseEvent::Interim(head) => format!("interim {}", head.status),
            ResponseEvent::Head(head, framing) => format!("head {} {framing:?}", head.status),
            ResponseEvent::Chunk { size, extension: false, .. } => format!("chunk {size}"),
            ResponseEvent::Chunk { size, extension: true, .. } => format!("chunk {size} extended"),
            ResponseEvent::Data(span) => format!("data {}", text(span)),
            ResponseEvent::Trailer(field) => format!("trailer {}: {}", field.name, field.text()),
            ResponseEvent::End { at } => format!("end {at}"),
            ResponseEvent::Surplus(span) => format!("surplus {}", text(span)),
            ResponseEvent::Fault(fault) => format!("fault {}", fault.kind),
        })
        .collect()
}

/// Whether there is, in order, an event for each of these beginnings.
#[track_caller]
fn assert_outline(wire: &[u8], events: &[ResponseEvent], expected: &[&str]) {
    assert_eq!(outline(wire, events), expected, "for {:?}", String::from_utf8_lossy(wire));
}

/// Joins neighbouring spans of content or surplus: the only thing that the cuts between pushes may change.
fn join_responses(events: Vec<ResponseEvent>) -> Vec<ResponseEvent> {
    let mut joined: Vec<ResponseEvent> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(ResponseEvent::Data(before)), ResponseEvent::Data(span)) if before.end == span.start => {
                before.end = span.end
            }
            (Some(ResponseEvent::Surplus(before)), ResponseEvent::Surplus(span)) if before.end == span.start => {
                before.end = span.end;
            }
            (_, event) => joined.push(event),
        }
    }
    joined
}

/// The same for requests, of which there is never a surplus.
fn join_requests(events: Vec<RequestEvent>) -> Vec<RequestEvent> {
    let mut joined: Vec<RequestEvent> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(RequestEvent::Data(before)), RequestEvent::Data(span)) if before.end == span.start => {
                before.end = span.end
            }
            (_, event) => joined.push(event),
        }
    }
    joined
}
