//! A server in the test's own process, as its users would write it, on both flavours of the runtime.

use std::collections::VecDeque;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use mcpwire::{InProcess, Inventory, Level, Revision, RunError, Verdict};
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

fn target() -> InProcess {
    InProcess::new("a small server", "/mcp", serve)
}

fn router() -> Router {
    Router::new().route("/mcp", post(answer)).with_state("in-process")
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
    let run = mcpwire::check(target()).only("latency/*").revision(Revision::R20251125);
    let report = run.await.expect("it can be tested");
    assert!(report.checks.iter().all(|check| check.area == "latency"));
    assert!(report.ids(Verdict::Pass, Revision::R20251125).contains(&"latency/repeated-calls-within-budget"));
}

#[tokio::test]
async fn what_is_required_of_a_server_has_to_be_exercised() {
    // The small server answers with JSON alone.
    let run = |required: &str| {
        let of_both = mcpwire::check(target()).only("sse/*").only("http/*");
        of_both.require(required).revision(Revision::R20251125)
    };
    run("http/content-type").await.expect("a report").assert_conformant();
    assert!(!run("sse/*").await.expect("a report").conforms());
    let unknown = run("no/such").await.expect_err("no such check");
    assert!(unknown.to_string().contains("no check matches `no/such`"), "{unknown}");
}

#[tokio::test]
#[should_panic(expected = "nothing was judged")]
async fn a_server_that_speaks_none_of_the_revisions_is_not_conformant() {
    let report = mcpwire::check(target()).revision(Revision::R20260728).await;
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
    let run = mcpwire::check(server.with_inventory(Table { routes, forgets }));
    let report = run.only("cleanup/router-entries").revision(Revision::R20251125).await.expect("it can be tested");
    assert_eq!(report.checks[0].verdict, expected, "{:?}", report.checks[0]);
}

/// The same on every revision that it speaks, as a table of tests: what its users do with rstest.
#[rstest]
#[case::the_oldest(Revision::R20250326)]
#[case::the_newest_of_its_era(Revision::R20251125)]
#[tokio::test]
async fn one_area_conforms(#[case] revision: Revision) {
    let report = mcpwire::check(target()).only("http/*").revision(revision).await.expect("it can be tested");
    report.assert_conformant();
    report.assert_check("http/content-type");
}

#[tokio::test]
async fn a_check_that_does_not_exist_is_told_with_those_that_are_near() {
    let refused = mcpwire::check(target()).only("sse/well-fromed").await.expect_err("no check");
    assert!(refused.to_string().contains("did you mean sse/well-formed?"), "{refused}");
    let refused = mcpwire::check(target()).only("client/body-drained").await.expect_err("no check of servers");
    assert!(refused.to_string().contains("a check of clients"), "{refused}");
    let refused = mcpwire::check(target()).tool("slwo=slow").await.expect_err("no role");
    assert!(refused.to_string().contains("known roles: slow"), "{refused}");
}

#[tokio::test]
#[should_panic(expected = "nothing was judged")]
async fn a_selection_in_which_nothing_was_examined_does_not_pass() {
    // It answers with JSON only.
    let report = mcpwire::check(target()).only("sse/*").revision(Revision::R20251125).await;
    report.expect("it can be tested").assert_conformant();
}

#[rstest]
#[case::examined_nothing("sse/well-formed", "nothing was judged")]
#[case::not_there("sse/well-fromed", "did you mean sse/well-formed?")]
#[case::not_selected("latency/repeated-calls-within-budget", "was not selected")]
#[tokio::test]
async fn an_assertion_of_one_check_is_as_strict(#[case] pattern: &'static str, #[case] expected: &str) {
    let run = mcpwire::check(target()).only("sse/*").only("http/content-type").revision(Revision::R20251125);
    let report = run.await.expect("it can be tested");
    report.assert_check("http/content-type");
    let refused = std::panic::catch_unwind(|| report.assert_check(pattern)).expect_err("not asserted");
    let words = refused.downcast_ref::<String>().expect("words");
    assert!(words.contains(expected), "{words}");
}

