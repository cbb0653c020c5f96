//! The one decoder: from the events of a connection to its exchanges.
//!
//! The driver feeds it while it waits for an answer or a request, and the judge feeds it the recording, so that
//! both see the same exchanges. Nothing that it derives is ever stored.
//!
//! Both ends of a conversation share one model: an exchange is a request and its answer, whoever wrote which.

use std::sync::OnceLock;

use super::Vantage;
use super::event::{Conduct, ConnectionId, Event, Harm, Part, What};
use super::message::{Id, Message};
use super::time::Nanos;
use crate::codec::http1::{
    self, Fault, Framing, RequestEvent, RequestHead, RequestParser, ResponseEvent, ResponseHead, ResponseParser, Span,
};
use crate::codec::sse::{LineEndings, SseEvent, SseFault, SseParser};

/// Reads one connection.
#[derive(Debug)]
pub struct Decoder {
    vantage: Vantage,
    connection: ConnectionFacts,
    /// Reads the requests; nobody does while we send them ourselves.
    requests: Option<RequestParser>,
    /// Reads the answers.
    answers: ResponseParser,
    exchanges: Vec<Exchange>,
    /// The first exchange that has no complete answer yet.
    current: usize,
    /// The method of the request that is being written, until it has been told to the response parser.
    method: Option<Vec<u8>>,
    /// A fault of ours has spoilt whatever is still to come.
    spoilt: bool,
    received: u64,
    kept: bool,
}

/// What is known of a connection as a whole.
#[derive(Clone, Debug)]
pub struct ConnectionFacts {
    /// Its number.
    pub id: ConnectionId,
    /// When `connect` was called and when it returned; one moment where we accepted it.
    pub opened: Option<(Nanos, Moment)>,
    /// How and when the peer ended its direction.
    pub ended: Option<(PeerEnd, Moment)>,
    /// When we ended our direction or closed it.
    pub closed: Option<Moment>,
    /// Bytes that came and are no part of any request, or could not be read as one.
    pub unreadable: Option<(Fault, Moment)>,
}

/// How the peer ended its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerEnd {
    /// FIN.
    Fin,
    /// RST.
    Reset,
}

/// A moment of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// User-space time.
    pub at: Nanos,
    /// The kernel's receive time, an upper bound for the bytes in question.
    pub kernel: Option<Nanos>,
    /// The event.
    pub seq: u32,
}

impl Moment {
    /// The better of the two times.
    pub fn best(&self) -> Nanos {
        self.kernel.unwrap_or(self.at)
    }
}

/// One request, and what became of it.
#[derive(Debug)]
pub struct Exchange {
    /// The connection.
    pub conn: ConnectionId,
    /// Its position among the exchanges of the connection.
    pub nth: usize,
    /// What the scenario calls it.
    pub label: String,
    /// Its part in a control pair.
    pub part: Part,
    /// Whether our side kept to the protocol.
    pub ours: Conduct,
    /// When it was begun: where we are the server, when the head of the request had come.
    pub asked: Moment,
    /// The head of the request.
    pub request: Option<RequestHead>,
    /// The body of the request.
    pub request_body: Vec<u8>,
    /// Which bytes of its direction the request takes up so far.
    pub request_wire: Span,
    /// When the first byte was handed over, and when the last one was; where we are the server, when the head and
    /// when the last byte had come.
    pub written: Option<(Nanos, Moment)>,
    /// The kernel refused (part of) the request.
    pub write_failed: bool,
    /// Which bytes of its direction the answer takes up so far.
    pub wire: Option<Span>,
    /// Interim answers (1xx).
    pub interim: Vec<ResponseHead>,
    /// The answer, from its head on.
    pub answer: Option<Answer>,
    /// When the first byte of the answer came, or went out.
    pub first_byte: Option<Moment>,
    /// What the strict reader would not accept.
    pub faults: Vec<(Fault, Moment)>,
    /// Bytes that came after the end of the answer, before the next request.
    pub surplus: Vec<(Span, Moment)>,
    /// How it ended.
    pub ending: Ending,
    /// Trials of the withheld-ACK test in it.
    pub releases: Vec<Release>,
    /// What faults of ours did while it was under way, in words.
    pub of_the_way: Vec<(String, Moment)>,
    sent: OnceLock<Vec<Message>>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It had not when we looked last.
    Open {
        /// When we looked last, if we did.
        watched: Option<Moment>,
    },
    /// The answer is complete.
    Complete(Moment),
    /// The peer ended the connection first.
    Cut(PeerEnd, Moment),
    /// The rest of the connection cannot be read as HTTP/1.1.
    Unreadable(Moment),
    /// More bytes came than the recording keeps.
    NotKept(Moment),
}

