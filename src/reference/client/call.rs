//! A JSON-RPC request and its response, in whichever form the response comes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::trace::Message;

use super::Fault;
use super::events::{Cursor, EventStream};
use super::exchange::{Exchange, Form};
use super::failure::Failure;
use super::request::{Request, Session};
use super::shared::Client;
use super::transport::session_of;
use super::wait::Wait;

/// How often a stream is resumed.
const RESUMPTIONS: usize = 5;

/// How long the body of an error is waited for.
const EXPLANATION: Duration = Duration::from_secs(1);

/// A request that is about to be made.
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) method: &'static str,
    pub(super) request: Request,
}

/// What a call brought.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) result: Value,
    /// The session that the answer named.
    pub(super) session: Option<Session>,
}

/// The caller's half of what a stream brought.
type Found = Result<Value, Failure>;

impl Client {
    /// Makes a call and waits for its outcome.
    pub(super) fn call(self: &Arc<Self>, call: &Call, wait: &Wait<'_>) -> Result<Reply, Failure> {
        if self.has(Fault::PausesBeforeCalls) && call.method == "tools/call" {
            wait.sleep(Duration::from_millis(30))?;
        }
        let outcome = match self.attempt(call, wait) {
            Err(Failure::Cut(_)) if self.has(Fault::ReplaysPost) => self.attempt(call, wait),
            Err(Failure::Cut(why)) if self.has(Fault::HangsOnTruncatedAnswer) => {
                wait.sleep(Duration::from_secs(30))?;
                Err(Failure::Cut(why))
            }
            outcome => outcome,
        };
        if matches!(outcome, Err(Failure::TimedOut)) && call.method != "initialize" {
            self.cancel(call.id);
        }
        outcome
    }

    fn attempt(self: &Arc<Self>, call: &Call, wait: &Wait<'_>) -> Result<Reply, Failure> {
        let exchange = self.send(&call.request, wait)?;
        let session = session_of(&exchange);
        let is_handshake = matches!(call.method, "initialize" | "server/discover");
        let is_call = call.method == "tools/call";
        let result = match (exchange.status(), exchange.form()) {
            (404, _) if call.request.session.is_some() && !self.is_modern() => {
                self.release(exchange);
                Err(Failure::SessionGone)
            }
            (200, Form::Json) if is_call && self.has(Fault::CallsMustBeStreams) => self.refuse(exchange),
            (200, Form::Json) => self.read_json(exchange, call.id, wait),
            (200, Form::Stream) if is_handshake && self.has(Fault::InitializeMustBeJson) => self.refuse(exchange),
            (200, Form::Stream) => self.read_stream(exchange, call.id, wait),
            (200, Form::Unknown) => self.refuse(exchange),
            (_, Form::Json) => self.read_error(exchange),
            (status, _) => {
                self.dismiss(exchange);
                Err(Failure::Status(status))
            }
        };
        result.map(|result| Reply { result, session })
    }

    /// The content is of a kind that nobody wants.
    fn refuse(self: &Arc<Self>, exchange: Exchange) -> Found {
        let media_type = exchange.field("content-type").unwrap_or_default();
        self.dismiss(exchange);
        Err(Failure::MediaType(media_type))
    }

    fn read_json(self: &Arc<Self>, mut exchange: Exchange, id: u64, wait: &Wait<'_>) -> Found {
        let body = match exchange.body(wait) {
            Ok(body) => body,
            Err(failure) => {
                self.leave(exchange, &failure);
                return Err(failure);
            }
        };
        self.release(exchange);
        let messages = Message::read_all(&body)?;
        self.outcome(&messages, id).unwrap_or(Err(Failure::Unreadable("no response to this request")))
    }

    /// An answer that refuses the request, and perhaps says why.
    fn read_error(self: &Arc<Self>, mut exchange: Exchange) -> Found {
        let status = exchange.status();
        let body = exchange.body(&Wait::of(self, EXPLANATION));
        match &body {
            Ok(_) => self.release(exchange),
            Err(failure) => self.leave(exchange, failure),
        }
        // Its id may be missing, where the server could not read ours.
        let messages = body.ok().and_then(|body| Message::read_all(&body).ok()).unwrap_or_default();
        let error = messages.iter().find_map(|message| message.value.get("error"));
        Err(error.map_or(Failure::Status(status), |error| Failure::of(error, status)))
    }

    /// Follows a stream to the response, and resumes it where it ends before.
    fn read_stream(self: &Arc<Self>, exchange: Exchange, id: u64, wait: &Wait<'_>) -> Found {
        let mut cursor = Cursor::default();
        let outcome = match self.follow(exchange, id, &mut cursor, wait) {
            Err(Failure::Cut(_)) if self.may_resume(&cursor) => self.resume(id, &mut cursor, wait),
            Ok(outcome) => outcome,
            Err(failure) => Err(failure),
        };
        if matches!(outcome, Err(Failure::Rpc { .. })) && self.may_resume(&cursor) {
            self.resume_after_error(id, cursor, wait);
        }
        outcome
    }

