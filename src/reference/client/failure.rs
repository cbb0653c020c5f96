//! Why a caller gets no result.

use std::io;

use serde_json::{Value, json};

use crate::codec::http1;

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A JSON-RPC error, and the HTTP status that it came with.
    #[error("{message}")]
    Rpc { status: u16, code: i64, message: String },
    #[error("timed out")]
    TimedOut,
    #[error("stopped")]
    Stopped,
    #[error("the server cannot be reached: {0}")]
    Unreachable(io::Error),
    /// The connection or the stream ended before the response was there.
    #[error("the answer was cut off: {0}")]
    Cut(&'static str),
    #[error("the stream could not be resumed")]
    NotResumed,
    #[error("the answer is not HTTP/1.1: {0}")]
    Http(http1::Fault),
    #[error("the answer cannot be read: {0}")]
    Unreadable(&'static str),
    #[error("the answer is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the server answered with status {0}")]
    Status(u16),
    #[error("the server answered with content of the type `{0}`")]
    MediaType(String),
    /// 404 to a request that carried a session id.
    #[error("the session is gone")]
    SessionGone,
    #[error("the server redirects for ever, or to nowhere")]
    Redirect,
    #[error("the server speaks {0}")]
    Version(String),
    #[error("the server requires input for ever, or such that there is no answer")]
    Input,
}

impl Failure {
    /// The error of a JSON-RPC error response.
    pub(super) fn of(error: &Value, status: u16) -> Self {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned();
        match error.get("code").and_then(Value::as_i64) {
            Some(code) => Failure::Rpc { status, code, message },
            None => Failure::Unreadable("an error without a code"),
        }
    }

    /// The member `error` of an outcome line.
    pub(super) fn as_json(&self) -> Value {
        match self {
            Failure::Rpc { code, message, .. } => json!({ "code": code, "message": message }),
            other => json!({ "message": other.to_string() }),
        }
    }
}
