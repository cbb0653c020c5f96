//! From lines to events (section 9.2.6).

use std::borrow::Cow;

use super::line::{Line, LineReader};
use super::{Event, LineEndings, Span, SseEvent, SseFault, SseFaultKind};

/// How many bytes of data a parser keeps of one event unless told otherwise.
pub const DEFAULT_CAP: usize = 16 * 1024 * 1024;

/// What a line may have on top of the cap, so that a field name is readable whatever the cap.
const LINE_SLACK: usize = 1024;

/// How many characters of an unknown field's name are reported.
const SHORT_NAME: usize = 40;

/// Reads one event stream.
#[derive(Debug)]
pub struct SseParser {
    lines: LineReader,
    block: Block,
}

/// The buffers of section 9.2.6.
#[derive(Debug)]
struct Block {
    cap: usize,
    /// The event as far as its lines have come; none between a blank line and the next field.
    event: Option<Event>,
    /// Whether data of this event was cut.
    cut: bool,
    last_event_id: String,
}

impl Default for SseParser {
    fn default() -> Self {
        Self::new()
    }
}

impl SseParser {
    /// At the first byte of a body.
    pub fn new() -> Self {
        Self::with_cap(DEFAULT_CAP)
    }

    /// Keeps at most `cap` bytes of an event's data, and of a line a little more; what is beyond is counted.
    pub fn with_cap(cap: usize) -> Self {
        SseParser {
            lines: LineReader::new(cap.saturating_add(LINE_SLACK)),
            block: Block { cap, event: None, cut: false, last_event_id: String::new() },
        }
    }

    /// Reads the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<SseEvent>) {
        self.lines.push(bytes, |line| self.block.read(line, out));
    }

    /// The body is over. What no blank line has ended is discarded; if that is more than a comment, it is a fault.
    pub fn finish(&mut self, out: &mut Vec<SseEvent>) {
        let line = self.lines.line();
        let is_field = !line.text.is_empty() && !line.text.starts_with(b":");
        let began = self.block.event.take().map(|event| event.span.start).or(is_field.then_some(line.span.start));
        out.extend(began.map(|began| report(SseFaultKind::UnterminatedEvent, began..line.span.end)));
        self.lines.clear();
    }

    /// The line ends so far.
    pub fn endings(&self) -> LineEndings {
        self.lines.endings()
    }

    /// What a client that lost the connection now would send in `Last-Event-ID`; empty if it would send none.
    pub fn last_event_id(&self) -> &str {
        &self.block.last_event_id
    }

    /// How many bytes are kept in memory: a few times the cap at most, whatever was pushed.
    pub fn held(&self) -> usize {
        self.lines.held() + self.block.held()
    }
}

impl Block {
    fn read(&mut self, line: Line<'_>, out: &mut Vec<SseEvent>) {
        let mut text = line.text;
        if let Err(error) = std::str::from_utf8(text) {
            let valid = error.valid_up_to();
            match error.error_len() {
                // A character that the cap cut in two was whole on the wire.
                None if line.is_cut() => text = &text[..valid],
                bad => {
                    let bad = bad.unwrap_or(text.len() - valid) as u64;
                    let start = line.span.start + valid as u64;
                    out.push(report(SseFaultKind::InvalidUtf8, start..start + bad));
                }
            }
        }
        match text.first() {
            None => self.end(line.after, out),
            Some(b':') => out.push(SseEvent::Comment(line.span)),
            Some(_) => self.field(text, line, out),
        }
    }

    /// A line that is a field: `name [ ":" [ SP ] value ]`.
    fn field(&mut self, text: &[u8], line: Line<'_>, out: &mut Vec<SseEvent>) {
        if line.is_cut() {
            out.push(report(SseFaultKind::LineTooLong, line.span.clone()));
        }
        let colon = text.iter().position(|&byte| byte == b':');
        let name = &text[..colon.unwrap_or(text.len())];
        let value = &text[colon.map_or(text.len(), |colon| colon + 1)..];
        let value = value.strip_prefix(b" ").unwrap_or(value);

        let event = self.event.get_or_insert_with(|| Event { span: line.span.clone(), ..Event::default() });
        match name {
            b"data" => {
                let unread = line.span.end - line.span.start - text.len() as u64;
                let joint = if event.data_lines > 0 { "\n" } else { "" };
                event.data_lines = event.data_lines.saturating_add(1);
                event.data_size += (joint.len() + value.len()) as u64 + unread;
                let data = &mut event.data;
                self.cut = self.cut || !keep(data, joint, self.cap) || !keep(data, &decode(value), self.cap);
            }
            b"event" => event.kind = Some(decode(value).into_owned()),
            b"id" if value.contains(&0) => out.push(report(SseFaultKind::IdWithNul, line.span)),
            b"id" => event.id = Some(decode(value).into_owned()),
            b"retry" => match decimal(value) {
                Some(retry) => event.retry = Some(retry),
                None => out.push(report(SseFaultKind::RetryNotDigits, line.span)),
            },
            _ => {
                let name = decode(name).chars().take(SHORT_NAME).collect();
                out.push(report(SseFaultKind::UnknownField(name), line.span));
            }
        }
    }

    /// A blank line: whatever was gathered takes effect.
    fn end(&mut self, at: u64, out: &mut Vec<SseEvent>) {
        let cut = std::mem::take(&mut self.cut);
        let Some(mut event) = self.event.take() else { return };
        event.span.end = at;
        if let Some(id) = &event.id {
            self.last_event_id.clone_from(id);
        }
        if cut {
            out.push(report(SseFaultKind::EventTooLarge, event.span.clone()));
        }
        out.push(match event.data_lines {
            0 => SseEvent::NoData(event),
            _ => SseEvent::Dispatch(event),
        });
    }

    fn held(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let event = self.event.as_ref();
        self.last_event_id.len() + event.map_or(0, |event| event.data.len() + length(&event.kind) + length(&event.id))
    }
}

/// Appends as much of `text` as the cap allows, in whole characters. Says whether that was all.
fn keep(data: &mut String, text: &str, cap: usize) -> bool {
    let room = text.floor_char_boundary(cap.saturating_sub(data.len()));
    data.push_str(&text[..room]);
    room == text.len()
}

/// UTF-8, with U+FFFD for whatever is none. Line ends are ASCII, so decoding line by line is decoding the whole.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// One or more decimal digits; a number beyond 64 bits is as good as the largest.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = digits.iter().map(|digit| u64::from(digit - b'0'));
    Some(digits.fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(digit)))
}

fn report(kind: SseFaultKind, at: Span) -> SseEvent {
    SseEvent::Fault(SseFault { at, kind })
}
