//! What checks ask of a request of ours: the answer to it with all its parts, and words for what came.

use std::time::Duration;

use crate::trace::{Ending, Exchange, Id, MessageKind, Moment, PeerEnd, Received, Span, Trace};

/// A request of ours, and everything in which its response can stand: the answer to it and, where its stream
/// ended early, the answers to the GETs that resumed it.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// The request.
    pub exchange: &'a Exchange,
    /// The GETs that resumed its stream.
    pub resumed: Vec<&'a Exchange>,
    legacy: bool,
}

impl<'a> Question<'a> {
    /// The question that an exchange begins.
    pub fn of(trace: &'a Trace, exchange: &'a Exchange) -> Self {
        let label = format!("{}-resumed", exchange.label);
        let resumed = trace
            .exchanges()
            .filter(|later| later.asked.seq > exchange.asked.seq)
            .take_while(|later| later.label != exchange.label)
            .filter(|later| later.label == label && is_resumption(later))
            .collect();
        Self { exchange, resumed, legacy: trace.revision().is_legacy() }
    }

    /// All requests in which our side kept to the protocol, with their ids.
    pub fn all(trace: &'a Trace) -> impl Iterator<Item = (Self, Id)> {
        trace
            .conforming()
            .filter(|exchange| exchange.http_method() == "POST")
            .filter_map(|exchange| Some((Self::of(trace, exchange), exchange.request_id()?)))
    }

    /// The parts of its answer, in order.
    pub fn parts(&self) -> impl Iterator<Item = &'a Exchange> {
        std::iter::once(self.exchange).chain(self.resumed.iter().copied())
    }

    /// The responses in its answer, and the part that each stands in.
    pub fn responses(&self) -> impl Iterator<Item = (&'a Exchange, &'a Received)> {
        self.parts().flat_map(|part| {
            part.messages()
                .iter()
                .filter(|received| received.message.is_response())
                .map(move |received| (part, received))
        })
    }

    /// The first response, and the part that it stands in.
    pub fn response(&self) -> Option<(&'a Exchange, &'a Received)> {
        self.responses().next()
    }

    /// Whether it was answered with a result, as a positive control must be.
    pub fn has_result(&self) -> bool {
        self.exchange.succeeded()
            && self.response().is_some_and(|(_, received)| received.message.kind == MessageKind::Result)
    }

    /// The last part of its answer where that part was seen to its end and holds no response, and none can be
    /// in what could not be read or in what a further resumption would bring.
    pub fn unanswered(&self) -> Option<&'a Exchange> {
        let last = self.parts().last()?;
        let settled = self.exchange.succeeded()
            && last.is_complete()
            && self.response().is_none()
            && self.parts().all(|part| is_readable(part) && !matches!(part.ending, Ending::Cut(PeerEnd::Reset, _)))
            && !self.goes_on();
        settled.then_some(last)
    }

    /// Whether the target said how the stream can be resumed, and that was not tried.
    pub fn goes_on(&self) -> bool {
        let cursor = |part: &Exchange| {
            part.answer.as_ref().and_then(|answer| answer.stream.as_ref()?.last_event_id().map(str::len))
        };
        let last = self.parts().last();
        self.legacy
            && self.response().is_none()
            && last.is_some_and(|last| !matches!(last.ending, Ending::Open { .. }) && cursor(last).is_some())
    }

    /// The moment at which the wait for a response was given up, where it lasted as long as it should.
    pub fn in_vain(&self, timeout: Duration) -> Option<Moment> {
        if self.response().is_some() {
            return None;
        }
        let last = self.parts().last()?;
        waited(last, timeout)
    }

    /// What came, in words.
    pub fn came(&self) -> String {
        let answering = self.response().map_or_else(|| self.parts().last(), |(part, _)| Some(part));
        answering.map_or_else(|| "nothing".to_owned(), came)
    }
}

