//! Revision 2026-07-28: no handshake, no sessions; what the server has to know is in each request.

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::codec::http1::Fields;

use super::answer::Head;
use super::channel::{CalledOff, Channel, Sink};
use super::connection::Connection;
use super::endpoint::{Refusal, unknown_method};
use super::event_stream::EventStream;
use super::message::{self, Error, Message, Outcome, Payload, Request};
use super::revision::Revision;
use super::server::Server;
use super::tools::{self, Stopped};
use super::{Fault, Variant};

/// The keys of `_meta` that the protocol reserves (2026-07-28, "General fields").
pub(super) const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// How long a client may keep a list or the discovery: neither changes while the server runs.
const TIME_TO_LIVE_MS: u64 = 3_600_000;

/// Answers a POST.
pub(super) fn post(payload: Payload, fields: &Fields, connection: &mut Connection) -> io::Result<()> {
    let request = match payload {
        Payload::Single(Message::Request(request)) => request,
        Payload::Single(Message::Notification(_)) => return connection.accepted(Head::new(202)),
        Payload::Single(Message::Response) | Payload::Batch(_) => {
            return Refusal::new(400, "the body is one request or one notification").send(None, connection);
        }
    };
    let server = Arc::clone(&connection.server);
    if server.is_poisoned() {
        let error = Error::new(Error::INTERNAL, "internal error");
        return Refusal::with(500, error).send(Some(&request.id), connection);
    }
    if let Err(error) = validate(&request, fields, &server) {
        return Refusal::with(400, error).send(Some(&request.id), connection);
    }
    if server.has(Fault::RequestIdKept) && !connection.ids.insert(request.id.key(&server).to_owned()) {
        return Refusal::new(400, "this request id is in use").send(Some(&request.id), connection);
    }
    if server.has(Fault::LastEventIdResumes) && fields.get("last-event-id").is_some() {
        return EventStream::begin(connection, Head::new(200)).end();
    }
    match request.method.as_str() {
        "server/discover" => answer_json(&request, &discover(&server), connection),
        "tools/list" if server.has_tools() => {
            answer_json(&request, &cacheable(json!({ "tools": tools::list() }), &server), connection)
        }
        "tools/call" if server.has_tools() => call(&request, connection),
        _ if server.has(Fault::UnknownMethodDisconnects) => Err(io::ErrorKind::ConnectionAborted.into()),
        method => match unknown_method(method, &server) {
            Outcome::Result(result) => answer_json(&request, &complete(result, &server), connection),
            Outcome::Error(error) => Refusal::with(404, error).send(Some(&request.id), connection),
        },
    }
}

/// Whether headers and body say the same, and all that they have to (2026-07-28, "Request Metadata", "`_meta`").
fn validate(request: &Request, fields: &Fields, server: &Server) -> Result<(), Error> {
    let malformed = |key| Error::new(Error::INVALID_PARAMS, format!("`_meta` lacks `{key}`"));

    let Some(version) = request.params.string(&["_meta", VERSION]) else {
        let is_lost = request.method == "initialize" && server.plays(Variant::ModernOnly);
        return Err(if is_lost { era_mismatch(server) } else { malformed(VERSION) });
    };
    mirrors(fields, "MCP-Protocol-Version", &version)?;
    if version != Revision::July2026.date() {
        let supported = json!({ "supported": server.versions(), "requested": version });
        return Err(Error::new(Error::UNSUPPORTED_VERSION, "unsupported protocol version").with(supported));
    }
    if !request.params.has_object(&["_meta", CLIENT_CAPABILITIES]) {
        return Err(malformed(CLIENT_CAPABILITIES));
    }
    mirrors(fields, "Mcp-Method", &request.method)?;
    if request.method == "tools/call" {
        let name = request.params.string(&["name"]).unwrap_or_default();
        mirrors(fields, "Mcp-Name", &name)?;
    }
    Ok(())
}

