//! A conversation with the target, in the shape that its revision wants: a handshake and a session id in the
//! legacy era, self-contained requests in the modern one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::ask::{Ask, Call, client_info};
use super::stage::{Patience, Stage, Stop, Until, what_came};
use crate::spec::{Era, Revision};
use crate::trace::{Ending, Exchange, Message, MessageKind, Part};
use crate::wire::connection::{Connection, Wait};

/// How often a stream that ended before its response is resumed.
const RESUMPTIONS: u32 = 5;

/// The longest reconnection time that is waited for; a stream that asks for more is not resumed, since to come
/// before its time is not ours to do (2025-11-25, "Sending Messages to the Server").
const LONGEST_RETRY: Duration = Duration::from_secs(3);

/// So many requests without an answer end a scenario: enough to judge, and each costs the whole time-out.
const UNANSWERED: u32 = 3;

/// A conversation. Requests go over one connection as long as the target keeps it.
#[derive(Debug)]
pub struct Session<'s> {
    stage: &'s Stage,
    id: Option<String>,
    next_request: Arc<AtomicU64>,
    connection: Option<Connection>,
    /// Connections with a stream that was left open: closing them would be an act of ours.
    parked: Vec<Connection>,
    patience: Patience,
    acknowledges_at_once: bool,
    left_open: u32,
    unanswered: u32,
}

/// What a call came to.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status of the answer.
    pub status: Option<u16>,
    /// The response, where there was one.
    pub response: Option<Message>,
    /// The answer was read to its end.
    pub complete: bool,
    /// What came, in words.
    pub came: String,
    /// The session id that the answer carried.
    pub session_id: Option<String>,
    /// A connection that had been used before ended without a byte of an answer: most likely the target was
    /// closing it while we wrote.
    pub lost: bool,
}

impl Reply {
    fn of(exchange: &Exchange) -> Self {
        let session_id = exchange.answer.as_ref().and_then(|answer| answer.head.fields.get("mcp-session-id"));
        Self {
            status: exchange.status(),
            response: exchange.response().map(|received| received.message.clone()),
            complete: exchange.is_complete(),
            came: what_came(exchange),
            session_id: session_id.map(|field| field.text().into_owned()),
            lost: exchange.nth > 0 && exchange.first_byte.is_none() && matches!(exchange.ending, Ending::Cut(..)),
        }
    }

    /// The result, where the response is one.
    pub fn result(&self) -> Option<&Value> {
        self.response.as_ref().filter(|message| message.kind == MessageKind::Result)?.value.get("result")
    }

    /// What came, for a sentence: the error's text where there is one.
    pub fn outcome(&self) -> String {
        match self.response.as_ref().and_then(|message| Some((message.error_code()?, message))) {
            Some((code, message)) => {
                let text = shortened(message.value["error"]["message"].as_str().unwrap_or_default());
                format!("{} with error {code} ({text})", self.came)
            }
            None => self.came.clone(),
        }
    }
}

impl<'s> Session<'s> {
    /// A conversation in which nothing has been said.
    pub fn unopened(stage: &'s Stage) -> Self {
        Self {
            stage,
            id: None,
            next_request: Arc::new(AtomicU64::new(1)),
            connection: None,
            parked: Vec::new(),
            patience: Patience::Brief,
            acknowledges_at_once: false,
            left_open: 0,
            unanswered: 0,
        }
    }

    /// A conversation that is ready for requests: with the handshake behind it, where there is one.
    ///
    /// # Errors
    ///
    /// Where the target does not do its part of the handshake.
    pub fn open(stage: &'s Stage) -> Result<Self, Stop> {
        let mut session = Self::unopened(stage);
        if stage.revision.era() == Era::Legacy {
            session.handshake()?;
        }
        Ok(session)
    }

    /// The same conversation over connections of its own, for a thread beside.
    pub fn beside(&self) -> Self {
        let next_request = Arc::clone(&self.next_request);
        Self { id: self.id.clone(), next_request, ..Self::unopened(self.stage) }
    }

