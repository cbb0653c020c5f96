//! The streams of a trace over all the connections that carried them: the answer to the request that opened a stream,
//! and the answers to the GETs that resumed it.

use std::collections::{HashMap, HashSet};

use super::LAST_EVENT_ID;
use crate::codec::sse::SseEvent;
use crate::trace::{Ending, Exchange, Id, Message, Moment, Trace};

/// All streams of a trace.
#[derive(Debug)]
pub(super) struct Streams<'a> {
    /// In the order of opening.
    pub(super) all: Vec<Stream<'a>>,
    /// Resumptions from an id that nothing in their session had.
    pub(super) astray: Vec<&'a Exchange>,
    /// Something was resumed from an id that events on several streams have.
    pub(super) ambiguous: bool,
    by_token: HashMap<String, usize>,
    by_id: HashMap<(Session, String), usize>,
    by_text: HashMap<String, usize>,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    pub(super) session: Session,
    /// What carried it, in the order of asking: first the answer to the request that opened it.
    pub(super) legs: Vec<Leg<'a>>,
}

/// What one connection carried of a stream.
#[derive(Debug)]
pub(super) struct Leg<'a> {
    pub(super) exchange: &'a Exchange,
    /// The id that it was resumed from.
    pub(super) cursor: Option<String>,
    /// The messages on it that belong to the request that opened the stream, in order.
    pub(super) own: Vec<Own>,
}

/// A message that names the request it belongs to: the response, or progress under its token.
#[derive(Clone, Debug)]
pub(super) struct Own {
    /// Its JSON text, which tells it from the others.
    pub(super) text: String,
    /// What it is, for a sentence.
    pub(super) what: String,
    pub(super) is_response: bool,
    pub(super) moment: Moment,
    /// The event that carried it.
    event: Option<usize>,
}

/// The session id that a request showed, or was given.
pub(super) type Session = Option<Vec<u8>>;

impl<'a> Streams<'a> {
    /// The streams of a trace.
    pub(super) fn of(trace: &'a Trace) -> Self {
        let mut streams = Self {
            all: Vec::new(),
            astray: Vec::new(),
            ambiguous: false,
            by_token: HashMap::new(),
            by_id: HashMap::new(),
            by_text: HashMap::new(),
        };
        // Where each id was seen: the streams, and the first event with it.
        let mut seen: HashMap<(Session, String), Vec<(usize, u32)>> = HashMap::new();
        for exchange in trace.exchanges() {
            let session = session_of(exchange);
            let cursor = exchange.request_field(LAST_EVENT_ID).filter(|_| exchange.http_method() == "GET");
            let stream = match &cursor {
                None => streams.open(exchange, &session),
                Some(_) if !exchange.is_streamed() => continue,
                Some(id) => {
                    let had = seen.get(&(session.clone(), id.clone())).map_or(&[][..], Vec::as_slice);
                    let before: Vec<usize> =
                        had.iter().filter(|(_, seq)| *seq < exchange.asked.seq).map(|(stream, _)| *stream).collect();
                    match before[..] {
                        [stream] => stream,
                        [] => {
                            streams.astray.push(exchange);
                            continue;
                        }
                        // Nobody can tell which stream is meant.
                        _ => {
                            streams.ambiguous = true;
                            continue;
                        }
                    }
                }
            };
            for (id, moment) in ids(exchange) {
                let places = seen.entry((session.clone(), id.to_owned())).or_default();
                // What is replayed on the wrong stream keeps its place.
                if places.is_empty() || cursor.is_none() && places.iter().all(|(other, _)| *other != stream) {
                    places.push((stream, moment.seq));
                }
            }
            streams.all[stream].legs.push(Leg { exchange, cursor, own: Vec::new() });
        }
        streams.assign();
        streams
    }

    /// The stream that a message belongs to, whatever it came on, as somebody in this session sees it.
    pub(super) fn owner(&self, message: &Message, session: &Session) -> Option<usize> {
        if let Some(token) = token_under(message) {
            return self.by_token.get(&token).copied();
        }
        if !message.is_response() {
            return None;
        }
        let of_session = self.by_id.get(&(session.clone(), key(&message.id)));
        of_session.or_else(|| self.by_text.get(&message.value.to_string())).copied()
    }

    /// All resumptions that led somewhere: the stream, and which of its legs.
    pub(super) fn resumptions(&self) -> impl Iterator<Item = (&Stream<'a>, usize)> {
        self.all.iter().flat_map(|stream| (1..stream.legs.len()).map(move |leg| (stream, leg)))
    }

    /// Whether anything was replayed at all.
    pub(super) fn replays(&self) -> bool {
        self.resumptions().any(|(stream, leg)| !stream.legs[leg].own.is_empty())
    }

    /// Whether messages of other requests come on streams that nobody has resumed: how they come on those that
    /// somebody has is then no wonder.
    pub(super) fn mixes(&self) -> bool {
        self.all.iter().filter_map(|stream| stream.legs.first()).any(|leg| {
            let own: HashSet<_> = leg.own.iter().map(|own| own.event).collect();
            leg.exchange.http_method() == "POST"
                && leg.exchange.messages().iter().any(|received| {
                    let names = received.message.is_response() || token_under(&received.message).is_some();
                    names && !own.contains(&received.event)
                })
        })
    }

