//! Redaction: once, when a trace is closed, before anything judges or stores it.
//!
//! A secret is replaced over the reassembled bytes of each direction, so that a segment boundary cannot hide
//! it, by a pseudonym of the same length, so that no offset and no framing changes. The same secret always gets
//! the same pseudonym, so that "the same session id" stays visible; bytes outside visible ASCII are kept, so
//! that an id that breaks the rules still does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::decode::Exchange;
use super::event::{Bytes, ConnectionId, Event, What};
use super::said::shown;
use super::{Trace, Vantage};
use crate::codec::http1::{Fields, Span};

/// Header fields whose values are secrets by their nature.
const SECRET_FIELDS: [&str; 6] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "mcp-session-id", "x-api-key"];

/// Shorter values are replaced in their header field only: elsewhere they could be part of anything.
const FINDABLE: usize = 8;

/// The beginning of a findable secret.
type Beginning = [u8; FINDABLE];

/// Replaces secrets, the same one always by the same pseudonym.
#[derive(Debug, Default)]
pub struct Redactor {
    /// Names of header fields that the user gave us.
    fields: Vec<String>,
    /// Secrets, numbered in the order in which they were first seen.
    numbers: HashMap<Vec<u8>, usize>,
    /// The lengths of the findable ones by their beginning, longest first: a target may hand out thousands that
    /// begin alike, and send megabytes to search.
    beginnings: HashMap<Beginning, BTreeSet<Reverse<usize>>>,
}

impl Redactor {
    /// A redactor that also knows these header fields (from `--header`) and these values.
    pub fn new(fields: impl IntoIterator<Item = String>, values: impl IntoIterator<Item = String>) -> Self {
        let fields = fields.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        let mut redactor = Self { fields, ..Self::default() };
        for value in values {
            redactor.learn(value.as_bytes());
        }
        redactor
    }

    /// The trace without its secrets.
    pub fn redact(&mut self, trace: &Trace) -> Trace {
        // All of them first: a session id is granted in one place and echoed in others.
        let mut places: BTreeMap<(ConnectionId, Direction), Vec<Span>> = BTreeMap::new();
        for exchange in trace.exchanges() {
            for (direction, fields) in heads(exchange, trace.head.vantage) {
                for field in fields.iter() {
                    if !self.is_secret(&field.name) {
                        continue;
                    }
                    self.learn(&field.value);
                    places.entry((exchange.conn, direction)).or_default().push(field.value_span.clone());
                }
            }
        }
        let mut events = trace.events.clone();
        for conn in connections(&events) {
            for direction in [Direction::Sent, Direction::Received] {
                let spans = places.get(&(conn, direction)).map_or(&[][..], Vec::as_slice);
                self.redact_direction(&mut events, conn, direction, spans);
            }
        }
        for event in &mut events {
            match &mut event.what {
                What::Learned { value: text, .. } | What::Stopped { reason: text } | What::Told { line: text } => {
                    *text = self.redact_text(text)
                }
                What::Said { line } => *line = shown(&self.redact_text(line)),
                _ => {}
            }
        }
        Trace::new(trace.head.clone(), events)
    }

