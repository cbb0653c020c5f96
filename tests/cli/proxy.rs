//! A client and a server that run for themselves, with the proxy between them.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rstest::rstest;
use serde_json::Value;

use crate::mcpwire::{BINARY, folder, run, text};

/// A process that prints a URL first.
pub struct Serving {
    child: Child,
    pub url: String,
}

impl Serving {
    pub fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(BINARY)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut url = String::new();
        let stdout = child.stdout.as_mut().expect("a pipe");
        BufReader::new(stdout).read_line(&mut url).expect("a URL");
        Self { child, url: url.trim().to_owned() }
    }

    /// What it says, and its exit code, once it was asked to end.
    pub fn end(mut self) -> (Option<i32>, String) {
        // SAFETY: kill has no memory to get wrong, and the child is not reaped before.
        unsafe { libc::kill(self.child.id() as i32, libc::SIGINT) };
        let mut said = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
        (self.child.wait().expect("it ends").code(), said)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ids of the checks with this verdict.
pub fn with(verdict: &str, folder: &Path) -> Vec<String> {
    let judged = run(&["judge", &text(folder), "--report", "json"]);
    let report = judged.json();
    let checks = report["checks"].as_array().expect("checks").iter();
    checks.filter(|check| check["verdict"] == verdict).filter_map(|check| Some(check["id"].as_str()?.into())).collect()
}

/// The traces of a recording, as they were written.
pub fn events(recording: &Path) -> String {
    let manifest = std::fs::read_to_string(recording.join("manifest.json")).expect("a manifest");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let traces = manifest["traces"].as_array().expect("traces").iter().filter_map(Value::as_str);
    traces.map(|name| std::fs::read_to_string(recording.join("traces").join(name)).expect("a trace")).collect()
}

#[rstest]
#[case::both_conform("2025-11-25", None, None, &[], &[])]
#[case::both_conform_in_the_modern_era("2026-07-28", None, None, &[], &[])]
#[case::the_server("2025-11-25", Some("accepted-with-body"), None, &["http/accepted-has-no-body"], &[])]
#[case::the_client("2025-11-25", None, Some("no-version-header"), &[], &["client/version-header"])]
#[case::the_end_of_a_connection("2025-11-25", Some("fin-without-terminator"), None, &["http/body-complete"], &[])]
#[case::a_reset("2025-11-25", Some("reset-in-mid-body"), None, &["http/body-complete"], &[])]
#[case::each(
    "2025-11-25",
    Some("accepted-with-body"),
    Some("no-version-header"),
    &["http/accepted-has-no-body"],
    &["client/version-header"]
)]
fn both_sides_are_judged_by_what_passed(
    #[case] revision: &str,
    #[case] server: Option<&str>,
    #[case] client: Option<&str>,
    #[case] of_the_server: &[&str],
    #[case] of_the_client: &[&str],
) {
    let folder = folder("proxy");
    fn fault(name: Option<&str>) -> impl Iterator<Item = &str> {
        name.into_iter().flat_map(|name| ["--fault", name])
    }
    let target = Serving::start(&["reference"].into_iter().chain(fault(server)).collect::<Vec<_>>());
    let proxy = Serving::start(&["proxy", "--url", &target.url, "--record", &text(&folder)]);
    assert_ne!(proxy.url, target.url);
    let script = serde_json::json!({"version": 1, "revision": revision, "steps": [
        {"step": "connect", "do": "connect"},
        {"step": "tools", "do": "list-tools"},
        {"step": "one", "do": "call-tool", "name": "greet", "arguments": {"name": "Ada"}},
        {"step": "two", "do": "call-tool", "name": "greet", "arguments": {"name": "Grace"}},
        {"step": "close", "do": "close"},
    ]});
    let told = Command::new(BINARY)
        .arg("reference-client")
        .args(fault(client))
        .arg(&proxy.url)
        .env("MCPWIRE_SCRIPT", script.to_string())
        .env("MCP_CONFORMANCE_PROTOCOL_VERSION", revision)
        .output()
        .expect("the reference client runs");
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let (code, said) = proxy.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("exchanges recorded; judge them with `mcpwire judge "), "{said}");
    if server.is_none() {
        let outcomes = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        assert_eq!(outcomes.filter(|outcome| outcome["result"].is_object()).count(), 5, "{told}");
    }
    // What ends the one connection ends the other, in the same way.
    assert!(!told.contains("timed out"), "{told}");
    if server == Some("fin-without-terminator") {
        assert!(events(&folder.join("client")).contains(r#""event":"finished""#), "{told}");
    }
    assert_eq!(with("fail", &folder.join("server")), of_the_server, "{told}");
    assert_eq!(with("fail", &folder.join("client")), of_the_client, "{told}");
    assert!(!with("pass", &folder.join("server")).is_empty());
    // In the modern era nothing shows that this client reads what it is answered: there is no session id to echo.
    assert_eq!(with("pass", &folder.join("client")).is_empty(), revision == "2026-07-28");
}

#[test]
fn without_traffic_there_is_no_recording() {
    let folder = folder("proxy-alone");
    let proxy = Serving::start(&["proxy", "--url", "http://127.0.0.1:9/mcp", "--record", &text(&folder)]);
    let (code, said) = proxy.end();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("no request passed"), "{said}");
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let folder = folder("proxy-without-server");
    let proxy = Serving::start(&["proxy", "--url", "http://127.0.0.1:9/mcp", "--record", &text(&folder)]);
    let told = Command::new(BINARY).arg("reference-client").arg(&proxy.url).output().expect("it runs");
    assert!(String::from_utf8_lossy(&told.stdout).contains("error"));
    let (code, said) = proxy.end();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("http://127.0.0.1:9/mcp cannot be reached"), "{said}");
}

#[test]
fn the_folder_of_somebody_else_is_left_alone() {
    let folder = folder("proxy-taken");
    std::fs::create_dir_all(folder.join("client")).expect("a folder");
    std::fs::write(folder.join("client/notes.txt"), "mine").expect("a file");
    let ended = run(&["proxy", "--url", "http://127.0.0.1:9/mcp", "--record", &text(&folder)]);
    ended.assert_says(2, &["client"]);
}
