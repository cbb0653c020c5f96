//! One request: its label, its head and its body.

use serde_json::{Map, Value, json};

use crate::spec::{Era, Revision};
use crate::target::{Endpoint, MARK};
use crate::trace::{Conduct, Message, MessageKind, Part};

/// A request to be written.
#[derive(Clone, Debug)]
pub struct Ask {
    /// What the scenario calls it.
    pub label: String,
    /// Its part in a control pair.
    pub part: Part,
    /// Whether we keep to the protocol in it.
    pub ours: Conduct,
    /// The HTTP method.
    pub method: &'static str,
    /// The fields that differ from request to request.
    pub fields: Vec<(String, String)>,
    /// The body, where there is one.
    pub body: Option<Vec<u8>>,
}

/// A JSON-RPC call without its id.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The method.
    pub method: String,
    /// The parameters.
    pub params: Option<Map<String, Value>>,
}

impl Ask {
    /// An HTTP request without a body.
    pub fn bare(method: &'static str, label: &str) -> Self {
        Self {
            label: label.to_owned(),
            part: Part::Plain,
            ours: Conduct::Conforming,
            method,
            fields: Vec::new(),
            body: None,
        }
    }

    /// A POST of these bytes.
    pub fn post(label: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut ask = Self::bare("POST", label);
        ask.body = Some(body.into());
        ask.field("Content-Type", "application/json").field("Accept", "application/json, text/event-stream")
    }

    /// A GET for an event stream.
    pub fn get(label: &str) -> Self {
        Self::bare("GET", label).field("Accept", "text/event-stream")
    }

    /// With one more header field.
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without the header field of this name.
    pub fn without_field(mut self, name: &str) -> Self {
        self.fields.retain(|(field, _)| !field.eq_ignore_ascii_case(name));
        self
    }

    /// In this part of a control pair.
    pub fn part(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// Not keeping to the protocol, on purpose.
    pub fn damaged(mut self) -> Self {
        self.ours = Conduct::Damaged;
        self
    }

    /// Whether a response is owed to it: its body is a request and no notification, or it resumes the stream of one.
    pub fn wants_response(&self) -> bool {
        if self.fields.iter().any(|(name, _)| name == "Last-Event-ID") {
            return true;
        }
        let messages = self.body.as_deref().and_then(|body| Message::read_all(body).ok()).unwrap_or_default();
        messages.iter().any(|message| message.kind == MessageKind::Request)
    }

    /// The bytes on the wire (RFC 9112, section 3).
    pub fn bytes(&self, endpoint: &Endpoint) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.method, endpoint.target(), endpoint.authority());
        let given = endpoint.fields().iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(given) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

impl Call {
    /// A call without parameters.
    pub fn bare(method: &str) -> Self {
        Self { method: method.to_owned(), params: None }
    }

    /// A call with parameters, which must be an object.
    pub fn with(method: &str, params: Value) -> Self {
        Self { method: method.to_owned(), params: params.as_object().cloned() }
    }

    /// A call of a tool.
    pub fn tool(name: &str, arguments: Option<Value>) -> Self {
        Self::with("tools/call", json!({"name": name, "arguments": arguments.unwrap_or_else(|| json!({}))}))
    }

    /// With a progress token.
    pub fn with_progress(mut self, token: &str) -> Self {
        let params = self.params.get_or_insert_default();
        let meta = params.entry("_meta").or_insert_with(|| json!({}));
        meta["progressToken"] = json!(token);
        self
    }

    /// With this text wherever the arguments have room for one.
    pub fn marked(mut self, mark: &str) -> Self {
        self.params.iter_mut().flat_map(Map::values_mut).for_each(|value| put(value, mark));
        self
    }

    /// The JSON text of the message with this id (raw JSON), or of a notification without one.
    pub fn message(&self, revision: Revision, id: Option<&str>) -> String {
        let mut params = self.params.clone();
        // Only core notifications are sent here, and 2026-07-28 defines `_meta` for requests.
        if revision.era() == Era::Modern && id.is_some() {
            let meta = params.get_or_insert_default().entry("_meta").or_insert_with(|| json!({}));
            meta["io.modelcontextprotocol/protocolVersion"] = json!(revision.date());
            meta["io.modelcontextprotocol/clientInfo"] = client_info();
            meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
        }
        let id = id.map_or_else(String::new, |id| format!(r#""id":{id},"#));
        let method = Value::from(self.method.as_str());
        match params {
            None => format!(r#"{{"jsonrpc":"2.0",{id}"method":{method}}}"#),
            Some(params) => format!(r#"{{"jsonrpc":"2.0",{id}"method":{method},"params":{}}}"#, Value::Object(params)),
        }
    }

    /// The header fields that mirror the body (2026-07-28, "Standard Request Headers").
    pub fn mirrored(&self) -> Vec<(String, String)> {
        let mut fields = vec![("Mcp-Method".to_owned(), self.method.clone())];
        let source = match self.method.as_str() {
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            _ => return fields,
        };
        if let Some(name) = self.params.as_ref().and_then(|params| params.get(source)).and_then(Value::as_str) {
            fields.push(("Mcp-Name".to_owned(), header_value(name)));
        }
        fields
    }
}

fn put(value: &mut Value, mark: &str) {
    match value {
        Value::String(text) => *text = text.replace(MARK, mark),
        Value::Array(elements) => elements.iter_mut().for_each(|element| put(element, mark)),
        Value::Object(members) => members.values_mut().for_each(|member| put(member, mark)),
        _ => {}
    }
}

/// Who we say we are.
pub fn client_info() -> Value {
    json!({"name": "mcpwire", "version": crate::manifest::TOOL})
}

/// A value as a header can carry it (2026-07-28, "Value Encoding").
fn header_value(value: &str) -> String {
    use base64::Engine;
    let plain = value.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
        && value.trim() == value
        && !(value.starts_with("=?base64?") && value.ends_with("?="));
    match plain {
        true => value.to_owned(),
        false => format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(value)),
    }
}
