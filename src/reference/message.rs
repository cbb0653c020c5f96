//! JSON-RPC 2.0 as MCP uses it. Ids and progress tokens stay the JSON text that they came as: whoever parses them into
//! a number of his own sends back another one.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Fault;
use super::server::Server;

/// What the body of a POST holds.
pub(super) enum Payload {
    Single(Message),
    /// An array, of which each element stands for itself (legal in 2025-03-26 only).
    Batch(Vec<Result<Message, Malformed>>),
}

pub(super) enum Message {
    Request(Request),
    Notification(Notification),
    /// An answer to a request of the server's. This server never asks, so its content is of no interest.
    Response,
}

pub(super) struct Request {
    pub(super) id: Id,
    pub(super) method: String,
    pub(super) params: Params,
}

pub(super) struct Notification {
    pub(super) method: String,
    pub(super) params: Params,
}

/// What cannot be read as a message, with the id where one could be made out.
pub(super) struct Malformed {
    pub(super) id: Option<Id>,
    pub(super) error: Error,
}

/// A request id: the JSON text of a string or an integer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(String);

/// The parameters of a message: nothing, or the text of a JSON object.
#[derive(Clone)]
pub(super) struct Params(Option<Box<RawValue>>);

/// The error of an answer.
#[derive(Clone, Debug)]
pub(super) struct Error {
    pub(super) code: i64,
    pub(super) message: String,
    pub(super) data: Option<Box<Value>>,
}

/// How a request went.
pub(super) enum Outcome {
    Result(Value),
    Error(Error),
}

impl Payload {
    pub(super) fn parse(body: &[u8]) -> Result<Payload, Malformed> {
        let unreadable = || Malformed { id: None, error: Error::new(Error::PARSE, "the body is not JSON in UTF-8") };
        let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
        let json: &RawValue = serde_json::from_str(text).map_err(|_| unreadable())?;
        if !json.get().starts_with('[') {
            return Message::parse(json).map(Payload::Single);
        }
        let elements: Vec<&RawValue> = serde_json::from_str(json.get()).map_err(|_| unreadable())?;
        if elements.is_empty() {
            return Err(Malformed::invalid(None, "the batch is empty"));
        }
        Ok(Payload::Batch(elements.into_iter().map(Message::parse).collect()))
    }

    /// The id that an answer to all of it carries.
    pub(super) fn id(&self) -> Option<&Id> {
        match self {
            Payload::Single(Message::Request(request)) => Some(&request.id),
            _ => None,
        }
    }
}

impl Message {
    fn parse(json: &RawValue) -> Result<Message, Malformed> {
        let Some(members) = members(json) else {
            return Err(Malformed::invalid(None, "a message is a JSON object"));
        };
        let method = members.get("method").map(|method| string(method));
        let has_id = members.contains_key("id");
        let id = members.get("id").and_then(|id| Id::parse(id));
        // Only who asked something is owed an answer with his id.
        let invalid = |why| Malformed::invalid(if method.is_some() { id.clone() } else { None }, why);

        if members.get("jsonrpc").and_then(|version| string(version)).as_deref() != Some("2.0") {
            return Err(invalid("`jsonrpc` is not \"2.0\""));
        }
        match method.clone() {
            Some(None) => Err(invalid("`method` is not a string")),
            Some(Some(method)) => {
                let Some(params) = Params::parse(members.get("params").copied()) else {
                    return Err(invalid("`params` is not an object"));
                };
                match id.clone() {
                    Some(id) => Ok(Message::Request(Request { id, method, params })),
                    None if has_id => Err(invalid("`id` is neither a string nor an integer")),
                    None => Ok(Message::Notification(Notification { method, params })),
                }
            }
            None => {
                let is_result = id.is_some() && members.get("result").is_some_and(|result| is_object(result));
                let is_error = members.get("error").is_some_and(|error| is_object(error));
                if is_result != is_error { Ok(Message::Response) } else { Err(invalid("neither method nor outcome")) }
            }
        }
    }
}

impl Malformed {
    fn invalid(id: Option<Id>, why: &str) -> Malformed {
        Malformed { id, error: Error::new(Error::INVALID_REQUEST, why) }
    }
}

impl Id {
    pub(super) fn parse(json: &RawValue) -> Option<Id> {
        let text = json.get();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_id = text.starts_with('"') || digits.bytes().all(|byte| byte.is_ascii_digit());
        is_id.then(|| Id(text.to_owned()))
    }

