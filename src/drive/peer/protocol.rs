//! What a strictly conforming server answers where the scenario has nothing else in mind.

use std::hash::{BuildHasher, RandomState};

use serde_json::{Value, json};

use super::Shared;
use super::reply::{Act, Reply, sse_head};
use super::scene::Ask;
use crate::spec::{Era, Revision};
use crate::trace::{Exchange, Message, MessageKind};

/// The path of the endpoint.
pub const PATH: &str = "/mcp";

/// The key of `_meta` that names the version (2026-07-28, "General fields").
pub const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// The key of `_meta` that says what the client can be asked for.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const HEADER_MISMATCH: i64 = -32020;
const UNSUPPORTED_VERSION: i64 = -32022;
/// Of a server's own: nothing that a client could take for one of the modern era's.
const REFUSED: i64 = -32000;

/// The answer to a request.
pub(super) fn reply(ask: &Ask<'_>, shared: &Shared) -> Reply {
    let label = ask.label();
    let target = ask.exchange.request.as_ref().map(|head| head.target.clone()).unwrap_or_default();
    if target.split('?').next() != Some(PATH) {
        return Reply::empty(404, &[]).labelled(&label);
    }
    if ask.field("origin").is_some_and(|origin| !is_local(&origin)) {
        return Reply::empty(403, &[]).labelled(&label);
    }
    let reply = match (ask.http(), shared.is_modern()) {
        ("POST", modern) => match Message::read_all(&ask.exchange.request_body) {
            Err(_) => refusal(400, None, PARSE_ERROR, "the body is no JSON"),
            Ok(messages) if messages.iter().any(|message| message.value["jsonrpc"] != "2.0") => {
                refusal(400, ask.id(), INVALID_REQUEST, "`jsonrpc` is \"2.0\" in every message")
            }
            Ok(_) if modern => modern_post(ask, shared),
            Ok(messages) => legacy_post(ask, &messages, shared),
        },
        ("GET", false) => get(ask, shared),
        ("DELETE", false) => delete(ask, shared),
        (_, true) => Reply::empty(405, &[("Allow", "POST")]),
        _ => Reply::empty(405, &[("Allow", "POST, GET, DELETE")]),
    };
    reply.labelled(&label)
}

fn legacy_post(ask: &Ask<'_>, messages: &[Message], shared: &Shared) -> Reply {
    if ask.method() == "initialize" && ask.id().is_some() {
        return initialize(ask, shared);
    }
    let id = ask.id();
    if let Some(refusal) = refused_session(ask, shared) {
        return refusal;
    }
    let Some(message) = &ask.message else {
        return match shared.revision() {
            Revision::R20250326 => batch(messages),
            _ => refusal(400, None, INVALID_REQUEST, "this revision has no batches"),
        };
    };
    match message.kind {
        MessageKind::Notification | MessageKind::Result | MessageKind::Error => Reply::empty(202, &[]),
        MessageKind::Other => refusal(400, None, INVALID_REQUEST, "the body is no JSON-RPC message"),
        MessageKind::Request if id.is_none() => refusal(400, None, INVALID_REQUEST, "an id is a string or a number"),
        MessageKind::Request => match ask.method() {
            "tools/call" => call(ask, shared),
            method => Reply::json(200, &[], &plain(id, method, shared.revision())),
        },
    }
}

/// The requests of a batch are answered together (2025-03-26, "Batching"); tools are not called in one.
fn batch(messages: &[Message]) -> Reply {
    if messages.is_empty() {
        return refusal(400, None, INVALID_REQUEST, "the batch is empty");
    }
    let responses: Vec<String> = messages
        .iter()
        .filter_map(|message| match (message.kind, &message.id) {
            (MessageKind::Request, crate::trace::Id::Text(id)) => {
                Some(plain(Some(id), message.method().unwrap_or_default(), Revision::R20250326))
            }
            (MessageKind::Request | MessageKind::Other, _) => {
                Some(error_text(None, INVALID_REQUEST, "no JSON-RPC message", None))
            }
            _ => None,
        })
        .collect();
    match responses.is_empty() {
        true => Reply::empty(202, &[]),
        false => Reply::json(200, &[], &format!("[{}]", responses.join(","))),
    }
}

/// The response to a request that needs no thought.
fn plain(id: Option<&str>, method: &str, revision: Revision) -> String {
    let mut result = match method {
        "ping" if revision.era() == Era::Legacy => json!({}),
        "tools/list" => json!({"tools": tools()}),
        "server/discover" if revision.era() == Era::Modern => {
            json!({"supportedVersions": [revision.date()], "capabilities": {"tools": {}}})
        }
        _ => return error_text(id, METHOD_NOT_FOUND, &format!("unknown method: {method}"), None),
    };
    if revision.era() == Era::Modern {
        complete(&mut result);
        result["ttlMs"] = 3_600_000.into();
        result["cacheScope"] = "public".into();
    }
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, id.unwrap_or("null"))
}

