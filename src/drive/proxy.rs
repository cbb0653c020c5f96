//! # The proxy
//!
//! Stands between a client and a server that run for themselves, passes every byte on as it comes, and records both
//! sides: towards the client we are the server, towards the server we are the client. Each side is judged by the checks
//! that read any conversation.
//!
//! Every connection of the client's has one of its own to the server; what ends the one ends the other in the same way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::run::{empty, switch_stamps_on};
use crate::manifest::{Options, PROXIED, RevisionRun, Role, TargetFacts};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::target::Endpoint;
use crate::trace::redact::Redactor;
use crate::trace::store::Recording;
use crate::trace::understanding::is_modern;
use crate::trace::{Conduct, Distance, Exchange, Part, Trace, TraceHead, Vantage, What};
use crate::wire::connection::{Connection, End, Wait};
use crate::wire::interrupt::Interrupt;
use crate::wire::listener::Listener;
use crate::wire::tap::Tap;

/// How long one look at the side that is expected to send lasts, before the other side is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// How long connecting to the server may take.
const CONNECTING: Duration = Duration::from_secs(5);

/// What stands where.
#[derive(Debug)]
pub struct ProxySubject {
    /// The server.
    pub server: Endpoint,
    /// The port on 127.0.0.1 to listen on; 0 is any that is free.
    pub port: u16,
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
    let listener = Listener::on(subject.port).map_err(|source| ProxyError::Listen { port: subject.port, source })?;
    let (towards_client, towards_server) = (Tap::start(), Tap::start());
    listening(&format!("http://{}{}", listener.address(), subject.server.target()));
    let is_full = Arc::new(AtomicBool::new(false));
    thread::scope(|scope| {
        while !subject.interrupt.is_set() && !is_full.load(Ordering::Relaxed) {
            let Some(socket) = listener.accept() else { continue };
            let (tap, interrupt) = (&towards_client, &subject.interrupt);
            let Ok(client) = Connection::accepted(socket, true, tap, interrupt) else { continue };
            let (towards_server, is_full) = (&towards_server, &is_full);
            scope.spawn(move || {
                let Ok(server) = open(&subject.server, towards_server, interrupt) else {
                    // As it looks to a client whose server is not there.
                    return client.reset();
                };
                let is_over = || {
                    let full = tap.overflow().is_some() || towards_server.overflow().is_some();
                    is_full.fetch_or(full, Ordering::Relaxed);
                    full || interrupt.is_set()
                };
                Passage::between(client, server).run(is_over);
            });
        }
    });
    recordings(subject, &towards_client, &towards_server)
}

fn open(server: &Endpoint, tap: &Tap, interrupt: &Interrupt) -> Result<Connection, ()> {
    let addresses = server.addresses();
    let opened = |address| Connection::open(address, CONNECTING, tap, interrupt).ok();
    addresses.into_iter().find_map(opened).ok_or(())
}

/// One connection of the client's and its counterpart.
struct Passage {
    client: Connection,
    server: Connection,
    /// What the client sent and the server has not got yet: the beginning of a head that is not whole.
    held: Vec<u8>,
    /// How many bytes of the client's the server has got.
    passed_on: u64,
    /// How many requests, and how many answers, have been begun.
    asked: usize,
    answered: usize,
}

impl Passage {
    fn between(client: Connection, server: Connection) -> Self {
        Self { client, server, held: Vec::new(), passed_on: 0, asked: 0, answered: 0 }
    }

    fn run(mut self, is_over: impl Fn() -> bool) {
        while !is_over() {
            let is_busy = self.server.exchanges().last().is_some_and(|exchange| !exchange.is_complete());
            let until = Instant::now() + LOOK;
            // Whoever is expected to send is waited for; the other one may send all the same.
            match is_busy {
                true => {
                    self.hear_the_server(until);
                    self.hear_the_client(Instant::now());
                }
                false => {
                    self.hear_the_client(until);
                    self.hear_the_server(Instant::now());
                }
            }
            match (self.client.ended(), self.server.ended()) {
                (Some(End::Reset), _) => return self.server.reset(),
                (_, Some(End::Reset)) => return self.client.reset(),
                (Some(End::Fin), Some(End::Fin)) => break,
                _ => {}
            }
        }
        self.server.close();
        self.client.close();
    }