    /// What answers carry: the JSON text as it came.
    fn echoed(&self, server: &Server) -> Cow<'_, str> {
        let text = self.0.as_str();
        let unquoted = self.unquoted();
        let is_string = unquoted.len() < text.len();
        if server.has(Fault::IdsBecomeStrings) && !is_string {
            format!("\"{text}\"").into()
        } else if server.has(Fault::NumericStringsBecomeNumbers) && unquoted.parse::<i64>().is_ok() {
            unquoted.into()
        } else if server.has(Fault::BigIdsThroughDouble) && !is_string {
            text.parse::<f64>().map_or(text.into(), |number| number.to_string().into())
        } else {
            text.into()
        }
    }

    /// What tells requests in flight apart: the JSON text as well, in which the number 1 and the string "1" differ.
    pub(super) fn key(&self, server: &Server) -> &str {
        if server.has(Fault::IdsKeyedByText) { self.unquoted() } else { &self.0 }
    }

    fn unquoted(&self) -> &str {
        self.0.trim_matches('"')
    }
}

impl Params {
    fn parse(json: Option<&RawValue>) -> Option<Params> {
        match json {
            None => Some(Params(None)),
            Some(json) if json.get().starts_with('{') => Some(Params(Some(json.to_owned()))),
            Some(_) => None,
        }
    }

    /// The JSON text of the member that these names lead to.
    pub(super) fn at(&self, path: &[&str]) -> Option<Box<RawValue>> {
        let mut value: &RawValue = self.0.as_deref()?;
        for name in path {
            value = members(value)?.get(*name).copied()?;
        }
        Some(value.to_owned())
    }

    /// The string that these names lead to.
    pub(super) fn string(&self, path: &[&str]) -> Option<String> {
        string(&self.at(path)?)
    }

    /// The natural number that these names lead to.
    pub(super) fn number(&self, path: &[&str]) -> Option<u64> {
        self.at(path)?.get().parse().ok()
    }

    /// Whether these names lead to an object.
    pub(super) fn has_object(&self, path: &[&str]) -> bool {
        self.at(path).is_some_and(|value| is_object(&value))
    }
}

/// The members of an object, each as the text that it came as. Of equal names the last one counts.
fn members(json: &RawValue) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(json.get()).ok()
}

fn is_object(json: &RawValue) -> bool {
    json.get().starts_with('{')
}

fn string(json: &RawValue) -> Option<String> {
    serde_json::from_str(json.get()).ok()
}

impl Error {
    pub(super) const PARSE: i64 = -32700;
    pub(super) const INVALID_REQUEST: i64 = -32600;
    pub(super) const METHOD_NOT_FOUND: i64 = -32601;
    pub(super) const INVALID_PARAMS: i64 = -32602;
    pub(super) const INTERNAL: i64 = -32603;
    pub(super) const HEADER_MISMATCH: i64 = -32020;
    pub(super) const UNSUPPORTED_VERSION: i64 = -32022;

    pub(super) fn new(code: i64, message: impl Into<String>) -> Error {
        Error { code, message: message.into(), data: None }
    }

    pub(super) fn with(self, data: Value) -> Error {
        Error { data: Some(Box::new(data)), ..self }
    }
}

/// The text of a response: to the request of this id, or to something whose id nobody could read.
pub(super) fn response(id: Option<&Id>, outcome: &Outcome, server: &Server) -> String {
    let id = id.map_or(Cow::Borrowed("null"), |id| id.echoed(server));
    let (member, value) = match outcome {
        Outcome::Result(result) => ("result", result.clone()),
        Outcome::Error(error) => ("error", error.to_json()),
    };
    format!(r#"{{"jsonrpc":"2.0","id":{id},"{member}":{value}}}"#)
}

/// The same text, laid out for people.
pub(super) fn indented(response: &str) -> String {
    let members: Result<Map<String, Value>, _> = serde_json::from_str(response);
    members.and_then(|members| serde_json::to_string_pretty(&members)).unwrap_or_else(|_| response.to_owned())
}

/// The text of a notification.
pub(super) fn notification(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#)
}

impl Error {
    fn to_json(&self) -> Value {
        let mut json = serde_json::json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            json["data"] = Value::clone(data);
        }
        json
    }
}