/// An answer, from its head on.
#[derive(Debug)]
pub struct Answer {
    /// Status line and fields.
    pub head: ResponseHead,
    /// When the head was complete.
    pub head_at: Moment,
    /// How its length is told.
    pub framing: Framing,
    /// The content so far, without chunked coding.
    pub body: Vec<u8>,
    /// Which bytes of the connection hold which bytes of the body.
    pub pieces: Vec<Piece>,
    /// The messages in it, in order.
    pub messages: Vec<Received>,
    /// Where the body should be one JSON text and is not.
    pub not_json: Option<String>,
    /// The event stream in it, if it is one.
    pub stream: Option<Stream>,
}

/// A stretch of a body.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where it starts in the body.
    pub body: u64,
    /// Where it stands in the received bytes of the connection.
    pub wire: Span,
    /// When it came.
    pub moment: Moment,
}

/// A message, and where and when it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The message.
    pub message: Message,
    /// When its last byte had come.
    pub moment: Moment,
    /// The index of the event in the stream that carried it.
    pub event: Option<usize>,
}

/// An event stream (WHATWG HTML, section 9.2).
#[derive(Debug)]
pub struct Stream {
    parser: SseParser,
    /// Its events, comments and faults, in order.
    pub events: Vec<(SseEvent, Moment)>,
    /// Events of type `message` with data that is not JSON: their index.
    pub not_json: Vec<usize>,
    /// The faults among the events: their index. Whether there are any is asked for every message.
    at_fault: Vec<usize>,
}

/// One trial of the withheld-ACK test.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// When.
    pub moment: Moment,
    /// Bytes of the answer's connection received before it.
    pub received_before: u64,
    /// The receive queue just before, and just after the releasing system call.
    pub queued: (u32, u32),
    /// Something had left us since the last read: the trial says nothing.
    pub acked_before: bool,
}

impl Decoder {
    /// A decoder for one connection.
    pub fn new(id: ConnectionId, vantage: Vantage) -> Self {
        Self {
            vantage,
            connection: ConnectionFacts { id, opened: None, ended: None, closed: None, unreadable: None },
            requests: Some(RequestParser::new()),
            answers: ResponseParser::new(),
            exchanges: Vec::new(),
            current: 0,
            method: None,
            spoilt: false,
            received: 0,
            kept: true,
        }
    }

    /// A decoder for a connection over which we are talking: what we ask we know, so that it leaves the request of
    /// each exchange empty.
    pub fn of_ours(id: ConnectionId) -> Self {
        Self { requests: None, ..Self::new(id, Vantage::Client) }
    }

    /// The exchanges so far.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }

    /// What is known of the connection.
    pub fn connection(&self) -> &ConnectionFacts {
        &self.connection
    }

    /// How many bytes the peer has sent.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Whether the requests that come cannot be read any more.
    pub fn is_lost(&self) -> bool {
        self.requests.as_ref().is_some_and(|requests| requests.state() == http1::State::Lost)
    }

    /// Established, and not closed by us yet.
    pub fn is_open(&self) -> bool {
        self.connection.opened.is_some() && self.connection.closed.is_none()
    }

