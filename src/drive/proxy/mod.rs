//! # The proxy
//!
//! Stands between a client and a server that run for themselves, passes every byte on as it comes, and records both
//! sides: towards the client we are the server, towards the server we are the client. Each side is judged by the checks
//! that read any conversation.
//!
//! Every connection of the client's has one of its own to the server; what ends the one ends the other in the same way.
//!
//! What is done to the bytes on purpose ([`crate::wire::fault`]) is done between the sides: each side's recording has
//! what its peer sent, as it came, and says where we did what no peer has to bear.

mod line;
mod passage;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use self::passage::{Passage, Way};
use super::run::{empty, switch_stamps_on};
use crate::manifest::{FaultsOfTheWay, Options, PROXIED, RevisionRun, Role, TargetFacts};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::target::Endpoint;
use crate::trace::redact::Redactor;
use crate::trace::store::Recording;
use crate::trace::understanding::is_modern;
use crate::trace::{Conduct, Distance, Exchange, Trace, TraceHead, Vantage, What};
use crate::wire::connection::Connection;
use crate::wire::fault::{Direction, Fault};
use crate::wire::interrupt::Interrupt;
use crate::wire::listener::Listener;
use crate::wire::tap::Tap;

/// The receive buffer where a window is to close, in bytes: little more than a head fits in.
const SMALL_BUFFER: usize = 4 << 10;

/// How long connecting to the server may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// What stands where.
#[derive(Debug)]
pub struct ProxySubject {
    /// The server.
    pub server: Endpoint,
    /// The port on 127.0.0.1 to listen on; 0 is any that is free.
    pub port: u16,
    /// What is done on purpose to what passes.
    pub faults: Vec<Fault>,
    /// What the random numbers of the faults begin with.
    pub seed: u64,
    /// The options that the judgement depends on.
    pub options: Options,
    /// Set to stop.
    pub interrupt: Interrupt,
}

/// What passed, from both sides.
#[derive(Debug)]
pub struct Proxied {
    /// The server's side.
    pub server: Recording,
    /// The client's side.
    pub client: Recording,
}

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The system refuses a socket.
    #[error("cannot listen on port {port} of 127.0.0.1: {source}")]
    Listen {
        /// The port.
        port: u16,
        /// The system's words.
        source: io::Error,
    },
    /// Nobody came.
    #[error("no request passed: point the client at the URL that the proxy prints")]
    Nothing,
    /// The server is not there.
    #[error("no request passed: {server} cannot be reached: {why}")]
    Unreachable {
        /// The server.
        server: String,
        /// The system's words.
        why: String,
    },
    /// Requests passed, and none of them is a handshake.
    #[error(
        "{exchanges} requests passed, and none of them shows a revision (2025-03-26 to 2026-07-28 are known): the recording has to begin before the client connects"
    )]
    NoRevision {
        /// How many.
        exchanges: usize,
    },
}

/// Passes on what comes until somebody interrupts or the recording is full, and hands it over without its secrets.
/// `listening` is told the URL for the client.
///
/// # Errors
///
/// Where the port is taken, or nothing passed that could be judged.
pub fn record_proxied(subject: &ProxySubject, listening: impl FnOnce(&str)) -> Result<Proxied, ProxyError> {
    switch_stamps_on();
    let buffer = |direction| small_buffer(&subject.faults, direction);
    let listener = Listener::with(subject.port, buffer(Direction::ToServer))
        .map_err(|source| ProxyError::Listen { port: subject.port, source })?;
    let towards_client = Tap::start();
    let way = Way {
        server: subject.server.clone(),
        towards_server: Tap::start(),
        faults: subject.faults.clone(),
        seed: subject.seed,
        interrupt: subject.interrupt.clone(),
        has_passed: Mutex::default(),
        copies: AtomicU32::new(0),
    };
    listening(&format!("http://{}{}", listener.address(), subject.server.target()));
    let is_full = AtomicBool::new(false);
    let (tap, way, is_full) = (&towards_client, &way, &is_full);
    thread::scope(|scope| {
        while !way.interrupt.is_set() && !is_full.load(Ordering::Relaxed) {
            let Some(socket) = listener.accept() else { continue };
            let Ok(client) = Connection::accepted(socket, true, tap, &way.interrupt) else { continue };
            scope.spawn(move || {
                let buffer = buffer(Direction::ToClient);
                let Ok(server) = open(&way.server, buffer, &way.towards_server, &way.interrupt) else {
                    // As it looks to a client whose server is not there.
                    return client.reset();
                };
                let is_over = || {
                    let full = tap.overflow().is_some() || way.towards_server.overflow().is_some();
                    is_full.fetch_or(full, Ordering::Relaxed);
                    full || way.interrupt.is_set()
                };
                Passage::between(way, scope, client, server).run(is_over);
            });
        }
    });
    recordings(subject, &towards_client, &way.towards_server)
}

