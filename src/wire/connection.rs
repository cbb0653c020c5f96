//! One TCP connection between us and the peer: made or accepted, tapped and read by us.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use super::fault::{Applied, Plan, Step};
use super::interrupt::Interrupt;
use super::os::{self, Acknowledge};
use super::tap::Tap;
use crate::trace::decode::{Decoder, Exchange};
use crate::trace::{Bytes, Conduct, ConnectionId, Nanos, Part, Vantage, What};

/// The longest stretch that a blocking call waits before it looks at the clock and at the interrupt again.
const SLICE: Duration = Duration::from_millis(20);

/// How often the receive queue is looked at while an acknowledgement is withheld.
const GLANCE: Duration = Duration::from_micros(250);

/// How much one read may bring, at first and where the peer has more: thousands of connections have few bytes each.
const READ_SIZE: usize = 16 << 10;
const LARGEST_READ: usize = 64 << 10;

/// A connection between us and the peer.
#[derive(Debug)]
pub struct Connection {
    id: ConnectionId,
    socket: Socket,
    tap: Tap,
    interrupt: Interrupt,
    decoder: Decoder,
    buffer: Vec<u8>,
    /// How much of the buffer the last read filled.
    filled: usize,
    /// The read time-out that the socket has now.
    slice: Duration,
    delays_acknowledgements: bool,
    /// The time that a call takes is not the question: no last segment is left waiting for our acknowledgement.
    acknowledges_at_once: bool,
    ended: Option<End>,
    segments_out_at_last_read: Option<u32>,
}

/// How the peer ended its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In order.
    Fin,
    /// By a reset.
    Reset,
}

/// What became of the rest of an answer while our acknowledgement of the first part was withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It came without our acknowledgement.
    CameByItself,
    /// It came within the system call that let our acknowledgement go.
    CameUponRelease,
    /// It did not come.
    StillMissing,
}

/// What waiting for bytes came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Bytes came.
    Bytes,
    /// The peer's direction is over.
    Ended(End),
    /// Nothing came until the deadline.
    Nothing,
    /// Somebody asked us to stop.
    Interrupted,
}

/// Why a connection could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot connect to {peer}: {source}")]
pub struct ConnectError {
    peer: SocketAddr,
    source: io::Error,
}

impl ConnectError {
    /// Whether the peer refused, as a port does that nobody listens on.
    pub fn is_refused(&self) -> bool {
        self.source.kind() == io::ErrorKind::ConnectionRefused
    }
}

impl Connection {
    /// Connects, with TCP_NODELAY on our side, prompt acknowledgements and receive stamps where they can be had.
    ///
    /// # Errors
    ///
    /// Where the peer cannot be reached within `timeout`.
    pub fn open(peer: SocketAddr, timeout: Duration, tap: &Tap, interrupt: &Interrupt) -> Result<Self, ConnectError> {
        Self::open_with(peer, timeout, None, tap, interrupt)
    }