/// The moment at which the wait for an answer was given up, where it lasted as long as it should.
pub(super) fn waited(exchange: &Exchange, timeout: Duration) -> Option<Moment> {
    let Ending::Open { watched: Some(look) } = exchange.ending else { return None };
    let (_, written) = exchange.written?;
    (look.at.since(written.at) >= timeout.saturating_sub(SLACK)).then_some(look)
}

/// What a server, or a gate before it, says when it wants us to come again later: that is no answer to what was
/// asked.
pub(super) const BUSY: [u16; 2] = [429, 503];

/// The driver counts its patience from a moment of its own.
const SLACK: Duration = Duration::from_millis(50);

/// Whether the connection ended before a byte of the answer came, on the first request over it: an idle
/// connection may be closed at any time, and then the request was lost on the way.
pub(super) fn hung_up(exchange: &Exchange) -> Option<Moment> {
    match exchange.ending {
        Ending::Cut(_, moment) if exchange.nth == 0 && exchange.first_byte.is_none() => Some(moment),
        _ => None,
    }
}

/// Whether a request resumes a stream.
pub(super) fn is_resumption(exchange: &Exchange) -> bool {
    exchange.http_method() == "GET"
        && exchange.request.as_ref().is_some_and(|head| head.fields.get("last-event-id").is_some())
}

/// Whether everything in an answer could be read.
pub(super) fn is_readable(exchange: &Exchange) -> bool {
    let whole = |stream: &crate::trace::decode::Stream| stream.not_json.is_empty() && stream.faults().next().is_none();
    exchange.faults.is_empty()
        && exchange
            .answer
            .as_ref()
            .is_some_and(|answer| answer.not_json.is_none() && answer.stream.as_ref().is_none_or(whole))
}

/// What came, as the object of "was answered with".
pub(super) fn came(exchange: &Exchange) -> String {
    let Some(status) = exchange.status() else {
        return match exchange.ending {
            Ending::Cut(PeerEnd::Fin, _) => "a closed connection".to_owned(),
            Ending::Cut(PeerEnd::Reset, _) => "a reset connection".to_owned(),
            Ending::Unreadable(_) => "bytes that cannot be read as HTTP/1.1".to_owned(),
            Ending::Open { watched: Some(look) } => match &exchange.written {
                Some((_, written)) => format!("nothing within {}", Span(look.at.since(written.at))),
                None => "nothing".to_owned(),
            },
            _ => "nothing".to_owned(),
        };
    };
    let message = match exchange.response().map(|received| &received.message) {
        Some(message) => match message.error_code() {
            Some(code) => {
                let text = message.value["error"]["message"].as_str().unwrap_or_default();
                format!("JSON-RPC error {code} ({})", shortened(text))
            }
            None if message.kind == MessageKind::Error => "a JSON-RPC error without a code".to_owned(),
            None => "a result".to_owned(),
        },
        None => "no JSON-RPC response".to_owned(),
    };
    format!("HTTP {status} and {message}")
}

/// A text of the target's, short enough for a sentence.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The moment of an exchange that a finding should point at: where the response stands, or where it ended.
pub(super) fn telling(exchange: &Exchange) -> Moment {
    let head = exchange.answer.as_ref().map(|answer| answer.head_at);
    let ending = match exchange.ending {
        Ending::Complete(moment) | Ending::Cut(_, moment) | Ending::Unreadable(moment) | Ending::NotKept(moment) => {
            Some(moment)
        }
        Ending::Open { watched } => watched,
    };
    exchange.response().map(|received| received.moment).or(head).or(ending).unwrap_or(exchange.asked)
}

/// The session that an exchange belongs to: the one that it names or, at its beginning, the one that it opens.
pub(super) fn session(exchange: &Exchange) -> Option<&[u8]> {
    let named = exchange.request.as_ref().and_then(|head| head.fields.get("mcp-session-id"));
    let granted = || exchange.answer.as_ref().and_then(|answer| answer.head.fields.get("mcp-session-id"));
    named.or_else(granted).map(|field| field.value.as_slice())
}