    /// A text without the secrets known so far.
    pub fn redact_text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.replace_known(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn is_secret(&self, field: &str) -> bool {
        let name = field.to_ascii_lowercase();
        SECRET_FIELDS.contains(&name.as_str()) || self.fields.contains(&name)
    }

    fn learn(&mut self, secret: &[u8]) -> usize {
        if let Some(known) = self.numbers.get(secret) {
            return *known;
        }
        let number = self.numbers.len();
        self.numbers.insert(secret.to_vec(), number);
        if let Some(beginning) = secret.first_chunk() {
            self.beginnings.entry(*beginning).or_default().insert(Reverse(secret.len()));
        }
        number
    }

    fn redact_direction(&mut self, events: &mut [Event], conn: ConnectionId, direction: Direction, spans: &[Span]) {
        let mut all: Vec<u8> = pieces(events, conn, direction).flat_map(|bytes| bytes.0.clone()).collect();
        for span in spans {
            let range = span.start as usize..span.end as usize;
            if let Some(value) = all.get(range.clone()).map(<[u8]>::to_vec) {
                let number = self.learn(&value);
                all[range].copy_from_slice(&pseudonym(number, &value));
            }
        }
        self.replace_known(&mut all);
        self.mask_unfinished_head(&mut all);
        let mut rest = all.as_slice();
        for bytes in pieces(events, conn, direction) {
            let (now, later) = rest.split_at(bytes.0.len());
            bytes.0.copy_from_slice(now);
            rest = later;
        }
    }

    /// A head that broke off has no fields as far as the decoder is concerned, and what it has of a secret is none that
    /// was given whole.
    fn mask_unfinished_head(&self, bytes: &mut [u8]) {
        let is_empty = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
        let mut end = bytes.len();
        while end > 0 {
            let start = bytes[..end - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
            let line = &mut bytes[start..end];
            if is_empty(line) {
                return;
            }
            if let Some(colon) = line.iter().position(|byte| *byte == b':')
                && self.is_secret(&String::from_utf8_lossy(&line[..colon]))
            {
                line[colon + 1..].iter_mut().filter(|byte| byte.is_ascii_graphic()).for_each(|byte| *byte = b'~');
            }
            end = start;
        }
    }

    fn replace_known(&self, bytes: &mut [u8]) {
        if self.beginnings.is_empty() {
            return;
        }
        // Most bytes begin no secret: this table says so without a look into the map.
        let mut begins = [false; 256];
        self.beginnings.keys().for_each(|beginning| begins[usize::from(beginning[0])] = true);
        let mut at = 0;
        while let Some(beginning) = bytes[at..].first_chunk::<FINDABLE>() {
            let lengths = Some(beginning).filter(|_| begins[usize::from(beginning[0])]);
            let lengths = lengths.and_then(|beginning| self.beginnings.get(beginning));
            let known = |length: usize| Some((*self.numbers.get(bytes.get(at..at + length)?)?, length));
            match lengths.and_then(|lengths| lengths.iter().find_map(|Reverse(length)| known(*length))) {
                None => at += 1,
                Some((number, length)) => {
                    let secret = at..at + length;
                    let replacement = pseudonym(number, &bytes[secret.clone()]);
                    bytes[secret].copy_from_slice(&replacement);
                    at += length;
                }
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Direction {
    Sent,
    Received,
}

fn heads(exchange: &Exchange, vantage: Vantage) -> impl Iterator<Item = (Direction, &Fields)> {
    let (of_request, of_answer) = match vantage {
        Vantage::Client => (Direction::Sent, Direction::Received),
        Vantage::Server => (Direction::Received, Direction::Sent),
    };
    let request = exchange.request.iter().map(move |head| (of_request, &head.fields));
    let interim = exchange.interim.iter().map(move |head| (of_answer, &head.fields));
    let answer = exchange.answer.iter().map(move |answer| (of_answer, &answer.head.fields));
    request.chain(interim).chain(answer)
}

fn connections(events: &[Event]) -> Vec<ConnectionId> {
    let mut all: Vec<ConnectionId> = events.iter().filter_map(|event| event.what.conn()).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn pieces(events: &mut [Event], conn: ConnectionId, direction: Direction) -> impl Iterator<Item = &mut Bytes> {
    events.iter_mut().filter_map(move |event| match (&mut event.what, direction) {
        (What::Wrote { conn: on, bytes, .. }, Direction::Sent) if *on == conn => Some(bytes),
        (What::Read { conn: on, bytes, .. }, Direction::Received) if *on == conn => Some(bytes),
        _ => None,
    })
}

/// The number first: it tells secrets apart even where they are short.
fn pseudonym(number: usize, secret: &[u8]) -> Vec<u8> {
    let name = format!("{}.redacted", number + 1);
    let mut letters = name.bytes().chain(std::iter::repeat(b'~'));
    let visible = |byte: &u8| (0x21..=0x7e).contains(byte);
    secret.iter().map(|byte| if visible(byte) { letters.next().unwrap_or(b'~') } else { *byte }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::spec::Revision;
    use crate::trace::{Conduct, Distance, Nanos, Part, TraceHead};

    const TOKEN: &str = "s3cr3t-token-value";

    /// One exchange on one connection: what we wrote, and what came, read by read.
    fn trace(sent: &str, received: &[&[u8]]) -> Trace {
        let bytes = |bytes: &[u8]| Bytes(bytes.to_vec());
        let mut all = vec![
            What::Connected { conn: 0, began: Nanos(0), local: String::new(), peer: String::new() },
            What::Asked { conn: 0, label: "x".to_owned(), part: Part::Plain, ours: Conduct::Conforming },
            What::Wrote { conn: 0, began: Nanos(0), bytes: bytes(sent.as_bytes()) },
        ];
        for read in received {
            all.push(What::Read { conn: 0, kernel: None, segments: None, bytes: bytes(read), dropped: 0 });
        }
        all.push(What::Stopped { reason: format!("refused {TOKEN}") });
        let events = all.into_iter().zip(0..).map(|(what, seq)| Event { seq, at: Nanos(0), what }).collect();
        let head = TraceHead {
            scenario: Scenario::Survey,
            revision: Revision::R20251125,
            attempt: 1,
            vantage: Vantage::Client,
            distance: Distance::Loopback,
        };
        Trace::new(head, events)
    }

    fn all_bytes(trace: &Trace) -> String {
        serde_json::to_string(&trace.events).unwrap()
    }

    #[test]
    fn a_secret_that_a_segment_boundary_splits_is_found_and_nothing_moves() {
        let sent = format!("POST /mcp HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 0\r\n\r\n");
        let body = format!("you sent {TOKEN}, thanks");
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let (first, second) = answer.as_bytes().split_at(answer.len() - 20);
        let before = trace(&sent, &[first, second]);
        let after = Redactor::new([], [TOKEN.to_owned()]).redact(&before);
        assert!(!all_bytes(&after).contains(TOKEN), "{}", all_bytes(&after));
        let lengths = |trace: &Trace| -> Vec<usize> {
            trace.exchanges().filter_map(|exchange| Some(exchange.answer.as_ref()?.body.len())).collect()
        };
        assert_eq!(lengths(&after), lengths(&before));
        assert!(after.exchanges().all(Exchange::is_complete));
    }

    #[test]
    fn a_secret_in_a_head_that_breaks_off_is_masked() {
        let sent = "POST /mcp HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
        for rest in ["", "-value", "-value\r", "-value\r\nServer: x\r\nX-Api-Key: s3cr3t-token"] {
            let answer = format!("HTTP/1.1 200 OK\r\nMcp-Session-Id: s3cr3t-token{rest}");
            let after = Redactor::default().redact(&trace(sent, &[&answer.as_bytes()[..40], &answer.as_bytes()[40..]]));
            let bytes: Vec<u8> = after
                .events
                .iter()
                .filter_map(
                    |event| if let What::Read { bytes, .. } = &event.what { Some(bytes.0.clone()) } else { None },
                )
                .flatten()
                .collect();
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(text.len(), answer.len());
            assert!(!text.contains("s3c") && text.starts_with("HTTP/1.1 200 OK\r\nMcp-Session-Id: ~~~"), "{text}");
        }
    }

    #[test]
    fn the_same_session_id_stays_the_same_and_another_one_stays_another() {
        let answer = |id: &str| format!("HTTP/1.1 200 OK\r\nMcp-Session-Id: {id}\r\nContent-Length: 0\r\n\r\n");
        let sent = "POST /mcp HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
        let mut redactor = Redactor::default();
        let mut granted = |id: &str| {
            let redacted = redactor.redact(&trace(sent, &[answer(id).as_bytes()]));
            let exchange = redacted.exchanges().next().unwrap();
            exchange.answer.as_ref().unwrap().head.fields.text("mcp-session-id").unwrap().into_owned()
        };
        let first = granted("0123456789abcdef");
        assert_eq!(granted("0123456789abcdef"), first);
        assert_ne!(granted("fedcba9876543210"), first);
        assert_ne!(first, "0123456789abcdef");
        assert_eq!(granted("with space\u{e9}x").chars().filter(|c| !c.is_ascii_graphic()).count(), 2);
    }

    #[test]
    fn a_short_secret_is_replaced_in_its_field_only() {
        let answer = "HTTP/1.1 200 OK\r\nMcp-Session-Id: 1\r\nContent-Length: 1\r\n\r\n1";
        let after = Redactor::default().redact(&trace("POST /mcp HTTP/1.1\r\n\r\n", &[answer.as_bytes()]));
        assert_eq!(after.exchanges().next().unwrap().answer.as_ref().unwrap().body, b"1");
        assert!(after.exchanges().all(|exchange| exchange.is_complete()));
    }

    fn redacted(secrets: &[&str], text: &str) -> String {
        Redactor::new([], secrets.iter().map(|secret| (*secret).to_owned())).redact_text(text)
    }

    #[test]
    fn a_secret_is_replaced_wherever_it_stands_and_keeps_its_length() {
        let text = "a s3cr3t-token and s3cr3t-token";
        let safe = redacted(&["s3cr3t-token"], text);
        assert_eq!(safe, "a 1.redacted~~ and 1.redacted~~");
    }

    #[test]
    fn of_two_secrets_that_begin_alike_the_longer_one_is_replaced_whole() {
        for secrets in [["s3cr3t-token", "s3cr3t-token-2"], ["s3cr3t-token-2", "s3cr3t-token"]] {
            assert!(!redacted(&secrets, "s3cr3t-token-2").contains("-2"));
        }
    }

    #[test]
    fn a_line_that_the_target_said_is_cut_behind_its_redaction() {
        let mut trace = trace("POST /mcp HTTP/1.1\r\n\r\n", &[]);
        // The end of what is shown would lie within the secret.
        let line = format!("{}{TOKEN}{}", "x".repeat(395), "y".repeat(500));
        trace.events.push(Event { seq: 9, at: Nanos(0), what: What::Said { line } });
        let after = Redactor::new([], [TOKEN.to_owned()]).redact(&trace);
        let Some(What::Said { line }) = after.events.last().map(|event| &event.what) else { panic!("it was said") };
        assert!(!line.contains(&TOKEN[..3]) && line.ends_with('…') && line.chars().count() == 401, "{line}");
    }

    #[test]
    fn what_is_short_is_not_searched_for() {
        assert_eq!(redacted(&["abc"], "abcdefghij"), "abcdefghij");
    }

    #[test]
    fn thousands_of_secrets_do_not_make_megabytes_slow() {
        let secrets: Vec<String> = (0..20_000).map(|number| format!("session-{number:08}")).collect();
        let redactor = Redactor::new([], secrets);
        let text = "no session-here 0123456 ".repeat(50_000);
        assert_eq!(redactor.redact_text(&text), text);
    }
}
