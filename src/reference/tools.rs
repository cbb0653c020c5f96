//! The tools, and the little that each of them does.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::message::{self, Error, Outcome, Params};

/// The most that a call may ask for.
const MOST_KIB: u64 = 16 * 1024;

/// The longest that a call may ask to take.
const LONGEST: Duration = Duration::from_secs(60);

/// The work was called off: nobody waits for its outcome.
pub(super) struct Stopped;

/// What a tool can do beside thinking.
pub(super) trait Surroundings {
    /// Says something about the request while it runs.
    fn notify(&mut self, notification: &str);

    /// Takes some time, unless the work is called off.
    fn pause(&mut self, length: Duration) -> Result<(), Stopped>;

    /// The argument of this call, kept until it is needed.
    fn keep(&mut self, argument: String) -> Result<String, Stopped>;

    /// The counters of the server.
    fn counters(&self) -> &Counters;
}

/// What the tools count, by key.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<BTreeMap<String, u64>>);

impl Counters {
    /// How many counters there may be; others are not counted.
    const MOST: usize = 1_000;

    fn count(&self, key: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() < Self::MOST || counts.contains_key(key) {
            *counts.entry(key.to_owned()).or_default() += 1;
        }
    }

    fn of(&self, key: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied().unwrap_or_default()
    }
}

/// The tools as `tools/list` shows them. The descriptions are not all ASCII, so that whoever counts characters where
/// bytes are meant gets another number.
pub(super) fn list() -> Value {
    let no_arguments = json!({ "type": "object", "properties": {} });
    let read_only = json!({ "readOnlyHint": true });
    json!([
        {
            "name": "greet",
            "description": "Says “Grüß dich”.",
            "inputSchema": no_arguments,
            "annotations": read_only,
        },
        {
            "name": "echo",
            "description": "Says what it is told.",
            "inputSchema": {
                "type": "object",
                "properties": { "text": { "type": "string" } },
                "required": ["text"],
            },
        },
        {
            "name": "slow",
            "description": "Takes its time: 300 ms, or as many as it is told.",
            "inputSchema": { "type": "object", "properties": { "ms": { "type": "integer", "minimum": 0 } } },
            "annotations": read_only,
        },
        {
            "name": "progress",
            "description": "Takes some steps, and tells of each if the request has a progress token.",
            "inputSchema": { "type": "object", "properties": { "steps": { "type": "integer", "minimum": 0 } } },
            "annotations": read_only,
        },
        {
            "name": "fail",
            "description": "Fails, as a tool does.",
            "inputSchema": no_arguments,
            "annotations": read_only,
        },
        {
            "name": "large",
            "description": "Says much: 64 KiB, or as many as it is told.",
            "inputSchema": { "type": "object", "properties": { "kib": { "type": "integer", "minimum": 0 } } },
            "annotations": read_only,
        },
        {
            "name": "count-after",
            "description": "Takes 300 ms, or as many as it is told, and then counts, under a key.",
            "inputSchema": {
                "type": "object",
                "properties": { "key": { "type": "string" }, "ms": { "type": "integer", "minimum": 0 } },
            },
        },
        {
            "name": "counter",
            "description": "Says how often was counted under a key.",
            "inputSchema": { "type": "object", "properties": { "key": { "type": "string" } } },
            "annotations": read_only,
        },
    ])
}

/// Runs the tool that the parameters of a `tools/call` name.
pub(super) fn call(params: &Params, surroundings: &mut dyn Surroundings) -> Result<Outcome, Stopped> {
    let Some(name) = params.string(&["name"]) else {
        return Ok(invalid("`name` is not a string"));
    };
    match name.as_str() {
        "greet" => Ok(says("Grüß dich!")),
        "echo" => Ok(match params.string(&["arguments", "text"]) {
            Some(text) => says(&surroundings.keep(text)?),
            None => invalid("`text` is not a string"),
        }),
        "slow" => {
            surroundings.pause(length(params))?;
            Ok(says("Gemütlich."))
        }
        "progress" => {
            take_steps(params, surroundings)?;
            Ok(says("Schritt für Schritt."))
        }
        "large" => {
            let kib = params.number(&["arguments", "kib"]).unwrap_or(64).min(MOST_KIB);
            Ok(says(&"groß und größer ".repeat(54 * kib as usize)))
        }
        "count-after" => {
            let key = params.string(&["arguments", "key"]).unwrap_or_default();
            // A first sign of life: whoever listens knows that the work has begun.
            report(params, 0, 1, surroundings);
            surroundings.pause(length(params))?;
            surroundings.counters().count(&key);
            Ok(says("Gezählt."))
        }
        "counter" => {
            let key = params.string(&["arguments", "key"]).unwrap_or_default();
            Ok(says(&surroundings.counters().of(&key).to_string()))
        }
        "fail" => Ok(Outcome::Result(json!({ "content": [text("Das ging schief, tschüß.")], "isError": true }))),
        _ => Ok(invalid(format!("unknown tool: {name}"))),
    }
}

fn take_steps(params: &Params, surroundings: &mut dyn Surroundings) -> Result<(), Stopped> {
    const GAP: Duration = Duration::from_millis(2);
    const MOST: u64 = 1_000;

    let steps = params.number(&["arguments", "steps"]).unwrap_or(3).min(MOST);
    for step in 1..=steps {
        report(params, step, steps, surroundings);
        surroundings.pause(GAP)?;
    }
    Ok(())
}

/// How long a call may take that says so itself.
fn length(params: &Params) -> Duration {
    let length = params.number(&["arguments", "ms"]).map_or(Duration::from_millis(300), Duration::from_millis);
    length.min(LONGEST)
}

/// Reports progress, where somebody wants to know.
fn report(params: &Params, step: u64, steps: u64, surroundings: &mut dyn Surroundings) {
    if let Some(token) = params.at(&["_meta", "progressToken"]) {
        let progress = format!(r#"{{"progressToken":{},"progress":{step},"total":{steps}}}"#, token.get());
        surroundings.notify(&message::notification("notifications/progress", &progress));
    }
}

fn says(what: &str) -> Outcome {
    Outcome::Result(json!({ "content": [text(what)], "isError": false }))
}

fn text(what: &str) -> Value {
    json!({ "type": "text", "text": what })
}

fn invalid(why: impl Into<String>) -> Outcome {
    Outcome::Error(Error::new(Error::INVALID_PARAMS, why))
}
