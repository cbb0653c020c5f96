//! Revision 2026-07-28: every request says all that the server has to know, and nothing is kept between them.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::spec::Revision;

use super::Fault;
use super::call::Call;
use super::failure::Failure;
use super::legacy::{PATIENCE, client_info};
use super::mirror;
use super::request::Request;
use super::shared::{Client, lock};
use super::wait::Wait;

/// Headers and body do not say the same, a capability is missing, the version is not spoken: with these a server
/// shows that it knows the modern revisions.
const HEADER_MISMATCH: i64 = -32020;
const MISSING_CAPABILITY: i64 = -32021;
const UNSUPPORTED_VERSION: i64 = -32022;

const METHOD_NOT_FOUND: i64 = -32601;

/// How often a server may require input for one call.
const ROUNDS: usize = 8;

impl Client {
    /// Asks what the server speaks.
    pub(super) fn discover(self: &Arc<Self>) -> Result<(), Failure> {
        let discovery = self.modern_request("server/discover", &Map::new(), &Wait::of(self, PATIENCE))?;
        let versions = discovery.get("supportedVersions").and_then(Value::as_array).cloned().unwrap_or_default();
        match versions.iter().any(|version| version == Revision::R20260728.date()) {
            true => Ok(()),
            false => Err(Failure::Version(Value::Array(versions).to_string())),
        }
    }

    /// Asks as if the server were a modern one, and begins in the old way if it is not (2026-07-28, "Backward
    /// Compatibility").
    pub(super) fn probe(self: &Arc<Self>) -> Result<(), Failure> {
        self.change_standing(|standing| standing.revision = Revision::R20260728);
        let Err(failure) = self.discover() else { return Ok(()) };
        let falls_back = is_of_legacy_server(&failure) || self.has(Fault::FallsBackAnyway);
        if !falls_back || self.has(Fault::NeverFallsBack) {
            return Err(failure);
        }
        self.change_standing(|standing| standing.revision = self.asked);
        self.initialize()
    }

    /// Makes a call, with as many rounds as it takes: each is a request of its own.
    pub(super) fn modern_request(
        self: &Arc<Self>,
        method: &'static str,
        params: &Map<String, Value>,
        wait: &Wait<'_>,
    ) -> Result<Value, Failure> {
        let mut params = params.clone();
        let mut id = self.next_id();
        let mut is_refreshed = false;
        for _ in 0..ROUNDS {
            let result = match self.call(&self.modern_call(id, method, &params), wait) {
                Err(mismatch @ Failure::Rpc { code: HEADER_MISMATCH, .. })
                    if method == "tools/call" && !is_refreshed =>
                {
                    is_refreshed = true;
                    if !self.refresh_mirrors(&params, wait)? {
                        return Err(mismatch);
                    }
                    id = self.next_id();
                    continue;
                }
                reply => reply?.result,
            };
            let is_required =
                method == "tools/call" && result.get("resultType").is_some_and(|kind| kind == "input_required");
            if !is_required || self.has(Fault::IgnoresInputRequired) {
                return Ok(result);
            }
            self.add_input(&mut params, &result)?;
            if !self.has(Fault::RetriesWithTheSameId) {
                id = self.next_id();
            }
        }
        Err(Failure::Input)
    }

    fn modern_call(&self, id: u64, method: &'static str, params: &Map<String, Value>) -> Call {
        let mut params = params.clone();
        if !self.has(Fault::NoMeta) {
            params.insert("_meta".to_owned(), self.meta());
        }
        let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        message["params"] = Value::Object(params);
        let request = Request::post(message.to_string(), self.fault);
        let request = self
            .mirrored(method, &message["params"])
            .into_iter()
            .fold(request, |request, (name, value)| request.with(name, value));
        Call { id, method, request }
    }

    fn meta(&self) -> Value {
        json!({
            "io.modelcontextprotocol/protocolVersion": Revision::R20260728.date(),
            "io.modelcontextprotocol/clientInfo": client_info(),
            "io.modelcontextprotocol/clientCapabilities": self.capabilities(),
        })
    }

