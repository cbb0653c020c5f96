//! Clients as people write them by hand, on reqwest: what each does with the body of an answer, mcpwire sees, in a process
//! of its own and in that of a test.

use std::future::IntoFuture;
use std::process::{Command, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mcpwire::{Assignment, Revision, RunError, Verdict};

use reqwest::{Client, Response};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const CONDUCT: &str = "MCPWIRE_TEST_CONDUCT";

const CHECKS: [&str; 3] = ["client/body-drained", "client/connection-reused", "client/returns-at-response"];

#[rstest]
#[case::in_the_background("reads-on", &[])]
// hyper itself drains what has come by then, so that a prompt end does not cost the connection.
#[case::nobody_wants_it("drops-the-body", &["client/body-drained"])]
#[case::whoever_calls_waits_for_the_end("reads-it-whole", &["client/returns-at-response"])]
#[case::nothing_is_kept("no-pool", &["client/connection-reused"])]
fn what_becomes_of_a_body_decides(#[case] conduct: &str, #[case] fails: &[&str]) {
    let program = std::env::current_exe().expect("a path");
    let output = Command::new(env!("CARGO_BIN_EXE_mcpwire"))
        .args(["client", "--revision", "2025-11-25", "--report", "json"])
        .args(CHECKS.iter().flat_map(|id| ["--only", id]))
        .arg("--")
        .arg(program)
        .args(["--exact", "--nocapture", "the_client"])
        .env(CONDUCT, conduct)
        .output()
        .expect("mcpwire runs");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    for check in report["checks"].as_array().expect("checks") {
        let id = check["id"].as_str().unwrap_or_default();
        let expected = if fails.contains(&id) { "fail" } else { "pass" };
        assert_eq!(check["verdict"], expected, "{id} of a client that {conduct}: {check:#}");
    }
    assert_eq!(report["checks"].as_array().map(Vec::len), Some(CHECKS.len()));
    assert_eq!(output.status.code(), Some(i32::from(!fails.is_empty())));
}

#[test]
fn the_client() {
    let Ok(conduct) = std::env::var(CONDUCT) else { return };
    let url = std::env::args().next_back().expect("a URL");
    // libtest may have begun a line.
    println!();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let script = std::env::var("MCPWIRE_SCRIPT").expect("a script");
    let tell = |step: &str, outcome: &Value| {
        let mut line = json!({"mcpwire": 1, "step": step});
        for name in ["result", "error"] {
            if let Some(value) = outcome.get(name) {
                line[name] = value.clone();
            }
        }
        println!("{line}");
    };
    runtime.block_on(follow_the_script(&conduct, &url, &script, &tell)).expect("the peer answers");
    exit(0);
}

/// The same client in this process: a closure.
fn closure(conduct: &'static str) -> mcpwire::Client {
    mcpwire::Client::in_process("everyday", move |scenario| async move {
        let tell = |step: &str, outcome: &Value| match outcome.get("error") {
            None => scenario.result(step, &outcome["result"]),
            Some(error) => scenario.error(step, error["code"].as_i64(), error["message"].as_str().unwrap_or_default()),
        };
        follow_the_script(conduct, scenario.url(), scenario.script(), &tell).await?;
        Ok(())
    })
}

#[rstest]
#[case::in_the_background("reads-on", &[])]
#[case::nobody_wants_it("drops-the-body", &["client/body-drained"])]
#[case::whoever_calls_waits_for_the_end("reads-it-whole", &["client/returns-at-response"])]
#[tokio::test]
async fn in_the_process_of_the_test_it_decides_as_well(#[case] conduct: &'static str, #[case] fails: &[&str]) {
    let run = CHECKS.iter().fold(mcpwire::check_client(closure(conduct)), |run, id| run.only(*id));
    // A body that never ends costs this twice.
    let run = run.revision(Revision::R20251125).timeout(Duration::from_secs(8));
    let report = run.await.expect("it can be tested");
    let failed = report.ids(Verdict::Fail, Revision::R20251125);
    assert_eq!(failed, fails, "{report:#?}");
    assert_eq!(report.ids(Verdict::Pass, Revision::R20251125).len(), CHECKS.len() - fails.len(), "{report:#?}");
    assert_eq!(report.conforms(), fails.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closure_that_follows_the_script_conforms_on_many_threads() {
    let run = mcpwire::check_client(closure("reads-on")).only("client/connection-reused").only("client/body-drained");
    run.revision(Revision::R20251125).await.expect("it can be tested").assert_conformant();
}

/// A run that needs one scenario beyond the survey, for a client that does not come through.
fn brief(client: mcpwire::Client) -> mcpwire::Run<mcpwire::Client> {
    let run = mcpwire::check_client(client).only("client/body-drained").revision(Revision::R20251125);
    // The survey takes less.
    run.timeout(Duration::from_secs(4))
}

#[tokio::test]
async fn a_closure_that_panics_or_fails_is_told_with_its_words() {
    let panics = mcpwire::Client::in_process("panics", |scenario: Assignment| async move {
        panic!("no transport for {}", scenario.scenario());
    });
    let error = brief(panics).await.expect_err("it never came");
    assert!(matches!(error, RunError::NeverCame { .. }), "{error:?}");
    assert!(error.to_string().contains("it panicked: no transport for client-calls"), "{error}");
    let fails = mcpwire::Client::in_process("fails", |_| async { Err("no configuration".into()) });
    let error = brief(fails).await.expect_err("it never came");
    assert!(error.to_string().contains("it ended with an error: no configuration"), "{error}");
}

/// What a future holds as long as it lives.
struct Alive(Arc<AtomicU32>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A client that connects and then does nothing for ever; how many of them there are.
fn stays(survey_too: bool) -> (mcpwire::Client, Arc<AtomicU32>) {
    let alive = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&alive);
    let client = mcpwire::Client::in_process("stays", move |scenario| {
        counted.fetch_add(1, Ordering::SeqCst);
        let held = Alive(Arc::clone(&counted));
        async move {
            let _held = held;
            let tell = |_: &str, _: &Value| {};
            // However that ends, it stays.
            let _ = follow_the_script("reads-on", scenario.url(), scenario.script(), &tell).await;
            match survey_too || scenario.scenario() != "client-calls" {
                true => std::future::pending().await,
                false => Ok(()),
            }
        }
    });
    (client, alive)
}

#[tokio::test]
async fn a_closure_that_never_returns_is_ended_when_its_time_is_up() {
    let (client, alive) = stays(false);
    let report = brief(client).await.expect("it came");
    let why = report.incomplete.as_deref().unwrap_or_default();
    assert!(why.contains("did not get through client-late-end") && why.contains("still running after 4.00 s"), "{why}");
    assert!(!report.conforms());
    assert_eq!(alive.load(Ordering::SeqCst), 0, "its futures are gone");
}

#[tokio::test]
async fn dropping_the_run_ends_the_closures() {
    let (client, alive) = stays(true);
    let run = mcpwire::check_client(client).revision(Revision::R20251125).timeout(Duration::from_secs(60));
    let came = async {
        while alive.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        report = run.into_future() => panic!("it stays: {report:?}"),
        () = came => {}
    }
    let gone = async {
        while alive.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // Not a measurement: only that nobody waits out the minute.
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("the futures are gone");
}

#[tokio::test]
async fn what_a_client_finds_is_what_a_program_finds() {
    let found = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&found);
    let client = mcpwire::Client::in_process("looks", move |scenario| {
        let words = [scenario.scenario(), scenario.official_scenario(), scenario.revision().date()].join(" ");
        let script: Value = serde_json::from_str(scenario.script()).expect("JSON");
        kept.lock().expect("nobody panics").push((words, script["revision"].clone()));
        async { Ok(()) }
    });
    brief(client).await.expect_err("it never came");
    let found = found.lock().expect("nobody panics");
    assert_eq!(found[..], [("client-calls tools_call 2025-11-25".to_owned(), json!("2025-11-25"))]);
}

/// Follows a script as far as these checks need it.
async fn follow_the_script(
    conduct: &str,
    url: &str,
    script: &str,
    tell: &(dyn Fn(&str, &Value) + Sync),
) -> Result<(), reqwest::Error> {
    let script: Value = serde_json::from_str(script).expect("JSON");
    let idle = if conduct == "no-pool" { 0 } else { 4 };
    let http = Client::builder().no_proxy().tcp_nodelay(true).pool_max_idle_per_host(idle).build()?;
    let mut session = Session { http, url: url.into(), id: None, conduct: conduct.into(), unread: JoinSet::new() };
    for (nth, step) in (0..).zip(script["steps"].as_array().into_iter().flatten()) {
        let told = match step["do"].as_str() {
            Some("connect") => session.connect().await?,
            Some("list-tools") => session.ask(nth, "tools/list", json!({})).await?,
            Some("call-tool") => {
                let params = json!({"name": step["name"], "arguments": step["arguments"]});
                session.ask(nth, "tools/call", params).await?
            }
            Some("wait") => {
                let length = Duration::from_millis(step["ms"].as_u64().unwrap_or_default());
                tokio::time::sleep(length).await;
                json!({"result": {}})
            }
            Some("close") => {
                // Bodies without end go down with the program.
                let rest = tokio::time::timeout(Duration::from_millis(300), session.unread.join_all());
                let _ = rest.await;
                session.http.delete(&*session.url).headers(headers(session.id.as_deref())).send().await?;
                tell(step["step"].as_str().unwrap_or_default(), &json!({"result": {}}));
                return Ok(());
            }
            _ => continue,
        };
        tell(step["step"].as_str().unwrap_or_default(), &told);
    }
    Ok(())
}

struct Session {
    http: Client,
    url: Arc<str>,
    id: Option<String>,
    conduct: Arc<str>,
    /// Answers whose rest is read in the background.
    unread: JoinSet<()>,
}

impl Session {
    async fn connect(&mut self) -> Result<Value, reqwest::Error> {
        let params = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "everyday", "version": "1"},
        });
        let told = self.ask(0, "initialize", params).await?;
        self.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await?;
        Ok(told)
    }

    async fn ask(&mut self, id: u64, method: &str, params: Value) -> Result<Value, reqwest::Error> {
        let mut answer = self.post(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await?;
        if let Some(granted) = answer.headers().get("mcp-session-id").filter(|_| method == "initialize") {
            self.id = granted.to_str().ok().map(str::to_owned);
        }
        if &*self.conduct == "reads-it-whole" {
            let whole = answer.bytes().await?;
            return Ok(response(&whole).unwrap_or_default());
        }
        let mut seen = Vec::new();
        while let Some(piece) = answer.chunk().await? {
            seen.extend_from_slice(&piece);
            if let Some(response) = response(&seen) {
                if &*self.conduct != "drops-the-body" {
                    self.unread.spawn(async move { while let Ok(Some(_)) = answer.chunk().await {} });
                    // It may have come already.
                    tokio::task::yield_now().await;
                }
                return Ok(response);
            }
        }
        Ok(json!({"error": {"message": "the answer ended without a response"}}))
    }

    async fn post(&self, message: &Value) -> Result<Response, reqwest::Error> {
        let request = self.http.post(&*self.url).headers(headers(self.id.as_deref()));
        request.body(message.to_string()).send().await
    }
}

fn headers(session: Option<&str>) -> reqwest::header::HeaderMap {
    let fixed = [
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-protocol-version", "2025-11-25"),
    ];
    let all = fixed.into_iter().chain(session.map(|id| ("mcp-session-id", id)));
    all.map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
}

/// The response in a body, in JSON or in an event stream: our peer spells it plainly in these scenarios.
fn response(seen: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(seen).ok()?;
    let complete = text.rfind("\n\n").map_or("", |end| &text[..end]);
    let data = complete.lines().filter_map(|line| line.strip_prefix("data:"));
    let is_response = |message: &Value| message.get("result").or(message.get("error")).is_some();
    data.chain([text]).filter_map(|data| serde_json::from_str(data).ok()).find(is_response)
}