    /// Takes the next event of the connection; those of other connections are passed over.
    pub fn feed(&mut self, event: &Event) {
        if event.what.conn() != Some(self.connection.id) {
            return;
        }
        let moment = Moment { at: event.at, kernel: None, seq: event.seq };
        match &event.what {
            What::Connected { began, .. } => self.connection.opened = Some((*began, moment)),
            What::Accepted { .. } => self.connection.opened = Some((event.at, moment)),
            What::Asked { label, part, ours, .. } => {
                self.tell_method();
                self.method = Some(Vec::new());
                let ours = if self.spoilt { Conduct::Damaged } else { *ours };
                let begun = Exchange::begun(self.connection.id, self.exchanges.len(), moment);
                self.exchanges.push(Exchange { label: label.clone(), part: *part, ours, ..begun });
            }
            What::Answering { label, ours, .. } => {
                if let Some(exchange) = self.exchanges.get_mut(self.current) {
                    exchange.label = label.clone();
                    // What a fault has spoilt before its answer began stays so.
                    if exchange.ours == Conduct::Conforming {
                        exchange.ours = *ours;
                    }
                }
            }
            What::Wrote { began, bytes, .. } => match self.vantage {
                Vantage::Client => self.asked(*began, moment, &bytes.0),
                Vantage::Server => self.answer_bytes(moment, &bytes.0),
            },
            What::WriteFailed { .. } => {
                if let Some(exchange) = self.exchanges.last_mut() {
                    exchange.write_failed = true;
                }
            }
            What::Read { kernel, bytes, dropped, .. } => {
                let moment = Moment { kernel: *kernel, ..moment };
                self.read(moment, &bytes.0, *dropped);
            }
            What::Watched { .. } => {
                if let Some(Ending::Open { watched }) = self.exchanges.get_mut(self.current).map(|e| &mut e.ending) {
                    *watched = Some(moment);
                }
            }
            What::Fin { .. } => self.peer_ended(PeerEnd::Fin, moment),
            What::Reset { .. } => self.peer_ended(PeerEnd::Reset, moment),
            What::Finished { .. } => {
                if self.vantage == Vantage::Client {
                    // Whoever ends its direction before it has the answer has gone, as far as a server can tell: in
                    // 2026-07-28 that cancels the request.
                    self.damage_what_is_open();
                }
                self.we_ended(http1::Ending::Fin, moment);
            }
            What::Closed { abruptly, .. } => {
                self.we_ended(if *abruptly { http1::Ending::Reset } else { http1::Ending::Fin }, moment);
            }
            What::FaultApplied { fault, how, harm, .. } => self.fault_applied(fault, how, *harm, moment),
            What::AckReleased { queued_before, queued_after, acked_before, .. } => {
                let received_before = self.received;
                if let Some(exchange) = self.exchanges.get_mut(self.current) {
                    exchange.releases.push(Release {
                        moment,
                        received_before,
                        queued: (*queued_before, *queued_after),
                        acked_before: *acked_before,
                    });
                }
            }
            _ => {}
        }
    }

    /// A fault of ours was at work: it shows in the exchanges under way, or in the last one where there are none.
    fn fault_applied(&mut self, fault: &str, how: &str, harm: Harm, moment: Moment) {
        self.spoilt |= harm == Harm::Connection;
        if harm != Harm::None {
            self.damage_what_is_open();
        }
        let shown = self.current.min(self.exchanges.len().saturating_sub(1));
        if let Some(exchange) = self.exchanges.get_mut(shown) {
            exchange.of_the_way.push((format!("{fault}: {how}"), moment));
        }
    }

    /// From here on, what becomes of the exchanges under way is our doing. What had ended by then was not.
    fn damage_what_is_open(&mut self) {
        let open = |exchange: &&mut Exchange| matches!(exchange.ending, Ending::Open { .. });
        self.exchanges.iter_mut().skip(self.current).filter(open).for_each(|exchange| exchange.ours = Conduct::Damaged);
    }

    /// The answer that is awaited depends on the method, as far as it was written.
    fn tell_method(&mut self) {
        if let Some(method) = self.method.take_if(|method| !method.is_empty()) {
            self.answers.expect(&String::from_utf8_lossy(&method));
        }
    }

    fn asked(&mut self, began: Nanos, moment: Moment, bytes: &[u8]) {
        /// No method that matters is longer.
        const LONGEST: usize = 16;

        if let Some(method) = &mut self.method {
            let letters = bytes.iter().take_while(|byte| **byte != b' ').take(LONGEST);
            let before = method.len();
            method.extend(letters);
            if method.len() - before < bytes.len() || method.len() >= LONGEST {
                self.tell_method();
            }
        }
        let Some(exchange) = self.exchanges.last_mut() else { return };
        exchange.written = Some((exchange.written.map_or(began, |(first, _)| first), moment));
        let Some(requests) = &mut self.requests else { return };
        let base = requests.consumed();
        let mut events = Vec::new();
        requests.push(bytes, &mut events);
        for event in events {
            match event {
                RequestEvent::Head(head, _) => {
                    exchange.request_wire = head.span.clone();
                    exchange.request = Some(head);
                }
                RequestEvent::Data(span) => exchange.request_body.extend_from_slice(within(bytes, base, &span)),
                RequestEvent::End { at } => exchange.request_wire.end = at,
                _ => {}
            }
        }
    }

