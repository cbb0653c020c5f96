//! The revisions 2025-03-26, 2025-06-18 and 2025-11-25: a handshake, sessions, a stream for the server's own messages.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::codec::http1::Fields;

use super::answer::Head;
use super::channel::{CalledOff, Channel, Sink};
use super::connection::Connection;
use super::endpoint::{Refusal, accepts, unknown_method};
use super::event_store::{Cursor, Next};
use super::event_stream::{Event, EventStream};
use super::message::{self, Error, Id, Malformed, Message, Notification, Outcome, Payload, Request};
use super::revision::Revision;
use super::server::{GLANCE, Server};
use super::session::{self, Session};
use super::tools::{self, Stopped};
use super::{Fault, Variant};

/// The milliseconds that a client shall wait before it polls.
const POLL_AFTER: u32 = 20;

/// How long a new GET waits for its place: a client that reconnects can be faster than the news that its old stream
/// has gone.
const NEWS: Duration = Duration::from_millis(50);

/// How long a GET stream is silent before its server, if it does so at all, shows that it is there.
const KEEP_ALIVE: Duration = Duration::from_millis(1_200);

/// How often a task that nobody reaps looks whether the server closes: there may be hundreds of them.
const FORGETFUL: Duration = Duration::from_millis(500);

/// Answers a POST.
pub(super) fn post(payload: Payload, fields: &Fields, connection: &mut Connection) -> io::Result<()> {
    if let Payload::Single(Message::Request(request)) = &payload
        && request.method == "initialize"
    {
        return initialize(request, fields, connection);
    }
    let session = match session_of(fields, &connection.server) {
        Ok(session) => session,
        Err(refusal) => return refusal.send(payload.id(), connection),
    };
    if session.is_poisoned() {
        return internal_error().send(payload.id(), connection);
    }
    match payload {
        Payload::Single(Message::Request(request)) => answer(request, &session, connection),
        Payload::Single(Message::Notification(notification)) => {
            take_note(&notification, &session, &connection.server);
            connection.accepted(head(202, connection))
        }
        Payload::Single(Message::Response) => connection.accepted(head(202, connection)),
        Payload::Batch(elements) if session.revision == Revision::March2025 => {
            answer_batch(elements, &session, connection)
        }
        Payload::Batch(_) => Refusal::new(400, "this revision has no batches").send(None, connection),
    }
}

/// The session of a request (2025-11-25, "Session Management"), which also has to name a version that exists
/// ("Protocol Version Header").
pub(super) fn session_of(fields: &Fields, server: &Server) -> Result<Arc<Session>, Refusal> {
    if server.plays(Variant::Stateless) {
        // Who does not name a version speaks the one that did not know how to.
        let revision = version_of(fields)?.unwrap_or(Revision::March2025);
        return Ok(Arc::new(Session::new(revision, Arc::clone(&server.stateless_events))));
    }
    let Some(id) = fields.get("mcp-session-id") else {
        return Err(if server.has(Fault::MissingSessionNotFound) {
            no_such_session()
        } else if server.has(Fault::MissingSessionFails) {
            internal_error()
        } else {
            Refusal::new(400, "`Mcp-Session-Id` is missing")
        });
    };
    let session = match server.sessions.find(&id.value) {
        None if server.has(Fault::UnknownSessionOpens) => {
            let revision = version_of(fields)?.unwrap_or(Revision::March2025);
            server.sessions.open(id.value.clone(), revision)
        }
        found => found.ok_or_else(no_such_session)?,
    };
    // The first revision does not have the header, so there it means nothing.
    if session.revision > Revision::March2025 {
        version_of(fields)?;
    }
    Ok(session)
}

fn no_such_session() -> Refusal {
    Refusal::new(404, "there is no such session")
}

fn internal_error() -> Refusal {
    Refusal::with(500, Error::new(Error::INTERNAL, "internal error"))
}

