//! # The reference server
//!
//! A Streamable HTTP server that conforms, in all four revisions, with one switch for every way not to. mcpwire records
//! it to get its good traces, and turns each [`Fault`] on to prove that the check for it can fail live. A [`Variant`]
//! is legal and must trip nothing.
//!
//! It writes each part of an answer with a system call of its own and in the order that a careful server would, since
//! what is judged are bytes, segments and the ends of connections: no HTTP library stands in between. One thread
//! serves one connection, blocking.
//!
//! ```text
//! server ──▶ connection ──▶ endpoint ──▶ legacy │ modern ──▶ tools
//! accepts    requests       what both    sessions   headers     │
//!            in order       eras ask     GET        _meta       ▼
//!               ▲ inbox                                      channel
//!               └──────────── answer │ event_stream ◀───────────┘
//! ```
//!
//! Its counterpart, for the checks of clients, is the reference [`client`].
//!
//! A fault is asked for (`server.has`) at the one place where a real server would have the bug, a variant
//! (`server.plays`) where the specification leaves the choice.

mod answer;
mod channel;
pub mod client;
mod connection;
mod date;
mod endpoint;
mod event_store;
mod event_stream;
mod fault;
mod in_flight;
mod inbox;
mod legacy;
mod message;
mod modern;
mod revision;
mod server;
mod session;
mod switch;
mod tools;
mod variant;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use self::server::Server;
use crate::target::Inventory;

pub use self::fault::Fault;
pub use self::switch::UnknownSwitch;
pub use self::variant::Variant;

/// How a reference server behaves and where it listens. By default it conforms, and listens on any free port.
#[derive(Clone, Debug)]
pub struct Config {
    /// The one thing that it does wrong.
    pub fault: Option<Fault>,
    /// The legal liberties that it takes. Where two contradict each other, which one wins is not promised.
    pub variants: Vec<Variant>,
    /// The path of the MCP endpoint.
    pub path: String,
    /// The port on 127.0.0.1; 0 is any that is free.
    pub port: u16,
    /// How many connections there may be at once; more are closed as they come.
    pub connections: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config { fault: None, variants: Vec::new(), path: "/mcp".to_owned(), port: 0, connections: 512 }
    }
}

/// A running reference server. Dropping it closes every connection and ends every thread.
#[derive(Debug)]
pub struct Reference {
    address: SocketAddr,
    server: Arc<Server>,
    acceptor: Option<JoinHandle<()>>,
}

impl Reference {
    /// Starts a server on 127.0.0.1, which is where a local server should listen (2025-11-25, "Security Warning").
    pub fn start(config: Config) -> io::Result<Self> {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        listener.set_reuse_address(cfg!(unix))?;
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, config.port)).into())?;
        listener.listen(4096)?;
        let address = listener.local_addr()?.as_socket().ok_or(io::ErrorKind::AddrNotAvailable)?;

        let server = Arc::new(Server::new(config));
        let acceptor = thread::Builder::new().name("reference-accept".to_owned()).spawn({
            let server = Arc::clone(&server);
            move || server::accept(&server, &listener)
        })?;
        Ok(Reference { address, server, acceptor: Some(acceptor) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where to look up what it holds, as long as it runs.
    pub fn census(&self) -> Census {
        Census { server: Arc::downgrade(&self.server) }
    }

    /// The URL of its MCP endpoint.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.server.path())
    }
}

/// What a running reference server holds; nothing, once it has gone.
#[derive(Clone, Debug)]
pub struct Census {
    server: Weak<Server>,
}

impl Census {
    /// The sockets of its connections.
    pub(crate) fn sockets(&self) -> Vec<Arc<Socket>> {
        self.server.upgrade().map(|server| server.sockets()).unwrap_or_default()
    }

    /// How many threads work for it.
    pub(crate) fn threads(&self) -> u32 {
        self.server.upgrade().map_or(0, |server| server.living_threads())
    }
}

impl Inventory for Census {
    fn sessions(&self) -> Option<u32> {
        self.server.upgrade().map(|server| server.sessions.count().0 as u32)
    }

    fn channels(&self) -> Option<u32> {
        self.server.upgrade().map(|server| server.open_channels())
    }

    fn routes(&self) -> Option<u32> {
        self.server.upgrade().map(|server| server.entries())
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.server.close();
        // Whoever waits for a connection wakes up when there is one; if none can be made, its wait ends soon anyway.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_millis(200));
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}
