//! The way back from a request to its client: what is said while it is worked on, the response, the end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Fault;
use super::answer::Head;
use super::connection::Connection;
use super::event_store::StreamLog;
use super::event_stream::{Event, EventStream, Place};
use super::in_flight::{InFlight, Ticket};
use super::message::{self, Id, Outcome, Request};
use super::server::{GLANCE, OpenChannel, Server};
use super::session::Session;
use super::tools::{Counters, Stopped, Surroundings};

/// How long after the response the timer comes that ends a stream, or empties its buffer, with those faults.
const TICK: Duration = Duration::from_millis(25);

/// Carries the messages of one request.
pub(super) struct Channel<'c> {
    pub(super) server: Arc<Server>,
    pub(super) session: Option<Arc<Session>>,
    pub(super) ticket: Option<Ticket>,
    /// Keeps the messages of a stream for a client that loses it.
    pub(super) log: Option<StreamLog>,
    pub(super) sink: Sink<'c>,
    pub(super) called_off: CalledOff,
    last_notification: Option<String>,
    /// The progress token of the request leads somewhere else.
    loses_progress: bool,
    open: OpenChannel,
    /// Its number, and how many reports of all streams it has looked at, where they share them.
    number: u64,
    reports_seen: usize,
    /// That the client has gone has had its effect, where it has one.
    suffered: bool,
}

/// Where the messages go.
pub(super) enum Sink<'c> {
    Stream(EventStream<'c>),
    /// One JSON object under this head, and so nothing but the response.
    Json(Head, &'c mut Connection),
    /// Nobody is connected: the client will come back for what the log keeps.
    Nobody,
}

/// What calls the work on a request off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CalledOff {
    /// A notification; that the client disconnects means nothing (2025-11-25, "Sending Messages to the Server", 6).
    ByNotification,
    /// That the client disconnects, and nothing else (2026-07-28, "Cancellation").
    ByDisconnect,
}

impl<'c> Channel<'c> {
    pub(super) fn new(server: &Arc<Server>, called_off: CalledOff, sink: Sink<'c>) -> Self {
        let (server, open) = (Arc::clone(server), server.open_channel());
        static NUMBERS: AtomicU64 = AtomicU64::new(0);

        let (number, reports_seen) = (NUMBERS.fetch_add(1, Ordering::Relaxed), server.shared_reports());
        let (session, ticket, log, last_notification, loses_progress) = (None, None, None, None, false);
        Channel {
            server,
            session,
            ticket,
            log,
            sink,
            called_off,
            last_notification,
            loses_progress,
            open,
            number,
            reports_seen,
            suffered: false,
        }
    }

    /// Enters the request, so that a later message can mean it.
    pub(super) fn enter(&mut self, request: &Request, in_flight: &InFlight) {
        self.ticket = Some(in_flight.enter(request.id.key(&self.server)));
        if self.server.has(Fault::ProgressTokenKept)
            && let Some(token) = request.params.at(&["_meta", "progressToken"])
        {
            self.loses_progress = !in_flight.keep_token(token.get());
        }
    }

    /// Gives the client an event id to resume from before there is anything to say, and where it is to poll, how long
    /// to wait (2025-11-25, "Sending Messages to the Server", 6).
    pub(super) fn prime(&mut self, retry: Option<u32>) {
        let id = self.log.as_mut().map(|log| log.record(""));
        if let Sink::Stream(stream) = &mut self.sink {
            stream.send(&Event { id: id.as_deref(), retry, ..Event::default() });
        }
    }

    /// Ends the stream before the response; the messages still to come are kept for a client that asks for them.
    pub(super) fn detach(self) -> (Channel<'static>, io::Result<()>) {
        let Channel {
            server,
            session,
            ticket,
            log,
            sink,
            called_off,
            last_notification,
            loses_progress,
            open,
            number,
            reports_seen,
            suffered,
        } = self;
        let ended = match sink {
            Sink::Stream(stream) => stream.end(),
            _ => Ok(()),
        };
        let sink = Sink::Nobody;
        let detached = Channel {
            server,
            session,
            ticket,
            log,
            sink,
            called_off,
            last_notification,
            loses_progress,
            open,
            number,
            reports_seen,
            suffered,
        };
        (detached, ended)
    }

