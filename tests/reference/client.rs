//! The reference client: it conforms against the reference server, and its faults are what they say.

use std::sync::Mutex;

use mcpwire::reference::client::{self, Fault};
use mcpwire::reference::{Reference, Variant};
use rstest::rstest;
use serde_json::{Value, json};

use super::common::{ALL, LEGACY, MODERN, start};

/// What the client told, by step and in order.
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

/// A script with every kind of step.
fn script(revision: &str) -> Value {
    json!({ "version": 1, "revision": revision, "steps": [
        { "step": "connect", "do": "connect" },
        { "step": "tools", "do": "list-tools" },
        { "step": "greet", "do": "call-tool", "name": "greet" },
        { "step": "echo", "do": "call-tool", "name": "echo", "arguments": { "text": "Größe" } },
        { "step": "fail", "do": "call-tool", "name": "fail" },
        { "step": "unknown", "do": "call-tool", "name": "nonesuch" },
        { "step": "progress", "do": "call-tool", "name": "progress", "arguments": { "steps": 3 } },
        { "step": "late", "do": "call-tool", "name": "slow", "arguments": { "ms": 2000 }, "give-up-after-ms": 60 },
        { "step": "side by side", "do": "together", "steps": [
            { "step": "left", "do": "call-tool", "name": "slow", "arguments": { "ms": 100 } },
            { "step": "right", "do": "call-tool", "name": "echo", "arguments": { "text": "right" } },
        ] },
        { "step": "rest", "do": "wait", "ms": 20 },
        { "step": "close", "do": "close" },
    ] })
}

fn follows(server: &Reference, revision: &str) {
    let told = run(&server.url(), &script(revision), None);
    assert_eq!(told.line("connect")["result"], json!({}));
    assert_eq!(told.line("tools")["result"]["tools"].as_array().unwrap().len(), 5);
    assert_eq!(told.text("greet"), "Grüß dich!");
    assert_eq!(told.text("echo"), "Größe");
    assert_eq!(told.line("fail")["result"]["isError"], true);
    assert_eq!(told.line("unknown")["error"]["code"], -32602);
    assert_eq!(told.text("progress"), "Schritt für Schritt.");
    assert_eq!(told.line("late")["error"], json!({ "message": "timed out" }));
    assert_eq!(told.text("left"), "Gemütlich.");
    assert_eq!(told.text("right"), "right");
    assert_eq!(told.line("rest")["result"], json!({}));
    assert_eq!(told.line("close")["result"], json!({}));
    assert_eq!(told.0.len(), 12);
}

#[test]
fn it_follows_a_script_in_every_revision() {
    for revision in ALL {
        follows(&start(None, &[]), revision);
    }
}

#[rstest]
#[case(Variant::JsonAnswers)]
#[case(Variant::Stateless)]
#[case(Variant::Get405)]
#[case(Variant::Delete405)]
#[case(Variant::CloseAnnounced)]
#[case(Variant::ClosesAfter4xx)]
#[case(Variant::CloseDelimited)]
#[case(Variant::ContentLengthSse)]
#[case(Variant::OneWrite)]
#[case(Variant::AcceptedChunked)]
#[case(Variant::CrlfEvents)]
#[case(Variant::CommentsAndBom)]
#[case(Variant::UpperCaseHeaderNames)]
#[case(Variant::OddContentTypes)]
fn it_takes_every_liberty_of_a_server(#[case] variant: Variant) {
    for revision in ["2025-06-18", "2025-11-25", MODERN] {
        follows(&start(None, &[variant]), revision);
    }
}

#[test]
fn it_polls() {
    follows(&start(None, &[Variant::Polling]), "2025-11-25");
}

#[test]
fn it_looks_for_a_modern_server_first_if_it_is_told_to() {
    let probe = |variant, fault| {
        let mut script = script("2025-11-25");
        script["probe"] = true.into();
        run(&start(None, &[variant]).url(), &script, fault)
    };
    for variant in [Variant::LegacyOnly, Variant::ModernOnly] {
        assert_eq!(probe(variant, None).text("greet"), "Grüß dich!");
    }
    let told = probe(Variant::LegacyOnly, Some(Fault::NeverFallsBack));
    assert!(told.line("connect")["error"].is_object());
    assert_eq!(told.0.len(), 1);
}

#[test]
fn a_connection_that_fails_is_told_and_is_the_end() {
    let script = script(LEGACY[2]);
    let told = run("http://127.0.0.1:9/mcp", &script, None);
    assert!(told.line("connect")["error"].is_object());
    assert_eq!(told.0.len(), 1);
}