    fn read(&mut self, moment: Moment, bytes: &[u8], dropped: u64) {
        // A recording that was edited by hand may say anything.
        self.received = self.received.saturating_add(bytes.len() as u64).saturating_add(dropped);
        if !self.kept {
            return;
        }
        match self.vantage {
            Vantage::Client => self.answer_bytes(moment, bytes),
            Vantage::Server => self.request_bytes(moment, bytes),
        }
        if dropped > 0 {
            self.kept = false;
            for exchange in self.exchanges.iter_mut().skip(self.current) {
                exchange.ending = Ending::NotKept(moment);
            }
        }
    }

    /// Requests that the peer sends: each becomes an exchange with its head.
    fn request_bytes(&mut self, moment: Moment, bytes: &[u8]) {
        let Some(requests) = &mut self.requests else { return };
        let base = requests.consumed();
        let mut events = Vec::new();
        requests.push(bytes, &mut events);
        for event in events {
            match event {
                RequestEvent::Head(head, _) => {
                    self.answers.expect(&head.method);
                    let begun = Exchange::begun(self.connection.id, self.exchanges.len(), moment);
                    let request_wire = head.span.clone();
                    let ours = if self.spoilt { Conduct::Damaged } else { Conduct::Conforming };
                    self.exchanges.push(Exchange { request: Some(head), request_wire, ours, ..begun });
                }
                RequestEvent::Data(span) => {
                    if let Some(exchange) = self.exchanges.last_mut() {
                        exchange.request_body.extend_from_slice(within(bytes, base, &span));
                    }
                }
                RequestEvent::End { at } => {
                    if let Some(exchange) = self.exchanges.last_mut() {
                        exchange.request_wire.end = at;
                        exchange.written = Some((exchange.asked.best(), moment));
                    }
                }
                RequestEvent::Fault(fault) => {
                    self.connection.unreadable.get_or_insert((fault, moment));
                }
                RequestEvent::Chunk { .. } | RequestEvent::Trailer(_) => {}
            }
        }
    }

    fn answer_bytes(&mut self, moment: Moment, bytes: &[u8]) {
        self.tell_method();
        let base = self.answers.consumed();
        let mut events = Vec::new();
        self.answers.push(bytes, &mut events);
        for event in events {
            self.response_event(event, base, bytes, moment);
        }
    }

    fn response_event(&mut self, event: ResponseEvent, base: u64, bytes: &[u8], moment: Moment) {
        if let ResponseEvent::Surplus(span) = event {
            // Nothing is owed: the bytes trail the last answer, or came before any request.
            if let Some(exchange) = self.exchanges.get_mut(self.current.saturating_sub(1)) {
                exchange.surplus.push((span, moment));
            }
            return;
        }
        let Some(exchange) = self.exchanges.get_mut(self.current) else { return };
        exchange.first_byte.get_or_insert(moment);
        match event {
            ResponseEvent::Interim(head) => {
                exchange.grow(&head.span);
                exchange.interim.push(head);
            }
            ResponseEvent::Head(head, framing) => {
                exchange.grow(&head.span);
                exchange.answer = Some(Answer::new(head, framing, moment));
            }
            ResponseEvent::Data(span) => {
                exchange.grow(&span);
                if let Some(answer) = &mut exchange.answer {
                    answer.take(within(bytes, base, &span), span, moment);
                }
            }
            ResponseEvent::End { at } => {
                exchange.grow(&(at..at));
                if let Some(answer) = &mut exchange.answer {
                    answer.finish(moment);
                }
                exchange.ending = Ending::Complete(moment);
                self.current += 1;
            }
            ResponseEvent::Fault(fault) => {
                let fatal = fault.kind.is_fatal();
                exchange.faults.push((fault, moment));
                if fatal {
                    for exchange in self.exchanges.iter_mut().skip(self.current) {
                        exchange.ending = Ending::Unreadable(moment);
                    }
                }
            }
            ResponseEvent::Chunk { .. } | ResponseEvent::Trailer(_) | ResponseEvent::Surplus(_) => {}
        }
    }

    fn peer_ended(&mut self, how: PeerEnd, moment: Moment) {
        self.connection.ended = Some((how, moment));
        if self.vantage == Vantage::Client {
            self.answers_ended(
                match how {
                    PeerEnd::Fin => http1::Ending::Fin,
                    PeerEnd::Reset => http1::Ending::Reset,
                },
                moment,
            );
        }
        for exchange in self.exchanges.iter_mut().skip(self.current) {
            if matches!(exchange.ending, Ending::Open { .. }) {
                exchange.ending = Ending::Cut(how, moment);
            }
        }
    }

