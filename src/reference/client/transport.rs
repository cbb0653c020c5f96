//! Requests over connections: which one a request takes, and what becomes of it after the answer.

use std::sync::Arc;
use std::time::Duration;

use super::Fault;
use super::connection::Connection;
use super::exchange::{Exchange, Form};
use super::failure::Failure;
use super::request::{Request, Session};
use super::shared::Client;
use super::url::Url;
use super::wait::Wait;

/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// How long the rest of an answer is read after nobody needs it any more.
const DRAIN: Duration = Duration::from_secs(1);

/// How many seconds the answer to a message that expects none may take; only the one that has begun, when the client
/// closes.
const ACKNOWLEDGEMENT: usize = 10;

impl Client {
    /// Sends a request, and waits for the head of its answer.
    pub(super) fn send(self: &Arc<Self>, request: &Request, wait: &Wait<'_>) -> Result<Exchange, Failure> {
        let mut url = self.url.clone();
        for _ in 0..=REDIRECTS {
            let mut exchange = self.write(request, &url)?;
            if let Err(failure) = exchange.begin(wait) {
                self.leave(exchange, &failure);
                return Err(failure);
            }
            if self.has(Fault::AdoptsAnySessionId)
                && let Some(session) = session_of(&exchange)
            {
                self.change_standing(|standing| standing.session = Some(session));
            }
            // The others would turn a POST into a GET, which means something else here.
            if !matches!(exchange.status(), 307 | 308) {
                return Ok(exchange);
            }
            let target = exchange.field("location").and_then(|location| url.join(&location));
            self.release(exchange);
            url = target.ok_or(Failure::Redirect)?;
        }
        Err(Failure::Redirect)
    }

    /// Sends a message to which there is no answer but that it arrived.
    pub(super) fn notify(self: &Arc<Self>, request: &Request, wait: &Wait<'_>) -> Result<(), Failure> {
        let exchange = self.send(request, wait)?;
        let status = exchange.status();
        self.dismiss(exchange);
        if (200..300).contains(&status) { Ok(()) } else { Err(Failure::Status(status)) }
    }

    /// Sends a message without waiting for anything.
    pub(super) fn post_and_forget(self: &Arc<Self>, request: Request) {
        let Ok(mut exchange) = self.write(&request.hurried(), &self.url) else { return };
        self.background(move |client| {
            let mut begun = exchange.begin(&Wait::of(client, Duration::from_secs(1)));
            for _ in 1..ACKNOWLEDGEMENT {
                if !matches!(begun, Err(Failure::TimedOut)) || client.is_closing() {
                    break;
                }
                begun = exchange.begin(&Wait::of(client, Duration::from_secs(1)));
            }
            match begun {
                Ok(()) => client.dismiss(exchange),
                Err(_) => client.close(exchange.into_connection()),
            }
        });
    }

    /// Writes a request over an idle connection or else a new one. Another try is made only where the server closed
    /// an idle connection before it had the request whole (RFC 9112, section 9.3.1).
    fn write(self: &Arc<Self>, request: &Request, url: &Url) -> Result<Exchange, Failure> {
        let bytes = request.bytes(url, self.fault);
        loop {
            let (idle, ended) = self.pool.take(url.origin(), request.is_hurried);
            ended.into_iter().for_each(|connection| self.close(connection));
            let Some(mut connection) = idle else { break };
            match connection.write(request.verb, &bytes) {
                Ok(()) => return Ok(Exchange::new(connection, self.fault)),
                Err(_) => self.close(connection),
            }
        }
        let mut connection = Connection::open(url.origin()).map_err(Failure::Unreachable)?;
        connection.write(request.verb, &bytes).map_err(Failure::Unreachable)?;
        Ok(Exchange::new(connection, self.fault))
    }

    /// The response event has come: nobody needs the rest of the stream.
    pub(super) fn finish_stream(self: &Arc<Self>, exchange: Exchange) {
        match self.fault {
            Some(Fault::DropsBody) => self.close(exchange.into_connection()),
            Some(Fault::ResetsBody) => exchange.into_connection().reset(),
            Some(Fault::HoldsBody) => self.pool.hold(exchange.into_connection()),
            _ => self.release(exchange),
        }
    }

    /// Lets go of an answer that has no use.
    pub(super) fn dismiss(self: &Arc<Self>, exchange: Exchange) {
        if self.has(Fault::HoldsUnwantedBody) && !exchange.is_bodyless() {
            return self.pool.hold(exchange.into_connection());
        }
        if self.has(Fault::AcceptedNeedsLength) && exchange.status() == 202 && !exchange.has_length() {
            return self.wait_for_the_end(exchange);
        }
        self.release(exchange);
    }

    /// Reads the rest of an answer, so that its connection can be used again; in the background, if it is still to
    /// come.
    pub(super) fn release(self: &Arc<Self>, mut exchange: Exchange) {
        if exchange.skip() {
            return self.keep(exchange);
        }
        let begun = self.pool.begin_drain();
        self.background(move |client| {
            match drain(&mut exchange, &Wait::of(client, DRAIN)) {
                Ok(()) => client.keep(exchange),
                Err(_) => client.close(exchange.into_connection()),
            }
            client.pool.end_drain(begun);
        });
    }

    /// Lets go of an answer that did not come, or not whole. Whoever gives a request of 2026-07-28 up closes its
    /// stream, which is how that is said; in the legacy revisions it means nothing, and the stream is read on.
    pub(super) fn leave(self: &Arc<Self>, exchange: Exchange, failure: &Failure) {
        match failure {
            Failure::TimedOut if !self.is_modern() => self.release(exchange),
            Failure::TimedOut if self.has(Fault::KeepsCancelledStream) => self.pool.hold(exchange.into_connection()),
            Failure::Unreadable(_) => self.release(exchange),
            _ => self.close(exchange.into_connection()),
        }
    }

    /// Puts the connection of a complete answer back, if it can be used again.
    fn keep(self: &Arc<Self>, exchange: Exchange) {
        let is_spent = self.has(Fault::ConnectionPerCall)
            || self.has(Fault::ConnectionPerStream) && exchange.form() == Form::Stream;
        match exchange.is_reusable() && !is_spent && !self.is_halted() {
            true => self.pool.put(exchange.into_connection()),
            false => self.close(exchange.into_connection()),
        }
    }

    /// Closes a connection in order: FIN first, then what is still on its way is read.
    pub(super) fn close(self: &Arc<Self>, connection: Connection) {
        connection.shut();
        self.background(|_| connection.linger());
    }

    /// The fault of a client that does not see the end of an empty chunked body.
    fn wait_for_the_end(self: &Arc<Self>, exchange: Exchange) {
        let mut connection = exchange.into_connection();
        let wait = Wait::of(self, Duration::from_secs(5));
        while wait.check().is_ok() && !connection.is_at_its_end() {}
        self.close(connection);
    }
}

fn drain(exchange: &mut Exchange, wait: &Wait<'_>) -> Result<(), Failure> {
    while exchange.data(wait)?.is_some() {
        // A body that never ends may also never pause.
        wait.check()?;
    }
    Ok(())
}

/// The session that an answer names, if the id is one (visible ASCII).
pub(super) fn session_of(exchange: &Exchange) -> Option<Session> {
    let id = exchange.field("mcp-session-id")?;
    let is_valid = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    is_valid.then(|| Session { id, origin: exchange.origin().to_owned() })
}