fn initialize(ask: &Ask<'_>, shared: &Shared) -> Reply {
    let params = ask.params();
    let complete =
        params["protocolVersion"].is_string() && params["capabilities"].is_object() && params["clientInfo"].is_object();
    if !complete {
        let why = "`initialize` takes `protocolVersion`, `capabilities` and `clientInfo`";
        return Reply::json(200, &[], &error_text(ask.id(), INVALID_PARAMS, why, None));
    }
    let session = random_id();
    shared.state().grant(session.clone());
    shared.state().declared = params["capabilities"].clone();
    Reply::json(200, &[("Mcp-Session-Id", &session)], &initialized(ask, shared.revision()))
}

/// The response to `initialize`: this peer speaks one revision, whatever was asked for ("Version Negotiation").
pub fn initialized(ask: &Ask<'_>, revision: Revision) -> String {
    let result = json!({
        "protocolVersion": revision.date(),
        "capabilities": {"tools": {}},
        "serverInfo": info(),
    });
    format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, ask.id().unwrap_or("null"))
}

/// Why a request within a session is refused (2025-11-25, "Session Management", "Protocol Version Header").
fn refused_session(ask: &Ask<'_>, shared: &Shared) -> Option<Reply> {
    let id = ask.id();
    let Some(session) = ask.field("mcp-session-id") else {
        return Some(refusal(400, id, REFUSED, "`Mcp-Session-Id` is missing"));
    };
    if shared.state().is_open(&session) != Some(true) {
        return Some(refusal(404, id, REFUSED, "there is no such session"));
    }
    let version = ask.field("mcp-protocol-version")?;
    let known = shared.revision() == Revision::R20250326 || Revision::LEGACY.iter().any(|one| one.date() == version);
    (!known).then(|| refusal(400, id, REFUSED, "`MCP-Protocol-Version` names no version that this server speaks"))
}

fn get(ask: &Ask<'_>, shared: &Shared) -> Reply {
    if let Some(refusal) = refused_session(ask, shared) {
        return refusal;
    }
    if !ask.field("accept").is_some_and(|accept| accept.contains("text/event-stream") || accept.contains("*/*")) {
        return Reply::empty(406, &[]);
    }
    Reply::of(vec![Act::Write(sse_head(&[])), Act::Hold])
}

fn delete(ask: &Ask<'_>, shared: &Shared) -> Reply {
    if let Some(refusal) = refused_session(ask, shared) {
        return refusal;
    }
    shared.state().end(&ask.field("mcp-session-id").unwrap_or_default());
    Reply::empty(200, &[])
}

fn modern_post(ask: &Ask<'_>, shared: &Shared) -> Reply {
    let id = ask.id();
    let Some(message) = &ask.message else {
        return refusal(400, None, INVALID_REQUEST, "the body is one request or one notification");
    };
    match message.kind {
        MessageKind::Notification => return Reply::empty(202, &[]),
        MessageKind::Request if id.is_some() => {}
        _ => return refusal(400, None, INVALID_REQUEST, "the body is one request or one notification"),
    }
    if let Some(refusal) = mismatch(ask, shared.revision()) {
        return refusal;
    }
    match ask.method() {
        "tools/call" => call(ask, shared),
        method => {
            let text = plain(id, method, shared.revision());
            let known = matches!(method, "tools/list" | "server/discover");
            Reply::json(if known { 200 } else { 404 }, &[], &text)
        }
    }
}

/// A call of a tool that there is; another one is an error (2025-11-25, "Tools", "Error Handling").
fn call(ask: &Ask<'_>, shared: &Shared) -> Reply {
    let name = &ask.params()["name"];
    if tools().as_array().is_some_and(|tools| tools.iter().any(|tool| tool["name"] == *name)) {
        return shared.call(ask);
    }
    let error = error_text(ask.id(), INVALID_PARAMS, &format!("unknown tool: {name}"), None);
    Reply::stream([format!("data: {error}\n\n").as_str()])
}

