//! Servers that wait: for an answer of ours before they can go on with a call, or with a call for ever.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::mcpwire::{Ended, run};
use crate::peer::{answer, read_request, serve};

const STREAM: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

fn test(url: &str) -> Ended {
    test_with(url, &[])
}

fn test_with(url: &str, options: &[&str]) -> Ended {
    let these = ["server", "--url", url, "--revision", "2025-06-18", "--timeout", "1s", "--report", "json"];
    run(&[&these, options].concat())
}

fn verdict(report: &Value, id: &str) -> String {
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["id"] == id).expect("a check");
    check["verdict"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_server_that_pings_before_it_answers_a_call_gets_its_answer_and_is_seen_to_the_end() {
    let (answered, pings) = sync_channel(16);
    let pings = Mutex::new(pings);
    let url = without_sessions(answered, move |stream, response| {
        event(stream, &json!({"jsonrpc": "2.0", "id": "are-you-there", "method": "ping"}))?;
        wait_for_an_answer(&pings)?;
        event(stream, response)?;
        stream.write_all(b"0\r\n\r\n")
    });
    // One who answers none of its pings holds everybody up: that is another matter.
    let ended = test_with(&url, &["--skip", "isolation/*"]);
    let report = ended.json();
    assert_eq!(report["incomplete"], Value::Null, "{}", ended.stderr);
    for id in ["sse/stream-ends-after-response", "rpc/exactly-one-response"] {
        assert_eq!(verdict(&report, id), "pass", "{id}");
    }
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn a_server_that_never_answers_one_kind_of_call_does_not_conform_by_silence() {
    let (answered, _kept) = sync_channel(16);
    let url = without_sessions(answered, |_, _| {
        std::thread::sleep(Duration::from_secs(120));
        Ok(())
    });
    let ended = test(&url);
    let why = ended.json()["incomplete"].as_str().unwrap_or_default().to_owned();
    assert!(why.contains("requests were not answered"), "{why}");
    assert_eq!(ended.code, 6, "{}", ended.stderr);
}

/// A server with one tool and no sessions; calls of the tool are answered on a stream by this function.
fn without_sessions(
    answered: SyncSender<()>,
    call: impl Fn(&mut TcpStream, &Value) -> io::Result<()> + Send + Sync + 'static,
) -> String {
    let call = Arc::new(call);
    serve(move |mut stream| {
        stream.set_nodelay(true)?;
        loop {
            let request = read_request(&mut stream)?;
            let begin = request.windows(4).position(|four| four == b"\r\n\r\n").map_or(request.len(), |at| at + 4);
            let Ok(message) = serde_json::from_slice::<Value>(&request[begin..]) else {
                let status = if request.starts_with(b"POST") { "400 Bad Request" } else { "405 Method Not Allowed" };
                stream.write_all(answer(status, "text/plain", "no").as_bytes())?;
                continue;
            };
            let error =
                |code: i32| json!({"jsonrpc": "2.0", "id": message["id"], "error": {"code": code, "message": "no"}});
            let result = |result: Value| json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
            let response = match (message["method"].as_str(), message["params"]["name"].as_str()) {
                _ if message["jsonrpc"] != "2.0" || message["id"].is_null() && message["method"].is_null() => None,
                (None, _) => {
                    let _ = answered.try_send(());
                    stream.write_all(answer("202 Accepted", "text/plain", "").as_bytes())?;
                    continue;
                }
                (Some(_), _) if message.get("id").is_none() => {
                    stream.write_all(answer("202 Accepted", "text/plain", "").as_bytes())?;
                    continue;
                }
                _ if message["id"].is_null() => None,
                (Some("initialize"), _) if message["params"].is_object() => Some(result(json!({
                    "protocolVersion": "2025-06-18",
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "waiting", "version": "1"},
                }))),
                (Some("ping"), _) => Some(result(json!({}))),
                (Some("tools/list"), _) => Some(result(json!({"tools": [
                    {"name": "wait", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}},
                ]}))),
                (Some("tools/call"), Some("wait")) => {
                    stream.write_all(STREAM.as_bytes())?;
                    call(&mut stream, &result(json!({"content": []})))?;
                    continue;
                }
                (Some("tools/call" | "initialize"), _) => Some(error(-32602)),
                _ => Some(error(-32601)),
            };
            match response {
                Some(response) => {
                    stream.write_all(answer("200 OK", "application/json", &response.to_string()).as_bytes())?
                }
                None => stream.write_all(answer("400 Bad Request", "text/plain", "no").as_bytes())?,
            }
        }
    })
}

fn event(stream: &mut TcpStream, message: &Value) -> io::Result<()> {
    let event = format!("data: {message}\n\n");
    stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())
}

fn wait_for_an_answer(pings: &Mutex<Receiver<()>>) -> io::Result<()> {
    let pings = pings.lock().expect("no panic under the lock");
    pings.recv().map_err(io::Error::other)
}
