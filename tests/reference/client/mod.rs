//! The reference client: it conforms against the reference server and against a scripted one, and its faults are what
//! they say.

mod conforming;
mod faults;
mod peer;

use std::sync::Mutex;
use std::time::Duration;

use mcpwire::reference::client::{self, Fault};
use serde_json::{Value, json};

use self::peer::{Asked, Part, Peer, Seen, What};
use super::common::{ALL, LEGACY, MODERN, start};

/// What the client told, by step and in order.
#[derive(Debug)]
struct Told(Vec<Value>);

impl Told {
    fn line(&self, step: &str) -> &Value {
        self.0.iter().find(|line| line["step"] == step).unwrap_or_else(|| panic!("no `{step}` in {:?}", self.0))
    }

    fn text(&self, step: &str) -> &str {
        self.line(step)["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{:?}", self.line(step)))
    }
}

fn run(url: &str, script: &Value, fault: Option<Fault>) -> Told {
    let told = Mutex::new(Vec::new());
    let tell = |line: &str| told.lock().unwrap().push(serde_json::from_str(line).unwrap());
    client::run(url, &script.to_string(), fault, &tell, &|| false).unwrap();
    Told(told.into_inner().unwrap())
}

/// Connects, calls as often, and closes.
fn calls(revision: &str, count: usize) -> Value {
    let mut steps = vec![json!({ "step": "connect", "do": "connect" })];
    steps.extend((0..count).map(|number| json!({ "step": number.to_string(), "do": "call-tool", "name": "t" })));
    steps.push(json!({ "step": "close", "do": "close" }));
    json!({ "version": 1, "revision": revision, "steps": steps })
}

/// What the client did, and what it told, when its calls were answered like this.
fn play(
    script: &Value,
    fault: Option<Fault>,
    answer: impl Fn(&Asked) -> Option<Vec<Part>> + Send + Sync + 'static,
) -> (Told, Record) {
    let peer = Peer::start(answer);
    let told = run(&peer.url, script, fault);
    (told, Record(peer.seen()))
}

struct Record(Vec<Seen>);

impl Record {
    fn asked(&self, method: &str) -> Vec<&Asked> {
        self.requests().filter(|(_, asked)| asked.method() == method).map(|(_, asked)| asked).collect()
    }

    fn requests(&self) -> impl Iterator<Item = (&Seen, &Asked)> {
        self.0.iter().filter_map(|seen| match &seen.what {
            What::Asked(asked) => Some((seen, asked)),
            _ => None,
        })
    }

    fn times(&self, method: &str) -> Vec<Duration> {
        self.requests().filter(|(_, asked)| asked.method() == method).map(|(seen, _)| seen.at).collect()
    }

    fn connections(&self) -> usize {
        self.0.iter().filter(|seen| matches!(seen.what, What::Opened)).count()
    }

    fn resets(&self) -> usize {
        self.0.iter().filter(|seen| matches!(seen.what, What::Reset)).count()
    }

    /// The connections that calls went over, and how long after the call each of them ended.
    fn ends_of_calls(&self) -> Vec<Duration> {
        let calls = self.requests().filter(|(_, asked)| asked.method() == "tools/call");
        let end = |seen: &Seen| {
            let ends = self.0.iter().filter(|other| matches!(other.what, What::Fin | What::Reset));
            ends.filter(|other| other.connection == seen.connection).map(|other| other.at - seen.at).next().unwrap()
        };
        calls.map(|(seen, _)| end(seen)).collect()
    }
}

fn is_call(asked: &Asked) -> bool {
    asked.method() == "tools/call"
}

const NOVEMBER: &str = LEGACY[2];