    /// The same with a receive buffer of so many bytes, where one is named: the peer has to wait once it is full.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_with(
        peer: SocketAddr,
        timeout: Duration,
        receive_buffer: Option<usize>,
        tap: &Tap,
        interrupt: &Interrupt,
    ) -> Result<Self, ConnectError> {
        let began = tap.clock().now();
        let socket = connect(peer, timeout, receive_buffer).map_err(|source| {
            tap.note(What::ConnectFailed { peer: peer.to_string(), error: source.to_string() });
            ConnectError { peer, source }
        })?;
        let id = tap.next_connection();
        let local = socket.local_addr().ok().and_then(|address| address.as_socket());
        let connected = What::Connected {
            conn: id,
            began,
            local: local.map_or_else(String::new, |address| address.to_string()),
            peer: peer.to_string(),
        };
        let mut connection = Self::over(socket, Decoder::of_ours(id), id, tap, interrupt);
        connection.note(connected);
        connection.write_promptly();
        if let Some(bytes) = receive_buffer {
            let value = i64::try_from(bytes).unwrap_or(i64::MAX);
            connection.note(What::OptionSet { conn: id, option: "SO_RCVBUF".to_owned(), value });
        }
        Ok(connection)
    }

    /// Takes in a connection that the peer made. Where `prompt` is false, TCP_NODELAY stays off, and a last small
    /// segment of ours waits for the peer's acknowledgement.
    ///
    /// # Errors
    ///
    /// Where the system refuses to set its time-outs: the peer has gone.
    pub fn accepted(socket: Socket, prompt: bool, tap: &Tap, interrupt: &Interrupt) -> io::Result<Self> {
        let _ = os::enable_stamps(&socket);
        bound(&socket)?;
        let id = tap.next_connection();
        let named = |address: io::Result<socket2::SockAddr>| {
            address.ok().and_then(|address| address.as_socket()).map_or_else(String::new, |address| address.to_string())
        };
        let (local, peer) = (named(socket.local_addr()), named(socket.peer_addr()));
        let mut connection = Self::over(socket, Decoder::new(id, Vantage::Server), id, tap, interrupt);
        connection.note(What::Accepted { conn: id, local, peer });
        if prompt {
            connection.write_promptly();
        }
        Ok(connection)
    }

    fn over(socket: Socket, decoder: Decoder, id: ConnectionId, tap: &Tap, interrupt: &Interrupt) -> Self {
        Self {
            id,
            socket,
            tap: tap.clone(),
            interrupt: interrupt.clone(),
            decoder,
            buffer: vec![0; READ_SIZE],
            filled: 0,
            slice: SLICE,
            delays_acknowledgements: false,
            acknowledges_at_once: false,
            ended: None,
            segments_out_at_last_read: None,
        }
    }

    fn write_promptly(&mut self) {
        if self.socket.set_tcp_nodelay(true).is_ok() {
            self.note(What::OptionSet { conn: self.id, option: "TCP_NODELAY".to_owned(), value: 1 });
        }
    }

    /// Its number in the trace.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The exchanges so far, as the judge will see them.
    pub fn exchanges(&self) -> &[Exchange] {
        self.decoder.exchanges()
    }

    /// What the last read brought, also what the trace had no room for.
    pub fn last_read(&self) -> &[u8] {
        &self.buffer[..self.filled]
    }

    /// How many bytes have come that nobody has read. `None` where this system cannot tell.
    pub fn unread(&self) -> Option<u64> {
        Some(os::tcp_info(&self.socket)?.bytes_received.saturating_sub(self.decoder.received()))
    }

    /// How many bytes have come so far.
    pub fn received(&self) -> u64 {
        self.decoder.received()
    }

    /// Whether the peer sends what cannot be read as requests: where the next one would begin, nobody can tell.
    pub fn is_unreadable(&self) -> bool {
        self.decoder.is_lost()
    }

    /// How the peer ended its direction, once it has.
    pub fn ended(&self) -> Option<End> {
        self.ended
    }

    /// From here on, acknowledge as late as the kernel allows. `None` where that cannot be had.
    pub fn delay_acknowledgements(&mut self) -> Option<()> {
        os::acknowledge(&self.socket, Acknowledge::Late)?;
        self.delays_acknowledgements = true;
        self.note(What::OptionSet { conn: self.id, option: "TCP_QUICKACK".to_owned(), value: 0 });
        Some(())
    }

    /// From here on, acknowledge promptly again.
    pub fn acknowledge_promptly(&mut self) {
        self.delays_acknowledgements = false;
        if os::acknowledge(&self.socket, Acknowledge::Promptly).is_some() {
            self.note(What::OptionSet { conn: self.id, option: "TCP_QUICKACK".to_owned(), value: 1 });
        }
    }

    /// From here on, whatever comes is acknowledged as soon as it is read.
    pub fn acknowledge_at_once(&mut self) {
        self.acknowledges_at_once = true;
        self.acknowledge_promptly();
    }

    /// Writes one request in one piece. Whether the kernel took it is in the trace; what the peer makes of a
    /// broken connection shows in the next [`Self::wait`].
    pub fn ask(&mut self, label: &str, part: Part, ours: Conduct, request: &[u8]) {
        self.note(What::Asked { conn: self.id, label: label.to_owned(), part, ours });
        self.write(request);
    }

    /// Begins the answer to the oldest request of the peer's that has none yet.
    pub fn answering(&mut self, label: &str, ours: Conduct) {
        self.note(What::Answering { conn: self.id, label: label.to_owned(), ours });
    }

    /// Ends our direction in order, and goes on reading.
    pub fn finish(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        self.note(What::Finished { conn: self.id });
    }

    /// Writes down that a fault of ours was at work on this connection.
    pub fn note_fault(&mut self, applied: Applied) {
        let Applied { fault, at, how, harm } = applied;
        self.note(What::FaultApplied { conn: self.id, fault, offset: at, how, harm });
    }

    /// Tears the connection down: whatever the peer has not read yet may be lost to it.
    pub fn reset(mut self) {
        let _ = self.socket.set_linger(Some(Duration::ZERO));
        self.note(What::Closed { conn: self.id, abruptly: true });
    }

    /// Writes bytes that belong to the last request, or to the answer that was begun.
    pub fn write(&mut self, bytes: &[u8]) {
        if self.delays_acknowledgements {
            // The kernel leaves delayed mode by itself from time to time.
            let _ = os::acknowledge(&self.socket, Acknowledge::Late);
        }
        let began = self.tap.clock().now();
        let (written, error) = write_all(&self.socket, bytes, &self.interrupt);
        if written > 0 {
            self.note(What::Wrote { conn: self.id, began, bytes: Bytes(bytes[..written].to_vec()) });
        }
        if let Some(error) = error {
            self.note(What::WriteFailed { conn: self.id, error: error.to_string() });
        }
    }

    /// Writes bytes as a plan has it, and waits where it says so. An end that is planned is left to the caller, and
    /// nothing is written behind it.
    pub fn write_by(&mut self, plan: &mut Plan, bytes: &[u8]) {
        let mut rest = bytes;
        for step in plan.pass(bytes.len()) {
            match step {
                Step::Write(count) => {
                    let (now, later) = rest.split_at(count);
                    self.write(now);
                    rest = later;
                }
                Step::Delay(pause) | Step::Pause(pause) => self.pause(pause),
                Step::Note(applied) => self.note_fault(applied),
                Step::Drop(_) | Step::Finish | Step::Reset => return,
            }
        }
    }

    fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.interrupt.is_set() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(SLICE));
        }
    }

    /// Waits until bytes come, the peer's direction ends, the deadline passes or somebody interrupts. That nothing
    /// came is written down.
    pub fn wait(&mut self, deadline: Instant) -> Wait {
        let waited = self.wait_quietly(deadline);
        if waited == Wait::Nothing {
            self.watched();
        }
        waited
    }

    /// Writes down that nothing has come by now.
    pub fn watched(&mut self) {
        self.note(What::Watched { conn: self.id });
    }

    /// As [`Self::wait`], without a word where nothing came: for whoever waits without an end.
    pub fn wait_quietly(&mut self, deadline: Instant) -> Wait {
        if let Some(end) = self.ended {
            return Wait::Ended(end);
        }
        loop {
            if self.interrupt.is_set() {
                return Wait::Interrupted;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            // A zero time-out would mean none at all.
            let slice = left.min(SLICE).max(Duration::from_micros(100));
            if slice != self.slice {
                // Where this fails, the connection is gone, and the read below says how.
                let _ = self.socket.set_read_timeout(Some(slice));
                self.slice = slice;
            }
            match os::receive(&self.socket, &mut self.buffer) {
                Ok(received) if received.len == 0 => return self.end(End::Fin),
                Ok(received) => {
                    self.took(received);
                    return Wait::Bytes;
                }
                Err(error) if is_not_yet(&error) => {
                    if left.is_zero() {
                        return Wait::Nothing;
                    }
                }
                // Anything but a timeout means that the connection is gone; Linux hands over queued data first.
                Err(_) => return self.end(End::Reset),
            }
        }
    }

    /// Takes what is there already, without waiting, and without a word where nothing is.
    pub fn glance(&mut self) -> Wait {
        if let Some(end) = self.ended {
            return Wait::Ended(end);
        }
        match os::receive_at_once(&self.socket, &mut self.buffer) {
            Ok(received) if received.len == 0 => self.end(End::Fin),
            Ok(received) => {
                self.took(received);
                Wait::Bytes
            }
            Err(error) if is_not_yet(&error) => Wait::Nothing,
            Err(_) => self.end(End::Reset),
        }
    }

    /// The withheld-ACK test: with part of an answer read and our acknowledgement held back, waits up to `patience`
    /// for the rest, lets the acknowledgement go, and notes whether the rest came within that system call.
    ///
    /// `None` where this system cannot tell.
    pub fn release_acknowledgement(&mut self, patience: Duration) -> Option<Missing> {
        let waiting_since = self.tap.clock().now();
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline && self.waiting()? == 0 {
            std::thread::sleep(GLANCE.min(patience));
        }
        let before = os::tcp_info(&self.socket)?;
        let queued_before = self.waiting()?;
        let acked_before = self.segments_out_at_last_read.is_none_or(|then| then != before.segments_out);
        let released = self.tap.clock().now();
        os::acknowledge(&self.socket, Acknowledge::PendingNow)?;
        let queued_after = self.waiting()?;
        let waited = Nanos(released.0 - waiting_since.0);
        let what = What::AckReleased { conn: self.id, waited, queued_before, queued_after, acked_before };
        self.tap.note_at(released, what, |event| self.decoder.feed(event));
        Some(match (queued_before, queued_after) {
            (1.., _) => Missing::CameByItself,
            (0, 1..) => Missing::CameUponRelease,
            (0, 0) => Missing::StillMissing,
        })
    }

    /// Bytes that wait in the receive queue; a FIN counts as one, as it does in the kernel's own count.
    fn waiting(&self) -> Option<u32> {
        let ended = os::tcp_info(&self.socket)?.state != "ESTABLISHED";
        Some(os::queued(&self.socket)? + u32::from(ended))
    }

    /// Writes down what the kernel knows of the connection now.
    pub fn note_state(&mut self) {
        if let Some(info) = os::tcp_info(&self.socket) {
            self.note(What::State { conn: self.id, info });
        }
    }

    /// Ends our side in order, and notes the kernel's last word on the connection.
    pub fn close(mut self) {
        self.closing();
    }

    fn closing(&mut self) {
        self.note_state();
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        self.note(What::Closed { conn: self.id, abruptly: false });
    }

    fn took(&mut self, received: os::Received) {
        let at = self.tap.clock().now();
        let kernel = received.stamp.and_then(|stamp| self.tap.clock().from_kernel(stamp));
        let mut segments = None;
        if self.delays_acknowledgements {
            // Re-armed after each read, and looked at right behind it: the test needs to know what left us since.
            // Elsewhere the look is spared: it costs as much as the rest of the tap.
            let _ = os::acknowledge(&self.socket, Acknowledge::Late);
            let info = os::tcp_info(&self.socket);
            self.segments_out_at_last_read = info.as_ref().map(|info| info.segments_out);
            segments = info.map(|info| info.data_segments_in);
        }
        if self.acknowledges_at_once {
            // The kernel leaves this mode with every answer.
            let _ = os::acknowledge(&self.socket, Acknowledge::Promptly);
        }
        self.filled = received.len;
        let bytes = &self.buffer[..received.len];
        self.tap.note_read(at, self.id, bytes, kernel, segments, |event| self.decoder.feed(event));
        if received.len == self.buffer.len() && received.len < LARGEST_READ {
            self.buffer.resize(LARGEST_READ, 0);
        }
    }

    fn end(&mut self, end: End) -> Wait {
        // A FIN counts as one byte received, a reset does not: that survives an error consumed by somebody else.
        let info = os::tcp_info(&self.socket);
        let end = match (&info, end) {
            (Some(info), End::Fin) if info.state == "CLOSE" && info.bytes_received == self.decoder.received() => {
                End::Reset
            }
            _ => end,
        };
        self.ended = Some(end);
        if let Some(info) = info {
            self.note(What::State { conn: self.id, info });
        }
        self.note(match end {
            End::Fin => What::Fin { conn: self.id },
            End::Reset => What::Reset { conn: self.id },
        });
        Wait::Ended(end)
    }

    fn note(&mut self, what: What) {
        self.tap.note_at(self.tap.clock().now(), what, |event| self.decoder.feed(event));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A scenario that stops early drops what it holds: the trace should say when.
        if self.decoder.is_open() {
            self.closing();
        }
    }
}

