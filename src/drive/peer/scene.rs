//! What a scenario wants of the peer and of the client.

use serde_json::{Value, json};

use super::call::Call;
use super::reply::Reply;
use super::{Shared, protocol};
use crate::spec::{Era, Revision};
use crate::trace::{Exchange, Id, Message, MessageKind};

/// What a scenario wants.
#[derive(Debug)]
pub struct Scene {
    /// The name of the official suite's scenario whose client conduct fits.
    pub official: &'static str,
    /// What the client does.
    pub steps: Vec<Step>,
    /// How the calls of the script are answered, the first one first; more are answered as plainly as can be.
    pub turns: Vec<Turn>,
    /// What is answered otherwise than by the turns and the protocol.
    pub react: Option<fn(&Ask<'_>, &Shared) -> Option<Reply>>,
    /// What the client answers to the peer's own requests.
    pub answers: Option<Value>,
    /// TCP_NODELAY on our side.
    pub prompt: bool,
    /// The times count: how long the client waited for a processor is written down with each request.
    pub timed: bool,
    /// A client of both eras tries the modern one first.
    pub probe: bool,
    /// How many milliseconds a caller waits, unless its step says otherwise; `None` where it says nothing of the kind.
    pub patience: Option<u64>,
}

/// How one call is answered.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// What the exchange is called in the trace, and the step in the script.
    pub label: &'static str,
    /// The answer.
    pub reply: fn(&Call<'_>) -> Reply,
}

/// A call that is answered so.
pub fn turn(label: &'static str, reply: fn(&Call<'_>) -> Reply) -> Turn {
    Turn { label, reply }
}

/// One step of the script (`fixtures/clients/README.md`).
#[derive(Clone, Debug)]
pub enum Step {
    /// The call that this turn answers.
    Call(&'static str),
    /// The same; the caller gives up after so many milliseconds.
    CallFor(&'static str, u64),
    /// A call of a tool that no turn answers.
    Tool(&'static str, &'static str, Value),
    /// The calls that these turns answer, begun together.
    Together(&'static [&'static str]),
    /// So many milliseconds of rest.
    Wait(u64),
}

/// The second summand of every call of a script; the first one is the number of its turn.
const MARK: i64 = 1000;

/// How long a caller waits for an answer that may never come, unless the scene or the step says otherwise.
const CALLER_PATIENCE_MS: u64 = 5_000;

impl Scene {
    /// A scene in which the client makes these calls one after the other.
    pub fn calls(turns: Vec<Turn>) -> Self {
        let steps = turns.iter().map(|turn| Step::Call(turn.label)).collect();
        Self {
            official: "tools_call",
            steps,
            turns,
            react: None,
            answers: None,
            prompt: true,
            timed: false,
            probe: false,
            patience: Some(CALLER_PATIENCE_MS),
        }
    }

    /// The same calls in these steps.
    pub fn in_steps(mut self, steps: Vec<Step>) -> Self {
        self.steps = steps;
        self
    }

    /// With times that count.
    pub fn timed(mut self) -> Self {
        self.timed = true;
        self
    }

    /// Without TCP_NODELAY on our side: a last small segment of ours waits for an acknowledgement.
    pub fn holding_back(mut self) -> Self {
        self.prompt = false;
        self
    }

    /// With this answer to what the turns do not cover.
    pub fn reacting(mut self, react: fn(&Ask<'_>, &Shared) -> Option<Reply>) -> Self {
        self.react = Some(react);
        self
    }

    /// With a client that tries the modern era first, if it knows both.
    pub fn probed(mut self) -> Self {
        self.probe = true;
        self
    }

    /// The script as the client gets it.
    pub fn script(&self, revision: Revision) -> String {
        let mut steps = vec![json!({"step": "connect", "do": "connect"}), json!({"step": "tools", "do": "list-tools"})];
        for (index, step) in self.steps.iter().enumerate() {
            steps.push(match step {
                Step::Call(label) => self.call_step(label, self.patience),
                Step::CallFor(label, patience) => self.call_step(label, Some(*patience)),
                Step::Tool(label, name, arguments) => json!({
                    "step": label, "do": "call-tool", "name": name, "arguments": arguments,
                    "give-up-after-ms": CALLER_PATIENCE_MS,
                }),
                Step::Together(labels) => {
                    let steps: Vec<Value> = labels.iter().map(|label| self.call_step(label, self.patience)).collect();
                    json!({"step": format!("together-{index}"), "do": "together", "steps": steps})
                }
                Step::Wait(ms) => json!({"step": format!("wait-{index}"), "do": "wait", "ms": ms}),
            });
        }
        steps.push(json!({"step": "close", "do": "close"}));
        let mut script = json!({"version": 1, "revision": revision.date(), "steps": steps});
        if let Some(answers) = &self.answers {
            script["answers"] = answers.clone();
        }
        if self.probe {
            script["probe"] = true.into();
        }
        script.to_string()
    }

    fn call_step(&self, label: &str, patience: Option<u64>) -> Value {
        let number = self.turns.iter().position(|turn| turn.label == label).map_or(0, |index| index + 1);
        let arguments = json!({"a": number, "b": MARK});
        let mut step = json!({"step": label, "do": "call-tool", "name": self.tool(), "arguments": arguments});
        if let Some(ms) = patience {
            step["give-up-after-ms"] = ms.into();
        }
        step
    }

    /// The tool that the script calls: the one that the official scenario expects.
    fn tool(&self) -> &'static str {
        if self.official == "sse-retry" { "test_reconnection" } else { "add_numbers" }
    }

