//! What a target in the test's own process logs through `tracing` stands with what is found in it; and what a program
//! writes to standard error does.

use std::path::Path;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use mcpwire::{InProcess, Revision, Run, Target, Verdict, reference};
use serde_json::{Value, json};

const REVISION: Revision = Revision::R20251125;

/// What a server of these tests gets wrong, and what it says.
#[derive(Clone, Copy)]
struct Habits {
    name: &'static str,
    /// How many lines it logs for each request.
    lines: u32,
}

/// Its answers say that they are text.
async fn answer(State(habits): State<Habits>, headers: HeaderMap, body: Bytes) -> Response {
    let Ok(message) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let method = message["method"].as_str().unwrap_or_default();
    let session = headers.get("mcp-session-id").and_then(|id| id.to_str().ok()).unwrap_or("none yet");
    for nth in 0..habits.lines {
        tracing::info!(method, nth, "answering as {} in session {session}", habits.name);
    }
    tracing::debug!("too low to be heard");
    let Some(id) = message.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let result = match method {
        "initialize" => json!({
            "protocolVersion": message["params"]["protocolVersion"],
            "capabilities": {},
            "serverInfo": {"name": habits.name, "version": "1"},
        }),
        _ => json!({}),
    };
    let answer = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
    let fields = [("content-type", "text/plain"), ("mcp-session-id", "s3cr3t-of-the-session")];
    let mut response = (fields, answer).into_response();
    if method != "initialize" {
        response.headers_mut().remove(header::HeaderName::from_static("mcp-session-id"));
    }
    response
}

fn server(name: &'static str, lines: u32) -> InProcess {
    InProcess::service(name, "/mcp", Router::new().route("/mcp", post(answer)).with_state(Habits { name, lines }))
}

fn run(name: &'static str, lines: u32) -> Run<Target> {
    assert!(mcpwire::capture_tracing(), "nobody else has a subscriber in this program");
    mcpwire::check(server(name, lines)).only("http/content-type").revision(REVISION)
}

/// The text that a failing test shows.
fn text(report: &mcpwire::Report) -> String {
    let words = std::panic::catch_unwind(|| report.assert_conformant()).expect_err("it does not conform");
    words.downcast_ref::<String>().expect("words").clone()
}

#[tokio::test]
async fn what_it_logged_stands_with_the_finding_and_in_the_recording() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("logged");
    let report = run("the one", 1).record(&folder).await.expect("it can be tested");
    assert_eq!(report.ids(Verdict::Fail, REVISION), ["http/content-type"]);
    let text = text(&report);
    let said = text.split("  said      ").nth(1).unwrap_or_else(|| panic!("{text}"));
    let line = "| INFO logged: answering as the one in session none yet method=\"initialize\" nth=0\n";
    assert!(said.contains(line), "{text}");
    assert!(!text.contains("too low"), "{text}");
    assert!(said.lines().nth(1).is_some_and(|line| line.trim_start().starts_with(['+', '-', '−'])), "{said}");
    // The report is made from the recording, and so is this one.
    let judged = std::process::Command::new(env!("CARGO_BIN_EXE_mcpwire")).arg("judge").arg(&folder).output();
    let judged = String::from_utf8(judged.expect("it runs").stdout).expect("text");
    assert_eq!(judged.trim(), text.trim());
}

#[tokio::test]
async fn secrets_in_what_it_logged_reach_no_recording() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("logged-secrets");
    let report = run("secretive", 1).record(&folder).await.expect("it can be tested");
    let text = text(&report);
    assert!(text.contains("in session ") && text.contains(".redacted"), "{text}");
    assert!(!text.contains("s3cr3t"), "{text}");
    let mut files: Vec<_> = std::fs::read_dir(folder.join("traces")).expect("traces").flatten().collect();
    files.extend(std::fs::read_dir(&folder).expect("a folder").flatten().filter(|entry| entry.path().is_file()));
    for file in files {
        let text = std::fs::read_to_string(file.path()).expect("text");
        assert!(!text.contains("s3cr3t"), "{}", file.path().display());
        if file.path().extension().is_some_and(|extension| extension == "jsonl") {
            assert!(text.contains("\"said\""), "{text}");
        }
    }
}

