//! From the script to the outcomes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Fault;
use super::failure::Failure;
use super::legacy::PATIENCE;
use super::script::{Action, Call, Script, Step};
use super::shared::{Client, lock};
use super::url::Url;
use super::wait::Wait;

/// How soon `stop` is heard.
const GLANCE: Duration = Duration::from_millis(10);

/// Why a client does nothing at all.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address of the server is none.
    #[error("`{0}` is no URL of an HTTP server")]
    Url(String),
    /// The script cannot be read.
    #[error("the script cannot be read: {0}")]
    Script(#[from] serde_json::Error),
}

/// Whoever is told the outcome lines.
type Tell<'t> = &'t (dyn Fn(&str) + Sync);

/// Follows the script against the server at `url`. Tells each outcome line, without its end, through `tell` in the
/// moment in which the caller has the outcome; ends early when `stop()` is true.
///
/// # Errors
///
/// Where there is nothing to follow: what goes wrong later is an outcome.
pub fn run(
    url: &str,
    script: &str,
    fault: Option<Fault>,
    tell: &(dyn Fn(&str) + Sync),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<(), ClientError> {
    let url = Url::parse(url).ok_or_else(|| ClientError::Url(url.to_owned()))?;
    let mut script: Script = serde_json::from_str(script)?;
    let client = Arc::new(Client::new(url, &mut script, fault));
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Acquire) {
                if stop() {
                    return client.halt();
                }
                thread::sleep(GLANCE);
            }
        });
        follow(&client, &script.steps, tell);
        client.end();
        is_done.store(true, Ordering::Release);
    });
    Ok(())
}

fn follow(client: &Arc<Client>, steps: &[Step], tell: Tell<'_>) {
    for step in steps {
        let is_connected = take(client, step, tell);
        if !is_connected || client.is_halted() {
            return;
        }
    }
}

/// Takes a step, and tells what came of it. Says whether there is a point in taking another.
fn take(client: &Arc<Client>, step: &Step, tell: Tell<'_>) -> bool {
    let nothing = || json!({});
    let outcome = match &step.action {
        Action::Connect => client.connect().map(|()| nothing()),
        Action::ListTools => client.list_tools(),
        Action::CallTool(call) => client.call_tool(call),
        Action::Wait { ms } => client.rest(Duration::from_millis(*ms)).map(|()| nothing()),
        Action::Close => {
            client.say_goodbye();
            Ok(nothing())
        }
        Action::Together { steps } => {
            thread::scope(|scope| {
                for step in steps {
                    scope.spawn(|| take(client, step, tell));
                }
            });
            return true;
        }
    };
    let is_lost = outcome.is_err() && matches!(step.action, Action::Connect);
    tell(&match outcome {
        // Whoever stopped it does not want to know.
        Err(Failure::Stopped) => return false,
        Ok(result) => json!({ "mcpwire": 1, "step": step.name, "result": result }).to_string(),
        Err(failure) => json!({ "mcpwire": 1, "step": step.name, "error": failure.as_json() }).to_string(),
    });
    !is_lost
}

impl Client {
    fn connect(self: &Arc<Self>) -> Result<(), Failure> {
        match self.asked.is_legacy() {
            true if self.probes => self.probe(),
            true => self.initialize(),
            false if self.has(Fault::FallsBackAnyway) => self.discover().or_else(|_| self.initialize()),
            false => self.discover(),
        }
    }

    fn list_tools(self: &Arc<Self>) -> Result<Value, Failure> {
        let mut tools = self.request("tools/list", &Map::new(), &Wait::of(self, PATIENCE))?;
        if self.is_modern() {
            self.take_note_of_tools(&mut tools);
        }
        Ok(tools)
    }

    fn call_tool(self: &Arc<Self>, call: &Call) -> Result<Value, Failure> {
        let _turn = self.has(Fault::OneCallAtATime).then(|| lock(&self.turn));
        let wait = Wait::of(self, call.limit().unwrap_or(PATIENCE));
        let params = json!({ "name": call.name, "arguments": call.arguments });
        let params = params.as_object().cloned().unwrap_or_default();
        if !self.has(Fault::AnswersByOrder) {
            return self.request("tools/call", &params, &wait);
        }
        let place = self.order.enter();
        let outcome = self.request("tools/call", &params, &wait);
        self.order.deliver(outcome);
        place.outcome(&Wait::of(self, PATIENCE))
    }

    fn request(
        self: &Arc<Self>,
        method: &'static str,
        params: &Map<String, Value>,
        wait: &Wait<'_>,
    ) -> Result<Value, Failure> {
        match self.is_modern() {
            true => self.modern_request(method, params, wait),
            false => self.legacy_request(method, params, wait),
        }
    }

    fn rest(self: &Arc<Self>, length: Duration) -> Result<(), Failure> {
        Wait::of(self, Duration::MAX).sleep(length)
    }
}
