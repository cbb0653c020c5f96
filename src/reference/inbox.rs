//! What a client sent, from bytes to whole requests.

use std::collections::VecDeque;

use crate::codec::http1::{FaultKind, Framing, RequestEvent, RequestHead, RequestParser};

/// The largest body that is read.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// How many requests, and how many bytes of their bodies, may wait behind the one that is being answered.
const MAX_WAITING: usize = 64;
const MAX_WAITING_BYTES: usize = MAX_BODY;

/// A request of which every byte has been read.
pub(super) struct Request {
    pub(super) head: RequestHead,
    pub(super) body: Vec<u8>,
}

/// What came next on a connection.
pub(super) enum Arrival {
    Request(Request),
    /// Something that is no request or too large, with the status to answer. Nothing after it can be read.
    Unreadable(u16),
}

/// The reading side of a connection.
pub(super) struct Inbox {
    parser: RequestParser,
    /// How many bytes the parser has been given: the offset of the next one.
    received: u64,
    /// Bytes of the next request have come, if only some of its head.
    begun: bool,
    incomplete: Option<Request>,
    waiting: VecDeque<Arrival>,
    /// The client holds its body back until it is told to go on.
    holds_back: bool,
    unreadable: bool,
    haste: Haste,
}

/// What is taken for whole when one read is behind it: nothing, unless that is the fault.
#[derive(Clone, Copy, Default)]
pub(super) struct Haste {
    /// The head.
    pub(super) head: bool,
    /// The body, where there is any of it.
    pub(super) body: bool,
    /// The text of what one read brought of the body.
    pub(super) text: bool,
}

impl Inbox {
    pub(super) fn new(haste: Haste) -> Self {
        Inbox {
            parser: RequestParser::new(),
            received: 0,
            begun: false,
            incomplete: None,
            waiting: VecDeque::new(),
            holds_back: false,
            unreadable: false,
            haste,
        }
    }

    /// The next request that is complete.
    pub(super) fn next(&mut self) -> Option<Arrival> {
        self.waiting.pop_front()
    }

    /// Whether a request has begun and not ended.
    pub(super) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Whether enough waits here for now.
    pub(super) fn is_full(&self) -> bool {
        let bytes = |arrival: &Arrival| match arrival {
            Arrival::Request(request) => request.body.len(),
            Arrival::Unreadable(_) => 0,
        };
        let incomplete = self.incomplete.as_ref().map_or(0, |request| request.body.len());
        self.unreadable
            || self.waiting.len() >= MAX_WAITING
            || self.waiting.iter().map(bytes).sum::<usize>() + incomplete >= MAX_WAITING_BYTES
    }

    /// Whether the client has to be told to go on with its body (RFC 9110, section 10.1.1). Says so once.
    pub(super) fn wants_continue(&mut self) -> bool {
        std::mem::take(&mut self.holds_back)
    }

    /// Takes in bytes from the socket.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let start = self.received;
        self.received += bytes.len() as u64;
        self.begun |= !bytes.is_empty();

        let mut events = Vec::new();
        self.parser.push(bytes, &mut events);
        for event in events {
            if self.unreadable {
                return;
            }
            match event {
                RequestEvent::Head(head, framing) => self.begin(head, framing),
                RequestEvent::Data(span) => {
                    // Content is reported with the push that brought it.
                    let (from, to) = (span.start.saturating_sub(start), span.end.saturating_sub(start));
                    self.add(bytes.get(from as usize..to as usize).unwrap_or_default());
                }
                RequestEvent::End { at } => {
                    self.begun = at < self.received;
                    self.holds_back = false;
                    self.waiting.extend(self.incomplete.take().map(Arrival::Request));
                }
                RequestEvent::Fault(fault) if is_forgiven(fault.kind) => {}
                RequestEvent::Fault(fault) => self.refuse(match fault.kind {
                    FaultKind::HeadTooLong | FaultKind::TooManyFields => 431,
                    FaultKind::VersionMalformed => 505,
                    _ => 400,
                }),
                _ => {}
            }
        }
        self.be_hasty();
    }

    /// Does what should wait until the request is whole.
    fn be_hasty(&mut self) {
        let has_content = self.incomplete.as_ref().map(|request| !request.body.is_empty());
        match has_content {
            None if self.haste.head && self.begun && self.waiting.is_empty() && !self.unreadable => self.refuse(400),
            Some(true) if self.haste.body => self.waiting.extend(self.incomplete.take().map(Arrival::Request)),
            _ => {}
        }
    }

    fn begin(&mut self, head: RequestHead, framing: Framing) {
        if matches!(framing, Framing::Length(length) if length > MAX_BODY as u64) {
            return self.refuse(413);
        }
        let expectations = head.fields.list("expect");
        self.holds_back = head.version >= (1, 1) && expectations.iter().any(|expected| expected == "100-continue");
        self.incomplete = Some(Request { head, body: Vec::new() });
    }

    fn add(&mut self, content: &[u8]) {
        let Some(request) = &mut self.incomplete else { return };
        if request.body.len() + content.len() > MAX_BODY {
            return self.refuse(413);
        }
        self.holds_back = false;
        match self.haste.text {
            true => request.body.extend_from_slice(String::from_utf8_lossy(content).as_bytes()),
            false => request.body.extend_from_slice(content),
        }
    }

    fn refuse(&mut self, status: u16) {
        self.unreadable = true;
        self.incomplete = None;
        self.waiting.push_back(Arrival::Unreadable(status));
    }
}

/// What a recipient may overlook (RFC 9112, section 2.2); all else is refused, for a request that two readers
/// understand differently is a way to smuggle another one past the first of them.
fn is_forgiven(fault: FaultKind) -> bool {
    matches!(fault, FaultKind::LeadingBlankLine | FaultKind::BareLf | FaultKind::DuplicateContentLength)
}
