//! Without a fault.

use mcpwire::reference::client::Fault;
use mcpwire::reference::{Reference, Variant};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

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
    assert_eq!(told.line("tools")["result"]["tools"].as_array().unwrap().len(), 8);
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

#[test]
fn unfaulted_it_reuses_its_connection_and_ends_in_order() {
    for revision in ALL {
        let (told, record) = play(&calls(revision, 5), None, |_| None);
        assert_eq!(told.text("4"), "done");
        // The GET may be sent while another answer is read.
        assert!(record.connections() <= 2, "{}", record.connections());
        assert_eq!(record.resets(), 0);
        let is_legacy = revision != MODERN;
        for (_, asked) in record.requests() {
            let is_in_session = is_legacy && asked.method() != "initialize";
            assert_eq!(asked.field("mcp-session-id").as_deref(), is_in_session.then_some("one"));
            let names_version = !is_legacy || is_in_session && revision > "2025-03-26";
            assert_eq!(asked.field("mcp-protocol-version").as_deref(), names_version.then_some(revision));
            let accepts = match asked.head.method.as_str() {
                "POST" => Some("application/json, text/event-stream"),
                "GET" => Some("text/event-stream"),
                _ => None,
            };
            assert_eq!(asked.field("accept").as_deref(), accepts);
            assert_eq!(asked.field("content-type").is_some(), asked.head.method == "POST");
            let method = (!is_legacy).then(|| asked.method().to_owned());
            assert_eq!(asked.field("mcp-method"), method);
            let name = (!is_legacy && is_call(asked)).then(|| "t".to_owned());
            assert_eq!(asked.field("mcp-name"), name);
            let meta = &asked.body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
            assert_eq!(meta.as_str(), (!is_legacy).then_some(MODERN));
        }
        let methods: Vec<_> =
            record.requests().map(|(_, asked)| asked.method()).filter(|method| *method != "GET").collect();
        match is_legacy {
            true => {
                assert_eq!(methods[..2], ["initialize", "notifications/initialized"]);
                assert_eq!(methods.last(), Some(&"DELETE"));
                assert_eq!(record.asked("GET").len(), 1);
            }
            false => assert_eq!(methods[..2], ["server/discover", "tools/call"]),
        }
    }
}