    /// The header fields that repeat what the body says.
    fn mirrored(&self, method: &str, params: &Value) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
        if let Some(version) = self.version_header(Revision::R20260728) {
            add("MCP-Protocol-Version", version.to_owned());
        }
        if !self.has(Fault::NoMethodHeader) {
            add("Mcp-Method", method.to_owned());
        }
        let Some(name) = params.get("name").and_then(Value::as_str).filter(|_| method == "tools/call") else {
            return fields;
        };
        if !self.has(Fault::NoNameHeader) {
            add("Mcp-Name", self.encoded(name));
        }
        let arguments = params.get("arguments").and_then(Value::as_object);
        if let Some(arguments) = arguments.filter(|_| !self.has(Fault::NoParameterHeaders)) {
            for mirror in lock(&self.mirrors).get(name).into_iter().flatten() {
                if let Some((name, value)) = mirror.field(arguments) {
                    add(&name, self.encoded(&value));
                }
            }
        }
        fields
    }

    fn encoded(&self, value: &str) -> String {
        if self.has(Fault::RawHeaderValues) { value.to_owned() } else { mirror::encoded(value) }
    }

    /// Takes note of the parameters that go into header fields, and leaves out the tools that annotate them wrongly
    /// (2026-07-28, "Schema Extension").
    pub(super) fn take_note_of_tools(&self, result: &mut Value) {
        let Some(tools) = result.get_mut("tools").and_then(Value::as_array_mut) else { return };
        tools.retain(|tool| {
            let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
            match mirror::of_tool(tool) {
                Ok(mirrors) => {
                    lock(&self.mirrors).insert(name.to_owned(), mirrors);
                    true
                }
                Err(why) => {
                    eprintln!("the tool `{name}` is left out: {why}");
                    false
                }
            }
        });
    }

    /// Reads the list of tools again. Says whether the header fields of this call are others now.
    fn refresh_mirrors(self: &Arc<Self>, params: &Map<String, Value>, wait: &Wait<'_>) -> Result<bool, Failure> {
        let params = Value::Object(params.clone());
        let before = self.mirrored("tools/call", &params);
        let mut tools = self.modern_request("tools/list", &Map::new(), wait)?;
        self.take_note_of_tools(&mut tools);
        Ok(self.mirrored("tools/call", &params) != before)
    }

    /// Adds to the parameters what the server wants to know before it goes on (2026-07-28, "Multi Round-Trip
    /// Requests").
    fn add_input(&self, params: &mut Map<String, Value>, required: &Value) -> Result<(), Failure> {
        params.remove("inputResponses");
        params.remove("requestState");
        if let Some(requests) = required.get("inputRequests").and_then(Value::as_object) {
            let answer = |request: &Value| self.answers.as_ref()?.to(request.get("method")?.as_str()?).cloned();
            let responses: Option<Map<String, Value>> =
                requests.iter().map(|(key, request)| Some((key.clone(), answer(request)?))).collect();
            params.insert("inputResponses".to_owned(), Value::Object(responses.ok_or(Failure::Input)?));
        }
        if let Some(state) = required.get("requestState") {
            let state = match state.as_str() {
                Some(text) if self.has(Fault::ChangesRequestState) => Value::String(format!("{text} ")),
                _ => state.clone(),
            };
            params.insert("requestState".to_owned(), state);
        }
        Ok(())
    }
}

/// Whether a server without the modern revisions would answer like this, and no other.
fn is_of_legacy_server(failure: &Failure) -> bool {
    match failure {
        Failure::Rpc { code: HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_VERSION, .. } => false,
        // The status by which a modern server refuses a method that it does not have.
        Failure::Rpc { status: 404, code: METHOD_NOT_FOUND, .. } => false,
        Failure::Rpc { status: 200 | 400 | 404 | 405, .. } | Failure::Status(400 | 404 | 405) => true,
        _ => false,
    }
}
