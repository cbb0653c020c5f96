//! The revisions before 2026-07-28: the handshake, the session, the GET stream, and what the server may ask.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::spec::Revision;
use crate::trace::{Message, MessageKind};

use super::Fault;
use super::call::{Call, Reply};
use super::events::{Cursor, EventStream};
use super::exchange::Form;
use super::failure::Failure;
use super::request::Request;
use super::shared::{Client, lock};
use super::wait::Wait;

/// How long a call may take unless its caller says.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// How often the GET stream is opened again.
const REOPENINGS: usize = 3;

impl Client {
    /// `initialize` and `notifications/initialized`; then the server may speak.
    pub(super) fn initialize(self: &Arc<Self>) -> Result<(), Failure> {
        let wait = Wait::of(self, PATIENCE);
        let Reply { result, session } = self.call(&self.initialize_call(), &wait)?;
        let spoken = result.get("protocolVersion").and_then(Value::as_str).unwrap_or("no version");
        let known = Revision::LEGACY.iter().find(|revision| revision.date() == spoken);
        let revision = *known.ok_or_else(|| Failure::Version(spoken.to_owned()))?;
        self.change_standing(|standing| {
            standing.revision = revision;
            standing.session = session;
            standing.generation += 1;
        });
        let generation = self.standing().generation;
        self.notify(&self.post(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })), &wait)?;
        self.background(move |client| client.listen(generation));
        Ok(())
    }

    fn initialize_call(&self) -> Call {
        let id = self.next_id();
        let params = json!({
            "protocolVersion": self.asked.date(),
            "capabilities": self.capabilities(),
            "clientInfo": client_info(),
        });
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": "initialize", "params": params });
        // Neither session nor version are agreed upon yet.
        Call { id, method: "initialize", request: Request::post(message.to_string(), self.fault) }
    }

    /// What the server may ask for.
    pub(super) fn capabilities(&self) -> Value {
        match self.answers {
            Some(_) => json!({ "sampling": {}, "elicitation": {} }),
            None => json!({}),
        }
    }

    /// Makes a call. Where the session is gone there is a new one, and the call is made once more.
    pub(super) fn legacy_request(
        self: &Arc<Self>,
        method: &'static str,
        params: &Map<String, Value>,
        wait: &Wait<'_>,
    ) -> Result<Value, Failure> {
        let generation = self.standing().generation;
        match self.call(&self.legacy_call(method, params), wait) {
            Err(Failure::SessionGone) if !self.has(Fault::KeepsDeadSession) => {
                self.renew(generation)?;
                Ok(self.call(&self.legacy_call(method, params), wait)?.result)
            }
            reply => Ok(reply?.result),
        }
    }

    fn legacy_call(&self, method: &'static str, params: &Map<String, Value>) -> Call {
        let id = self.next_id();
        let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_empty() {
            message["params"] = Value::Object(params.clone());
        }
        let mut request = self.post(message);
        if method == "tools/call" && self.has(Fault::ForgetsSessionId) {
            request.session = None;
        }
        Call { id, method, request }
    }

    /// A new session instead of the one of this generation, unless somebody else has made it already.
    pub(super) fn renew(self: &Arc<Self>, generation: u64) -> Result<(), Failure> {
        let _renewal = lock(&self.renewal);
        match self.standing().generation == generation && !self.has(Fault::KeepsDeadSession) {
            true => self.initialize(),
            false => Ok(()),
        }
    }

    /// A message in the session.
    pub(super) fn post(&self, message: Value) -> Request {
        self.dressed(Request::post(message.to_string(), self.fault))
    }

    /// The GET that opens a stream, or resumes one.
    pub(super) fn get(&self, last_event_id: Option<&str>) -> Request {
        let request = self.dressed(Request::get());
        match last_event_id {
            Some(id) if !self.has(Fault::ResumesWithoutId) => request.with("Last-Event-ID", id),
            _ => request,
        }
    }

    /// A request with the session and the version.
    pub(super) fn dressed(&self, request: Request) -> Request {
        let standing = self.standing();
        let request = request.with_session(standing.session);
        match self.version_header(standing.revision) {
            Some(version) => request.with("MCP-Protocol-Version", version),
            None => request,
        }
    }

    /// The value of `MCP-Protocol-Version`, which 2025-03-26 does not have.
    pub(super) fn version_header(&self, revision: Revision) -> Option<&'static str> {
        match self.fault {
            Some(Fault::NoVersionHeader) => None,
            Some(Fault::WrongVersionHeader) => Some(Revision::R20251125.date()),
            _ => (revision > Revision::R20250326).then_some(revision.date()),
        }
    }

    /// Listens to what the server has to say of itself, as long as the session lasts.
    fn listen(self: &Arc<Self>, generation: u64) {
        let wait = Wait::with_session(self, generation);
        let mut cursor = Cursor::default();
        for _ in 0..=REOPENINGS {
            if self.listen_once(&mut cursor, generation, &wait).is_err() {
                return;
            }
            let retry = if self.has(Fault::IgnoresRetry) { Duration::ZERO } else { cursor.retry() };
            if wait.sleep(retry).is_err() {
                return;
            }
        }
    }

    /// One GET. An error where there is nothing to listen to any more.
    fn listen_once(self: &Arc<Self>, cursor: &mut Cursor, generation: u64, wait: &Wait<'_>) -> Result<(), Failure> {
        let request = self.get(cursor.last_event_id());
        let is_resumption = cursor.last_event_id().is_some();
        if is_resumption && self.has(Fault::NeverResumes) {
            return Err(Failure::NotResumed);
        }
        let mut exchange = self.send(&request, wait)?;
        if (exchange.status(), exchange.form()) != (200, Form::Stream) {
            let status = exchange.status();
            self.dismiss(exchange);
            // Before a stream was opened this may only mean that there is none.
            if status == 404 && request.session.is_some() && is_resumption {
                self.renew(generation)?;
            }
            return Err(Failure::Status(status));
        }
        let mut stream = EventStream::new(cursor, self.fault);
        loop {
            let mut messages = Vec::new();
            let read = match exchange.data(wait) {
                Ok(Some(bytes)) => stream.push(&bytes, &mut messages),
                Ok(None) => {
                    self.release(exchange);
                    return stream.finish(&mut messages);
                }
                Err(failure) => Err(failure),
            };
            self.answer_all(&messages);
            match read {
                Ok(()) => {}
                Err(Failure::Cut(_)) => {
                    self.close(exchange.into_connection());
                    return Ok(());
                }
                Err(failure) => {
                    self.close(exchange.into_connection());
                    return Err(failure);
                }
            }
        }
    }

    /// Answers what the server asks.
    pub(super) fn answer_all(self: &Arc<Self>, messages: &[Message]) {
        if self.is_modern() {
            return;
        }
        for request in messages.iter().filter(|message| message.kind == MessageKind::Request) {
            if let Some(answer) = self.answer(request.method().unwrap_or_default()) {
                // The id goes back to the letter.
                let text = format!(r#"{{"jsonrpc":"2.0","id":{},{answer}}}"#, request.id);
                self.post_and_forget(self.dressed(Request::post(text, self.fault)));
            }
        }
    }

    /// The member that answers a request with this method; none if it is not answered at all.
    fn answer(&self, method: &str) -> Option<String> {
        let ignored = match method {
            "ping" => self.has(Fault::IgnoresPing),
            "sampling/createMessage" => self.has(Fault::IgnoresSampling),
            _ => false,
        };
        if ignored {
            return None;
        }
        let answer = match method {
            "ping" => Some(json!({})),
            method => self.answers.as_ref().and_then(|answers| answers.to(method)).cloned(),
        };
        Some(match answer {
            Some(result) => format!(r#""result":{result}"#),
            None => format!(r#""error":{}"#, json!({ "code": -32601, "message": "there is no such feature" })),
        })
    }

    /// Says that nobody waits for a request any more. In 2026-07-28 the end of its connection says so.
    pub(super) fn cancel(self: &Arc<Self>, id: u64) {
        if self.is_modern() || self.has(Fault::CancelsSilently) {
            return;
        }
        let id = if self.has(Fault::CancelsAnotherRequest) { id + 1_000 } else { id };
        let params = json!({ "requestId": id, "reason": "the caller gave up" });
        let message = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
        self.post_and_forget(self.post(message));
    }
}

pub(super) fn client_info() -> Value {
    json!({ "name": "mcpwire-reference-client", "version": env!("CARGO_PKG_VERSION") })
}
