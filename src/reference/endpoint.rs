//! What the server asks of a request in every revision, before it matters which one it is.

use std::io;
use std::sync::Arc;

use serde_json::json;

use crate::codec::http1::Fields;

use super::answer::Head;
use super::connection::Connection;
use super::inbox::Request;
use super::message::{self, Error, Id, Malformed, Message, Outcome, Payload};
use super::revision::Revision;
use super::server::Server;
use super::{Fault, Variant, legacy, modern};

/// Why a request is not answered: the status, and what the body says.
pub(super) struct Refusal {
    pub(super) status: u16,
    error: Error,
}

impl Refusal {
    /// Of a request that is wrong in a way for which JSON-RPC has no code of its own.
    pub(super) fn new(status: u16, why: &str) -> Refusal {
        Refusal::with(status, Error::new(Error::INVALID_REQUEST, why))
    }

    pub(super) fn with(status: u16, error: Error) -> Refusal {
        Refusal { status, error }
    }

    /// Answers the request, with its id if it can be read.
    pub(super) fn send(self, id: Option<&Id>, connection: &mut Connection) -> io::Result<()> {
        let text = message::response(id, &Outcome::Error(self.error), &connection.server);
        connection.json(Head::new(self.status), &text)
    }
}

/// Answers a request.
pub(super) fn answer(request: &Request, connection: &mut Connection) -> io::Result<()> {
    let fields = &request.head.fields;
    if !fields.all("origin").all(|origin| is_local(&origin.text())) {
        return Refusal::new(403, "this origin is not allowed").send(None, connection);
    }
    if request.head.version >= (1, 1) && fields.all("host").count() != 1 {
        return Refusal::new(400, "a request has exactly one `Host` field").send(None, connection);
    }
    if path(&request.head.target) != connection.server.path() {
        return connection.empty(Head::new(404));
    }
    let server = Arc::clone(&connection.server);
    let allowed = allowed(fields, &server);
    match request.head.method.as_str() {
        "GET" if server.has(Fault::GetNotFound) => connection.empty(Head::new(404)),
        "GET" if server.has(Fault::GetAnswersJson) && speaks_modern(fields, &server) => {
            connection.json(Head::new(200), &server.info().to_string())
        }
        method if !allowed.contains(&method) => connection.empty(Head::new(405).with("Allow", allowed.join(", "))),
        "GET" => legacy::get(fields, connection),
        "DELETE" => legacy::delete(fields, connection),
        _ => post(request, connection),
    }
}

/// Answers something that is no HTTP request, or too large a one.
pub(super) fn refuse_unread(status: u16, connection: &mut Connection) -> io::Result<()> {
    connection.empty(Head::new(status))
}

fn post(request: &Request, connection: &mut Connection) -> io::Result<()> {
    let fields = &request.head.fields;
    if !["application/json", "text/event-stream"].iter().all(|media_type| accepts(fields, media_type)) {
        return Refusal::new(406, "accept both application/json and text/event-stream").send(None, connection);
    }
    if !is_json(fields) {
        return Refusal::new(415, "the content type is not application/json").send(None, connection);
    }
    let server = Arc::clone(&connection.server);
    let _turn = server.has(Fault::OneAtATime).then(|| server.turn());
    if server.is_starting_over() {
        return connection.empty(Head::new(500));
    }
    match Payload::parse(&request.body) {
        Err(malformed) => refuse_malformed(malformed, fields, connection),
        Ok(payload) if is_modern(fields, &payload, &connection.server) => modern::post(payload, fields, connection),
        Ok(payload) => legacy::post(payload, fields, connection),
    }
}

/// Refuses what cannot be read as a message (JSON-RPC 2.0, section 5.1).
fn refuse_malformed(malformed: Malformed, fields: &Fields, connection: &mut Connection) -> io::Result<()> {
    let server = Arc::clone(&connection.server);
    if server.has(Fault::MalformedAccepted) {
        return connection.accepted(Head::new(202));
    }
    if server.has(Fault::MalformedAnswered) {
        return connection.json(Head::new(200), r#"{"jsonrpc":"2.0","id":0,"result":{}}"#);
    }
    if server.has(Fault::MalformedIsFatal) {
        if speaks_modern(fields, &server) {
            server.poison();
        } else if let Ok(session) = legacy::session_of(fields, &server) {
            session.poison();
        }
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    Refusal::with(400, malformed.error).send(malformed.id.as_ref(), connection)
}

/// What is said to a method that the server does not have.
pub(super) fn unknown_method(method: &str, server: &Server) -> Outcome {
    if server.has(Fault::UnknownMethodSucceeds) {
        return Outcome::Result(json!({}));
    }
    let is_confused = server.has(Fault::UnknownMethodWrongCode);
    let code = if is_confused { Error::INTERNAL } else { Error::METHOD_NOT_FOUND };
    Outcome::Error(Error::new(code, format!("unknown method: {method}")))
}

/// The methods that the endpoint has for a client of this era.
fn allowed(fields: &Fields, server: &Server) -> Vec<&'static str> {
    let is_without = |refusing| server.plays(refusing) || server.plays(Variant::Stateless);
    let mut methods = vec!["POST"];
    if speaks_modern(fields, server) {
        return methods;
    }
    if !is_without(Variant::Get405) {
        methods.push("GET");
    }
    if !is_without(Variant::Delete405) {
        methods.push("DELETE");
    }
    methods
}

/// Whether the body or, where it does not say, the header asks for the modern revision (2026-07-28, "Backward
/// Compatibility with Initialization-Based Versions").
fn is_modern(fields: &Fields, payload: &Payload, server: &Server) -> bool {
    let params = match payload {
        Payload::Single(Message::Request(request)) => Some(&request.params),
        Payload::Single(Message::Notification(notification)) => Some(&notification.params),
        _ => None,
    };
    let names_version = params.is_some_and(|params| params.at(&["_meta", modern::VERSION]).is_some());
    speaks_modern(fields, server) || names_version && !server.plays(Variant::LegacyOnly)
}

fn speaks_modern(fields: &Fields, server: &Server) -> bool {
    let modern = Revision::July2026.date().as_bytes();
    server.plays(Variant::ModernOnly)
        || fields.all("mcp-protocol-version").any(|version| version.value == modern)
            && !server.plays(Variant::LegacyOnly)
}

/// Whether a web page of this origin may talk to a server on this machine. Anyone else's page may not: it is how DNS
/// rebinding looks from here.
fn is_local(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| host.eq_ignore_ascii_case(local))
}

/// The path of a request target, which may be a whole URL (RFC 9112, section 3.2.2).
fn path(target: &str) -> &str {
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    };
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// Whether the client takes this media type.
pub(super) fn accepts(fields: &Fields, media_type: &str) -> bool {
    let any_subtype = media_type.split_once('/').map(|(main, _)| format!("{main}/*")).unwrap_or_default();
    fields.list("accept").iter().any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default();
        let is_refused = parts.any(|part| {
            part.strip_prefix("q=").is_some_and(|quality| quality.parse::<f32>().is_ok_and(|quality| quality == 0.0))
        });
        !is_refused && (range == media_type || range == any_subtype || range == "*/*")
    })
}

fn is_json(fields: &Fields) -> bool {
    let content_type = fields.text("content-type").unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}