    /// Sends the response, and ends the answer.
    pub(super) fn respond(mut self, id: &Id, outcome: &Outcome) -> io::Result<()> {
        if self.server.has(Fault::IdsKeyedByText) && self.ticket.as_ref().is_some_and(|ticket| !ticket.is_current()) {
            // Its entry now leads to the request that came later, and its own stream can no longer be found.
            self.wait_for_session_end();
            return self.end();
        }
        if self.server.has(Fault::FailureIsContagious)
            && matches!(outcome, Outcome::Result(result) if result["isError"] == true)
        {
            self.server.start_over();
        }
        self.server.leave_entry(match outcome {
            Outcome::Result(_) => Fault::EntryLeftAfterResponse,
            Outcome::Error(_) => Fault::EntryLeftAfterError,
        });
        if self.server.has(Fault::EntryLeftAfterDisconnect) && self.client_has_gone() {
            self.server.leave_entry(Fault::EntryLeftAfterDisconnect);
        }
        let response = message::response(Some(id), outcome, &self.server);
        match self.sink {
            Sink::Json(head, connection) => connection.json(head, &response),
            Sink::Stream(_) => self.respond_on_stream(&response, outcome),
            Sink::Nobody => {
                self.send(&response, Place::Last);
                Ok(())
            }
        }
    }

    /// The response is the last message of its stream, and the stream ends with it (2025-11-25, "Sending Messages to
    /// the Server", 6). Most of what can go wrong with a stream goes wrong here.
    fn respond_on_stream(mut self, response: &str, outcome: &Outcome) -> io::Result<()> {
        let server = Arc::clone(&self.server);
        let indented = server.has(Fault::RawNewlineInData).then(|| message::indented(response));
        let response = indented.as_deref().unwrap_or(response);
        if server.has(Fault::ResponseMissing) {
            return self.end();
        }
        if server.has(Fault::ResponseOnGetStream) && self.push_to_session(response) {
            return self.end();
        }
        if server.has(Fault::ResetInMidBody) {
            return self.reset_within(response);
        }

        if server.has(Fault::LateProgressElsewhere)
            && let Some(late) = server.exchange_late(self.last_notification.clone())
        {
            self.send(&late, Place::Inside);
        }
        self.send(response, Place::Last);
        if server.has(Fault::ResponseSentTwice) {
            self.send(response, Place::Last);
        }
        if server.has(Fault::ResponseBroadcast) {
            self.push_to_session(response);
        }
        if server.has(Fault::LateNotification) {
            let done = || message::notification("notifications/message", r#"{"level":"info","data":"done"}"#);
            let late = self.last_notification.take().unwrap_or_else(done);
            self.send(&late, Place::Inside);
        }

        let keeps_open = match outcome {
            Outcome::Result(_) => server.has(Fault::StreamLeftOpen),
            Outcome::Error(_) => server.has(Fault::StreamLeftOpenAfterError),
        };
        if keeps_open {
            self.wait_for_session_end();
        }
        if server.has(Fault::FinWithoutTerminator) {
            return self.close();
        }
        if server.has(Fault::StreamEndedByTimer) || server.has(Fault::FlushedByTimer) {
            thread::sleep(TICK);
        }
        self.end()
    }

    /// Ends the answer of a request that was called off: it gets no response.
    pub(super) fn end_called_off(self) -> io::Result<()> {
        self.server.leave_entry(match self.called_off {
            CalledOff::ByNotification => Fault::EntryLeftAfterCancel,
            CalledOff::ByDisconnect => Fault::EntryLeftAfterDisconnect,
        });
        self.end()
    }

    /// Ends the answer.
    pub(super) fn end(self) -> io::Result<()> {
        match self.sink {
            Sink::Stream(stream) => stream.end(),
            Sink::Json(..) => Err(io::ErrorKind::ConnectionAborted.into()),
            Sink::Nobody => Ok(()),
        }
    }

    fn close(self) -> io::Result<()> {
        match self.sink {
            Sink::Stream(stream) => stream.close(),
            _ => Ok(()),
        }
    }

    fn reset_within(self, message: &str) -> io::Result<()> {
        match self.sink {
            Sink::Stream(stream) => stream.reset_within(&Event { data: message, ..Event::default() }),
            _ => Ok(()),
        }
    }

    fn send(&mut self, message: &str, place: Place) {
        let id = self.log.as_mut().map(|log| log.record(message));
        if let Sink::Stream(stream) = &mut self.sink {
            stream.send(&Event { id: id.as_deref(), data: message, place, ..Event::default() });
        }
    }

    fn push_to_session(&self, message: &str) -> bool {
        self.session.as_ref().is_some_and(|session| session.push(message))
    }

    fn client_has_gone(&mut self) -> bool {
        match &mut self.sink {
            Sink::Stream(stream) => stream.client_has_gone(),
            Sink::Json(_, connection) => connection.client_has_gone(),
            Sink::Nobody => false,
        }
    }

    fn is_called_off(&mut self) -> bool {
        if self.server.has(Fault::DisconnectCancels) && self.client_has_gone() {
            return true;
        }
        match self.called_off {
            _ if self.server.is_closing() => true,
            CalledOff::ByDisconnect => !self.server.has(Fault::DisconnectIgnored) && self.client_has_gone(),
            // Who waits for a JSON object has to be answered with one, and a server may ignore the notification.
            CalledOff::ByNotification => {
                !matches!(self.sink, Sink::Json(..)) && self.ticket.as_ref().is_some_and(Ticket::is_cancelled)
            }
        }
    }

    /// What a disconnect does to others, with those faults.
    fn suffer_disconnect(&mut self) {
        let (hangs_up, ends_session) =
            (self.server.has(Fault::HangsUpOnAll), self.server.has(Fault::SessionDiesWithConnection));
        if (hangs_up || ends_session) && !self.suffered && self.client_has_gone() {
            self.suffered = true;
            if hangs_up {
                self.server.hang_up();
            }
            if let Some(session) = self.session.as_ref().filter(|_| ends_session) {
                self.server.sessions.drop_out(session);
            }
        }
    }

    /// Sends the reports of the other streams, with that fault.
    fn send_reports_of_others(&mut self) {
        for (from, report) in self.server.reports_behind(self.reports_seen) {
            self.reports_seen += 1;
            if from != self.number {
                self.send(&report, Place::Inside);
            }
        }
    }

    fn wait_for_session_end(&mut self) {
        while !self.server.is_closing() && !self.session_has_ended() && !self.client_has_gone() {
            thread::sleep(GLANCE);
        }
    }

    fn session_has_ended(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.has_ended())
    }
}