    /// The faults of clients that resume a stream which is over.
    fn resume_after_error(self: &Arc<Self>, id: u64, mut cursor: Cursor, wait: &Wait<'_>) {
        match self.fault {
            Some(Fault::ErrorNotTerminal) => self.resume_in_vain(id, &mut cursor, wait),
            Some(Fault::ErrorResumesAnyway) => self.background(move |client| {
                let generation = client.standing().generation;
                client.resume_in_vain(id, &mut cursor, &Wait::with_session(client, generation));
            }),
            _ => {}
        }
    }

    fn resume_in_vain(self: &Arc<Self>, id: u64, cursor: &mut Cursor, wait: &Wait<'_>) {
        for _ in 0..3 {
            if wait.check().is_err() || matches!(self.resume_once(id, cursor, wait), Ok(Ok(_))) {
                return;
            }
        }
    }

    fn may_resume(&self, cursor: &Cursor) -> bool {
        let is_resumable = !self.is_modern() || self.has(Fault::ResumesInModern);
        is_resumable && cursor.last_event_id().is_some() && !self.has(Fault::NeverResumes)
    }

    fn resume(self: &Arc<Self>, id: u64, cursor: &mut Cursor, wait: &Wait<'_>) -> Found {
        for _ in 0..RESUMPTIONS {
            match self.resume_once(id, cursor, wait) {
                Err(Failure::Cut(_) | Failure::Unreachable(_)) => {}
                Ok(outcome) => return outcome,
                Err(failure) => return Err(failure),
            }
        }
        if self.has(Fault::ResumesForEver) {
            let mut cursor = std::mem::take(cursor);
            self.background(move |client| client.resume_for_ever(id, &mut cursor));
        }
        Err(Failure::NotResumed)
    }

    /// The fault of a client that has given up, and goes on as if it had not.
    fn resume_for_ever(self: &Arc<Self>, id: u64, cursor: &mut Cursor) {
        let generation = self.standing().generation;
        let wait = Wait::with_session(self, generation);
        while wait.check().is_ok() && self.resume_once(id, cursor, &wait).is_err() {}
    }

    /// Asks for the rest of a stream (2025-11-25, "Resumability and Redelivery").
    fn resume_once(self: &Arc<Self>, id: u64, cursor: &mut Cursor, wait: &Wait<'_>) -> Result<Found, Failure> {
        if !self.has(Fault::IgnoresRetry) {
            wait.sleep(cursor.retry())?;
        }
        let generation = self.standing().generation;
        let request = self.get(cursor.last_event_id());
        let exchange = self.send(&request, wait)?;
        match (exchange.status(), exchange.form()) {
            (200, Form::Stream) => self.follow(exchange, id, cursor, wait),
            (status, _) => {
                self.dismiss(exchange);
                // The next call needs a session; this one is lost, since its request must not be made twice.
                if status == 404 && request.session.is_some() {
                    self.renew(generation)?;
                }
                Err(Failure::Status(status))
            }
        }
    }

    /// Follows one body to the response. The outcome is that of the caller, the error that of the stream.
    fn follow(
        self: &Arc<Self>,
        mut exchange: Exchange,
        id: u64,
        cursor: &mut Cursor,
        wait: &Wait<'_>,
    ) -> Result<Found, Failure> {
        let mut stream = EventStream::new(cursor, self.fault);
        let mut found = None;
        let ending = loop {
            let mut messages = Vec::new();
            let read = match exchange.data(wait) {
                Ok(Some(bytes)) => stream.push(&bytes, &mut messages),
                Ok(None) => stream.finish(&mut messages).and(Err(Failure::Cut("the stream ended before the response"))),
                Err(failure) => stream.finish(&mut messages).and(Err(failure)),
            };
            self.answer_all(&messages);
            found = found.or_else(|| self.outcome(&messages, id));
            if let Err(failure) = read {
                break failure;
            }
            let is_enough = match &found {
                None => false,
                Some(Err(_)) if self.has(Fault::ErrorNotTerminal) => false,
                Some(_) => !self.has(Fault::ReturnsAtEndOfBody),
            };
            if is_enough && let Some(outcome) = found {
                self.finish_stream(exchange);
                return Ok(outcome);
            }
        };
        match ending {
            Failure::Cut(_) => self.release_or_close(exchange),
            _ => self.leave(exchange, &ending),
        }
        found.ok_or(ending)
    }

    /// The body is over, or its connection is.
    fn release_or_close(self: &Arc<Self>, exchange: Exchange) {
        match exchange.is_reusable() {
            true => self.release(exchange),
            false => self.close(exchange.into_connection()),
        }
    }

    /// The response to the request with this id.
    fn outcome(&self, messages: &[Message], id: u64) -> Option<Found> {
        let is_ours =
            |message: &&Message| message.is_response() && message.value.get("id").and_then(Value::as_u64) == Some(id);
        let response = &messages.iter().find(is_ours)?.value;
        Some(match response.get("error") {
            Some(error) => Err(Failure::of(error, 200)),
            None => Ok(response.get("result").cloned().unwrap_or_default()),
        })
    }
}
