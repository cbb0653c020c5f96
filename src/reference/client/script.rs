//! What to do, step by step (fixtures/clients/README.md).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::spec::Revision;

/// The content of `MCPWIRE_SCRIPT`.
#[derive(Debug, Deserialize)]
pub(super) struct Script {
    /// The revision to ask for.
    pub(super) revision: Revision,
    /// What to answer the server's requests with; capabilities are declared only where there is something.
    pub(super) answers: Option<Answers>,
    /// Whether to look for a modern server first, where the revision is a legacy one.
    #[serde(default)]
    pub(super) probe: bool,
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Answers {
    sampling: Option<Value>,
    elicitation: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Step {
    #[serde(rename = "step")]
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) action: Action,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub(super) enum Action {
    Connect,
    ListTools,
    CallTool(Call),
    Together { steps: Vec<Step> },
    Wait { ms: u64 },
    Close,
}

#[derive(Debug, Deserialize)]
pub(super) struct Call {
    pub(super) name: String,
    #[serde(default)]
    pub(super) arguments: Map<String, Value>,
    #[serde(rename = "give-up-after-ms")]
    give_up_after_ms: Option<u64>,
}

impl Call {
    /// How long the caller waits, if it says.
    pub(super) fn limit(&self) -> Option<Duration> {
        self.give_up_after_ms.map(Duration::from_millis)
    }
}

impl Answers {
    /// The result for a request with this method.
    pub(super) fn to(&self, method: &str) -> Option<&Value> {
        match method {
            "sampling/createMessage" => self.sampling.as_ref(),
            "elicitation/create" => self.elicitation.as_ref(),
            _ => None,
        }
    }
}
