//! Clients as people write them by hand, on reqwest: what each does with the body of an answer, mcpwire sees.

use std::process::{Command, exit};
use std::sync::Arc;

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
    runtime.block_on(follow_the_script(&conduct, &url)).expect("the peer answers");
    exit(0);
}

/// Follows `MCPWIRE_SCRIPT` as far as these checks need it.
async fn follow_the_script(conduct: &str, url: &str) -> Result<(), reqwest::Error> {
    let script = std::env::var("MCPWIRE_SCRIPT").expect("a script");
    let script: Value = serde_json::from_str(&script).expect("JSON");
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
                let length = std::time::Duration::from_millis(step["ms"].as_u64().unwrap_or_default());
                tokio::time::sleep(length).await;
                json!({"result": {}})
            }
            Some("close") => {
                // Bodies without end go down with the program.
                let rest = tokio::time::timeout(std::time::Duration::from_millis(300), session.unread.join_all());
                let _ = rest.await;
                session.http.delete(&*session.url).headers(headers(session.id.as_deref())).send().await?;
                println!("{}", json!({"mcpwire": 1, "step": step["step"], "result": {}}));
                return Ok(());
            }
            _ => continue,
        };
        let mut line = json!({"mcpwire": 1, "step": step["step"]});
        for outcome in ["result", "error"] {
            if let Some(value) = told.get(outcome) {
                line[outcome] = value.clone();
            }
        }
        println!("{line}");
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