/// What a server without a handshake says to one: for a legacy client this is the only hint at what is wrong
/// (2026-07-28, "Backward Compatibility with Initialization-Based Versions").
fn era_mismatch(server: &Server) -> Error {
    let why = format!("header mismatch: this server speaks {} and has no handshake", Revision::July2026.date());
    Error::new(Error::HEADER_MISMATCH, why).with(json!({ "supported": server.versions() }))
}

/// Whether a header is there once and repeats what the body says.
fn mirrors(fields: &Fields, name: &str, expected: &str) -> Result<(), Error> {
    let mismatch = |why| Error::new(Error::HEADER_MISMATCH, format!("header mismatch: `{name}` {why}"));
    let mut values = fields.all(name).map(|field| field.value.as_slice());
    let (value, None) = (values.next().ok_or_else(|| mismatch("is missing"))?, values.next()) else {
        return Err(mismatch("is there more than once"));
    };
    let value = match encoded(value) {
        Some(encoded) => base64(encoded).ok_or_else(|| mismatch("is not Base64"))?,
        None => value.to_vec(),
    };
    if value == expected.as_bytes() { Ok(()) } else { Err(mismatch("is not what the body says")) }
}

/// What stands between the marks of a value that could not be sent as it is (2026-07-28, "Value Encoding").
fn encoded(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(b"=?base64?")?.strip_suffix(b"?=")
}

/// Decodes the standard alphabet of RFC 4648, section 4, with its padding.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for digit in digits {
        let digit = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (bits, held) = ((bits << 6 | u32::from(digit)) & 0xffff, held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

fn answer_json(request: &Request, outcome: &Outcome, connection: &mut Connection) -> io::Result<()> {
    let response = message::response(Some(&request.id), outcome, &connection.server);
    connection.json(Head::new(200), &response)
}

fn call(request: &Request, connection: &mut Connection) -> io::Result<()> {
    let server = Arc::clone(&connection.server);
    connection.begin_call();
    let sink = if server.plays(Variant::JsonAnswers) {
        Sink::Json(Head::new(200), connection)
    } else {
        Sink::Stream(open_stream(connection))
    };
    let mut channel = Channel::new(&server, CalledOff::ByDisconnect, sink);
    channel.enter(request, &server.in_flight);
    match tools::call(&request.params, &mut channel) {
        Ok(Outcome::Result(result)) => channel.respond(&request.id, &complete(result, &server)),
        Ok(error) => channel.respond(&request.id, &error),
        Err(Stopped) => channel.end_called_off(),
    }
}

fn open_stream(connection: &mut Connection) -> EventStream<'_> {
    // Without this hint a proxy may hold the events back until there are enough of them ("Receiving Messages").
    let mut stream = EventStream::begin(connection, Head::new(200).with("X-Accel-Buffering", "no"));
    stream.flush();
    stream
}

fn discover(server: &Server) -> Outcome {
    cacheable(json!({ "supportedVersions": server.versions(), "capabilities": server.capabilities() }), server)
}

/// A result with the caching hints that discovery and lists must carry (2026-07-28, "Caching").
fn cacheable(mut result: Value, server: &Server) -> Outcome {
    result["ttlMs"] = TIME_TO_LIVE_MS.into();
    result["cacheScope"] = "public".into();
    complete(result, server)
}

/// A result with what every one of them carries.
fn complete(mut result: Value, server: &Server) -> Outcome {
    result["resultType"] = "complete".into();
    result["_meta"] = json!({ SERVER_INFO: server.info() });
    Outcome::Result(result)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_as_in_the_specification() {
        let decoded = |text: &str| base64(text.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
        assert_eq!(decoded("SGVsbG8sIOS4lueVjA==").as_deref(), Some("Hello, 世界"));
        assert_eq!(decoded("IHBhZGRlZCA=").as_deref(), Some(" padded "));
        assert_eq!(decoded("bGluZTEKbGluZTI=").as_deref(), Some("line1\nline2"));
        assert_eq!(decoded("").as_deref(), Some(""));
        assert_eq!(decoded("SGVsbG8"), None);
        assert_eq!(decoded("SGVs_G8="), None);
    }
}
