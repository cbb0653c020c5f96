//! What all connections share, and the loop that takes them in.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::Socket;

use super::event_store::{EventStore, Habits};
use super::in_flight::InFlight;
use super::revision::Revision;
use super::session::Sessions;
use super::tools::Counters;
use super::{Config, Fault, Variant, connection};

/// How long a thread that waits for several things goes without looking at all of them.
pub(super) const GLANCE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(super) struct Server {
    config: Config,
    pub(super) sessions: Sessions,
    /// The requests of clients without a session.
    pub(super) in_flight: InFlight,
    /// Numbers the events of clients without a session.
    pub(super) stateless_events: Arc<EventStore>,
    /// The last notification of a request, which is to come with the next one: there is none, unless that is the
    /// fault.
    late: Mutex<Option<String>>,
    poisoned: AtomicBool,
    /// What requests wait for each other with, where that is the fault.
    turn: Mutex<()>,
    closing: AtomicBool,
    connections: Mutex<Vec<Weak<Socket>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// What the tools count.
    pub(super) counters: Counters,
    /// What is kept of the calls at work under their ids: nothing, unless that is the fault.
    kept_by_id: Mutex<HashMap<String, String>>,
    /// The reports for all streams: there are none, unless that is the fault.
    shared_reports: Mutex<Vec<(u64, String)>>,
    /// Until when everything fails, where that is the fault.
    starting_over: Mutex<Option<Instant>>,
    /// Sockets that nobody will ever close: there are none, unless that is the fault.
    forgotten: Mutex<Vec<Arc<Socket>>>,
    /// What calls are registered in, where that is the fault.
    register: Mutex<Vec<Box<[u8]>>>,
    /// Channels of requests that are open.
    channels: AtomicU32,
    /// Entries of requests that have ended: there are none, unless that is the fault.
    left: AtomicU32,
    /// How many calls came while many connections were open, where that is the fault.
    crowded: AtomicU32,
}

/// A channel that is open.
pub(super) struct OpenChannel(Arc<Server>);

impl Drop for OpenChannel {
    fn drop(&mut self) {
        self.0.channels.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    pub(super) fn new(config: Config) -> Server {
        Server {
            config,
            sessions: Sessions::default(),
            in_flight: InFlight::default(),
            stateless_events: Arc::default(),
            late: Mutex::default(),
            poisoned: AtomicBool::new(false),
            turn: Mutex::default(),
            closing: AtomicBool::new(false),
            connections: Mutex::default(),
            threads: Mutex::default(),
            counters: Counters::default(),
            kept_by_id: Mutex::default(),
            shared_reports: Mutex::default(),
            starting_over: Mutex::default(),
            forgotten: Mutex::default(),
            register: Mutex::default(),
            channels: AtomicU32::new(0),
            left: AtomicU32::new(0),
            crowded: AtomicU32::new(0),
        }
    }

    pub(super) fn path(&self) -> &str {
        &self.config.path
    }

    /// Whether it has this bug.
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.config.fault == Some(fault)
    }

    /// Whether it takes this liberty.
    pub(super) fn plays(&self, variant: Variant) -> bool {
        self.config.variants.contains(&variant)
    }

    /// What the server can do, as it declares it.
    pub(super) fn capabilities(&self) -> Value {
        if self.has_tools() { json!({ "tools": {} }) } else { json!({}) }
    }

    /// Who the server is.
    pub(super) fn info(&self) -> Value {
        json!({ "name": "mcpwire-reference", "version": env!("CARGO_PKG_VERSION") })
    }

