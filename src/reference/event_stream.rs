//! Answers that come bit by bit: server-sent events (WHATWG HTML, section 9.2) in chunks (RFC 9112, section 7.1).

use std::io;
use std::sync::Arc;

use super::answer::Head;
use super::connection::{After, Connection};
use super::server::Server;
use super::{Fault, Variant};

/// An answer of type `text/event-stream`. Each call that sends is one write, and so one segment.
pub(super) struct EventStream<'c> {
    connection: &'c mut Connection,
    server: Arc<Server>,
    framing: Framing,
    /// The head, until it is sent.
    head: Option<Head>,
    /// Content that goes out with the next write.
    held: Vec<u8>,
    is_broken: bool,
}

/// What carries the events.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Chunked,
    /// Chunks that all go out together at the end.
    ChunkedInOne,
    Length,
    UntilClose,
}

/// One event.
#[derive(Default)]
pub(super) struct Event<'a> {
    pub(super) id: Option<&'a str>,
    pub(super) retry: Option<u32>,
    pub(super) data: &'a str,
    pub(super) place: Place,
}

/// Where an event stands in its stream.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Inside,
    /// It carries the response, after which nothing comes.
    Last,
}

impl<'c> EventStream<'c> {
    /// Begins the answer to a request, which has an end.
    pub(super) fn begin(connection: &'c mut Connection, head: Head) -> Self {
        let server = &connection.server;
        let framing = match connection.asked.knows_chunks {
            true if server.plays(Variant::ContentLengthSse) => Framing::Length,
            true if server.plays(Variant::OneWrite) || server.has(Fault::FlushedByTimer) => Framing::ChunkedInOne,
            _ => Framing::live(connection),
        };
        Self::framed(framing, connection, head)
    }

    /// Begins a stream that may last: nothing of it may wait for its end.
    pub(super) fn begin_live(connection: &'c mut Connection, head: Head) -> Self {
        Self::framed(Framing::live(connection), connection, head)
    }

    fn framed(framing: Framing, connection: &'c mut Connection, head: Head) -> Self {
        let server = Arc::clone(&connection.server);
        let is_odd = server.plays(Variant::OddContentTypes);
        let media_type = if is_odd { "Text/Event-Stream; charset=utf-8" } else { "text/event-stream" };
        let head = head.with("Content-Type", media_type).with("Cache-Control", "no-cache");
        let mut stream =
            EventStream { connection, server, framing, head: Some(head), held: Vec::new(), is_broken: false };
        if stream.server.plays(Variant::CommentsAndBom) {
            stream.frame("\u{feff}: welcome\n\n".as_bytes());
        }
        stream
    }

    /// Sends an event. The head, if it has not been sent yet, goes with it.
    pub(super) fn send(&mut self, event: &Event<'_>) {
        self.frame(&event.encode(&self.server));
        self.flush();
    }

    /// Sends a comment, which means nothing and shows that the server is there.
    pub(super) fn comment(&mut self, text: &str) {
        self.frame(format!(": {text}\n\n").as_bytes());
        self.flush();
    }

    /// Sends what is held, if only the head.
    pub(super) fn flush(&mut self) {
        if matches!(self.framing, Framing::Chunked | Framing::UntilClose) {
            self.write();
        }
    }

    /// Ends the stream, and so the answer.
    pub(super) fn end(mut self) -> io::Result<()> {
        if self.server.plays(Variant::CommentsAndBom) {
            self.frame(b": goodbye\n\n");
        }
        if matches!(self.framing, Framing::Chunked | Framing::ChunkedInOne) {
            self.held.extend_from_slice(b"0\r\n\r\n");
        }
        self.write();
        if self.is_broken { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    /// Closes the connection where the body should end.
    pub(super) fn close(mut self) -> io::Result<()> {
        self.write();
        self.connection.after = After::Close;
        Ok(())
    }

    /// Aborts the connection in the middle of an event.
    pub(super) fn reset_within(mut self, event: &Event<'_>) -> io::Result<()> {
        let sent = self.held.len();
        self.frame(&event.encode(&self.server));
        self.held.truncate(sent + (self.held.len() - sent) / 2);
        self.write();
        self.connection.after = After::Reset;
        Ok(())
    }

    /// Whether the client has gone.
    pub(super) fn client_has_gone(&mut self) -> bool {
        self.is_broken || self.connection.client_has_gone()
    }

    fn frame(&mut self, content: &[u8]) {
        if matches!(self.framing, Framing::Length | Framing::UntilClose) {
            return self.held.extend_from_slice(content);
        }
        self.held.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
        self.held.extend_from_slice(content);
        self.held.extend_from_slice(b"\r\n");
    }

    /// Writes what is held. A client that is no longer there is noted, and nothing more is written to it.
    fn write(&mut self) {
        let mut bytes = self.take_head();
        bytes.append(&mut self.held);
        if !self.is_broken && !bytes.is_empty() {
            self.is_broken = self.connection.write(&bytes).is_err();
        }
    }

    fn take_head(&mut self) -> Vec<u8> {
        let Some(head) = self.head.take() else { return Vec::new() };
        let head = match self.framing {
            Framing::Chunked | Framing::ChunkedInOne => head.with("Transfer-Encoding", "chunked"),
            Framing::Length => head.with("Content-Length", self.held.len().to_string()),
            Framing::UntilClose => {
                self.connection.after = After::Close;
                head
            }
        };
        self.connection.head(head)
    }
}

impl Framing {
    /// Of those that let each event go out as it comes.
    fn live(connection: &Connection) -> Framing {
        let closes = connection.server.plays(Variant::CloseDelimited) || !connection.asked.knows_chunks;
        if closes { Framing::UntilClose } else { Framing::Chunked }
    }
}

impl Event<'_> {
    fn encode(&self, server: &Server) -> Vec<u8> {
        let is_decorated = server.plays(Variant::CommentsAndBom);
        let mut lines = Vec::new();
        lines.extend(is_decorated.then(|| ": an event".to_owned()));
        lines.extend(is_decorated.then(|| "event: message".to_owned()));
        lines.extend(self.id.map(|id| format!("id: {id}")));
        lines.extend(self.retry.or(is_decorated.then_some(3_000)).map(|milliseconds| format!("retry: {milliseconds}")));
        if server.has(Fault::RawNewlineInData) {
            lines.push(format!("data: {}", self.data));
        } else {
            lines.extend(self.data.split('\n').map(|line| format!("data: {line}")));
        }
        // The blank line is what dispatches an event: without it the client drops what it has read.
        if self.place != Place::Last || !server.has(Fault::LastEventUnterminated) {
            lines.push(String::new());
        }

        let line_end = if server.plays(Variant::CrlfEvents) { "\r\n" } else { "\n" };
        let text: String = lines.iter().flat_map(|line| [line.as_str(), line_end]).collect();
        if server.has(Fault::Latin1Text) { latin_1(&text) } else { text.into_bytes() }
    }
}

/// The text in Latin-1, as far as that has its characters.
fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect()
}