    /// The same conversation on another stage, with its habits.
    pub fn beside_on<'o>(&self, stage: &'o Stage) -> Session<'o> {
        Session {
            id: self.id.clone(),
            acknowledges_at_once: self.acknowledges_at_once,
            next_request: Arc::clone(&self.next_request),
            ..Session::unopened(stage)
        }
    }

    /// From here on, acknowledges whatever comes as soon as it is read: how long a call takes is not the question, and
    /// no last segment shall wait.
    pub fn acknowledging_at_once(mut self) -> Self {
        self.acknowledges_at_once = true;
        self.use_a_fresh_connection();
        self
    }

    /// From here on, waits for the end of streams as long as the grace says.
    pub fn patiently(mut self) -> Self {
        self.patience = Patience::Full;
        self
    }

    /// `initialize` and `notifications/initialized` (basic/lifecycle of the legacy revisions). Returns the
    /// reply to `initialize`.
    ///
    /// # Errors
    ///
    /// Where the target answers with anything but a result in the revision that was asked for.
    pub fn handshake(&mut self) -> Result<Reply, Stop> {
        let reply = self.initialize()?;
        let spoken = reply.result().and_then(|result| result.get("protocolVersion")).and_then(Value::as_str);
        match spoken {
            Some(spoken) if spoken == self.stage.revision.date() => {}
            Some(other) => {
                return Err(Stop::Answer(format!("`initialize` was answered with revision {}", shortened(other))));
            }
            None => return Err(Stop::Answer(format!("`initialize` was answered with {}", reply.outcome()))),
        }
        self.id.clone_from(&reply.session_id);
        self.notify("initialized", &Call::bare("notifications/initialized"))?;
        Ok(reply)
    }

    fn initialize(&mut self) -> Result<Reply, Stop> {
        let call = Call::with(
            "initialize",
            json!({
                "protocolVersion": self.stage.revision.date(),
                "capabilities": {"roots": {"listChanged": true}},
                "clientInfo": client_info(),
            }),
        );
        self.call("initialize", &call)
    }

    /// The session id, where the target granted one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The next request id, as JSON.
    pub fn next_id(&self) -> String {
        self.next_request.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Makes a call and waits for what comes of it: its response, and the end of its stream.
    ///
    /// # Errors
    ///
    /// Where the target cannot be reached, or somebody interrupts.
    pub fn call(&mut self, label: &str, call: &Call) -> Result<Reply, Stop> {
        let id = self.next_id();
        let reply = self.call_with_id(label, call, &id)?;
        if !reply.lost {
            return Ok(reply);
        }
        // As any client does; with a new id, since the first one may have been read.
        let id = self.next_id();
        self.call_with_id(label, call, &id)
    }

    /// Makes a call with this id (raw JSON).
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub fn call_with_id(&mut self, label: &str, call: &Call, id: &str) -> Result<Reply, Stop> {
        let ask = self.request(label, call, id);
        self.send(&ask)
    }

    /// Sends a notification.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub fn notify(&mut self, label: &str, call: &Call) -> Result<Reply, Stop> {
        let ask = self.dressed(Ask::post(label, call.message(self.stage.revision, None)), call);
        let reply = self.send(&ask)?;
        if reply.lost { self.send(&ask) } else { Ok(reply) }
    }

    /// The request that a call makes, with the header fields of the session and the revision.
    pub fn request(&self, label: &str, call: &Call, id: &str) -> Ask {
        self.dressed(Ask::post(label, call.message(self.stage.revision, Some(id))), call)
    }

    /// A request with the header fields that the revision wants for this call.
    pub fn dressed(&self, ask: Ask, call: &Call) -> Ask {
        let mut ask = if call.method == "initialize" { ask } else { self.with_session(ask) };
        if self.stage.revision.era() == Era::Modern {
            ask.fields.extend(call.mirrored());
        }
        ask
    }

    /// A request with the session id and the protocol version.
    pub fn with_session(&self, mut ask: Ask) -> Ask {
        if let Some(id) = &self.id {
            ask = ask.field("Mcp-Session-Id", id);
        }
        // 2025-03-26 has no such header.
        if self.stage.revision > Revision::R20250326 {
            ask = ask.field("MCP-Protocol-Version", self.stage.revision.date());
        }
        ask
    }

    /// Sends a request and waits for what comes of it; requests of the target on the stream are answered, and
    /// a stream that ends before its response is resumed where the target said how.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub fn send(&mut self, ask: &Ask) -> Result<Reply, Stop> {
        let mut connection = self.take_connection()?;
        self.stage.ask(&mut connection, ask);
        self.settle(&mut connection, self.patience)?;
        let Some(exchange) = connection.exchanges().last() else {
            return Err(Stop::Answer("the request could not be written".to_owned()));
        };
        let mut reply = Reply::of(exchange);
        let cursor = resumable(exchange);
        self.keep(connection, ask)?;
        if reply.response.is_none()
            && let Some((cursor, retry)) = cursor
            && self.stage.revision.is_legacy()
        {
            self.resume(&ask.label, cursor, retry, &mut reply)?;
        }
        Ok(reply)
    }

    /// Waits for the end of the answer to the last request, and answers meanwhile what the target asks of us on
    /// its stream: it may need that before it can go on.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub fn settle(&mut self, connection: &mut Connection, patience: Patience) -> Result<(), Stop> {
        let asked = Instant::now();
        let mut answered = 0;
        loop {
            let until = Until::End(patience);
            self.stage.settle_unless(connection, until, asked, |exchange| requests_in(exchange).count() > answered)?;
            let Some(request) = connection.exchanges().last().and_then(|last| requests_in(last).nth(answered).cloned())
            else {
                return Ok(());
            };
            self.answer(&request)?;
            answered += 1;
        }
    }

    /// The connection for the next request: the last one, where it can still be used.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub fn take_connection(&mut self) -> Result<Connection, Stop> {
        if let Some(mut connection) = self.connection.take() {
            // A FIN that is there already is seen before we write, as any careful client would.
            connection.glance();
            if connection.ended().is_none() {
                return Ok(connection);
            }
            connection.close();
        }
        let mut connection = self.stage.connect()?;
        if self.acknowledges_at_once {
            connection.acknowledge_at_once();
        }
        Ok(connection)
    }

    /// Puts the connection back over which this was asked, if it can be used again.
    ///
    /// # Errors
    ///
    /// Where too many streams have been left open, or too many requests unanswered.
    pub fn keep(&mut self, connection: Connection, ask: &Ask) -> Result<(), Stop> {
        let Some(exchange) = connection.exchanges().last() else { return Ok(()) };
        let in_vain = was_in_vain(ask, exchange);
        match exchange.ending {
            Ending::Complete(_) if !exchange.close_is_announced() && connection.ended().is_none() => {
                self.connection = Some(connection);
            }
            Ending::Open { .. } if in_vain => self.parked.push(connection),
            Ending::Open { .. } => {
                self.left_open += 1;
                self.parked.push(connection);
                // Three are enough to judge, and each costs the whole grace.
                if self.patience == Patience::Full && self.left_open >= 3 {
                    return Err(Stop::LeftOpen(self.left_open));
                }
            }
            _ => connection.close(),
        }
        match in_vain {
            true => self.count_unanswered(),
            false => {
                self.stage.unanswered.answered();
                Ok(())
            }
        }
    }

    fn count_unanswered(&mut self) -> Result<(), Stop> {
        self.stage.unanswered.count();
        self.unanswered += 1;
        match self.unanswered < UNANSWERED {
            true => Ok(()),
            false => Err(Stop::Unanswered(self.unanswered)),
        }
    }

    /// Gives up the connection that requests go over, so that the next one opens another.
    pub fn use_a_fresh_connection(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close();
        }
    }

    /// Closes every connection: what the target still holds is its own affair.
    pub fn hang_up(&mut self) {
        self.use_a_fresh_connection();
        self.parked.clear();
    }

    /// Answers a request of the target's, as a client without features does.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub fn answer(&mut self, request: &Message) -> Result<(), Stop> {
        let id = &request.id;
        let text = match request.method() {
            Some("ping") => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
            Some("roots/list") => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[]}}}}"#),
            _ => format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"mcpwire offers no such feature"}}}}"#
            ),
        };
        let ask = self.with_session(Ask::post("answer-to-the-server", text));
        let mut connection = self.take_connection()?;
        self.stage.ask(&mut connection, &ask);
        self.stage.settle(&mut connection, Until::End(Patience::Brief))?;
        self.keep(connection, &ask)
    }

    /// Resumes a stream by GET with `Last-Event-ID`, as often as it takes and as the bounds allow.
    fn resume(&mut self, label: &str, cursor: String, retry: Duration, reply: &mut Reply) -> Result<(), Stop> {
        let (mut cursor, mut retry) = (cursor, retry);
        let label = format!("{label}-resumed");
        let deadline = Instant::now() + self.stage.options.timeout;
        for _ in 0..RESUMPTIONS {
            if retry > LONGEST_RETRY {
                return Ok(());
            }
            self.stage.pause(retry)?;
            let ask = self.with_session(Ask::get(&label)).field("Last-Event-ID", &cursor);
            let mut connection = self.take_connection()?;
            self.stage.ask(&mut connection, &ask);
            self.settle(&mut connection, self.patience)?;
            let Some(exchange) = connection.exchanges().last() else { return Ok(()) };
            let now = Reply::of(exchange);
            let next = resumable(exchange);
            self.keep(connection, &ask)?;
            if now.response.is_some() {
                reply.response = now.response;
                reply.complete = now.complete;
                return Ok(());
            }
            match next {
                Some(next) if Instant::now() < deadline => (cursor, retry) = next,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    /// Reads what still comes on the connections whose streams were left open, for that long.
    ///
    /// # Errors
    ///
    /// Where somebody interrupts.
    pub fn linger(&mut self, patience: Duration) -> Result<(), Stop> {
        let deadline = Instant::now() + patience;
        for connection in self.parked.iter_mut().chain(self.connection.as_mut()) {
            // A target that keeps sending never lets a wait time out.
            while connection.wait(deadline) == Wait::Bytes && Instant::now() < deadline {}
            if self.stage.interrupt.is_set() {
                return Err(Stop::Interrupted);
            }
        }
        Ok(())
    }

    /// Ends the session where there is one: a careful client leaves nothing behind. What comes of it is not
    /// asked.
    pub fn close(mut self) {
        if self.id.is_none() || self.stage.interrupt.is_set() {
            return;
        }
        let ask = self.with_session(Ask::bare("DELETE", "goodbye"));
        if let Ok(mut connection) = self.take_connection() {
            self.stage.ask(&mut connection, &ask);
            let _ = self.stage.settle(&mut connection, Until::EndWithin(GOODBYE));
            connection.close();
        }
    }

    /// The stage.
    pub fn stage(&self) -> &'s Stage {
        self.stage
    }

    /// A request in a part of a control pair. Where it was lost with its connection, it is made afresh, with another
    /// id, and the last try counts.
    pub fn probe(&mut self, part: Part, ask: impl Fn(&Self) -> Ask) -> Result<Reply, Stop> {
        let first = ask(self).part(part);
        let reply = self.send(&first)?;
        if !reply.lost {
            return Ok(reply);
        }
        let second = ask(self).part(part);
        self.send(&second)
    }
}

/// How long the answer to the last DELETE is waited for.
const GOODBYE: Duration = Duration::from_millis(30);

/// Whether an answer was waited for as long as it goes, and did not come: no head, or no response in it.
fn was_in_vain(ask: &Ask, exchange: &Exchange) -> bool {
    matches!(exchange.ending, Ending::Open { .. })
        && (exchange.answer.is_none() || exchange.response().is_none() && ask.wants_response())
}

/// So many requests on one stream are answered: a hostile target asks for ever.
const ANSWERED: usize = 16;

/// The target's own requests on a stream (legacy revisions).
pub fn requests_in(exchange: &Exchange) -> impl Iterator<Item = &Message> {
    let requests = exchange.messages().iter().filter(|received| received.message.kind == MessageKind::Request);
    requests.map(|received| &received.message).take(ANSWERED)
}

/// Where and when a stream that ended without its response can be resumed.
fn resumable(exchange: &Exchange) -> Option<(String, Duration)> {
    let stream = exchange.answer.as_ref()?.stream.as_ref()?;
    if exchange.response().is_some() || matches!(exchange.ending, Ending::Open { .. }) {
        return None;
    }
    let retry = stream.retry().map_or(Duration::from_millis(100), Duration::from_millis);
    Some((stream.last_event_id()?.to_owned(), retry))
}

/// As much of a target's own words as a sentence can bear.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 120;
    let words: String = text.chars().take(SHOWN).collect();
    if words.len() < text.len() { words + "…" } else { words }
}