#[rstest]
#[case::current_thread(false)]
#[case::multi_thread(true)]
fn a_router_is_a_target_on_either_runtime(#[case] many: bool) {
    let mut builder = match many {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.enable_all().build().expect("a runtime");
    let report = runtime.block_on(async { mcpwire::check(InProcess::service("a router", "/mcp", router())).await });
    let report = report.expect("it can be tested");
    report.assert_conformant();
}

/// An answer as an event stream in two pieces, the second one as soon as the first one is out.
async fn in_two_pieces(request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    if answer.status() != StatusCode::OK {
        return answer;
    }
    let json = axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("it is short");
    let event = format!("data: {}\n\n", String::from_utf8_lossy(&json));
    let pieces = Pieces { left: [Bytes::from("data:\n\n"), Bytes::from(event)].into(), is_out: true };
    ([("content-type", "text/event-stream")], axum::body::Body::new(pieces)).into_response()
}

struct Pieces {
    left: VecDeque<Bytes>,
    is_out: bool,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.is_out = !self.is_out;
        if self.is_out {
            // hyper sends what it has when there is no more for now.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.left.pop_front().map(|piece| Ok(hyper::body::Frame::data(piece))))
    }
}

#[tokio::test]
async fn how_our_loop_accepts_connections_is_not_the_services_fault() {
    let app = router().layer(from_fn(in_two_pieces));
    let run = mcpwire::check(InProcess::service("a streaming router", "/mcp", app)).revision(Revision::R20251125);
    let report = run.only("latency/no-held-back-segment").await.expect("it can be tested");
    // On a machine that is too busy, and without kernel times, nobody can tell.
    let blind = Verdict::NotExercised;
    let fine = [Verdict::Pass, Verdict::Inconclusive].contains(&report.checks[0].verdict);
    assert!(fine || !cfg!(target_os = "linux") && report.checks[0].verdict == blind, "{:?}", report.checks[0]);
}

/// A `tower` service as people write one by hand: ready once a permit is there, which the call gives back.
#[derive(Clone)]
struct ByHand {
    app: Router,
    is_ready: bool,
    fails_when: Option<&'static str>,
}

impl ByHand {
    fn new() -> Self {
        Self { app: router(), is_ready: false, fails_when: None }
    }
}

impl tower_service::Service<Request<hyper::body::Incoming>> for ByHand {
    type Response = Response;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match self.fails_when {
            Some("asked") => return Poll::Ready(Err("no permit is left".into())),
            Some("asked, by a panic") => panic!("poll_ready of the service"),
            _ => {}
        }
        if !self.is_ready {
            self.is_ready = true;
            // Ready the second time only.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<hyper::body::Incoming>) -> Self::Future {
        assert!(self.is_ready, "called before it was ready");
        self.is_ready = false;
        let (mut app, fails_when) = (self.app.clone(), self.fails_when);
        Box::pin(async move {
            match fails_when {
                Some("called") => return Err("the backend is gone".into()),
                Some("called, by a panic") => panic!("no route to {}", request.uri()),
                _ => {}
            }
            match tower_service::Service::call(&mut app, request).await {
                Ok(answer) => Ok(answer),
                Err(never) => match never {},
            }
        })
    }
}

#[tokio::test]
async fn a_service_that_is_written_by_hand_is_a_target() {
    let service = InProcess::service("a service", "/mcp", ByHand::new());
    mcpwire::check(service).await.expect("it can be tested").assert_conformant();
}

#[rstest]
#[case::not_ready("asked", "the service is not ready: no permit is left")]
#[case::panic_when_asked("asked, by a panic", "a handler panicked: poll_ready of the service")]
#[case::error("called", "the service failed: the backend is gone")]
#[case::panic("called, by a panic", "a handler panicked: no route to /mcp")]
#[tokio::test]
async fn a_service_that_fails_says_why(#[case] when: &'static str, #[case] why: &str) {
    let service = ByHand { fails_when: Some(when), ..ByHand::new() };
    let error = mcpwire::check(InProcess::service("a service", "/mcp", service)).await.expect_err("it cannot");
    assert!(matches!(error, RunError::Trouble { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("a service cannot be tested: {why}"));
}

/// Ends as it is told, when it has accepted so many connections.
async fn serve_for_a_while(listener: tokio::net::TcpListener, connections: u32, panics: bool) {
    let app = router();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (stream, _) = listener.accept().await.expect("a connection");
        let service = hyper_util::service::TowerToHyperService::new(app.clone());
        let io = hyper_util::rt::TokioIo::new(stream);
        tasks.spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
    }
    assert!(!panics, "the table is full");
}

#[rstest]
#[case::at_once(0, true, "its task panicked: the table is full")]
#[case::at_once_and_in_order(0, false, "its future ended: nobody serves the listener any more")]
#[tokio::test]
async fn a_server_that_ends_before_it_answers_says_so(
    #[case] connections: u32,
    #[case] panics: bool,
    #[case] how: &str,
) {
    let serve = move |listener| serve_for_a_while(listener, connections, panics);
    let error = mcpwire::check(InProcess::new("a server", "/mcp", serve)).await.expect_err("it has ended");
    assert_eq!(error.to_string(), format!("a server cannot be tested: {how}"));
}

#[tokio::test]
async fn a_future_that_leaves_its_loop_to_a_task_has_not_ended() {
    let spawns = |listener| async move {
        tokio::spawn(serve(listener));
    };
    let server = InProcess::new("a server", "/mcp", spawns);
    mcpwire::check(server).only("http/*").await.expect("it can be tested").assert_conformant();
}

#[rstest]
#[case::by_a_panic(true, "its task panicked: the table is full")]
#[case::in_order(false, "its future ended: nobody serves the listener any more")]
#[tokio::test]
async fn a_server_that_ends_in_mid_run_makes_it_incomplete(#[case] panics: bool, #[case] how: &str) {
    let serve = move |listener| serve_for_a_while(listener, 12, panics);
    let report = mcpwire::check(InProcess::new("a server", "/mcp", serve)).await.expect("it was there");
    let why = report.incomplete.as_deref().unwrap_or_default();
    assert!(why.starts_with("the target ended during ") && why.ends_with(how), "{why}");
    assert!(!report.conforms());
}

/// Its answers say that they are text.
fn mislabelled() -> InProcess {
    let app = router().layer(from_fn(async |request: Request, next: Next| {
        let mut answer = next.run(request).await;
        if answer.status() == StatusCode::OK {
            answer.headers_mut().insert("content-type", "text/plain".parse().expect("a value"));
        }
        answer
    }));
    InProcess::service("mislabelled", "/mcp", app)
}

/// A file of this test's own.
fn file(name: &str, text: &str) -> std::path::PathBuf {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

#[tokio::test]
async fn a_baseline_excuses_what_it_names_and_nothing_else() {
    let run = || mcpwire::check(mislabelled()).only("http/content-type").revision(Revision::R20251125);
    let of = |name: &str, target: &str| {
        let entry = format!("server:\n  - id: http/content-type\n    reason: issue 12\n    target: {target}\n");
        file(name, &entry)
    };
    assert!(!run().await.expect("it can be tested").conforms());
    run().baseline(of("mine.yml", "mislabelled")).await.expect("it can be tested").assert_conformant();
    let another = run().baseline(of("other.yml", "another")).await.expect("it can be tested");
    assert!(!another.conforms());
    // The entry is for whatever is called so.
    run().named("another").baseline(of("named.yml", "another")).await.expect("it can be tested").assert_conformant();
    let missing = run().baseline("no/such/file.yml").await.expect_err("no file");
    assert!(missing.to_string().starts_with("cannot read the baseline no/such/file.yml: "), "{missing}");
    let odd = run().baseline(file("odd.yml", "server:\n  - id: http/content-typo\n    reason: x\n")).await;
    assert!(odd.expect_err("no check").to_string().contains("http/content-type"));
}

#[tokio::test]
async fn a_run_does_what_it_is_told() {
    let run = || mcpwire::check(target()).only("http/content-type").revision(Revision::R20251125);
    let report = run().set("2026-11-21").fail_on(Level::Must).await.expect("it can be tested");
    assert_eq!((report.summary.set.as_deref(), report.summary.fail_on), (Some("2026-11-21"), Level::Must));
    let unknown = run().set("2020-01-01").await.expect_err("no set");
    assert!(unknown.to_string().contains("known sets: 2026-11-21"), "{unknown}");
    let elsewhere = mcpwire::Endpoint::from_url("http://192.0.2.7:9/mcp", "/mcp").expect("a URL");
    let load = mcpwire::Load { soak: Some(10), crowd: None };
    let refused = mcpwire::check(elsewhere).load(load).await.expect_err("another machine");
    assert!(matches!(refused, RunError::NotAllowed(_)), "{refused}");
    // Before anything is tested: nobody is there.
    let nobody = mcpwire::Endpoint::from_url("http://127.0.0.1:1/mcp", "/mcp").expect("a URL");
    let odd = mcpwire::check(nobody).record(file("no-recording", "")).await.expect_err("no folder");
    assert!(matches!(odd, RunError::Write(_)), "{odd}");
    let report = mcpwire::check(target()).skip("latency/*").skip("http/*").revision(Revision::R20251125).await;
    let report = report.expect("it can be tested");
    assert!(report.checks.iter().all(|check| check.area != "latency" && check.area != "http"));
}

/// What a test holds as long as a server runs, and every task of its connections.
struct Alive(Arc<AtomicU32>);

impl Alive {
    fn one_of(count: &Arc<AtomicU32>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Not a measurement: only that nobody waits out the ten seconds for an answer.
const SOON: std::time::Duration = std::time::Duration::from_secs(8);

async fn until_none_is_left(alive: &AtomicU32) {
    let none = async {
        while alive.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, none).await.expect("everything has ended");
}

#[tokio::test]
async fn dropping_the_check_stops_the_server_and_its_connections() {
    let alive = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&alive);
    // Each request holds one, and is never answered.
    let app = Router::new().fallback(async move || {
        let _alive = Alive::one_of(&counted);
        std::future::pending::<StatusCode>().await
    });
    let checked = mcpwire::check(InProcess::service("a server that never answers", "/mcp", app));
    let asked = async {
        while alive.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        report = checked.into_future() => panic!("it never answers: {report:?}"),
        () = asked => {}
    }
    until_none_is_left(&alive).await;
}

#[tokio::test]
async fn dropping_the_check_stops_it() {
    let alive = Arc::new(AtomicU32::new(0));
    let held = Alive::one_of(&alive);
    let never = InProcess::new("a server that never answers", "/mcp", |listener| async move {
        let _held = held;
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    let checked = mcpwire::check(never);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(100), checked).await.is_err());
    until_none_is_left(&alive).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_current_thread_runtime_goes_on_meanwhile() {
    // Whatever else the test has on its runtime is polled, time and again, on the one thread that there is.
    let polled = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&polled);
    let beside = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    });
    let elsewhere =
        mcpwire::Command::new(&format!("{} reference --port {{port}}", env!("CARGO_BIN_EXE_mcpwire")), "/mcp");
    let run = mcpwire::check(elsewhere.expect("a command")).only("http/*").revision(Revision::R20251125);
    run.await.expect("it can be tested").assert_conformant();
    beside.abort();
    // The run takes some hundred milliseconds at the least; had it blocked, this would be one or two.
    assert!(polled.load(Ordering::Relaxed) > 10, "{polled:?}");
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
        mcpwire::snapshots(InProcess::new("a small server", "/mcp", serve))
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
