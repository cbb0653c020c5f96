//! # The scripted peer
//!
//! What a client under test talks to: a raw responder that conforms, except where a scenario asks for something else.
//! Each write is a segment of its own, follow-up requests on a connection are served, and what the client does in the
//! meantime is recorded while it happens.
//!
//! ```text
//! listener ──▶ serve ──▶ scene (what the scenario wants) │ protocol (what conforms) ──▶ reply ──▶ serve
//! ```

mod call;
mod protocol;
mod reply;
mod scene;
mod serve;
mod state;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::spec::Revision;
use crate::trace::What;
use crate::wire::connection::Connection;
use crate::wire::interrupt::Interrupt;
use crate::wire::listener::Listener;
use crate::wire::os;
use crate::wire::tap::Tap;

pub use self::call::Call;
pub use self::protocol::error_text;
pub use self::reply::{Act, Reply, chunk, head, json_head, sse_head};
pub use self::scene::{Ask, Scene, Step, Turn, turn};
pub use self::state::State;

/// How the labels of calls begin whose times count.
const REPEATED: &str = "repeat-";

/// A running peer. Dropping it closes every connection and ends every thread.
#[derive(Debug)]
pub struct Peer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What all connections share.
#[derive(Debug)]
pub struct Shared {
    scene: Scene,
    revision: Revision,
    tap: Tap,
    interrupt: Interrupt,
    state: Mutex<State>,
    over: AtomicBool,
    /// The client's process, once it runs; zero where it is none.
    client: Arc<AtomicU32>,
    serving: Mutex<Vec<JoinHandle<()>>>,
}

impl Peer {
    /// Starts a peer on any free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// Where the system refuses a socket.
    pub fn start(scene: Scene, revision: Revision, tap: &Tap, interrupt: &Interrupt) -> io::Result<Self> {
        let listener = Listener::open()?;
        let elsewhere = Listener::open()?;
        let address = listener.address();
        let shared = Arc::new(Shared {
            scene,
            revision,
            tap: tap.clone(),
            interrupt: interrupt.clone(),
            state: Mutex::new(State::new(elsewhere.address())),
            over: AtomicBool::new(false),
            client: Arc::default(),
            serving: Mutex::default(),
        });
        let acceptor = thread::Builder::new().name("peer-accept".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener, &elsewhere)
        })?;
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// The URL of its endpoint.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, protocol::PATH)
    }

    /// Where the number of the client's process goes.
    pub fn client(&self) -> Arc<AtomicU32> {
        Arc::clone(&self.shared.client)
    }

    /// Waits until every connection has ended, but no longer than that: the client has ended, and its last segments
    /// are on their way.
    pub fn settle(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let busy = || self.shared.serving().iter().any(|thread| !thread.is_finished());
        while busy() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        let serving = std::mem::take(&mut *self.shared.serving());
        for thread in serving {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// The revision that is spoken.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// What has happened so far.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down how long the client's threads have waited for a processor, where the times count.
    fn note_client_waited(&self, label: &str) {
        if !self.scene.timed || !label.starts_with(REPEATED) {
            return;
        }
        let client = self.client.load(Ordering::Relaxed);
        if let Some(total) = Some(client).filter(|pid| *pid > 0).and_then(os::run_delay) {
            self.tap.note(What::PeerWaited { total: u64::try_from(total.as_nanos()).unwrap_or(u64::MAX) });
        }
    }

    /// Whether the scenario is over, or the client overdoes it.
    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst) || self.interrupt.is_set() || self.tap.overflow().is_some()
    }

    fn accept(self: &Arc<Self>, listener: &Listener, elsewhere: &Listener) {
        thread::scope(|scope| {
            scope.spawn(|| self.accept_on(elsewhere, true));
            self.accept_on(listener, false);
        });
    }

    fn accept_on(self: &Arc<Self>, listener: &Listener, elsewhere: bool) {
        while !self.is_over() {
            let Some(socket) = listener.accept() else { continue };
            let mut serving = self.serving();
            let prompt = self.scene.prompt;
            let Ok(connection) = Connection::accepted(socket, prompt, &self.tap, &self.interrupt) else { continue };
            let shared = Arc::clone(self);
            let served = thread::Builder::new()
                .name("peer".to_owned())
                .spawn(move || serve::serve(connection, &shared, elsewhere));
            serving.extend(served);
        }
    }

    fn serving(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.serving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
