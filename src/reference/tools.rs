//! The tools, and the little that each of them does.

use std::time::Duration;

use serde_json::{Value, json};

use super::message::{self, Error, Outcome, Params};

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
            Some(text) => says(&text),
            None => invalid("`text` is not a string"),
        }),
        "slow" => {
            let length = params.number(&["arguments", "ms"]).map_or(Duration::from_millis(300), Duration::from_millis);
            surroundings.pause(length.min(LONGEST))?;
            Ok(says("Gemütlich."))
        }
        "progress" => {
            take_steps(params, surroundings)?;
            Ok(says("Schritt für Schritt."))
        }
        "fail" => Ok(Outcome::Result(json!({ "content": [text("Das ging schief, tschüß.")], "isError": true }))),
        _ => Ok(invalid(format!("unknown tool: {name}"))),
    }
}

fn take_steps(params: &Params, surroundings: &mut dyn Surroundings) -> Result<(), Stopped> {
    const GAP: Duration = Duration::from_millis(2);
    const MOST: u64 = 1_000;

    let steps = params.number(&["arguments", "steps"]).unwrap_or(3).min(MOST);
    let token = params.at(&["_meta", "progressToken"]);
    for step in 1..=steps {
        if let Some(token) = &token {
            let progress = format!(r#"{{"progressToken":{},"progress":{step},"total":{steps}}}"#, token.get());
            surroundings.notify(&message::notification("notifications/progress", &progress));
        }
        surroundings.pause(GAP)?;
    }
    Ok(())
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