    /// The end of our direction is the end of an answer that has no other.
    fn we_ended(&mut self, how: http1::Ending, moment: Moment) {
        if self.vantage == Vantage::Server && self.connection.closed.is_none() {
            self.answers_ended(how, moment);
        }
        self.connection.closed.get_or_insert(moment);
    }

    fn answers_ended(&mut self, how: http1::Ending, moment: Moment) {
        let mut events = Vec::new();
        self.answers.close(how, &mut events);
        for event in events {
            match event {
                // The cut is told by the exchange's ending, not as a fault of the bytes.
                ResponseEvent::Fault(_) => {}
                other => self.response_event(other, 0, &[], moment),
            }
        }
    }
}

impl Exchange {
    fn begun(conn: ConnectionId, nth: usize, asked: Moment) -> Self {
        Self {
            conn,
            nth,
            label: String::new(),
            part: Part::Plain,
            ours: Conduct::Conforming,
            asked,
            request: None,
            request_body: Vec::new(),
            request_wire: 0..0,
            written: None,
            write_failed: false,
            wire: None,
            interim: Vec::new(),
            answer: None,
            first_byte: None,
            faults: Vec::new(),
            surplus: Vec::new(),
            ending: Ending::Open { watched: None },
            releases: Vec::new(),
            of_the_way: Vec::new(),
            sent: OnceLock::new(),
        }
    }

    fn grow(&mut self, span: &Span) {
        self.wire = Some(match &self.wire {
            None => span.clone(),
            Some(so_far) => so_far.start..so_far.end.max(span.end),
        });
    }

    /// The messages that our request carried.
    pub fn sent(&self) -> Vec<Message> {
        self.looking_at_sent(<[Message]>::to_vec)
    }

    /// Read once, as soon as the request is whole: a hostile client makes many, and each is compared with all others.
    fn looking_at_sent<T>(&self, look: impl FnOnce(&[Message]) -> T) -> T {
        let read = || Message::read_all(&self.request_body).unwrap_or_default();
        match self.written {
            Some(_) => look(self.sent.get_or_init(read)),
            None => look(&read()),
        }
    }

    /// The id of the one request that we sent, if it was one.
    pub fn request_id(&self) -> Option<Id> {
        match &self.sent()[..] {
            [message] if message.method().is_some() && message.id != Id::Absent => Some(message.id.clone()),
            _ => None,
        }
    }

    /// The method of the one message that we sent.
    pub fn rpc_method(&self) -> Option<String> {
        self.looking_at_sent(|sent| match sent {
            [message] => message.method().map(str::to_owned),
            _ => None,
        })
    }

    /// The HTTP method.
    pub fn http_method(&self) -> &str {
        self.request.as_ref().map_or("", |head| &head.method)
    }

    /// The status of the answer.
    pub fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.head.status)
    }

    /// Whether the answer's status is 2xx.
    pub fn succeeded(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// Everything in the answer, in order.
    pub fn messages(&self) -> &[Received] {
        self.answer.as_ref().map_or(&[], |answer| &answer.messages)
    }

    /// The messages that one event of the stream carried.
    pub fn carried_by(&self, event: usize) -> &[Received] {
        let messages = self.messages();
        let begin = messages.partition_point(|received| received.event < Some(event));
        let end = messages.partition_point(|received| received.event <= Some(event));
        &messages[begin..end]
    }

    /// The first response in the answer.
    pub fn response(&self) -> Option<&Received> {
        self.messages().iter().find(|received| received.message.is_response())
    }

    /// Whether the answer is complete.
    pub fn is_complete(&self) -> bool {
        matches!(self.ending, Ending::Complete(_))
    }

    /// Whether the answer is an event stream.
    pub fn is_streamed(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.stream.is_some())
    }

    /// The ids of the events in the answer, in order, with the index of the event.
    pub fn events_with_ids(&self) -> impl Iterator<Item = (usize, &str)> {
        let stream = self.answer.as_ref().and_then(|answer| answer.stream.as_ref());
        let events = stream.map_or(&[][..], |stream| &stream.events).iter().enumerate();
        events.filter_map(|(index, (event, _))| match event {
            SseEvent::Dispatch(event) | SseEvent::NoData(event) => {
                Some((index, event.id.as_deref().filter(|id| !id.is_empty())?))
            }
            _ => None,
        })
    }

    /// The ids of the events in the answer, in order.
    pub fn event_ids(&self) -> impl Iterator<Item = &str> {
        self.events_with_ids().map(|(_, id)| id)
    }

    /// The id from which the stream in the answer can be resumed.
    pub fn last_event_id(&self) -> Option<&str> {
        self.answer.as_ref()?.stream.as_ref()?.last_event_id()
    }

    /// Whether the peer said that it will close the connection (RFC 9112, section 9.6), or speaks HTTP/1.0.
    pub fn close_is_announced(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| {
            answer.head.fields.list("connection").iter().any(|option| option == "close")
                || answer.head.version == (1, 0)
                || answer.framing == Framing::UntilClose
        })
    }
}