    fn hear_the_client(&mut self, until: Instant) {
        if self.client.ended().is_some() {
            return;
        }
        match self.client.wait_quietly(until) {
            Wait::Bytes => self.pass_on_requests(),
            Wait::Ended(End::Fin) => self.server.finish(),
            _ => {}
        }
    }

    fn hear_the_server(&mut self, until: Instant) {
        if self.server.ended().is_some() {
            // Its last words have been passed on; the client may take its time.
            return;
        }
        match self.server.wait_quietly(until) {
            Wait::Bytes => self.pass_on_answers(),
            Wait::Ended(End::Fin) => self.client.finish(),
            _ => {}
        }
    }

    /// Passes on what has come of the client's requests, each named once its head is whole.
    fn pass_on_requests(&mut self) {
        self.held.extend_from_slice(self.client.last_read());
        if self.client.is_unreadable() {
            let rest = std::mem::take(&mut self.held);
            self.passed_on += rest.len() as u64;
            return self.server.write(&rest);
        }
        loop {
            let exchanges = self.client.exchanges();
            if let Some(current) = self.asked.checked_sub(1).and_then(|last| exchanges.get(last)) {
                let rest = self.take_until(current.request_wire.end);
                if !rest.is_empty() {
                    self.server.write(&rest);
                }
            }
            let Some(next) = self.client.exchanges().get(self.asked) else { return };
            let (label, end) = (named(next), next.request_wire.end);
            let request = self.take_until(end);
            self.server.ask(&label, Part::Plain, Conduct::Conforming, &request);
            self.asked += 1;
        }
    }

    /// What is held of the client's bytes up to this one.
    fn take_until(&mut self, end: u64) -> Vec<u8> {
        let count = usize::try_from(end.saturating_sub(self.passed_on)).unwrap_or(usize::MAX).min(self.held.len());
        self.passed_on += count as u64;
        self.held.drain(..count).collect()
    }

    /// Passes on what has come of the server's answers, each one begun where it begins.
    fn pass_on_answers(&mut self) {
        let read = self.server.last_read().to_vec();
        let mut at = self.server.received() - read.len() as u64;
        let mut rest = read.as_slice();
        while let Some(next) = self.server.exchanges().get(self.answered)
            && let Some(wire) = &next.wire
        {
            let before = usize::try_from(wire.start.saturating_sub(at)).unwrap_or(0).min(rest.len());
            let label = next.label.clone();
            if before > 0 {
                self.client.write(&rest[..before]);
            }
            at += before as u64;
            rest = &rest[before..];
            self.client.answering(&label, Conduct::Conforming);
            self.answered += 1;
        }
        if !rest.is_empty() {
            self.client.write(rest);
        }
    }
}

/// What a request is called: its method, of JSON-RPC or of HTTP.
fn named(request: &Exchange) -> String {
    request.rpc_method().unwrap_or_else(|| request.http_method().to_owned())
}

fn recordings(subject: &ProxySubject, client: &Tap, server: &Tap) -> Result<Proxied, ProxyError> {
    let distance = if subject.server.is_loopback() { Distance::Loopback } else { Distance::Remote };
    let mut redactor = Redactor::new([], subject.server.secrets());
    let mut side = |role: Role, tap: &Tap, scenario: Scenario, vantage: Vantage, distance: Distance| {
        let head = |revision| TraceHead { scenario, revision, attempt: 1, vantage, distance };
        let trace = Trace::new(head(Revision::R20251125), tap.events_by_cause());
        let unreachable = trace.events.iter().find_map(|event| match &event.what {
            What::ConnectFailed { error, .. } => Some(error.clone()),
            _ => None,
        });
        let revision = revision(&trace).ok_or_else(|| match (trace.exchanges().count(), unreachable) {
            (0, Some(why)) => ProxyError::Unreachable { server: subject.server.shown(), why },
            (0, None) => ProxyError::Nothing,
            (exchanges, _) => ProxyError::NoRevision { exchanges },
        })?;
        let name = match role {
            Role::Server => subject.server.shown(),
            Role::Client => "a client of its own".to_owned(),
        };
        let facts = TargetFacts { kind: PROXIED.to_owned(), name, server: None, distance };
        let command = format!("mcpwire proxy --url {}", subject.server.shown());
        let mut recording = empty(role, facts, subject.options.clone(), command);
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
