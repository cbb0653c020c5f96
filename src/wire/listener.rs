//! A listening socket of ours on 127.0.0.1.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use super::os;

/// How long one wait for a connection lasts at most.
const SLICE: Duration = Duration::from_millis(20);

/// A listening socket. What it accepts is stamped from its first segment on.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: SocketAddr,
}

impl Listener {
    /// Listens on any free port.
    ///
    /// # Errors
    ///
    /// Where the system refuses a socket.
    pub fn open() -> io::Result<Self> {
        Self::on(0)
    }

    /// Listens on this port; 0 is any that is free.
    ///
    /// # Errors
    ///
    /// Where the system refuses a socket, or the port is taken.
    pub fn on(port: u16) -> io::Result<Self> {
        Self::with(port, None)
    }

    /// The same, where accepted sockets have a receive buffer of so many bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::on`].
    pub fn with(port: u16, receive_buffer: Option<usize>) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
        if let Some(bytes) = receive_buffer {
            // Accepted sockets inherit it, and offer no more from their first segment on.
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.listen(1024)?;
        // Accepted sockets inherit the stamps, also for what came before they were accepted.
        let _ = os::enable_stamps(&socket);
        socket.set_read_timeout(Some(SLICE))?;
        let address = socket.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;
        Ok(Self { socket, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection, or `None` where none came for a moment.
    pub fn accept(&self) -> Option<Socket> {
        match self.socket.accept() {
            Ok((socket, _)) => Some(socket),
            Err(error) => {
                if !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
                    // Out of descriptors, or reset before it was taken: trying again at once would only burn time.
                    std::thread::sleep(SLICE);
                }
                None
            }
        }
    }
}