/// What headers and `_meta` lack (2026-07-28, "Request Metadata").
fn mismatch(ask: &Ask<'_>, revision: Revision) -> Option<Reply> {
    let (id, params) = (ask.id(), ask.params());
    let refused = |code, why: &str, data| Some(Reply::json(400, &[], &error_text(id, code, why, Some(data))));
    let meta = &params["_meta"];
    let Some(version) = meta[VERSION].as_str() else {
        // For a client of the legacy era this is the only hint at what is wrong.
        let supported = json!({"supported": [revision.date()]});
        return refused(
            HEADER_MISMATCH,
            "header mismatch: this server speaks 2026-07-28 and has no handshake",
            supported,
        );
    };
    let mirrors = |name: &str, expected: &str| {
        ask.field(name).is_some_and(|value| match value.starts_with("=?base64?") && value.ends_with("?=") {
            true => decoded(&value).as_deref() == Some(expected),
            false => value.is_ascii() && value == expected,
        })
    };
    if !mirrors("mcp-protocol-version", version) {
        return refused(HEADER_MISMATCH, "header mismatch: `MCP-Protocol-Version`", json!({}));
    }
    if version != revision.date() {
        let data = json!({"supported": [revision.date()], "requested": version});
        return refused(UNSUPPORTED_VERSION, "unsupported protocol version", data);
    }
    if !meta[CLIENT_CAPABILITIES].is_object() {
        return refused(INVALID_PARAMS, "`_meta` lacks the client's capabilities", json!({}));
    }
    if !mirrors("mcp-method", ask.method()) {
        return refused(HEADER_MISMATCH, "header mismatch: `Mcp-Method`", json!({}));
    }
    if ask.method() == "tools/call" && !mirrors("mcp-name", params["name"].as_str().unwrap_or_default()) {
        return refused(HEADER_MISMATCH, "header mismatch: `Mcp-Name`", json!({}));
    }
    let region = params["arguments"]["region"].as_str().filter(|_| params["name"] == "lookup");
    if region.is_some_and(|region| !mirrors("mcp-param-region", region)) {
        return refused(HEADER_MISMATCH, "header mismatch: `Mcp-Param-Region`", json!({}));
    }
    None
}

/// What stands in the Base64 form of a header value (2026-07-28, "Value Encoding").
fn decoded(value: &str) -> Option<String> {
    use base64::Engine;
    let encoded = value.strip_prefix("=?base64?")?.strip_suffix("?=")?;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(encoded).ok()?).ok()
}

/// What every result of the modern era carries.
pub fn complete(result: &mut Value) {
    if result.get("resultType").is_none() {
        result["resultType"] = "complete".into();
    }
    result["_meta"] = json!({SERVER_INFO: info()});
}

/// A JSON-RPC error, as JSON on one line.
pub fn error_text(id: Option<&str>, code: i64, message: &str, data: Option<Value>) -> String {
    let mut error = json!({"code": code, "message": message});
    if let Some(data) = data.filter(|data| data.as_object().is_some_and(|members| !members.is_empty())) {
        error["data"] = data;
    }
    format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, id.unwrap_or("null"))
}

fn refusal(status: u16, id: Option<&str>, code: i64, message: &str) -> Reply {
    Reply::json(status, &[], &error_text(id, code, message, None))
}

fn tools() -> Value {
    let number = json!({"type": "number"});
    let none = json!({"type": "object", "properties": {}});
    json!([
        {
            "name": "add_numbers",
            "description": "Adds two numbers.",
            "inputSchema": {"type": "object", "properties": {"a": number, "b": number}, "required": ["a", "b"]},
        },
        {
            "name": "test_reconnection",
            "description": "Ends its stream before it answers.",
            "inputSchema": {"type": "object", "properties": {"a": number, "b": number}},
        },
        {
            "name": "grüße",
            "description": "Has a name that no header field can carry as it is.",
            "inputSchema": none,
        },
        {
            "name": "lookup",
            "description": "Has a parameter that is mirrored in a header field.",
            "inputSchema": {
                "type": "object",
                "properties": {"region": {"type": "string", "x-mcp-header": "Region"}},
            },
        },
    ])
}

fn info() -> Value {
    json!({"name": "mcpwire-peer", "version": crate::manifest::TOOL})
}

/// What nobody guesses: the standard library's hash keys are the randomness at hand.
pub(super) fn random_id() -> String {
    (0..2).map(|half| format!("{:016x}", RandomState::new().hash_one(half))).collect()
}

/// Whether a web page of this origin may talk to a server on this machine.
fn is_local(origin: &str) -> bool {
    let Some((_, authority)) = origin.split_once("://") else { return false };
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| host.eq_ignore_ascii_case(local))
}

/// Whether a body is a JSON array.
pub(super) fn is_array(body: &[u8]) -> bool {
    body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[')
}

/// Whether the client waits for our word before it sends a body (RFC 9110, section 10.1.1).
pub(super) fn expects_continue(exchange: Option<&Exchange>) -> bool {
    exchange.is_some_and(|exchange| {
        exchange.interim.is_empty()
            && exchange.written.is_none()
            && exchange.request_body.is_empty()
            && exchange.request.as_ref().is_some_and(|head| {
                head.fields.list("expect").iter().any(|expectation| expectation.eq_ignore_ascii_case("100-continue"))
            })
    })
}
