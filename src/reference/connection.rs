//! One connection: requests are read whole, answered in order, and the connection is kept for the next one.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use socket2::Socket;

use super::endpoint;
use super::inbox::{Arrival, Haste, Inbox, Request};
use super::server::{GLANCE, Server};
use super::{Fault, Variant};

/// How long a request may take to arrive, and how long a client may refuse to read.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long and how much is still read from a client that has been told that this was all.
const FAREWELL: Duration = Duration::from_millis(500);
const FAREWELL_BYTES: usize = 8 * 1024 * 1024;

/// The server's end of one connection.
pub(super) struct Connection {
    pub(super) server: Arc<Server>,
    pub(super) asked: Asked,
    pub(super) after: After,
    socket: Arc<Socket>,
    inbox: Inbox,
    buffer: Box<[u8]>,
    calls: u64,
    /// The ids of requests that have ended: there are none, unless that is the fault.
    pub(super) ids: HashSet<String>,
    is_over: bool,
}

/// What a request means for the form of its answer.
pub(super) struct Asked {
    pub(super) stays_open: bool,
    pub(super) knows_chunks: bool,
    pub(super) head_only: bool,
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Keep,
    /// In order (FIN).
    Close,
    /// At once (RST).
    Reset,
}

/// Serves a connection to its end.
pub(super) fn serve(server: Arc<Server>, socket: Arc<Socket>) {
    let mut connection = Connection::new(server, socket);
    while let Some(arrival) = connection.next() {
        let answered = match arrival {
            Arrival::Request(request) => connection.answer(&request),
            Arrival::Unreadable(status) => connection.refuse_unread(status),
        };
        match connection.after {
            _ if answered.is_err() => return,
            After::Keep => {}
            After::Close => return connection.close(),
            After::Reset => return connection.reset(),
        }
    }
    if connection.inbox.has_begun() && connection.server.has(Fault::SocketLeftInCloseWait) {
        connection.server.forget(Arc::clone(&connection.socket));
    }
}

impl Connection {
    fn new(server: Arc<Server>, socket: Arc<Socket>) -> Self {
        // A client that never reads must not hold this thread for ever.
        let _ = socket.set_write_timeout(Some(PATIENCE));
        let haste = Haste {
            head: server.has(Fault::HeadInOneRead),
            body: server.has(Fault::BodyInOneRead),
            text: server.has(Fault::TextPerRead),
        };
        Connection {
            server,
            asked: Asked::nothing(),
            after: After::Keep,
            socket,
            inbox: Inbox::new(haste),
            buffer: vec![0; 16 * 1024].into_boxed_slice(),
            calls: 0,
            ids: HashSet::new(),
            is_over: false,
        }
    }

    /// The next request; `None` when there will be no more. Between requests the client may take all the time it wants.
    fn next(&mut self) -> Option<Arrival> {
        let mut deadline = None;
        let server = Arc::clone(&self.server);
        let mut turn = None;
        loop {
            if let Some(arrival) = self.inbox.next() {
                return Some(arrival);
            }
            if self.inbox.wants_continue() {
                self.write(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
            }
            let patience = self.inbox.has_begun().then(|| {
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
            });
            self.socket.set_read_timeout(patience).ok()?;
            match self.receive() {
                Ok(0) => return None,
                Ok(_) if server.has(Fault::LockOverBody) && turn.is_none() => turn = Some(server.turn()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) => return Some(Arrival::Unreadable(408)),
                Err(_) => return None,
            }
        }
    }

    fn answer(&mut self, request: &Request) -> io::Result<()> {
        self.after = After::Keep;
        // In HTTP/1.0 a connection could be kept as well, but nobody has to (RFC 9112, section 9.3).
        let is_current = request.head.version >= (1, 1);
        self.asked = Asked {
            stays_open: is_current && request.head.is_persistent(),
            knows_chunks: is_current,
            head_only: request.head.method == "HEAD",
        };
        endpoint::answer(request, self)
    }

    fn refuse_unread(&mut self, status: u16) -> io::Result<()> {
        self.asked = Asked::nothing();
        endpoint::refuse_unread(status, self)
    }

    /// Hands bytes to the kernel with one system call, unless its buffer is full.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let _turn = self.server.has(Fault::LockOverWrite).then(|| self.server.turn());
        self.socket.as_ref().write_all(bytes)
    }

    fn receive(&mut self) -> io::Result<usize> {
        if self.is_over {
            return Ok(0);
        }
        let count = self.socket.as_ref().read(&mut self.buffer)?;
        self.is_over = count == 0;
        self.inbox.push(&self.buffer[..count]);
        Ok(count)
    }

    /// Whether the client has closed its side; a look that does not wait. Requests that it sent meanwhile are kept.
    pub(super) fn client_has_gone(&mut self) -> bool {
        while !self.is_over && !self.inbox.is_full() {
            if self.socket.set_nonblocking(true).is_err() {
                return true;
            }
            let received = self.receive();
            if self.socket.set_nonblocking(false).is_err() {
                return true;
            }
            match received {
                Ok(_) => {}
                Err(error) if is_timeout(&error) => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.is_over = true,
            }
        }
        self.is_over
    }

    /// Counts a call.
    pub(super) fn begin_call(&mut self) {
        /// What a call after the first takes with that fault.
        const LONG: Duration = Duration::from_millis(25);

        /// What setting things up takes with that variant.
        const COLD: Duration = Duration::from_millis(30);

        if self.calls > 0 && self.server.has(Fault::SlowCalls) {
            thread::sleep(LONG);
        }
        if self.calls == 0 && self.server.plays(Variant::ColdStart) {
            thread::sleep(COLD);
        }
        if self.server.has(Fault::MemoryOfEveryCall) {
            self.server.register();
        }
        if self.server.has(Fault::ForgetsInACrowd) && self.server.loses_call() {
            while !self.server.is_closing() && !self.client_has_gone() {
                thread::sleep(GLANCE);
            }
        }
        self.calls += 1;
    }

    /// Aborts the connection: whatever has not been delivered is lost.
    fn reset(self) {
        let _ = self.socket.set_linger(Some(Duration::ZERO));
    }

    /// Closes in order. Closing while bytes are unread would reset the connection and take the answer with it
    /// (RFC 9112, section 9.6).
    fn close(mut self) {
        let _ = self.socket.shutdown(Shutdown::Write);
        let deadline = Instant::now() + FAREWELL;
        let mut allowed = FAREWELL_BYTES;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            let _ = self.socket.set_read_timeout(Some(left.max(Duration::from_millis(1))));
            match self.socket.as_ref().read(&mut self.buffer) {
                Ok(count) if count > 0 && count <= allowed => allowed -= count,
                _ => return,
            }
        }
    }
}

impl Asked {
    fn nothing() -> Self {
        Asked { stays_open: false, knows_chunks: true, head_only: false }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