/// The version that the header names; `None` without a header.
fn version_of(fields: &Fields) -> Result<Option<Revision>, Refusal> {
    let Some(version) = fields.text("mcp-protocol-version") else { return Ok(None) };
    match Revision::legacy(&version) {
        Some(revision) => Ok(Some(revision)),
        None => Err(Refusal::new(400, "`MCP-Protocol-Version` names no version that this server speaks")),
    }
}

/// The head of an answer within a session. The session id is given once, with the answer to `initialize`.
fn head(status: u16, connection: &Connection) -> Head {
    let head = Head::new(status);
    let is_stamped = connection.server.has(Fault::SessionIdChanges);
    if is_stamped { head.with("Mcp-Session-Id", session::random_id()) } else { head }
}

fn initialize(request: &Request, fields: &Fields, connection: &mut Connection) -> io::Result<()> {
    let server = Arc::clone(&connection.server);
    let is_stateless = server.plays(Variant::Stateless);
    let refusal = match fields.get("mcp-session-id") {
        Some(id) if !is_stateless => Some(match server.sessions.find(&id.value) {
            Some(_) => Refusal::new(400, "this session is already initialized"),
            None => no_such_session(),
        }),
        _ => version_of(fields).err(),
    };
    if let Some(refusal) = refusal {
        return refusal.send(Some(&request.id), connection);
    }

    let params = &request.params;
    let requested = params.string(&["protocolVersion"]);
    let is_complete = params.has_object(&["capabilities"]) && params.has_object(&["clientInfo"]);
    // A version that nobody knows is answered with the latest that has a handshake ("Version Negotiation").
    let revision = requested.as_deref().and_then(Revision::legacy).unwrap_or(Revision::November2025);
    let outcome = match requested {
        Some(_) if is_complete => Outcome::Result(json!({
            "protocolVersion": revision.date(),
            "capabilities": server.capabilities(),
            "serverInfo": server.info(),
        })),
        _ => {
            let why = "`initialize` takes `protocolVersion`, `capabilities` and `clientInfo`";
            Outcome::Error(Error::new(Error::INVALID_PARAMS, why))
        }
    };

    let is_granted = matches!(outcome, Outcome::Result(_)) || server.has(Fault::SessionOnFailedInitialize);
    let mut head = Head::new(200);
    if is_granted && !is_stateless {
        let id = session_id(&server);
        server.sessions.open(id.clone(), revision);
        if server.has(Fault::TaskNeverReaped) {
            server.spawn({
                let server = Arc::clone(&server);
                move || {
                    while !server.is_closing() {
                        thread::sleep(FORGETFUL);
                    }
                }
            })?;
        }
        head = head.with("Mcp-Session-Id", id);
    }
    let response = message::response(Some(&request.id), &outcome, &server);
    connection.json(head, &response)
}

/// A new session id: visible ASCII and nothing else ("Session Management", 1).
fn session_id(server: &Server) -> Vec<u8> {
    let random = session::random_id();
    if server.has(Fault::SessionIdWithSpace) {
        format!("session {random}").into()
    } else if server.has(Fault::SessionIdNotAscii) {
        format!("gültig-{random}").into()
    } else {
        random.into()
    }
}

/// Works on a request. Short answers are JSON, the others are streams: every client has to understand both.
fn answer(request: Request, session: &Arc<Session>, connection: &mut Connection) -> io::Result<()> {
    let server = Arc::clone(&connection.server);
    if server.has(Fault::UnknownMethodDisconnects) && !knows(&request.method, &server) {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let head = head(200, connection);
    if request.method == "tools/list" || server.plays(Variant::JsonAnswers) {
        return work(&request, channel(&request, session, Sink::Json(head, connection), &server));
    }

    connection.begin_call();
    let mut channel = channel(&request, session, Sink::Stream(EventStream::begin(connection, head)), &server);
    if server.plays(Variant::NoEventIds) {
        return work(&request, channel);
    }
    channel.log = Some(session.events.open(server.habits()));
    if session.revision < Revision::November2025 {
        return work(&request, channel);
    }
    if !server.offers_polling() {
        channel.prime(None);
        return work(&request, channel);
    }
    channel.prime(Some(POLL_AFTER));
    let (channel, ended) = channel.detach();
    server.spawn(move || drop(work(&request, channel)))?;
    ended
}

fn channel<'c>(request: &Request, session: &Arc<Session>, sink: Sink<'c>, server: &Arc<Server>) -> Channel<'c> {
    let mut channel = Channel::new(server, CalledOff::ByNotification, sink);
    channel.session = Some(Arc::clone(session));
    channel.enter(request, &session.in_flight);
    channel
}

