//! A server in the test's own process, as its users would write it, on both flavours of the runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use mcpwire::{InProcess, Inventory, Options, Revision, Target, Verdict};
use rstest::rstest;
use serde_json::{Value, json};

/// A small stateless server with JSON answers.
async fn serve(listener: tokio::net::TcpListener) {
    serve_as("in-process", listener).await;
}

/// The same under another name.
async fn serve_as(name: &'static str, listener: tokio::net::TcpListener) {
    let app = Router::new().route("/mcp", post(answer)).with_state(name);
    axum::serve(listener, app).await.expect("axum serves");
}

async fn answer(State(name): State<&'static str>, headers: HeaderMap, request: Request) -> Response {
    let Ok(body) = axum::body::to_bytes(request.into_body(), 1 << 20).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return error(StatusCode::BAD_REQUEST, &Value::Null, -32700, "no JSON");
    };
    let modern = headers.get("mcp-protocol-version").is_some_and(|version| version == "2026-07-28");
    let (Some("2.0"), Some(method)) = (message["jsonrpc"].as_str(), message["method"].as_str()) else {
        return error(StatusCode::BAD_REQUEST, &Value::Null, -32600, "no request");
    };
    let id = match message.get("id") {
        None => return StatusCode::ACCEPTED.into_response(),
        Some(Value::Null) => return error(StatusCode::BAD_REQUEST, &Value::Null, -32600, "no id"),
        Some(id) => id,
    };
    if modern {
        return error(StatusCode::NOT_FOUND, id, -32601, "this server is not modern");
    }
    let result = match method {
        "initialize" => match message["params"]["protocolVersion"].as_str() {
            Some(version) => json!({
                "protocolVersion": version,
                "capabilities": {},
                "serverInfo": {"name": name, "version": "1"},
            }),
            None => return error(StatusCode::OK, id, -32602, "no version"),
        },
        "ping" => json!({}),
        _ => return error(StatusCode::OK, id, -32601, "no such method"),
    };
    Json(json!({"jsonrpc": "2.0", "id": id, "result": result})).into_response()
}

fn error(status: StatusCode, id: &Value, code: i64, message: &str) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
    (status, Json(body)).into_response()
}

fn target() -> Target {
    Target::InProcess(InProcess::new("a small server", "/mcp", serve))
}

#[tokio::test(flavor = "current_thread")]
async fn a_conforming_server_conforms_on_a_current_thread_runtime() {
    mcpwire::check(target()).await.expect("it can be tested").assert_conformant();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conforming_server_conforms_on_a_multi_thread_runtime() {
    mcpwire::check(target()).await.expect("it can be tested").assert_conformant();
}

#[tokio::test]
async fn a_selection_judges_only_what_it_names() {
    let options = Options { only: vec!["latency/*".to_owned()], ..Options::default() };
    let report = mcpwire::check_with(target(), options, vec![Revision::R20251125]).await.expect("it can be tested");
    assert!(report.checks.iter().all(|check| check.area == "latency"));
    assert!(report.ids(Verdict::Pass, Revision::R20251125).contains(&"latency/repeated-calls-within-budget"));
}

#[tokio::test]
async fn what_is_required_of_a_server_has_to_be_exercised() {
    // The small server answers with JSON alone.
    let options = |require: &str| Options {
        only: vec!["sse/*".to_owned(), "http/*".to_owned()],
        require: vec![require.to_owned()],
        ..Options::default()
    };
    let revisions = || vec![Revision::R20251125];
    let report = mcpwire::check_with(target(), options("http/content-type"), revisions()).await.expect("a report");
    report.assert_conformant();
    let report = mcpwire::check_with(target(), options("sse/*"), revisions()).await.expect("a report");
    assert!(!report.conforms());
    let unknown = mcpwire::check_with(target(), options("no/such"), revisions()).await.expect_err("no such check");
    assert!(unknown.to_string().contains("no check matches `no/such`"), "{unknown}");
}

#[tokio::test]
#[should_panic(expected = "nothing was judged")]
async fn a_server_that_speaks_none_of_the_revisions_is_not_conformant() {
    let report = mcpwire::check_with(target(), Options::default(), vec![Revision::R20260728]).await;
    report.expect("it can be tested").assert_conformant();
}

/// What a server says of itself, whose table of routes has one for each request, or forgets them.
struct Table {
    routes: Arc<AtomicU32>,
    forgets: bool,
}

impl Inventory for Table {
    fn routes(&self) -> Option<u32> {
        Some(if self.forgets { 0 } else { self.routes.load(Ordering::Relaxed) })
    }
}

#[rstest]
#[case(true, Verdict::Pass)]
#[case(false, Verdict::Fail)]
#[tokio::test]
async fn what_a_server_says_of_its_tables_is_judged(#[case] forgets: bool, #[case] expected: Verdict) {
    let routes = Arc::new(AtomicU32::new(0));
    let counted = routes.clone();
    let count = move |request: Request, next: Next| {
        counted.fetch_add(1, Ordering::Relaxed);
        next.run(request)
    };
    let app = Router::new().route("/mcp", post(answer)).layer(from_fn(count)).with_state("a server with a table");
    let server = InProcess::new("a server with a table", "/mcp", |listener| async move {
        axum::serve(listener, app).await.expect("axum serves");
    });
    let target = Target::InProcess(server.with_inventory(Table { routes, forgets }));
    let options = Options { only: vec!["cleanup/router-entries".to_owned()], ..Options::default() };
    let report = mcpwire::check_with(target, options, vec![Revision::R20251125]).await.expect("it can be tested");
    assert_eq!(report.checks[0].verdict, expected, "{:?}", report.checks[0]);
}

#[tokio::test]
async fn dropping_the_check_stops_it() {
    let never = InProcess::new("a server that never answers", "/mcp", |listener| async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    let started = std::time::Instant::now();
    let checked = mcpwire::check(Target::InProcess(never));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(100), checked).await.is_err());
    // Not a measurement: only that nobody waits out the ten seconds for an answer.
    assert!(started.elapsed() < std::time::Duration::from_secs(8));
}

/// What its users do: the conversations as snapshots, in a folder of their own.
#[tokio::test]
async fn the_conversations_with_a_server_are_snapshots() {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../snapshots/conversations/in-process");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let snapshots = mcpwire::snapshots(target()).await.expect("it can be tested");
    settings.bind(|| {
        for conversation in snapshots {
            insta::assert_snapshot!(conversation.name, conversation.text);
        }
    });
}

#[tokio::test]
async fn one_message_that_is_another_changes_one_line_in_one_snapshot() {
    let of = |name: &'static str| {
        let serve = move |listener| serve_as(name, listener);
        mcpwire::snapshots(Target::InProcess(InProcess::new("a small server", "/mcp", serve)))
    };
    let (before, after) = (of("in-process").await.expect("before"), of("renamed-it").await.expect("after"));
    let lines = |snapshots: &[mcpwire::Snapshot]| -> Vec<(String, String)> {
        let of_one = |one: &mcpwire::Snapshot| {
            let name = one.name.clone();
            one.text.lines().map(|line| (name.clone(), line.to_owned())).collect::<Vec<_>>()
        };
        snapshots.iter().flat_map(of_one).collect()
    };
    let (before, after) = (lines(&before), lines(&after));
    assert_eq!(before.len(), after.len());
    let changed: Vec<_> = before.iter().zip(&after).filter(|(before, after)| before != after).collect();
    assert!(matches!(changed[..], [(_, (_, line))] if line.contains("renamed-it")), "{changed:#?}");
}
