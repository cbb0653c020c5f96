//! A call of a tool, and the plain ways to answer it.

use serde_json::{Value, json};

use super::reply::{Act, Reply, chunk, sse_head};
use super::scene::Ask;
use super::{Shared, protocol};
use crate::spec::{Era, Revision};

/// A call of a tool that is in order.
#[derive(Debug)]
pub struct Call<'a> {
    /// The request that carries it.
    pub ask: &'a Ask<'a>,
    /// The revision.
    pub revision: Revision,
    /// How many calls came before that the same turn answers.
    pub earlier: usize,
    /// The capabilities of the client.
    declared: Value,
    id: String,
    /// What nobody can know who has not read the answer.
    nonce: String,
}

impl<'a> Call<'a> {
    /// A call of a client that has declared these capabilities, unless the call itself says which.
    pub(super) fn of(ask: &'a Ask<'a>, revision: Revision, declared: &Value) -> Self {
        let id = ask.id().unwrap_or("null").to_owned();
        let declared = match revision.era() {
            Era::Legacy => declared.clone(),
            Era::Modern => ask.params()["_meta"][protocol::CLIENT_CAPABILITIES].clone(),
        };
        Self { ask, revision, earlier: 0, declared, id, nonce: protocol::random_id() }
    }

    /// The last call that this turn answered, asked about by a request within an open session: the rest of its stream
    /// is wanted.
    pub fn resumed(ask: &'a Ask<'a>, shared: &Shared, label: &str) -> Option<Self> {
        let session = ask.field("mcp-session-id")?;
        let state = shared.state();
        let id = state.last_call(label).filter(|_| state.is_open(&session) == Some(true))?;
        Some(Self { id, ..Self::of(ask, shared.revision(), &state.declared) })
    }

    /// Whether the client can be asked for a sample.
    pub fn may_sample(&self) -> bool {
        self.declared["sampling"].is_object()
    }

    /// Whether the client can be asked for a form. An empty capability means forms, which came first.
    pub fn may_elicit(&self) -> bool {
        let modes = self.declared["elicitation"].as_object();
        self.revision > Revision::R20250326 && modes.is_some_and(|modes| modes.is_empty() || modes.contains_key("form"))
    }

    /// What nobody can know who has not read the answer.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// What the tool says: the sum, as the tool of the official suite does.
    pub fn text(&self) -> String {
        let arguments = &self.ask.params()["arguments"];
        let sum = arguments["a"].as_i64().zip(arguments["b"].as_i64()).map(|(a, b)| a.wrapping_add(b));
        sum.map_or_else(|| "done".to_owned(), |sum| sum.to_string())
    }

    /// The response, as JSON on one line.
    pub fn response(&self) -> String {
        self.response_saying(&self.text())
    }

    /// A response whose text is this.
    pub fn response_saying(&self, text: &str) -> String {
        let content = json!([{"type": "text", "text": text}, {"type": "text", "text": self.nonce}]);
        self.response_with(json!({"content": content, "isError": false}))
    }

    /// A response with this result.
    pub fn response_with(&self, mut result: Value) -> String {
        if self.revision.era() == Era::Modern {
            protocol::complete(&mut result);
        }
        format!(r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#, self.id)
    }

    /// A JSON-RPC error.
    pub fn error(&self, code: i64, message: &str) -> String {
        protocol::error_text(Some(&self.id), code, message, None)
    }

    /// The event that carries the response.
    pub fn event(&self) -> String {
        format!("data: {}\n\n", self.response())
    }

    /// An event stream whose event and terminator are writes of their own.
    pub fn streamed(&self) -> Reply {
        Reply::stream([self.event().as_str()])
    }

    /// An event stream of these bytes, in one chunk and one write with its head and its terminator.
    pub fn streamed_bytes(&self, content: &[u8]) -> Reply {
        Reply::of(vec![Act::Write([sse_head(&[]), chunk(content), chunk(b"")].concat())])
    }

    /// One JSON text.
    pub fn json(&self) -> Reply {
        Reply::json(200, &[], &self.response())
    }
}
