//! An exchange as a reader wants to see it: one line per moment, with its time since the request.

use serde::{Deserialize, Serialize};

use super::decode::{Answer, Ending, Exchange, PeerEnd};
use super::time::{Nanos, Span};
use super::{Message, MessageKind, Trace, Vantage};
use crate::codec::http1::Framing;
use crate::codec::sse::SseEvent;

/// One line of a timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The time since the request began to be written, or since the first event where nothing was written.
    pub at: String,
    /// What happened.
    pub what: String,
    /// This is the offending moment.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub here: bool,
}

/// The timeline of an exchange; `offending` is the event to mark.
pub fn timeline(trace: &Trace, exchange: &Exchange, offending: Option<u32>) -> Vec<Line> {
    let origin = exchange.written.map_or(exchange.asked.at, |(began, _)| began);
    let mut lines = Vec::new();
    let mut say = |at: Nanos, seq: u32, tells: Tells, what: String| {
        lines.push((at, tells, Line { at: since(origin, at), what, here: offending == Some(seq) }));
    };

    if exchange.nth == 0
        && let Some((began, moment)) = trace.connection(exchange.conn).and_then(|facts| facts.opened)
    {
        say(
            moment.at,
            moment.seq,
            Tells::Framing,
            match trace.head.vantage {
                Vantage::Client => format!("connection #{} opened in {}", exchange.conn, Span(moment.at.since(began))),
                Vantage::Server => format!("connection #{} accepted", exchange.conn),
            },
        );
    }
    say(
        origin,
        exchange.asked.seq,
        Tells::Framing,
        format!("→ {} ({}, connection #{})", request(exchange), exchange.label, exchange.conn),
    );
    for interim in &exchange.interim {
        say(exchange.asked.at, exchange.asked.seq, Tells::Framing, format!("← {} (interim)", interim.status));
    }
    if let Some(answer) = &exchange.answer {
        say(answer.head_at.best(), answer.head_at.seq, Tells::Framing, format!("← {}", head(answer)));
        body(answer, &mut say);
    }
    for release in &exchange.releases {
        let came = match release.queued {
            (0, 0) => "nothing more came".to_owned(),
            (before, after) => format!("{} more bytes came within that system call", after.saturating_sub(before)),
        };
        say(release.moment.at, release.moment.seq, Tells::Oddity, format!("  our withheld ACK let go: {came}"));
    }
    for (what, moment) in &exchange.of_the_way {
        say(moment.at, moment.seq, Tells::Framing, format!("  our fault {what}"));
    }
    for (fault, moment) in &exchange.faults {
        say(moment.best(), moment.seq, Tells::Oddity, format!("! {} at byte {}", fault.kind, fault.at.start));
    }
    for (span, moment) in &exchange.surplus {
        say(
            moment.best(),
            moment.seq,
            Tells::Oddity,
            format!("← {} surplus bytes after the end", span.end - span.start),
        );
    }
    match &exchange.ending {
        Ending::Complete(moment) => {
            say(moment.best(), moment.seq, Tells::Framing, "  the answer is complete".to_owned())
        }
        Ending::Cut(how, moment) => {
            say(moment.at, moment.seq, Tells::Oddity, format!("← {} before the answer was complete", end(*how)))
        }
        Ending::Unreadable(moment) => {
            say(moment.at, moment.seq, Tells::Oddity, "  the rest cannot be read as HTTP/1.1".to_owned())
        }
        Ending::NotKept(moment) => {
            say(moment.at, moment.seq, Tells::Oddity, "  more came than the recording keeps".to_owned())
        }
        Ending::Open { watched: Some(moment) } => {
            say(moment.at, moment.seq, Tells::Oddity, "  the answer was still open when we looked last".to_owned());
        }
        Ending::Open { watched: None } => {}
    }
    if let (Ending::Complete(_), Some((how, moment))) = (&exchange.ending, ended_behind(trace, exchange)) {
        say(moment.at, moment.seq, Tells::Oddity, format!("← {}", end(how)));
    }
    // By time, and within one moment in the order of saying.
    lines.sort_by_key(|(at, ..)| *at);
    point_at_one(&mut lines);
    abridged(lines.into_iter().map(|(.., line)| line).collect())
}

/// How much a line tells of the event that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tells {
    /// Heads and ends.
    Framing,
    /// A message or an event.
    Message,
    /// What should not be there.
    Oddity,
}

/// One read may bring a head, messages and an end: of the lines that stand for the offending event, the last one
/// that tells the most keeps the mark.
fn point_at_one(lines: &mut [(Nanos, Tells, Line)]) {
    let marked = lines.iter().enumerate().filter(|(_, (.., line))| line.here);
    let keeper = marked.max_by_key(|(_, (_, tells, _))| *tells).map(|(index, _)| index);
    for (index, (.., line)) in lines.iter_mut().enumerate() {
        line.here = Some(index) == keeper;
    }
}

