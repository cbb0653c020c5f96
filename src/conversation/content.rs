//! A message, or what stood in the place of one, without what differs from run to run.

use serde_json::Value;

use super::digest::{bounded, shortened, visible};
use super::json::{inline, outline};
use super::normal::{self, Names};
use crate::trace::{Message, MessageKind};

/// How many lines of one message are shown, and how many of another body.
const LINES: usize = 80;
const RAW_LINES: usize = 8;

/// How many bytes of a line of another body are shown.
const RAW_LINE: usize = 160;

/// What one side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its first line.
    pub head: String,
    /// Its first line where the rest stands elsewhere: nothing in it changes with the content.
    pub neutral: String,
    /// The rest.
    body: Body,
    /// What tells it from others; none where there is no rest.
    pub key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Body {
    Json(Value),
    Text(Vec<String>),
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client.
    Client,
    /// The server.
    Server,
}

impl Content {
    /// A message that this side sent, in answer to what has this key.
    pub fn of(message: &Message, side: Side, asked: &str, names: &mut Names) -> Self {
        let is_request = message.kind == MessageKind::Request;
        let id = match side {
            Side::Client => names.id_of_client(&message.id, is_request),
            Side::Server => names.id_of_server(&message.id, is_request),
        };
        let method = message.method().map(|method| shortened(&visible(method.as_bytes()), 80)).unwrap_or_default();
        let (head, neutral) = match (message.kind, side) {
            (MessageKind::Request, Side::Client) => (format!("{method} {id}"), format!("{method} {id}")),
            (MessageKind::Request, Side::Server) => (format!("{method} {id}"), format!("request {id}")),
            (MessageKind::Notification, Side::Client) => (method.clone(), method.clone()),
            (MessageKind::Notification, Side::Server) => (method.clone(), "notification".to_owned()),
            (MessageKind::Result, _) => (format!("result {id}"), format!("response {id}")),
            (MessageKind::Error, _) => (format!("error {id}"), format!("response {id}")),
            (MessageKind::Other, _) => ("JSON that is no message".to_owned(), "JSON".to_owned()),
        };
        let mut rest = rest(message);
        // Those are shown with the header fields.
        if matches!((side, message.kind), (Side::Client, MessageKind::Request) | (Side::Server, MessageKind::Result)) {
            drop_of_every_message(&mut rest);
        }
        let body = normal::value(names, &rest);
        let is_bare = body.as_object().is_some_and(serde_json::Map::is_empty) && !message.is_response();
        let key = (!is_bare)
            .then(|| format!("{side:?} {asked}\n{head_kind} {method} {}", inline(&body), head_kind = kind(message)));
        let body = if is_bare { Body::Text(Vec::new()) } else { Body::Json(body) };
        Self { head, neutral, body, key }
    }

    /// Bytes that are no message.
    pub fn raw(what: &str, bytes: &[u8], asked: &str, names: &mut Names) -> Self {
        // Enough to name what is shown; the digest covers the rest as it came.
        let text = visible_lines(&names.with_id(bytes));
        let lines: Vec<String> = text.iter().map(|line| shortened(&names.text(line), RAW_LINE)).collect();
        let lines = bounded(lines, RAW_LINES);
        let key = Some(format!("raw {asked}\n{}", lines.join("\n")));
        Self { head: what.to_owned(), neutral: what.to_owned(), body: Body::Text(lines), key }
    }

    /// What others that answer it have as part of their keys.
    pub fn as_asked(&self) -> &str {
        match &self.key {
            Some(key) => key,
            // Its id is in the head, so that only the first word counts.
            None => self.head.split(' ').next().unwrap_or_default(),
        }
    }

    /// The lines of the rest, in this width.
    pub fn lines(&self, width: usize) -> Vec<String> {
        match &self.body {
            Body::Json(value) => bounded(outline(value, width), LINES),
            Body::Text(lines) => lines.clone(),
        }
    }
}

/// What every message of the modern era says of its sender, as if it were header fields (2026-07-28, "`_meta`"): said
/// once, and where it changes.
pub fn of_every_message(message: &Message, payload: &str, names: &mut Names) -> Vec<(String, String)> {
    let meta = message.value[payload]["_meta"].as_object();
    let members = meta.into_iter().flatten().filter(|(name, _)| is_of_every_message(name));
    let mut fields: Vec<(String, String)> = members
        .map(|(name, value)| {
            let member = Value::Object([(name.clone(), value.clone())].into_iter().collect());
            let normal = normal::value(names, &member);
            (format!("_meta {name}"), shortened(&inline(&normal[name]), 300))
        })
        .collect();
    fields.sort();
    fields
}

fn is_of_every_message(name: &str) -> bool {
    const NAMES: [&str; 4] = [
        "io.modelcontextprotocol/serverInfo",
        "io.modelcontextprotocol/clientCapabilities",
        "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/protocolVersion",
    ];
    NAMES.contains(&name)
}

fn drop_of_every_message(params: &mut Value) {
    let Some(params) = params.as_object_mut() else { return };
    let Some(meta) = params.get_mut("_meta").and_then(Value::as_object_mut) else { return };
    meta.retain(|name, _| !is_of_every_message(name));
    if meta.is_empty() {
        params.remove("_meta");
    }
}

/// What a message says beside its method and its id. What JSON-RPC does not know of is shown with the rest.
fn rest(message: &Message) -> Value {
    let Some(members) = message.value.as_object() else { return message.value.clone() };
    let mut rest = members.clone();
    if message.kind == MessageKind::Other {
        return Value::Object(rest);
    }
    match rest.get("jsonrpc") {
        Some(version) if version == "2.0" => drop(rest.remove("jsonrpc")),
        Some(_) => {}
        None => drop(rest.insert("jsonrpc".to_owned(), "(missing)".into())),
    }
    rest.remove("id");
    if message.method().is_some() {
        rest.remove("method");
    }
    let payload = match message.kind {
        MessageKind::Request | MessageKind::Notification => "params",
        MessageKind::Result => "result",
        _ => "error",
    };
    match (rest.len(), rest.get(payload)) {
        (1, Some(payload)) => payload.clone(),
        _ => Value::Object(rest),
    }
}

fn kind(message: &Message) -> &'static str {
    match message.kind {
        MessageKind::Request => "request",
        MessageKind::Notification => "notification",
        MessageKind::Result => "result",
        MessageKind::Error => "error",
        MessageKind::Other => "other",
    }
}

/// Empty lines within have a mark: on a page, an empty line ends an exchange.
fn visible_lines(bytes: &[u8]) -> Vec<String> {
    let lines = bytes.trim_ascii_end().split(|byte| *byte == b'\n');
    let line = |line: &[u8]| match line.trim_ascii_end() {
        [] => "·".to_owned(),
        line => visible(line),
    };
    lines.map(line).collect()
}
