//! One connection: what is written to it, and what its parser makes of the answers.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use socket2::SockRef;

use crate::codec::http1::{self, Ending, FaultKind, Framing, ResponseEvent, ResponseHead, ResponseParser};

/// How long one read waits: whoever wants to stop is heard that soon.
const SLICE: Duration = Duration::from_millis(10);

/// How long a server may take to let us connect, or to take a request.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection is still read from after the FIN, so that what is on its way is not answered with RST.
const LINGER: Duration = Duration::from_millis(100);

/// The client's end of one connection.
pub(super) struct Connection {
    stream: TcpStream,
    origin: String,
    parser: ResponseParser,
    buffer: Box<[u8]>,
    has_ended: bool,
}

/// What was read.
pub(super) enum Piece {
    Interim(ResponseHead),
    Head(ResponseHead, Framing),
    ChunkExtension,
    Data(Vec<u8>),
    /// The answer is complete.
    End,
    /// Something that nobody asked for.
    Surplus,
    /// From here on the connection cannot be read.
    Lost(http1::Fault),
    /// The server ended the connection.
    Closed,
}

impl Connection {
    pub(super) fn open(origin: &str) -> io::Result<Self> {
        let mut failure = io::Error::from(ErrorKind::NotFound);
        for address in origin.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(stream) => return Connection::over(stream, origin),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn over(stream: TcpStream, origin: &str) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SLICE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let buffer = vec![0; 64 * 1024].into_boxed_slice();
        Ok(Connection { stream, origin: origin.to_owned(), parser: ResponseParser::new(), buffer, has_ended: false })
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Sends a request, with one write as long as the socket takes it.
    pub(super) fn write(&mut self, verb: &str, request: &[u8]) -> io::Result<()> {
        self.parser.expect(verb);
        self.stream.write_all(request)
    }

    /// Waits for a moment, and reads what there is.
    pub(super) fn read(&mut self, pieces: &mut VecDeque<Piece>) {
        let at = self.parser.consumed();
        let mut events = Vec::new();
        let count = match self.stream.read(&mut self.buffer) {
            _ if self.has_ended => return pieces.push_back(Piece::Closed),
            Ok(0) => self.end(Ending::Fin, &mut events),
            Ok(count) => {
                self.parser.push(&self.buffer[..count], &mut events);
                count
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) =>
            {
                return;
            }
            Err(_) => self.end(Ending::Reset, &mut events),
        };
        let bytes = &self.buffer[..count];
        pieces.extend(events.into_iter().filter_map(|event| Piece::of(event, bytes, at)));
        if self.has_ended {
            pieces.push_back(Piece::Closed);
        }
    }

    fn end(&mut self, ending: Ending, events: &mut Vec<ResponseEvent>) -> usize {
        self.has_ended = true;
        self.parser.close(ending, events);
        0
    }

    /// Whether nothing has come since the last answer: no byte that nobody asked for, and no end.
    pub(super) fn is_quiet(&self) -> bool {
        let glance = || {
            self.stream.set_nonblocking(true)?;
            let glance = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            glance
        };
        !self.has_ended && glance().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Reads what there is without understanding it. Says whether the server has ended the connection.
    pub(super) fn is_at_its_end(&mut self) -> bool {
        self.read(&mut VecDeque::new());
        self.has_ended
    }

    /// Says that nothing more is asked (FIN).
    pub(super) fn shut(&self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads what is still on its way after the FIN, and lets go.
    pub(super) fn linger(mut self) {
        let deadline = Instant::now() + LINGER;
        while !self.has_ended && Instant::now() < deadline {
            match self.stream.read(&mut self.buffer) {
                Ok(1..) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                _ => return,
            }
        }
    }

    /// Aborts the connection (RST).
    pub(super) fn reset(self) {
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

impl Piece {
    /// What an event means, which was read from `bytes`, the first of which is at the offset `at`.
    fn of(event: ResponseEvent, bytes: &[u8], at: u64) -> Option<Piece> {
        Some(match event {
            ResponseEvent::Interim(head) => Piece::Interim(head),
            ResponseEvent::Head(head, framing) => Piece::Head(head, framing),
            ResponseEvent::Chunk { extension: true, .. } => Piece::ChunkExtension,
            ResponseEvent::Data(span) => {
                Piece::Data(bytes[(span.start - at) as usize..(span.end - at) as usize].to_vec())
            }
            ResponseEvent::End { .. } => Piece::End,
            ResponseEvent::Surplus(_) => Piece::Surplus,
            // That the connection ended says as much.
            ResponseEvent::Fault(fault) if matches!(fault.kind, FaultKind::Truncated(_)) => return None,
            ResponseEvent::Fault(fault) if fault.kind.is_fatal() => Piece::Lost(fault),
            ResponseEvent::Fault(_) | ResponseEvent::Chunk { .. } | ResponseEvent::Trailer(_) => return None,
        })
    }
}