fn open(server: &Endpoint, buffer: Option<usize>, tap: &Tap, interrupt: &Interrupt) -> Result<Connection, ()> {
    let addresses = server.addresses();
    let opened = |address| Connection::open_with(address, CONNECTING, buffer, tap, interrupt).ok();
    addresses.into_iter().find_map(opened).ok_or(())
}

/// The receive buffer of the sockets on which what goes in this direction comes, where it has to be small.
fn small_buffer(faults: &[Fault], direction: Direction) -> Option<usize> {
    let closes =
        |fault: &Fault| fault.closes_window().is_some() && fault.direction.is_none_or(|only| only == direction);
    faults.iter().any(closes).then_some(SMALL_BUFFER)
}

fn recordings(subject: &ProxySubject, client: &Tap, server: &Tap) -> Result<Proxied, ProxyError> {
    let distance = if subject.server.is_loopback() { Distance::Loopback } else { Distance::Remote };
    let mut redactor = Redactor::new([], subject.server.secrets());
    let agreed = agreed_on(client, server);
    let mut side = |role: Role, tap: &Tap, scenario: Scenario, vantage: Vantage, distance: Distance| {
        let head = |revision| TraceHead { scenario, revision, attempt: 1, vantage, distance };
        let trace = Trace::new(head(Revision::R20251125), tap.events_by_cause());
        let unreachable = trace.events.iter().find_map(|event| match &event.what {
            What::ConnectFailed { error, .. } => Some(error.clone()),
            _ => None,
        });
        let revision = agreed.ok_or_else(|| match (trace.exchanges().count(), unreachable) {
            (0, Some(why)) => ProxyError::Unreachable { server: subject.server.shown(), why },
            (0, None) => ProxyError::Nothing,
            (exchanges, _) => ProxyError::NoRevision { exchanges },
        })?;
        let name = match role {
            Role::Server => subject.server.shown(),
            Role::Client => "a client of its own".to_owned(),
        };
        let facts = TargetFacts { kind: PROXIED.to_owned(), name, server: None, distance };
        let faults: Vec<String> = subject.faults.iter().map(Fault::to_string).collect();
        let given: String = faults.iter().map(|fault| format!(" --fault {fault}")).collect();
        let given = if faults.is_empty() { given } else { format!("{given} --seed {}", subject.seed) };
        let command = format!("mcpwire proxy --url {}{given}", subject.server.shown());
        let mut recording = empty(role, facts, subject.options.clone(), command);
        let seed = subject.seed;
        recording.manifest.faults = (!faults.is_empty()).then_some(FaultsOfTheWay { faults, seed });
        recording.manifest.incomplete = tap.overflow().map(|why| format!("the recording was full: {why}"));
        let how = "it was spoken through the proxy".to_owned();
        recording.manifest.revisions.push(RevisionRun { revision, spoken: true, how });
        recording.push(redactor.redact(&Trace::new(head(revision), trace.events)));
        Ok(recording)
    };
    let server = side(Role::Server, server, Scenario::Proxied, Vantage::Client, distance)?;
    let client = side(Role::Client, client, Scenario::ClientProxied, Vantage::Server, Distance::Loopback)?;
    Ok(Proxied { server, client })
}

/// The revision that was agreed on, as either side saw it; the one that was asked for, where a fault of ours kept them
/// from agreeing.
fn agreed_on(client: &Tap, server: &Tap) -> Option<Revision> {
    let trace = |tap: &Tap, vantage| {
        let (revision, distance) = (Revision::R20251125, Distance::Loopback);
        let head = TraceHead { scenario: Scenario::Proxied, revision, attempt: 1, vantage, distance };
        Trace::new(head, tap.events_by_cause())
    };
    let sides = [trace(server, Vantage::Client), trace(client, Vantage::Server)];
    let harmed = |trace: &Trace| trace.exchanges().any(|exchange| exchange.ours == Conduct::Damaged);
    let asked_for = || sides.iter().find_map(asked_for).filter(|_| sides.iter().any(harmed));
    sides.iter().find_map(revision).or_else(asked_for)
}

/// The revision that the last handshake asked for.
fn asked_for(trace: &Trace) -> Option<Revision> {
    let exchanges: Vec<&Exchange> = trace.exchanges().collect();
    exchanges.into_iter().rev().find_map(|exchange| {
        if is_modern(exchange) {
            return Some(Revision::R20260728);
        }
        let sent = exchange.sent();
        let [message] = &sent[..] else { return None };
        message.value["params"]["protocolVersion"].as_str()?.parse().ok()
    })
}

/// The revision that was agreed on, last if more than one was.
fn revision(trace: &Trace) -> Option<Revision> {
    let exchanges: Vec<&Exchange> = trace.exchanges().collect();
    exchanges.into_iter().rev().find_map(|exchange| {
        if is_modern(exchange) && exchange.succeeded() {
            return Some(Revision::R20260728);
        }
        let response = exchange.response().filter(|_| exchange.rpc_method().as_deref() == Some("initialize"))?;
        response.message.value["result"]["protocolVersion"].as_str()?.parse().ok()
    })
}