impl Answer {
    fn new(head: ResponseHead, framing: Framing, head_at: Moment) -> Self {
        let media_type = media_type(&head);
        let stream = (media_type.as_deref() == Some("text/event-stream")).then(Stream::new);
        Self {
            head,
            head_at,
            framing,
            body: Vec::new(),
            pieces: Vec::new(),
            messages: Vec::new(),
            not_json: None,
            stream,
        }
    }

    fn take(&mut self, bytes: &[u8], wire: Span, moment: Moment) {
        self.pieces.push(Piece { body: self.body.len() as u64, wire, moment });
        self.body.extend_from_slice(bytes);
        if let Some(stream) = &mut self.stream {
            let mut events = Vec::new();
            stream.parser.push(bytes, &mut events);
            stream.take(events, moment, &mut self.messages);
        }
    }

    fn finish(&mut self, moment: Moment) {
        if let Some(stream) = &mut self.stream {
            let mut events = Vec::new();
            stream.parser.finish(&mut events);
            stream.take(events, moment, &mut self.messages);
        } else if self.body.iter().any(|byte| !byte.is_ascii_whitespace()) {
            match Message::read_all(&self.body) {
                Ok(messages) => {
                    let received = |message| Received { message, moment, event: None };
                    self.messages.extend(messages.into_iter().map(received));
                }
                Err(error) => self.not_json = Some(error.to_string()),
            }
        }
    }

    /// The media type without parameters, in lower case (RFC 9110, section 8.3.1).
    pub fn media_type(&self) -> Option<String> {
        media_type(&self.head)
    }
}

impl Stream {
    fn new() -> Self {
        Self { parser: SseParser::new(), events: Vec::new(), not_json: Vec::new(), at_fault: Vec::new() }
    }

    fn take(&mut self, events: Vec<SseEvent>, moment: Moment, messages: &mut Vec<Received>) {
        for event in events {
            let index = self.events.len();
            if let SseEvent::Dispatch(event) = &event
                && event.is_message()
                && !event.is_blank()
            {
                match Message::read_all(event.data.as_bytes()) {
                    Ok(read) => {
                        let received = |message| Received { message, moment, event: Some(index) };
                        messages.extend(read.into_iter().map(received));
                    }
                    Err(_) => self.not_json.push(index),
                }
            }
            if let SseEvent::Fault(_) = event {
                self.at_fault.push(index);
            }
            self.events.push((event, moment));
        }
    }

    /// The faults in one event: what was read between the event before it and this one.
    pub fn faults_in(&self, index: usize) -> impl Iterator<Item = &SseFault> {
        let before = self.events[..index].iter().rev().map(|(event, _)| event);
        before
            .take_while(|event| !matches!(event, SseEvent::Dispatch(_) | SseEvent::NoData(_)))
            .filter_map(|event| if let SseEvent::Fault(fault) = event { Some(fault) } else { None })
    }

    /// What the reader would not accept.
    pub fn faults(&self) -> impl Iterator<Item = (&SseFault, &Moment)> {
        self.at_fault.iter().filter_map(|index| match &self.events[*index] {
            (SseEvent::Fault(fault), moment) => Some((fault, moment)),
            _ => None,
        })
    }

    /// The id that a client would resume from.
    pub fn last_event_id(&self) -> Option<&str> {
        Some(self.parser.last_event_id()).filter(|id| !id.is_empty())
    }

    /// The last reconnection time that the peer asked for, in milliseconds.
    pub fn retry(&self) -> Option<u64> {
        self.events.iter().rev().find_map(|(event, _)| match event {
            SseEvent::Dispatch(event) | SseEvent::NoData(event) => event.retry,
            _ => None,
        })
    }