fn work(request: &Request, mut channel: Channel<'_>) -> io::Result<()> {
    match run(request, &mut channel) {
        Ok(outcome) => channel.respond(&request.id, &outcome),
        Err(Stopped) => channel.end_called_off(),
    }
}

fn run(request: &Request, channel: &mut Channel<'_>) -> Result<Outcome, Stopped> {
    let method = request.method.as_str();
    match method {
        _ if !knows(method, &channel.server) => Ok(unknown_method(method, &channel.server)),
        "tools/list" => Ok(Outcome::Result(json!({ "tools": tools::list() }))),
        "tools/call" => tools::call(&request.params, channel),
        _ => Ok(Outcome::Result(json!({}))),
    }
}

fn knows(method: &str, server: &Server) -> bool {
    match method {
        "ping" => true,
        "tools/list" | "tools/call" => server.has_tools(),
        _ => false,
    }
}

fn take_note(notification: &Notification, session: &Session, server: &Server) {
    if notification.method == "notifications/cancelled"
        && let Some(id) = notification.params.at(&["requestId"]).and_then(|id| Id::parse(&id))
    {
        session.in_flight.cancel(id.key(server));
    }
}

/// Works through a batch, and answers its requests together (2025-03-26, "Batching").
fn answer_batch(
    elements: Vec<Result<Message, Malformed>>,
    session: &Arc<Session>,
    connection: &mut Connection,
) -> io::Result<()> {
    let server = Arc::clone(&connection.server);
    let status = if elements.iter().any(Result::is_ok) { 200 } else { 400 };
    let mut responses = Vec::new();
    for element in elements {
        match element {
            Ok(Message::Request(request)) if request.method == "initialize" => {
                let error = Error::new(Error::INVALID_REQUEST, "a batch cannot initialize");
                responses.push(message::response(Some(&request.id), &Outcome::Error(error), &server));
            }
            Ok(Message::Request(request)) => {
                if let Ok(outcome) = run(&request, &mut channel(&request, session, Sink::Nobody, &server)) {
                    responses.push(message::response(Some(&request.id), &outcome, &server));
                }
            }
            Ok(Message::Notification(notification)) => take_note(&notification, session, &server),
            Ok(Message::Response) => {}
            Err(malformed) => {
                let outcome = Outcome::Error(malformed.error);
                responses.push(message::response(malformed.id.as_ref(), &outcome, &server));
            }
        }
    }
    if responses.is_empty() {
        return connection.accepted(head(202, connection));
    }
    connection.json(head(status, connection), &format!("[{}]", responses.join(",")))
}

/// Answers a GET: with the rest of a stream that was lost, or with the stream of the session's own messages.
pub(super) fn get(fields: &Fields, connection: &mut Connection) -> io::Result<()> {
    let session = match living_session_of(fields, &connection.server) {
        Ok(session) => session,
        Err(refusal) => return refusal.send(None, connection),
    };
    if !accepts(fields, "text/event-stream") {
        return Refusal::new(406, "accept text/event-stream").send(None, connection);
    }
    if connection.server.has(Fault::GetAnswersJson) {
        let info = connection.server.info().to_string();
        return connection.json(head(200, connection), &info);
    }
    let server = &connection.server;
    let last = fields.text("last-event-id").filter(|_| !server.has(Fault::LastEventIdForgotten));
    let lost = last.as_ref().and_then(|id| session.events.after(id, server.habits()));
    match (last, lost) {
        (_, Some(cursor)) => resume(cursor, &session, connection),
        (Some(_), None) if server.plays(Variant::UnknownEventIdRefused) => {
            Refusal::new(400, "`Last-Event-ID` names no event that is kept").send(None, connection)
        }
        // An id whose stream is no longer kept cannot be honoured, and need not be.
        _ => listen(&session, connection),
    }
}

