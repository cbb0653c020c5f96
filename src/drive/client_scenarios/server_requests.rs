//! Requests of the peer's to the client: on its streams, or in the results of its calls (2026-07-28).

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::drive::peer::{Act, Ask, Call, Reply, Scene, Shared, State, Step, chunk, sse_head, turn};
use crate::spec::{Era, Revision};

/// How long an answer is waited for before the call goes on without it.
const PATIENCE: Duration = Duration::from_secs(2);

/// So often one call is answered with a request for input.
const ROUNDS: usize = 2;

/// Stands in the request state after which there is one more round.
const ONE_MORE: &str = "one more round";

pub fn scene(revision: Revision) -> Scene {
    let scene = match revision.era() {
        Era::Legacy => on_streams(),
        Era::Modern => in_results(),
    };
    let answers = json!({
        "sampling": {"role": "assistant", "content": {"type": "text", "text": "sampled"}, "model": "none"},
        "elicitation": {"action": "accept", "content": {"name": "Ada"}},
    });
    Scene { answers: Some(answers), ..scene }
}

/// Three calls whose streams carry a request of ours before the response, a request on the GET stream, and a call that
/// waits for the answer to that one. Our ids are those that the client has used for requests of its own.
fn on_streams() -> Scene {
    Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
        turn("asks-ping", |call| asks(call, &ping(r#""ping""#), |state| state.answered(r#""ping""#))),
        turn("asks-sampling", |call| match call.may_sample() {
            true => asks(call, &request("1", &sampling()), |state| state.answered("1")),
            false => call.streamed(),
        }),
        turn("asks-elicitation", |call| match call.may_elicit() {
            true => asks(call, &request("2", &elicitation()), |state| state.answered("2")),
            false => call.streamed(),
        }),
        turn("patient", |call| {
            let mut reply = call.streamed();
            reply.acts.insert(0, Act::Until(|state| state.seen("GET") == 0 || state.answered("3"), PATIENCE));
            reply
        }),
    ])
    .reacting(ping_on_get)
}

/// A stream on which a request comes first, and the response when that is answered, or overdue.
fn asks(call: &Call<'_>, request: &str, is_answered: fn(&State) -> bool) -> Reply {
    if call.earlier > 0 {
        // The id of a request is used once.
        return call.streamed();
    }
    Reply::of(vec![
        Act::Write(sse_head(&[])),
        Act::Write(chunk(event(request).as_bytes())),
        Act::Until(is_answered, PATIENCE),
        Act::Write(chunk(call.event().as_bytes())),
        Act::Write(chunk(b"")),
    ])
}

/// The first GET stream begins with a ping.
fn ping_on_get(ask: &Ask<'_>, shared: &Shared) -> Option<Reply> {
    if ask.http() != "GET" || shared.state().seen("GET") > 0 {
        return None;
    }
    let mut reply = shared.conforming(ask);
    if let Some(Act::Hold) = reply.acts.last() {
        let at = reply.acts.len() - 1;
        reply.acts.insert(at, Act::Write(chunk(event(&ping("3")).as_bytes())));
    }
    Some(reply)
}

/// Calls that get a result only when the client has brought what it was asked for.
fn in_results() -> Scene {
    let scene = Scene::calls(vec![
        turn("warm-up", |call| call.streamed()),
        turn("input-and-state", |call| requires(call, inputs(call), Some(state(call)))),
        turn("input-only", |call| requires(call, inputs(call), None)),
        turn("state-only", |call| requires(call, Map::new(), Some(state(call)))),
        turn("two-rounds", |call| requires(call, inputs(call), Some(format!("{ONE_MORE} {}", call.nonce())))),
        turn("left", |call| requires(call, inputs(call), Some(state(call)))),
        turn("right", |call| requires(call, inputs(call), Some(state(call)))),
    ]);
    let mut steps: Vec<Step> = scene.steps.iter().take(5).cloned().collect();
    steps.push(Step::Together(&["left", "right"]));
    // Some SDKs bring input only for calls that may take as long as they like.
    Scene { patience: None, ..scene.in_steps(steps) }
}

/// The first answer to a call, or what follows once it is retried.
fn requires(call: &Call<'_>, inputs: Map<String, Value>, state: Option<String>) -> Reply {
    let params = call.ask.params();
    let is_retry = params.get("inputResponses").is_some() || params.get("requestState").is_some();
    if call.earlier > ROUNDS || inputs.is_empty() && state.is_none() {
        return call.streamed();
    }
    match (is_retry, params["requestState"].as_str()) {
        (false, _) => required(call, inputs, state),
        (true, Some(state)) if state.starts_with(ONE_MORE) => required(call, inputs, None),
        _ => call.streamed(),
    }
}

/// The result that asks for input (2026-07-28, "InputRequiredResult").
fn required(call: &Call<'_>, inputs: Map<String, Value>, state: Option<String>) -> Reply {
    let mut result = json!({"resultType": "input_required"});
    if !inputs.is_empty() {
        result["inputRequests"] = inputs.into();
    }
    if let Some(state) = state {
        result["requestState"] = state.into();
    }
    let event = event(&call.response_with(result));
    Reply::stream([event.as_str()])
}

/// A state that nobody can guess, and that does not survive being read as JSON, or trimmed.
fn state(call: &Call<'_>) -> String {
    format!(r#" {{"nonce" :  "{}", "n": 1.0, "stra\u00dfe": "ß"}} "#, call.nonce())
}

/// What this client can be asked for.
fn inputs(call: &Call<'_>) -> Map<String, Value> {
    let mut inputs = Map::new();
    if call.may_sample() {
        inputs.insert("a sample".to_owned(), sampling());
    }
    if call.may_elicit() {
        inputs.insert("the name".to_owned(), elicitation());
    }
    inputs
}

fn ping(id: &str) -> String {
    request(id, &json!({"method": "ping"}))
}

fn sampling() -> Value {
    let question = json!({"role": "user", "content": {"type": "text", "text": "What is the capital of France?"}});
    json!({"method": "sampling/createMessage", "params": {"messages": [question], "maxTokens": 100}})
}

fn elicitation() -> Value {
    let schema = json!({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]});
    json!({"method": "elicitation/create", "params": {"message": "What is your name?", "requestedSchema": schema}})
}

/// The request with this id, as JSON on one line.
fn request(id: &str, content: &Value) -> String {
    let content = content.to_string();
    format!(r#"{{"jsonrpc":"2.0","id":{id},{}"#, &content[1..])
}

fn event(message: &str) -> String {
    format!("data: {message}\n\n")
}