    /// The versions that the server speaks, the latest first.
    pub(super) fn versions(&self) -> Vec<&'static str> {
        let modern = [Revision::July2026].into_iter().filter(|_| !self.plays(Variant::LegacyOnly));
        let legacy = Revision::LEGACY.into_iter().filter(|_| !self.plays(Variant::ModernOnly));
        modern.chain(legacy).map(Revision::date).collect()
    }

    pub(super) fn has_tools(&self) -> bool {
        !self.plays(Variant::NoTools)
    }

    /// Whether a client may have to come back for its response, which takes GET and a session.
    pub(super) fn offers_polling(&self) -> bool {
        self.plays(Variant::Polling)
            && !self.plays(Variant::Get405)
            && !self.plays(Variant::Stateless)
            && !self.plays(Variant::NoEventIds)
    }

    /// How it numbers and keeps events.
    pub(super) fn habits(&self) -> Habits {
        Habits {
            numbers_afresh: self.has(Fault::EventIdsPerStream),
            forgets_finished: self.has(Fault::FinishedStreamForgotten),
            renumbers: self.plays(Variant::NewIdsOnReplay),
        }
    }

    /// Whether a handler panicked while it held what all requests without a session share; it never does unless that
    /// is the fault.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Relaxed)
    }

    pub(super) fn poison(&self) {
        self.poisoned.store(true, Ordering::Relaxed);
    }

    /// Leaves a notification for the stream of the next request, and hands over what was left for this one.
    pub(super) fn exchange_late(&self, notification: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.late.lock().unwrap_or_else(PoisonError::into_inner), notification)
    }

    /// Keeps this under an id, and whatever was there before no longer.
    pub(super) fn keep_by_id(&self, id: &str, what: String) {
        locked(&self.kept_by_id).insert(id.to_owned(), what);
    }

    /// What is kept under an id.
    pub(super) fn kept_by_id(&self, id: &str) -> Option<String> {
        locked(&self.kept_by_id).get(id).cloned()
    }

    /// Leaves a report for all streams; each of them has a number.
    pub(super) fn share_report(&self, from: u64, report: &str) {
        locked(&self.shared_reports).push((from, report.to_owned()));
    }

    /// How many reports were left so far.
    pub(super) fn shared_reports(&self) -> usize {
        locked(&self.shared_reports).len()
    }

    /// The reports behind the first so many, with the numbers of their streams.
    pub(super) fn reports_behind(&self, first: usize) -> Vec<(u64, String)> {
        locked(&self.shared_reports).get(first..).unwrap_or_default().to_vec()
    }

    /// From now on, everything fails for a while.
    pub(super) fn start_over(&self) {
        /// As long as a worker takes to come up again.
        const A_WHILE: Duration = Duration::from_millis(200);

        *locked(&self.starting_over) = Some(Instant::now() + A_WHILE);
    }

    pub(super) fn is_starting_over(&self) -> bool {
        locked(&self.starting_over).is_some_and(|until| Instant::now() < until)
    }

    /// Closes every connection.
    pub(super) fn hang_up(&self) {
        for socket in self.sockets() {
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Waits until no other request has the turn.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    /// Says that it is over, and shuts every connection, which wakes whoever reads from it or writes to it.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        for socket in self.connections().drain(..).filter_map(|socket| socket.upgrade()) {
            let _ = socket.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Runs something beside the connections; it must end soon after the server begins to close.
    pub(super) fn spawn(&self, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = thread::Builder::new().name("reference".to_owned()).spawn(work)?;
        let mut threads = self.threads();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// The sockets that are open.
    pub(super) fn sockets(&self) -> Vec<Arc<Socket>> {
        self.connections().iter().filter_map(Weak::upgrade).collect()
    }

    /// How many threads have not ended.
    pub(super) fn living_threads(&self) -> u32 {
        self.threads().iter().filter(|thread| !thread.is_finished()).count() as u32
    }

    /// Holds a socket until the server closes.
    pub(super) fn forget(&self, socket: Arc<Socket>) {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
    }

    /// Counts a channel as long as this is kept.
    pub(super) fn open_channel(self: &Arc<Self>) -> OpenChannel {
        self.channels.fetch_add(1, Ordering::Relaxed);
        OpenChannel(Arc::clone(self))
    }

    /// How many channels are open.
    pub(super) fn open_channels(&self) -> u32 {
        self.channels.load(Ordering::Relaxed)
    }

    /// Leaves the entry of a request that has ended in a table of the server's, where this is the fault.
    pub(super) fn leave_entry(&self, fault: Fault) {
        if self.has(fault) {
            self.left.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many entries lead to channels, or have led there.
    pub(super) fn entries(&self) -> u32 {
        let (_, of_sessions) = self.sessions.count();
        (of_sessions + self.in_flight.len()) as u32 + self.left.load(Ordering::Relaxed)
    }

    /// Keeps something of a call for ever.
    pub(super) fn register(&self) {
        const ENTRY: usize = 512;
        self.register.lock().unwrap_or_else(PoisonError::into_inner).push(vec![1; ENTRY].into());
    }

    /// Whether this call is lost because so many connections are open: one of three.
    pub(super) fn loses_call(&self) -> bool {
        const MANY: usize = 16;
        self.connections().len() > MANY && self.crowded.fetch_add(1, Ordering::Relaxed) % 3 == 1
    }

    fn take_in(self: &Arc<Self>, socket: Socket) -> io::Result<()> {
        // Without it the last small segment of an answer waits until the client acknowledges the one before.
        socket.set_tcp_nodelay(!self.has(Fault::Nagle))?;
        let socket = Arc::new(socket);
        {
            let mut connections = self.connections();
            connections.retain(|socket| socket.strong_count() > 0);
            if connections.len() >= self.config.connections {
                return Err(io::ErrorKind::ResourceBusy.into());
            }
            connections.push(Arc::downgrade(&socket));
        }
        let server = Arc::clone(self);
        self.spawn(move || connection::serve(server, socket))
    }

    fn join(&self) {
        // A thread may start another one before it ends, hence again until there is none.
        loop {
            let threads = std::mem::take(&mut *self.threads());
            if threads.is_empty() {
                return;
            }
            for thread in threads {
                let _ = thread.join();
            }
        }
    }

    fn connections(&self) -> MutexGuard<'_, Vec<Weak<Socket>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes connections in until the server closes; then waits for all that it started.
pub(super) fn accept(server: &Arc<Server>, listener: &Socket) {
    // Where closing the server does not manage to wake this loop, it wakes by itself.
    let _ = listener.set_read_timeout(Some(Duration::from_secs(1)));
    /// How often connections are taken in with that fault.
    const TICK: Duration = Duration::from_millis(25);

    while !server.is_closing() {
        match listener.accept() {
            // Why a single connection cannot be served is its client's concern: it sees it closed.
            Ok((socket, _)) => {
                if server.has(Fault::AcceptsByTimer) {
                    thread::sleep(TICK);
                }
                drop(server.take_in(socket));
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // Out of descriptors, or reset before it was taken: trying again at once would only burn time.
            Err(_) => thread::sleep(GLANCE),
        }
    }
    server.close();
    server.join();
}