fn connect(peer: SocketAddr, timeout: Duration, receive_buffer: Option<usize>) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(peer), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(bytes) = receive_buffer {
        // Before connecting: a window that was offered once cannot be taken back.
        socket.set_recv_buffer_size(bytes)?;
    }
    // Before connecting, so that even the first segment is stamped.
    let _ = os::enable_stamps(&socket);
    socket.connect_timeout(&peer.into(), timeout)?;
    bound(&socket)?;
    Ok(socket)
}

/// The peer may stop reading or writing: no call of ours waits for it for ever.
fn bound(socket: &Socket) -> io::Result<()> {
    socket.set_write_timeout(Some(SLICE))?;
    socket.set_read_timeout(Some(SLICE))
}

/// How long a peer may refuse to read before a write is given up.
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

fn write_all(socket: &Socket, bytes: &[u8], interrupt: &Interrupt) -> (usize, Option<io::Error>) {
    let deadline = Instant::now() + WRITE_PATIENCE;
    let mut written = 0;
    while written < bytes.len() {
        match socket.send(&bytes[written..]) {
            Ok(0) => return (written, Some(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if is_not_yet(&error) && Instant::now() < deadline && !interrupt.is_set() => {}
            Err(error) => return (written, Some(error)),
        }
    }
    (written, None)
}

fn is_not_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Whether an address is this machine's own.
pub fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
    }
}

