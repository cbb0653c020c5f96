//! The direction in which requests come.

use super::body::{BodyEvent, BodyReader};
use super::framing;
use super::head::RequestLine;
use super::line::Input;
use super::message::{Close, Stage};
use super::{Ending, Fault, FaultKind, Field, Framing, RequestHead, Span, State};

/// What a [`RequestParser`] sees, in the order of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestEvent {
    /// The complete head of a request, and what says where it ends.
    Head(RequestHead, Framing),
    /// A chunk-size line.
    Chunk {
        /// The line, its end included.
        size_line: Span,
        /// The size that it announces; 0 is the last chunk.
        size: u64,
        /// Whether it carries a chunk extension.
        extension: bool,
    },
    /// A piece of content. Where the pieces are cut depends on the pushes, what they are together does not.
    Data(Span),
    /// A trailer field.
    Trailer(Field),
    /// The request is complete.
    End {
        /// The offset just after its last byte.
        at: u64,
    },
    /// Something is wrong. A tolerated fault comes before the event that is made of the same line; a fatal one comes
    /// after everything that could still be read.
    Fault(Fault),
}

impl From<BodyEvent> for RequestEvent {
    fn from(event: BodyEvent) -> Self {
        match event {
            BodyEvent::Chunk { size_line, size, extension } => RequestEvent::Chunk { size_line, size, extension },
            BodyEvent::Data(span) => RequestEvent::Data(span),
            BodyEvent::Trailer(field) => RequestEvent::Trailer(field),
            BodyEvent::End { at } => RequestEvent::End { at },
        }
    }
}

impl From<Fault> for RequestEvent {
    fn from(fault: Fault) -> Self {
        RequestEvent::Fault(fault)
    }
}

/// Reads what a client sends: requests, one after the other.
#[derive(Debug)]
pub struct RequestParser {
    consumed: u64,
    /// Whether the last request announced the end of the connection.
    closing: bool,
    stage: Stage<RequestLine>,
}

impl Default for RequestParser {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestParser {
    /// At the first byte of a connection.
    pub fn new() -> Self {
        RequestParser { consumed: 0, closing: false, stage: Stage::next_message() }
    }

    /// Reads the next bytes of the connection.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<RequestEvent>) {
        let mut input = Input::new(bytes, self.consumed);
        self.consumed += bytes.len() as u64;
        while !input.is_empty() {
            if let Err(fault) = self.read(&mut input, out) {
                self.lose(fault, out);
            }
        }
    }

    /// The connection ended. No request ends that way, so one that was under way is cut off.
    pub fn close(&mut self, ending: Ending, out: &mut Vec<RequestEvent>) {
        if let Close::CutOff(fault) = self.stage.close(ending, self.consumed) {
            self.lose(fault, out);
        }
    }

    /// Where the parser stands; never [`State::AwaitingHead`], since nobody owes a request.
    pub fn state(&self) -> State {
        match &self.stage {
            Stage::Head(head) if head.has_begun() => State::InHead,
            Stage::Head(_) => State::Idle,
            Stage::Body(body) => State::InBody(body.framing()),
            Stage::Lost => State::Lost,
        }
    }

    /// How many bytes were pushed so far.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// How many bytes are kept in memory: at most a head or a trailer section, whatever was pushed.
    pub fn held(&self) -> usize {
        self.stage.held()
    }

    fn read(&mut self, input: &mut Input<'_>, out: &mut Vec<RequestEvent>) -> Result<(), Fault> {
        match &mut self.stage {
            Stage::Head(head) => {
                if std::mem::take(&mut self.closing) {
                    out.push(FaultKind::MessageAfterClose.at(input.at()..input.at() + 1).into());
                }
                match head.read(input, out)? {
                    Some(head) => self.begin(head, input, out),
                    None => Ok(()),
                }
            }
            Stage::Body(_) => self.read_body(input, out),
            Stage::Lost => {
                input.take(u64::MAX);
                Ok(())
            }
        }
    }

    /// A head is complete; its fields say what follows.
    fn begin(&mut self, head: RequestHead, input: &mut Input<'_>, out: &mut Vec<RequestEvent>) -> Result<(), Fault> {
        let framing = framing::of_request(&head, out);
        self.closing = !head.is_persistent();
        // A head is shown even if its framing is broken: it is the evidence for the fault.
        out.push(RequestEvent::Head(head, framing.as_ref().copied().unwrap_or(Framing::UntilClose)));
        self.stage = Stage::Body(BodyReader::new(framing?, input.at()));
        // A message without content is over before another byte comes.
        self.read_body(input, out)
    }

    fn read_body(&mut self, input: &mut Input<'_>, out: &mut Vec<RequestEvent>) -> Result<(), Fault> {
        if let Stage::Body(body) = &mut self.stage
            && body.read(input, out)?
        {
            self.stage = Stage::next_message();
        }
        Ok(())
    }

    fn lose(&mut self, fault: Fault, out: &mut Vec<RequestEvent>) {
        out.push(fault.into());
        self.stage = Stage::Lost;
    }
}
