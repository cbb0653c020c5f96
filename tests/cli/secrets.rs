//! What was given in confidence is found in no output: recording, report or standard error.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::mcpwire::{BINARY, folder, run, text};
use crate::peer::{read_request, serve};

const TOKEN: &str = "s3cr3t-token-value";
const FROM_FILE: &str = "s3cr3t-value-from-a-file";
const IN_QUERY: &str = "s3cr3t/of the query";
const IN_QUERY_ENCODED: &str = "s3cr3t%2Fof%20the%20query";

/// Everything below a folder, file by file.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path() {
            path if path.is_dir() => all.extend(files(&path)),
            path => all.push((text(&path), String::from_utf8_lossy(&fs::read(&path).expect("a file")).into_owned())),
        }
    }
    all
}

#[track_caller]
fn assert_absent(secrets: &[&str], outputs: &[(String, String)]) {
    for (name, output) in outputs {
        for secret in secrets {
            assert!(!output.contains(secret), "{secret} is in {name}");
        }
    }
}

/// Runs against this target with all the secrets, and gives every output.
fn outputs(target: &[&str]) -> Vec<(String, String)> {
    let folder = folder("secrets");
    let headers = folder.join("headers");
    fs::write(&headers, format!("X-Tenant-Key: {FROM_FILE}\n")).expect("a file");
    let (record, json, plain) =
        (folder.join("out/recording"), folder.join("out/report.json"), folder.join("out/report.txt"));
    fs::create_dir(folder.join("out")).expect("a folder");
    let given = [
        format!("--header=Authorization: Bearer {TOKEN}"),
        format!("--header-file={}", text(&headers)),
        format!("--record={}", text(&record)),
        format!("--report=json={}", text(&json)),
        format!("--report=text={}", text(&plain)),
        "--report=text".to_owned(),
        "--stream-end-grace=200ms".to_owned(),
    ];
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let ended = run(&[&["server"][..], target, &given].concat());
    assert!([0, 1].contains(&ended.code), "{}\n{}", ended.stderr, ended.stdout);
    let mut outputs = files(&folder.join("out"));
    assert!(outputs.len() > 4, "a recording and two reports: {}", outputs.len());
    outputs.push(("standard output".to_owned(), ended.stdout));
    outputs.push(("standard error".to_owned(), ended.stderr));
    outputs
}

#[cfg(unix)]
#[test]
fn what_was_given_in_confidence_is_in_no_output_of_a_command() {
    // The program repeats on standard error, and its command line names, what it was sent.
    let server = format!("'{BINARY}' reference --port {{port}} --fault stream-left-open");
    let command = format!("sh -c 'echo got {TOKEN} and {FROM_FILE} >&2; exec \"$@\"' sh {server}");
    let outputs = outputs(&["--cmd", &command]);
    assert!(outputs.iter().any(|(_, output)| output.contains("got 3.redacted~")), "its last words are reported");
    assert_absent(&[TOKEN, FROM_FILE], &outputs);
}

#[cfg(unix)]
#[test]
fn the_last_words_of_a_program_that_does_not_come_up_are_without_secrets() {
    let command = format!("sh -c 'echo bad token {TOKEN} >&2; exit 1' {{port}}");
    let ended = run(&["server", "--header", &format!("Authorization: Bearer {TOKEN}"), "--cmd", &command]);
    ended.assert_says(3, &["bad token"]);
    assert_absent(&[TOKEN], &[("standard error".to_owned(), ended.stderr)]);
}

/// A server that repeats in its answers, decoded, what it was sent.
#[test]
fn what_a_server_repeats_is_in_no_output() {
    let granted = Arc::new(Mutex::new(Vec::new()));
    let sessions = Arc::clone(&granted);
    let url = serve(move |mut stream| {
        loop {
            let request = String::from_utf8_lossy(&read_request(&mut stream)?).into_owned();
            let (head, body) = request.split_once("\r\n\r\n").unwrap_or_default();
            let message: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
            let mut fields = String::new();
            let result = match message["method"].as_str() {
                Some("initialize") => {
                    let mut sessions = sessions.lock().expect("no panic");
                    let id = format!("session-{:08}-of-this-server", sessions.len());
                    fields = format!("Mcp-Session-Id: {id}\r\nSet-Cookie: sticky=cookie-for-{id}\r\n");
                    sessions.push(id);
                    serde_json::json!({
                        "protocolVersion": message["params"]["protocolVersion"],
                        "capabilities": {},
                        "serverInfo": {"name": format!("{TOKEN} {IN_QUERY}"), "version": IN_QUERY_ENCODED},
                    })
                }
                // Its own bug report has all that it knows.
                _ => serde_json::json!({"echo": format!("{head} {IN_QUERY} {FROM_FILE}")}),
            };
            let (status, body) = match message.get("id") {
                Some(id) => ("200 OK", serde_json::json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()),
                None => ("202 Accepted", String::new()),
            };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
            )?;
        }
    });
    let outputs = outputs(&["--url", &format!("{url}?key={IN_QUERY_ENCODED}&api=x")]);
    let sessions = granted.lock().expect("no panic");
    assert!(!sessions.is_empty());
    assert_absent(&[TOKEN, FROM_FILE, IN_QUERY, IN_QUERY_ENCODED], &outputs);
    assert_absent(&sessions.iter().map(String::as_str).collect::<Vec<_>>(), &outputs);
    assert!(outputs.iter().any(|(_, output)| output.contains("redacted")));
}