    /// Whether a stream was left open behind its response that nobody dropped: those that are resumed do not end then
    /// either.
    pub(super) fn never_end(&self) -> bool {
        const DROPPED: [&str; 2] = ["one", "other"];
        self.all.iter().filter_map(|stream| stream.legs.first()).any(|leg| {
            let is_open = matches!(leg.exchange.ending, Ending::Open { .. });
            leg.has_response() && is_open && !DROPPED.contains(&leg.exchange.label.as_str())
        })
    }

    fn open(&mut self, exchange: &Exchange, session: &Session) -> usize {
        let stream = self.all.len();
        self.all.push(Stream { session: session.clone(), legs: Vec::new() });
        for sent in exchange.sent().iter().filter(|_| exchange.http_method() == "POST") {
            if let Some(token) = sent.value.get("params").and_then(|params| params.get("_meta")?.get("progressToken")) {
                self.by_token.entry(token.to_string()).or_insert(stream);
            }
            if sent.method().is_some() && sent.id != Id::Absent {
                self.by_id.entry((session.clone(), key(&sent.id))).or_insert(stream);
            }
        }
        stream
    }

    fn assign(&mut self) {
        for stream in 0..self.all.len() {
            for leg in 0..self.all[stream].legs.len() {
                let exchange = self.all[stream].legs[leg].exchange;
                let mut own = Vec::new();
                for received in exchange.messages() {
                    if self.owner(&received.message, &self.all[stream].session) == Some(stream) {
                        own.push(Own {
                            text: received.message.value.to_string(),
                            what: what(&received.message),
                            is_response: received.message.is_response(),
                            moment: received.moment,
                            event: received.event,
                        });
                    }
                }
                if leg == 0 {
                    for response in own.iter().filter(|own| own.is_response) {
                        self.by_text.entry(response.text.clone()).or_insert(stream);
                    }
                }
                self.all[stream].legs[leg].own = own;
            }
        }
    }
}

impl Stream<'_> {
    /// The messages that a client had which names the cursor of this leg.
    pub(super) fn had(&self, leg: usize) -> HashSet<&str> {
        let mut had = HashSet::new();
        let mut leg = leg;
        while let Some(cursor) = &self.legs[leg].cursor {
            let place = |nth: usize| self.legs[nth].exchange.events_with_ids().find(|(_, id)| id == cursor);
            // An earlier leg each time: the cursor was known when the leg was asked for.
            let Some((earlier, (index, _))) = (0..leg).find_map(|nth| Some((nth, place(nth)?))) else { break };
            had.extend(
                self.legs[earlier].own.iter().filter(|own| own.event <= Some(index)).map(|own| own.text.as_str()),
            );
            leg = earlier;
        }
        had
    }

    /// The messages of the stream in the order in which they came first.
    pub(super) fn known(&self) -> Vec<&Own> {
        let mut known = HashSet::new();
        self.legs.iter().flat_map(|leg| &leg.own).filter(|own| known.insert(own.text.as_str())).collect()
    }

    /// Whether the request told the same twice by itself: what is told twice then proves nothing.
    pub(super) fn repeats_itself(&self) -> bool {
        let mut told = HashSet::new();
        self.legs.first().is_some_and(|leg| leg.own.iter().any(|own| !told.insert(own.text.as_str())))
    }
}

impl Leg<'_> {
    /// Whether the response to the request came on it.
    pub(super) fn has_response(&self) -> bool {
        self.own.iter().any(|own| own.is_response)
    }
}

/// The session of an exchange; `initialize` is part of the one that it opens.
pub(super) fn session_of(exchange: &Exchange) -> Session {
    const SESSION_ID: &str = "mcp-session-id";
    let shown = exchange.request.as_ref().and_then(|head| head.fields.get(SESSION_ID));
    let granted = exchange.answer.as_ref().and_then(|answer| answer.head.fields.get(SESSION_ID));
    shown.or(granted).map(|field| field.value.clone())
}

/// The ids of the events in an answer, with their moments.
pub(super) fn ids(exchange: &Exchange) -> impl Iterator<Item = (&str, Moment)> {
    let stream = exchange.answer.as_ref().and_then(|answer| answer.stream.as_ref());
    let events = stream.map_or(&[][..], |stream| &stream.events);
    events.iter().filter_map(|(event, moment)| match event {
        SseEvent::Dispatch(event) | SseEvent::NoData(event) => {
            Some((event.id.as_deref().filter(|id| !id.is_empty())?, *moment))
        }
        _ => None,
    })
}

fn what(message: &Message) -> String {
    match message.value.get("params").and_then(|params| params.get("progress")?.as_f64()) {
        Some(progress) => format!("progress {progress}"),
        None => "the response".to_owned(),
    }
}

fn token_under(message: &Message) -> Option<String> {
    match message.method() {
        Some("notifications/progress") => Some(message.value.get("params")?.get("progressToken")?.to_string()),
        _ => None,
    }
}

/// Ids that are equal in type and value have one key.
fn key(id: &Id) -> String {
    match id {
        Id::Text(text) => {
            serde_json::from_str::<serde_json::Value>(text).map_or_else(|_| text.clone(), |id| id.to_string())
        }
        other => other.to_string(),
    }
}