impl Surroundings for Channel<'_> {
    fn notify(&mut self, notification: &str) {
        if self.loses_progress {
            return;
        }
        self.send(notification, Place::Inside);
        self.last_notification = Some(notification.to_owned());
        if self.server.has(Fault::ReportsOnAnyStream) {
            self.server.share_report(self.number, notification);
        }
        if self.server.has(Fault::ReportsToEverySession) {
            self.server.sessions.push_to_others(self.session.as_ref(), notification);
        }
    }

    fn pause(&mut self, length: Duration) -> Result<(), Stopped> {
        let end = Instant::now() + length;
        loop {
            self.suffer_disconnect();
            self.send_reports_of_others();
            if self.is_called_off() {
                return Err(Stopped);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(GLANCE));
        }
    }

    fn keep(&mut self, argument: String) -> Result<String, Stopped> {
        /// Long enough for somebody else to come with the same id.
        const UNTIL_NEEDED: Duration = Duration::from_millis(60);

        let Some(key) = self.ticket.as_ref().map(|ticket| ticket.key().to_owned()) else { return Ok(argument) };
        if !self.server.has(Fault::ArgumentsKeptById) {
            return Ok(argument);
        }
        self.server.keep_by_id(&key, argument.clone());
        self.pause(UNTIL_NEEDED)?;
        Ok(self.server.kept_by_id(&key).unwrap_or(argument))
    }

    fn counters(&self) -> &Counters {
        &self.server.counters
    }
}