/// A stream may have thousands of events: its beginning, its end and the offending moment tell the story.
fn abridged(lines: Vec<Line>) -> Vec<Line> {
    const SHOWN: usize = 40;
    let (count, mut left_out, mut shown) = (lines.len(), 0, Vec::new());
    for (index, line) in lines.into_iter().enumerate() {
        if line.here || index < SHOWN / 2 || index + SHOWN / 2 >= count {
            if left_out > 0 {
                shown.push(Line { at: String::new(), what: format!("  … {left_out} more lines …"), here: false });
                left_out = 0;
            }
            shown.push(line);
        } else {
            left_out += 1;
        }
    }
    shown
}

/// The end of the connection, where this is the last exchange on it.
fn ended_behind(trace: &Trace, exchange: &Exchange) -> Option<(PeerEnd, super::Moment)> {
    let last = trace.on_connection(exchange.conn).last()?;
    (last.nth == exchange.nth).then(|| trace.connection(exchange.conn)?.ended)?
}

fn request(exchange: &Exchange) -> String {
    let http = exchange.http_method();
    match &exchange.sent()[..] {
        [message] => format!("{http} {}", describe(message)),
        [] if exchange.request_body.is_empty() => http.to_owned(),
        [] => format!("{http} with {} bytes that are no JSON", exchange.request_body.len()),
        messages => format!("{http} with a batch of {}", messages.len()),
    }
}

fn head(answer: &Answer) -> String {
    let length = match answer.framing {
        Framing::Bodyless => "no body".to_owned(),
        Framing::Length(length) => format!("Content-Length: {length}"),
        Framing::Chunked => "chunked".to_owned(),
        Framing::UntilClose => "until the connection closes".to_owned(),
    };
    match answer.media_type() {
        Some(media_type) => format!("{} {media_type}, {length}", answer.head.status),
        None => format!("{}, {length}", answer.head.status),
    }
}

fn body(answer: &Answer, say: &mut impl FnMut(Nanos, u32, Tells, String)) {
    let Some(stream) = &answer.stream else {
        for received in &answer.messages {
            say(
                received.moment.best(),
                received.moment.seq,
                Tells::Message,
                format!("← {}", describe(&received.message)),
            );
        }
        if answer.messages.is_empty() && !answer.body.is_empty() {
            let last = answer.pieces.last().map_or(answer.head_at, |piece| piece.moment);
            say(
                last.best(),
                last.seq,
                Tells::Message,
                format!("← {} bytes: {}", answer.body.len(), excerpt(&answer.body)),
            );
        }
        return;
    };
    let mut messages = answer.messages.iter().peekable();
    for (index, (event, moment)) in stream.events.iter().enumerate() {
        let tells = if matches!(event, SseEvent::Fault(_)) { Tells::Oddity } else { Tells::Message };
        let what = match event {
            SseEvent::Comment(_) => "← event stream comment".to_owned(),
            SseEvent::NoData(_) => "← event without data".to_owned(),
            SseEvent::Fault(fault) => format!("! {} at byte {} of the body", fault.kind, fault.at.start),
            SseEvent::Dispatch(event) => {
                let mut carried = Vec::new();
                while let Some(received) = messages.next_if(|received| received.event == Some(index)) {
                    carried.push(describe(&received.message));
                }
                match carried.is_empty() {
                    true if !event.is_message() => {
                        format!("← event of type {}", excerpt(event.kind.as_deref().unwrap_or_default().as_bytes()))
                    }
                    true if event.data.is_empty() => "← priming event (empty data)".to_owned(),
                    true => format!("← event that is not JSON: {}", excerpt(event.data.as_bytes())),
                    false => format!("← event: {}", carried.join(", ")),
                }
            }
        };
        say(moment.best(), moment.seq, tells, what);
    }
}

/// A message in a few words.
pub fn describe(message: &Message) -> String {
    let method = shortened(message.method().unwrap_or("no method"));
    let id = shortened(&message.id.to_string());
    match message.kind {
        MessageKind::Request => format!("{method} id {id}"),
        MessageKind::Notification => method,
        MessageKind::Result => format!("result for id {id}"),
        MessageKind::Error => match message.error_code() {
            Some(code) => format!("error {code} for id {id}"),
            None => format!("error for id {id}"),
        },
        MessageKind::Other => format!("JSON that is no message: {}", excerpt(message.value.to_string().as_bytes())),
    }
}

/// A word of the peer's, which may be megabytes long.
fn shortened(word: &str) -> String {
    const SHOWN: usize = 120;
    let text: String = word.chars().take(SHOWN).collect();
    if text.len() < word.len() { text + "…" } else { text }
}

/// The beginning of some bytes, on one line.
pub fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 60;
    let text: String =
        // As many bytes as that many characters can have.
        String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN)]).chars().map(|c| if c.is_control() { '·' } else { c }).take(SHOWN).collect();
    match bytes.len() > SHOWN {
        true => format!("“{text}…”"),
        false => format!("“{text}”"),
    }
}

fn end(how: PeerEnd) -> &'static str {
    match how {
        PeerEnd::Fin => "FIN",
        PeerEnd::Reset => "RST",
    }
}

/// A time, counted from another one.
pub(super) fn since(origin: Nanos, at: Nanos) -> String {
    match at >= origin {
        true => format!("+{}", Span(at.since(origin))),
        false => format!("−{}", Span(origin.since(at))),
    }
}