    /// The step of a call of a tool that no turn answers.
    fn step_without_turn(&self, params: &Value) -> Option<&'static str> {
        // None at all are the same as none.
        let given = |arguments: &Value| arguments.as_object().cloned().unwrap_or_default();
        self.steps.iter().find_map(|step| match step {
            Step::Tool(label, name, arguments) => {
                (params["name"] == *name && given(&params["arguments"]) == given(arguments)).then_some(*label)
            }
            _ => None,
        })
    }

    /// The turn of a call: by its number in the script, or the next one where the client follows no script.
    pub(super) fn turn(&self, arguments: &Value, shared: &Shared) -> Option<Turn> {
        let (a, b) = (arguments["a"].as_i64(), arguments["b"].as_i64());
        let index = match (a, b) {
            (Some(number), Some(MARK)) => usize::try_from(number).ok()?.checked_sub(1)?,
            _ if self.turns.is_empty() => return None,
            _ => {
                let mut state = shared.state();
                state.unnumbered += 1;
                state.unnumbered - 1
            }
        };
        self.turns.get(index).copied()
    }
}

/// A request of the client's.
#[derive(Debug)]
pub struct Ask<'a> {
    /// All of it.
    pub exchange: &'a Exchange,
    /// The message in it, where it carries exactly one.
    pub message: Option<Message>,
    /// It came to the other origin.
    pub elsewhere: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn of(exchange: &'a Exchange, elsewhere: bool) -> Self {
        let message = match &Message::read_all(&exchange.request_body).unwrap_or_default()[..] {
            [message] if !protocol::is_array(&exchange.request_body) => Some(message.clone()),
            _ => None,
        };
        Self { exchange, message, elsewhere }
    }

    /// The HTTP method.
    pub fn http(&self) -> &str {
        self.exchange.http_method()
    }

    /// The JSON-RPC method.
    pub fn method(&self) -> &str {
        self.message.as_ref().and_then(Message::method).unwrap_or_default()
    }

    /// A header field.
    pub fn field(&self, name: &str) -> Option<String> {
        self.exchange.request.as_ref()?.fields.text(name).map(|text| text.into_owned())
    }

    /// The id as JSON, where it is a request.
    pub fn id(&self) -> Option<&str> {
        match self.message.as_ref().filter(|message| message.kind == MessageKind::Request).map(|message| &message.id) {
            Some(Id::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The parameters.
    pub fn params(&self) -> Value {
        self.message.as_ref().map(|message| message.value["params"].clone()).unwrap_or_default()
    }

    /// What it is called in the trace, unless a turn says otherwise.
    pub fn label(&self) -> String {
        match (self.http(), &self.message) {
            ("POST", Some(message)) if message.is_response() => "response".to_owned(),
            ("POST", Some(_)) => self.method().to_owned(),
            (http, _) => http.to_owned(),
        }
    }
}

impl Shared {
    /// What is answered.
    pub(super) fn reply(&self, ask: &Ask<'_>) -> Reply {
        for answer in ask.exchange.sent().iter().filter(|message| message.is_response()) {
            self.state().took_answer(&answer.id);
        }
        let reply = self.scene.react.and_then(|react| react(ask, self)).unwrap_or_else(|| self.conforming(ask));
        self.state().saw(&reply.label);
        reply
    }

    /// What a server answers that keeps to the protocol: by the turns, where it is a call.
    pub fn conforming(&self, ask: &Ask<'_>) -> Reply {
        protocol::reply(ask, self)
    }

    /// The answer to a call that is in order.
    pub(super) fn call(&self, ask: &Ask<'_>) -> Reply {
        let mut call = Call::of(ask, self.revision, &self.state().declared);
        let params = ask.params();
        if let Some(step) = self.scene.step_without_turn(&params) {
            return call.streamed().labelled(step);
        }
        let Some(turn) = self.scene.turn(&params["arguments"], self) else {
            return call.streamed().labelled(&ask.label());
        };
        call.earlier = self.state().called(turn.label, ask.id().unwrap_or("null"));
        (turn.reply)(&call).labelled(turn.label)
    }

    /// Whether the era of the revision is the modern one.
    pub fn is_modern(&self) -> bool {
        self.revision.era() == Era::Modern
    }
}