#[cfg(test)]
#[cfg(all(target_os = "linux", not(mcpwire_portable)))]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    /// How much a sender is left with that writes 64 KiB to a connection of ours which nobody reads.
    fn left_unsent(receive_buffer: Option<usize>) -> u32 {
        const PATIENCE: Duration = Duration::from_secs(5);
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (tap, interrupt) = (Tap::start(), Interrupt::default());
        let _ours = Connection::open_with(address, PATIENCE, receive_buffer, &tap, &interrupt).expect("it listens");
        let (mut sender, _) = listener.accept().expect("a connection");
        sender.write_all(&[b'x'; 64 << 10]).expect("the sender's own buffer has room");
        let socket = Socket::from(sender);
        // What can leave has left when nothing has for a while.
        let unsent = || os::tcp_info(&socket).map_or(0, |info| info.unsent_bytes);
        let mut before = unsent();
        for _ in 0..50 {
            std::thread::sleep(Duration::from_millis(5));
            let now = unsent();
            if now == before && now > 0 {
                break;
            }
            before = now;
        }
        unsent()
    }

    #[test]
    fn a_small_receive_buffer_closes_the_senders_window() {
        assert_eq!(left_unsent(None), 0);
        assert!(left_unsent(Some(4 << 10)) > 32 << 10);
    }
}