    /// How its lines end.
    pub fn line_endings(&self) -> LineEndings {
        self.parser.endings()
    }
}

fn media_type(head: &ResponseHead) -> Option<String> {
    let value = head.fields.text("content-type")?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn within<'a>(bytes: &'a [u8], base: u64, span: &Span) -> &'a [u8] {
    let index = |offset: u64| usize::try_from(offset.saturating_sub(base)).unwrap_or(usize::MAX).min(bytes.len());
    &bytes[index(span.start)..index(span.end)]
}

#[cfg(test)]
mod tests {
    use super::super::event::Bytes;
    use super::*;

    /// What a decoder makes of a connection that we accepted: each event is a microsecond later than the one before.
    fn decoded(happened: impl IntoIterator<Item = What>) -> Decoder {
        let mut decoder = Decoder::new(0, Vantage::Server);
        let accepted = What::Accepted { conn: 0, local: String::new(), peer: String::new() };
        for (seq, what) in std::iter::once(accepted).chain(happened).enumerate() {
            decoder.feed(&Event { seq: seq as u32, at: Nanos(seq as u64 * 1_000), what });
        }
        decoder
    }

    fn asked(text: &str) -> What {
        What::Read { conn: 0, kernel: None, segments: None, bytes: Bytes(text.into()), dropped: 0 }
    }

    fn answering(label: &str) -> What {
        What::Answering { conn: 0, label: label.to_owned(), ours: Conduct::Conforming }
    }

    fn wrote(text: &str) -> What {
        What::Wrote { conn: 0, began: Nanos(0), bytes: Bytes(text.into()) }
    }

    /// Whether the exchange is complete, with the event that completed it.
    fn completed(exchange: &Exchange) -> Option<u32> {
        match exchange.ending {
            Ending::Complete(moment) => Some(moment.seq),
            _ => None,
        }
    }

    const GET: &str = "GET /mcp HTTP/1.1\r\nHost: here\r\n\r\n";
    const POST: &str = "POST /mcp HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}";
    const EMPTY: &str = "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    const UNTIL_CLOSE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n";

    #[test]
    fn pipelined_requests_are_answered_in_order() {
        let both = format!("{POST}{GET}");
        let decoder = decoded([asked(&both), answering("first"), wrote(EMPTY), answering("second"), wrote(EMPTY)]);
        let [first, second] = decoder.exchanges() else { panic!("{:?}", decoder.exchanges()) };
        assert_eq!((first.label.as_str(), first.http_method(), completed(first)), ("first", "POST", Some(3)));
        assert_eq!((second.label.as_str(), second.http_method(), completed(second)), ("second", "GET", Some(5)));
        assert_eq!(first.request_body, b"{}");
        assert_eq!((first.asked.seq, second.asked.seq), (1, 1));
    }

    #[test]
    fn a_request_in_pieces_begins_with_its_head_and_is_written_with_its_last_byte() {
        let (head, body) = POST.split_at(POST.len() - 1);
        let (start, head) = head.split_at(10);
        let decoder = decoded([asked(start), asked(head), asked(body)]);
        let [exchange] = decoder.exchanges() else { panic!("{:?}", decoder.exchanges()) };
        assert_eq!(exchange.asked.seq, 2);
        assert_eq!(exchange.written.map(|(_, moment)| moment.seq), Some(3));
    }

    #[test]
    fn a_client_that_ends_its_direction_before_our_answer_is_complete_cuts_it() {
        let begun = || [asked(GET), answering("cut"), wrote(CHUNKED)];
        for (ending, how) in [(What::Fin { conn: 0 }, PeerEnd::Fin), (What::Reset { conn: 0 }, PeerEnd::Reset)] {
            let decoder = decoded(begun().into_iter().chain([ending]));
            let [exchange] = decoder.exchanges() else { panic!("{:?}", decoder.exchanges()) };
            assert!(matches!(exchange.ending, Ending::Cut(seen, at) if seen == how && at.seq == 4), "{exchange:?}");
            assert_eq!(decoder.connection().ended.map(|(seen, _)| seen), Some(how));
        }
    }

    #[test]
    fn a_client_that_ends_its_direction_after_our_answer_cuts_nothing() {
        let decoder =
            decoded([asked(GET), answering("whole"), wrote(CHUNKED), wrote("0\r\n\r\n"), What::Fin { conn: 0 }]);
        assert_eq!(decoder.exchanges().iter().map(completed).collect::<Vec<_>>(), [Some(4)]);
        assert_eq!(decoder.connection().ended.map(|(how, at)| (how, at.seq)), Some((PeerEnd::Fin, 5)));
    }