fn resume(mut cursor: Cursor, session: &Session, connection: &mut Connection) -> io::Result<()> {
    let server = Arc::clone(&connection.server);
    let mut stream = EventStream::begin_live(connection, head(200, connection));
    stream.flush();
    let never_ends = server.has(Fault::ReplayNeverEnds) && session.events.has_ended(&cursor);
    if server.has(Fault::ReplaySkipsOne) {
        session.events.next(&mut cursor, GLANCE);
    }
    if server.has(Fault::ReplayStartsTooEarly) {
        cursor.step_back();
    }
    if server.has(Fault::ReplayOfAllStreams) {
        for (id, data) in session.events.of_others(&cursor) {
            stream.send(&Event { id: Some(&id), data: &data, ..Event::default() });
        }
    }
    let mut kept = Vec::new();
    while !server.is_closing() && !session.has_ended() && !stream.client_has_gone() {
        match session.events.next(&mut cursor, GLANCE) {
            Next::Event { id, data } if server.has(Fault::ReplayReversed) => kept.push((id, data)),
            Next::Event { id, data } => stream.send(&Event { id: Some(&id), data: &data, ..Event::default() }),
            Next::Nothing => {}
            Next::End if never_ends => thread::sleep(GLANCE),
            Next::End => break,
        }
    }
    for (id, data) in kept.iter().rev() {
        stream.send(&Event { id: Some(id), data, ..Event::default() });
    }
    stream.end()
}

fn listen(session: &Session, connection: &mut Connection) -> io::Result<()> {
    let server = Arc::clone(&connection.server);
    let messages = session.listen().or_else(|| {
        thread::sleep(NEWS);
        session.listen()
    });
    let Some(messages) = messages else {
        return Refusal::new(409, "this session already has a stream").send(None, connection);
    };

    let mut log = (!server.plays(Variant::NoEventIds)).then(|| session.events.open(server.habits()));
    let mut stream = EventStream::begin_live(connection, head(200, connection));
    let holds_back = server.has(Fault::GetHeadHeldBack);
    if !holds_back {
        match &mut log {
            // A stream that is lost before it carried anything can be resumed as well.
            Some(log) if session.revision >= Revision::November2025 => {
                stream.send(&Event { id: Some(&log.record("")), ..Event::default() });
            }
            _ => stream.flush(),
        }
    }
    let mut silent_since = Instant::now();
    while !server.is_closing() && !stream.client_has_gone() {
        match messages.recv_timeout(GLANCE) {
            Ok(message) => {
                let id = log.as_mut().map(|log| log.record(&message));
                stream.send(&Event { id: id.as_deref(), data: &message, ..Event::default() });
            }
            Err(RecvTimeoutError::Timeout) => {
                if holds_back && silent_since.elapsed() >= KEEP_ALIVE {
                    stream.comment("keep-alive");
                    silent_since = Instant::now();
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    session.stop_listening();
    stream.end()
}

/// Answers a DELETE: the session ends ("Session Management", 5).
pub(super) fn delete(fields: &Fields, connection: &mut Connection) -> io::Result<()> {
    let server = Arc::clone(&connection.server);
    if server.has(Fault::DeleteEndsAll) {
        server.sessions.cancel_all();
    }
    match living_session_of(fields, &connection.server) {
        Ok(session) if server.has(Fault::SessionSurvivesDelete) => session.end(),
        Ok(_) => {
            if let Some(id) = fields.get("mcp-session-id") {
                server.sessions.end(&id.value);
            }
        }
        Err(Refusal { status: 404, .. }) if server.has(Fault::DeleteAlwaysSucceeds) => {}
        Err(refusal) => return refusal.send(None, connection),
    }
    connection.empty(head(200, connection))
}

fn living_session_of(fields: &Fields, server: &Server) -> Result<Arc<Session>, Refusal> {
    let session = session_of(fields, server)?;
    if session.has_ended() { Err(no_such_session()) } else { Ok(session) }
}
