//! The direction in which responses come.

use std::collections::VecDeque;

use super::body::{BodyEvent, BodyReader};
use super::framing::{self, Asked};
use super::head::StatusLine;
use super::line::Input;
use super::message::{Close, Stage};
use super::{Ending, Fault, FaultKind, Field, Framing, Place, ResponseHead, Span, State};

/// What a [`ResponseParser`] sees, in the order of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseEvent {
    /// A complete head of an interim response: 1xx, but not 101.
    Interim(ResponseHead),
    /// The complete head of a final response, and what says where it ends.
    Head(ResponseHead, Framing),
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
    /// The message is complete.
    End {
        /// The offset just after its last byte.
        at: u64,
    },
    /// Bytes that came while no response was owed: after the end of the last one, or before any request.
    Surplus(Span),
    /// Something is wrong. A tolerated fault comes before the event that is made of the same line; a fatal one comes
    /// after everything that could still be read.
    Fault(Fault),
}

impl From<BodyEvent> for ResponseEvent {
    fn from(event: BodyEvent) -> Self {
        match event {
            BodyEvent::Chunk { size_line, size, extension } => ResponseEvent::Chunk { size_line, size, extension },
            BodyEvent::Data(span) => ResponseEvent::Data(span),
            BodyEvent::Trailer(field) => ResponseEvent::Trailer(field),
            BodyEvent::End { at } => ResponseEvent::End { at },
        }
    }
}

impl From<Fault> for ResponseEvent {
    fn from(fault: Fault) -> Self {
        ResponseEvent::Fault(fault)
    }
}

/// Reads what a server sends. It must be told what was asked: only then is it known which responses are owed, and
/// which of them have no content.
#[derive(Debug)]
pub struct ResponseParser {
    consumed: u64,
    /// The requests that are not answered yet, oldest first.
    owed: VecDeque<Asked>,
    /// Whether an interim response came for the oldest of them.
    interim: bool,
    /// Whether the last response announced the end of the connection.
    closing: bool,
    stage: Stage<StatusLine>,
}

impl Default for ResponseParser {
    fn default() -> Self {
        Self::new()
    }
}

impl ResponseParser {
    /// At the first byte of a connection, with no response owed.
    pub fn new() -> Self {
        ResponseParser {
            consumed: 0,
            owed: VecDeque::new(),
            interim: false,
            closing: false,
            stage: Stage::next_message(),
        }
    }

    /// A request with this method was written: one more response is owed, after those that already are.
    pub fn expect(&mut self, method: &str) {
        self.owed.push_back(Asked::by(method));
    }

    /// Reads the next bytes of the connection.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<ResponseEvent>) {
        let mut input = Input::new(bytes, self.consumed);
        self.consumed += bytes.len() as u64;
        while !input.is_empty() {
            if let Err(fault) = self.read(&mut input, out) {
                self.lose(fault, out);
            }
        }
    }

    /// The connection ended. A response that was under way is complete only if its end is the connection's.
    pub fn close(&mut self, ending: Ending, out: &mut Vec<ResponseEvent>) {
        let at = self.consumed;
        match self.stage.close(ending, at) {
            // An interim response promised a final one.
            Close::Between if self.interim => self.lose(FaultKind::Truncated(Place::StartLine).at(at..at), out),
            Close::Between => {}
            Close::Complete => {
                out.push(ResponseEvent::End { at });
                self.next_message();
            }
            Close::CutOff(fault) => self.lose(fault, out),
        }
    }

    /// Where the parser stands.
    pub fn state(&self) -> State {
        match &self.stage {
            Stage::Head(head) if head.has_begun() => State::InHead,
            Stage::Head(_) if self.owed.is_empty() => State::Idle,
            Stage::Head(_) => State::AwaitingHead,
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

    fn read(&mut self, input: &mut Input<'_>, out: &mut Vec<ResponseEvent>) -> Result<(), Fault> {
        match &mut self.stage {
            Stage::Head(head) => {
                let Some(&asked) = self.owed.front() else {
                    out.push(ResponseEvent::Surplus(input.take(u64::MAX).1));
                    return Ok(());
                };
                if std::mem::take(&mut self.closing) {
                    out.push(FaultKind::MessageAfterClose.at(input.at()..input.at() + 1).into());
                }
                match head.read(input, out)? {
                    Some(head) => self.begin(head, asked, input, out),
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

    /// A head is complete. What follows it depends on its status, its framing and on what was asked.
    fn begin(
        &mut self,
        head: ResponseHead,
        asked: Asked,
        input: &mut Input<'_>,
        out: &mut Vec<ResponseEvent>,
    ) -> Result<(), Fault> {
        let framing = framing::of_response(&head, asked, out);
        if matches!(head.status, 100 | 102..=199) {
            out.push(ResponseEvent::Interim(head));
            self.interim = true;
            self.stage = Stage::next_message();
            return Ok(());
        }
        let switched =
            framing::switches_protocol(&head, asked).then(|| FaultKind::ProtocolSwitched.at(head.span.clone()));
        self.closing = !head.is_persistent();
        // A head is shown even if its framing is broken: it is the evidence for the fault.
        out.push(ResponseEvent::Head(head, framing.as_ref().copied().unwrap_or(Framing::UntilClose)));
        self.stage = Stage::Body(BodyReader::new(framing?, input.at()));
        // A message without content is over before another byte comes.
        self.read_body(input, out)?;
        switched.map_or(Ok(()), Err)
    }

    fn read_body(&mut self, input: &mut Input<'_>, out: &mut Vec<ResponseEvent>) -> Result<(), Fault> {
        if let Stage::Body(body) = &mut self.stage
            && body.read(input, out)?
        {
            self.next_message();
        }
        Ok(())
    }

    fn next_message(&mut self) {
        self.owed.pop_front();
        self.interim = false;
        self.stage = Stage::next_message();
    }

    fn lose(&mut self, fault: Fault, out: &mut Vec<ResponseEvent>) {
        out.push(fault.into());
        self.interim = false;
        self.stage = Stage::Lost;
    }
}