    #[test]
    fn our_end_is_the_end_of_an_answer_that_has_no_other() {
        for end in [What::Finished { conn: 0 }, What::Closed { conn: 0, abruptly: false }] {
            let decoder = decoded([asked(GET), answering("until-close"), wrote(UNTIL_CLOSE), end]);
            let [exchange] = decoder.exchanges() else { panic!("{:?}", decoder.exchanges()) };
            assert_eq!(completed(exchange), Some(4), "{exchange:?}");
            assert_eq!(exchange.messages().len(), 1);
        }
    }

    #[test]
    fn our_end_does_not_complete_an_answer_that_lacks_something() {
        let end = What::Closed { conn: 0, abruptly: false };
        let decoder = decoded([asked(GET), answering("truncated"), wrote(CHUNKED), end]);
        assert_eq!(decoder.exchanges().iter().map(completed).collect::<Vec<_>>(), [None]);
        assert_eq!(decoder.connection().closed.map(|moment| moment.seq), Some(4));
    }

    #[test]
    fn bytes_that_are_no_request_are_told_of_the_connection() {
        let decoder = decoded([asked("\u{16}\u{3}\u{1} no request at all\r\n\r\n")]);
        assert!(decoder.is_lost());
        assert_eq!(decoder.connection().unreadable.as_ref().map(|(_, moment)| moment.seq), Some(1));
    }

    fn harmed(harm: Harm) -> What {
        What::FaultApplied { conn: 0, fault: "stall=1s".to_owned(), offset: 1, how: "nothing goes on".to_owned(), harm }
    }

    fn conducts(decoder: &Decoder) -> Vec<Conduct> {
        decoder.exchanges().iter().map(|exchange| exchange.ours).collect()
    }

    #[test]
    fn what_a_fault_of_ours_spoilt_stays_so_and_what_was_over_or_comes_later_is_not_concerned() {
        use Conduct::{Conforming, Damaged};
        let around = |harm| {
            let first = [asked(POST), answering("before"), wrote(EMPTY), asked(POST), harmed(harm)];
            let rest = [answering("at"), wrote(EMPTY), asked(POST), answering("behind"), wrote(EMPTY)];
            decoded(first.into_iter().chain(rest))
        };
        assert_eq!(conducts(&around(Harm::None)), [Conforming, Conforming, Conforming]);
        assert_eq!(conducts(&around(Harm::Exchange)), [Conforming, Damaged, Conforming]);
        assert_eq!(conducts(&around(Harm::Connection)), [Conforming, Damaged, Damaged]);
        assert_eq!(around(Harm::Exchange).exchanges()[1].of_the_way[0].0, "stall=1s: nothing goes on");
    }

    /// What a decoder makes of a connection that we opened.
    fn ours(happened: impl IntoIterator<Item = What>) -> Decoder {
        let mut decoder = Decoder::new(0, Vantage::Client);
        for (seq, what) in happened.into_iter().enumerate() {
            decoder.feed(&Event { seq: seq as u32, at: Nanos(seq as u64 * 1_000), what });
        }
        decoder
    }

    fn asking() -> What {
        What::Asked { conn: 0, label: String::new(), part: Part::Plain, ours: Conduct::Conforming }
    }

    #[test]
    fn our_own_requests_are_spoilt_in_the_same_way() {
        use Conduct::{Conforming, Damaged};
        let around = |harm| {
            ours([asking(), wrote(POST), asked(EMPTY), asking(), harmed(harm), wrote(POST), asked(EMPTY), asking()])
        };
        assert_eq!(conducts(&around(Harm::Exchange)), [Conforming, Damaged, Conforming]);
        assert_eq!(conducts(&around(Harm::Connection)), [Conforming, Damaged, Damaged]);
    }

    #[test]
    fn the_method_of_a_request_is_known_in_whatever_pieces_it_went_out() {
        let request = "HEAD /mcp HTTP/1.1\r\nHost: here\r\n\r\n";
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        for at in 1..request.len() {
            let (first, second) = request.split_at(at);
            let decoder = ours([asking(), wrote(first), wrote(second), asked(answer)]);
            assert_eq!(completed(&decoder.exchanges()[0]), Some(3), "{at}");
        }
    }
}