#[tokio::test]
async fn of_a_flood_the_last_lines_are_kept() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("logged-flood");
    let report = run("talkative", 5_000).record(&folder).await.expect("it can be tested");
    let kept = std::fs::read_to_string(folder.join("traces/00-2025-11-25-survey.jsonl")).expect("the survey");
    assert!((50..100).contains(&kept.matches("\"event\":\"said\"").count()), "{kept}");
    assert!(kept.contains("lines before were not kept"), "{kept}");
    let text = text(&report);
    assert!(text.contains("lines before"), "{text}");
    let said = text.lines().filter(|line| line.contains("| INFO logged: answering as talkative")).count();
    assert!((1..100).contains(&said), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_targets_at_once_do_not_hear_each_other() {
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { run("the other", 3).await.expect("it can be tested") })
    });
    let here = text(&run("this", 3).await.expect("it can be tested"));
    let there = text(&other.join().expect("no panic"));
    assert!(here.contains("answering as this") && !here.contains("answering as the other"), "{here}");
    assert!(there.contains("answering as the other") && !there.contains("answering as this"), "{there}");
}

/// A program of its own, when it is started as one: the port is its last argument.
#[test]
fn the_server() {
    let port = std::env::args().next_back().and_then(|port| port.parse::<u16>().ok());
    let Some(port) = port else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let says = async |habits: State<Habits>, headers: HeaderMap, body: Bytes| {
            eprintln!("answering {}", String::from_utf8_lossy(&body));
            answer(habits, headers, body).await
        };
        let app = Router::new().route("/mcp", post(says)).with_state(Habits { name: "program", lines: 0 });
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
        axum::serve(listener, app).await.expect("axum serves");
    });
}

#[tokio::test]
async fn what_a_program_writes_to_standard_error_stands_with_the_finding() {
    let program = std::env::current_exe().expect("a path");
    let line = format!("'{}' --exact --nocapture the_server {{port}}", program.display());
    let mut seen = String::new();
    // On a busy machine, a line comes when its scenario is over.
    for _ in 0..4 {
        let command = mcpwire::Command::new(&line, "/mcp").expect("a command");
        let run = mcpwire::check(command).only("http/content-type").revision(REVISION);
        seen = text(&run.await.expect("it can be tested"));
        if seen.contains("  said      ") {
            break;
        }
    }
    let text = seen;
    let said = text.split("  said      ").nth(1).unwrap_or_else(|| panic!("{text}"));
    assert!(said.contains("| answering {\"jsonrpc\":\"2.0\""), "{text}");
    // From a test, what is outside is replayed by the test as well: it knows the options.
    assert!(text.contains("cargo test -p mcpwire --test logged -- --exact what_a_program_writes"), "{text}");
}

#[tokio::test]
async fn what_a_closure_logs_stands_with_the_scenario_in_which_it_did() {
    assert!(mcpwire::capture_tracing(), "nobody else has a subscriber in this program");
    let client = mcpwire::Client::in_process("says", |scenario| async move {
        tracing::info!("playing {}", scenario.scenario());
        let follow = move || {
            let never = || false;
            reference::client::run(
                scenario.url(),
                scenario.script(),
                Some(reference::client::Fault::DropsBody),
                &|_| {},
                &never,
            )
        };
        tokio::task::spawn_blocking(follow).await??;
        Ok(())
    });
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("logged-client");
    let run = mcpwire::check_client(client).revision(REVISION).only("client/body-drained");
    let run = run.only("client/http/*").only("client/sse-grammar/*");
    let report = run.record(&folder).await.expect("it came");
    assert!(text(&report).contains("| INFO logged: playing client-"), "{}", text(&report));
    let traces: Vec<_> = std::fs::read_dir(folder.join("traces")).expect("traces").flatten().collect();
    assert!(traces.len() > 4, "{traces:?}");
    let again = |file: &std::fs::DirEntry| file.file_name().to_string_lossy().ends_with("client-late-end-2.jsonl");
    assert!(traces.iter().any(again), "what was found was looked for a second time: {traces:?}");
    for file in traces {
        let text = std::fs::read_to_string(file.path()).expect("text");
        let head: Value = serde_json::from_str(text.lines().next().unwrap_or_default()).expect("a head");
        let said: Vec<&str> = text.lines().filter(|line| line.contains("\"event\":\"said\"")).collect();
        let expected = format!("playing {}\"", head["scenario"].as_str().unwrap_or_default());
        assert!(matches!(said[..], [line] if line.contains(&expected)), "{expected}: {said:?}");
    }
}
