//! A request that was written, and its answer as far as it has come.

use std::collections::VecDeque;

use crate::codec::http1::{Fields, Framing, ResponseHead};

use super::Fault;
use super::connection::{Connection, Piece};
use super::failure::Failure;
use super::wait::Wait;

/// The answer to one request.
pub(super) struct Exchange {
    connection: Connection,
    fault: Option<Fault>,
    pieces: VecDeque<Piece>,
    head: Option<(ResponseHead, Framing)>,
    is_over: bool,
}

/// What an answer is, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Stream,
    Unknown,
}

impl Exchange {
    /// Begins when the request is written.
    pub(super) fn new(connection: Connection, fault: Option<Fault>) -> Self {
        Exchange { connection, fault, pieces: VecDeque::new(), head: None, is_over: false }
    }

    /// Waits for the head of the final answer.
    pub(super) fn begin(&mut self, wait: &Wait<'_>) -> Result<(), Failure> {
        loop {
            match self.next(wait)? {
                Piece::Head(_, Framing::UntilClose) if self.fault == Some(Fault::LengthIsRequired) => {
                    return Err(Failure::Unreadable("an answer without a length"));
                }
                Piece::Head(head, framing) => {
                    self.head = Some((head, framing));
                    return Ok(());
                }
                Piece::Interim(head) if self.fault == Some(Fault::InterimIsFinal) => {
                    self.head = Some((head, Framing::Bodyless));
                    return Ok(());
                }
                Piece::Interim(_) => {}
                Piece::Lost(fault) => return Err(Failure::Http(fault)),
                _ => return Err(Failure::Cut("the connection ended before it")),
            }
        }
    }

    /// Waits for the next bytes of the body; none at its end.
    pub(super) fn data(&mut self, wait: &Wait<'_>) -> Result<Option<Vec<u8>>, Failure> {
        while !self.is_over {
            match self.next(wait)? {
                Piece::Data(bytes) => return Ok(Some(bytes)),
                Piece::End => self.is_over = true,
                Piece::ChunkExtension if self.fault == Some(Fault::ChunkExtensionIsAnError) => {
                    // One complaint is enough: the rest can still be drained.
                    self.fault = None;
                    return Err(Failure::Unreadable("a chunk extension"));
                }
                Piece::Lost(fault) => return Err(Failure::Http(fault)),
                Piece::Closed => return Err(Failure::Cut("the connection ended in it")),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Waits for the whole body.
    pub(super) fn body(&mut self, wait: &Wait<'_>) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(bytes) = self.data(wait)? {
            body.extend(bytes);
        }
        Ok(body)
    }

    /// Passes over what has come of the body, without waiting. Says whether that was the end of it.
    pub(super) fn skip(&mut self) -> bool {
        while !self.is_over
            && let Some(piece) = self.pieces.pop_front()
        {
            self.is_over = matches!(piece, Piece::End);
        }
        self.is_over
    }

    fn next(&mut self, wait: &Wait<'_>) -> Result<Piece, Failure> {
        loop {
            if let Some(piece) = self.pieces.pop_front() {
                return Ok(piece);
            }
            wait.check()?;
            self.connection.read(&mut self.pieces);
        }
    }

    pub(super) fn status(&self) -> u16 {
        self.head.as_ref().map_or(0, |(head, _)| head.status)
    }

    pub(super) fn field(&self, name: &str) -> Option<String> {
        Some(self.fields()?.text(name)?.into_owned())
    }

    fn fields(&self) -> Option<&Fields> {
        self.head.as_ref().map(|(head, _)| &head.fields)
    }

    /// What the content is; parameters and letter case do not matter (RFC 9110, section 8.3.1).
    pub(super) fn form(&self) -> Form {
        let content_type = self.field("content-type").unwrap_or_default();
        let media_type = match self.fault {
            Some(Fault::ExactMediaType) => content_type,
            _ => content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
        };
        match media_type.as_str() {
            "application/json" => Form::Json,
            "text/event-stream" => Form::Stream,
            _ => Form::Unknown,
        }
    }

    /// Whether the head says that nothing follows it.
    pub(super) fn is_bodyless(&self) -> bool {
        matches!(self.head, Some((_, Framing::Bodyless | Framing::Length(0))))
    }

    /// Whether the head says how long the body is.
    pub(super) fn has_length(&self) -> bool {
        matches!(self.head, Some((_, Framing::Bodyless | Framing::Length(_))))
    }

    /// Whether another request can go over the connection.
    pub(super) fn is_reusable(&self) -> bool {
        let persists =
            |(head, framing): &(ResponseHead, Framing)| head.is_persistent() && *framing != Framing::UntilClose;
        self.is_over && self.pieces.is_empty() && self.head.as_ref().is_some_and(persists)
    }

    pub(super) fn origin(&self) -> &str {
        self.connection.origin()
    }

    pub(super) fn into_connection(self) -> Connection {
        self.connection
    }
}
