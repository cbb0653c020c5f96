//! Clients that do what no client should: this test binary, started again by mcpwire as the client under test.
//!
//! The name of the test is libtest's first filter, and the URL, which mcpwire appends, a second one that matches
//! nothing.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Command, Stdio, exit};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::mcpwire::{BINARY, Running, start_with};
use crate::peer::{drip, endlessly, keep_silent};

const MISDEED: &str = "MCPWIRE_TEST_MISDEED";
const BEHAVES_FIRST: &str = "MCPWIRE_TEST_BEHAVES_FIRST";

/// Every misdeed has a name, by which the other process knows it.
macro_rules! misdeeds {
    ($($Misdeed:ident),+ $(,)?) => {
        #[derive(Clone, Copy, Debug)]
        pub enum Misdeed { $($Misdeed),+ }

        impl Misdeed {
            fn named(name: &str) -> Option<Self> {
                [$(Self::$Misdeed),+].into_iter().find(|misdeed| format!("{misdeed:?}") == name)
            }
        }
    };
}

misdeeds! {
    ConnectsAndIsSilent,
    HalfAHead,
    HalfABody,
    Garbage,
    Tls,
    Http2,
    EndlessHead,
    EndlessFields,
    EndlessBody,
    EndlessChunks,
    EndlessJsonValues,
    EndlessRequests,
    EndlessCalls,
    EndlessConnections,
    HoldsConnections,
    SlowDrip,
    FloodsLines,
    FloodsOneLine,
    FloodsOutcomes,
    FloodsLargeOutcomes,
    FloodsStandardError,
    MalformedOutcomes,
    ClaimsWithoutARequest,
    BlindlyPipelined,
    BlindlyOneByOne,
    BlindlyOnOneConnection,
    BlindlyTellingErrors,
}

/// When a client misbehaves.
#[derive(Clone, Copy, Debug)]
pub enum When {
    AtOnce,
    /// It is the reference client until the survey is over.
    AfterTheSurvey,
}

/// Tests this client, with these options.
pub fn test(misdeed: Misdeed, when: When, options: &[&str]) -> Running {
    let program = std::env::current_exe().expect("a path").to_str().expect("UTF-8").to_owned();
    let command = ["--", &program, "--exact", "--nocapture", "misdeeds::the_client"];
    start_with(&[&["client"], options, &command].concat(), |command| {
        command.env(MISDEED, format!("{misdeed:?}"));
        if matches!(when, When::AfterTheSurvey) {
            command.env(BEHAVES_FIRST, "1");
        }
    })
}

#[test]
fn the_client() {
    let Ok(name) = std::env::var(MISDEED) else { return };
    let misdeed = Misdeed::named(&name).expect("a misdeed");
    let url = std::env::args().next_back().expect("a URL");
    let surveyed = std::env::var("MCPWIRE_SCENARIO").is_ok_and(|scenario| scenario == "client-calls");
    if surveyed && std::env::var_os(BEHAVES_FIRST).is_some() {
        let ended = Command::new(BINARY).args(["reference-client", &url]).status().expect("the reference client");
        exit(ended.code().unwrap_or(1));
    }
    // libtest may have begun a line.
    println!();
    // That the peer has gone is how most of them end.
    let _ = misdeed.commit(&url);
    exit(0);
}

impl Misdeed {
    fn commit(self, url: &str) -> io::Result<()> {
        let address = url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("an address");
        let connect = || TcpStream::connect(address);
        let then_silent = |bytes: &[u8]| {
            let mut stream = connect()?;
            stream.write_all(bytes)?;
            keep_silent(&mut stream)
        };
        const POST: &str = "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n";
        match self {
            Self::ConnectsAndIsSilent => then_silent(b""),
            Self::HalfAHead => then_silent(POST.as_bytes()),
            Self::HalfABody => then_silent(format!("{POST}Content-Length: 100\r\n\r\n{{\"jsonrpc\":").as_bytes()),
            Self::Garbage => {
                then_silent(&(0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>())
            }
            Self::Tls => then_silent(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03"),
            Self::Http2 => then_silent(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
            Self::EndlessHead => endlessly(&mut connect()?, &format!("{POST}X-Endless: "), "x"),
            Self::EndlessFields => endlessly(&mut connect()?, POST, "X-Endless: 1\r\n"),
            Self::EndlessBody => {
                endlessly(&mut connect()?, &format!("{POST}Content-Length: 1099511627776\r\n\r\n\""), "x")
            }
            Self::EndlessChunks => {
                endlessly(&mut connect()?, &format!("{POST}Transfer-Encoding: chunked\r\n\r\n"), "1\r\n \r\n")
            }
            Self::EndlessJsonValues => {
                endlessly(&mut connect()?, &format!("{POST}Content-Length: 1099511627776\r\n\r\n["), "0,")
            }
            Self::EndlessRequests => endlessly(&mut connect()?, "", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            // Answers are not read: our peer's writes fill up.
            Self::EndlessCalls => {
                let requests: String = canned().into_iter().map(|(_, request)| request).collect();
                endlessly(&mut connect()?, "", &requests)
            }
            Self::EndlessConnections => loop {
                drop(connect()?);
            },
            Self::HoldsConnections => {
                let _held: Vec<_> = (0..1_000).map_while(|_| connect().ok()).collect();
                sleep_long()
            }
            Self::SlowDrip => drip(&mut connect()?, POST, Duration::from_millis(20)),
            Self::FloodsLines => flood(io::stdout(), "a line that says nothing at all\n"),
            Self::FloodsOneLine => flood(io::stdout(), "no line ends here; "),
            Self::FloodsOutcomes => {
                flood(io::stdout(), "{\"mcpwire\":1,\"step\":\"stream-1\",\"result\":{\"content\":[]}}\n")
            }
            Self::FloodsLargeOutcomes => {
                let values = "0,".repeat(2 << 20);
                flood(io::stdout(), &format!("{{\"mcpwire\":1,\"step\":\"stream-1\",\"result\":[{values}0]}}\n"))
            }
            Self::FloodsStandardError => flood(io::stderr(), "I am still here, and so are you\n"),
            Self::MalformedOutcomes => malformed(url),
            Self::ClaimsWithoutARequest => {
                tell_all(&plausible);
                Ok(())
            }
            Self::BlindlyPipelined => {
                let mut stream = connect()?;
                let all: String = canned().into_iter().map(|(_, request)| request).collect();
                stream.write_all(all.as_bytes())?;
                thread::sleep(Duration::from_millis(100));
                tell_all(&plausible);
                stream.shutdown(Shutdown::Write)
            }
            Self::BlindlyOneByOne => {
                for (step, request) in canned() {
                    let mut stream = connect()?;
                    stream.write_all(request.as_bytes())?;
                    thread::sleep(Duration::from_millis(5));
                    tell(&step, &plausible(&step));
                }
                tell("close", &json!({"result": {}}));
                Ok(())
            }
            Self::BlindlyOnOneConnection | Self::BlindlyTellingErrors => {
                let mut stream = connect()?;
                for (step, request) in canned() {
                    stream.write_all(request.as_bytes())?;
                    thread::sleep(Duration::from_millis(5));
                    match self {
                        Self::BlindlyTellingErrors => tell(&step, &json!({"error": {"code": -32000, "message": "no"}})),
                        _ => tell(&step, &plausible(&step)),
                    }
                }
                tell("close", &json!({"result": {}}));
                stream.shutdown(Shutdown::Write)
            }
        }
    }
}

fn flood(mut out: impl Write, piece: &str) -> io::Result<()> {
    let pieces = piece.repeat((64 << 10) / piece.len() + 1);
    loop {
        out.write_all(pieces.as_bytes())?;
    }
}

fn sleep_long() -> io::Result<()> {
    thread::sleep(Duration::from_secs(600));
    Ok(())
}

/// The reference client at work, with lines before and behind each of its own that look like outcomes and are none.
fn malformed(url: &str) -> io::Result<()> {
    let odd = [
        "{\"mcpwire\":1}",
        "{\"mcpwire\":2,\"step\":\"connect\",\"error\":{}}",
        "{\"mcpwire\":\"1\",\"step\":\"connect\",\"result\":{}}",
        "{\"mcpwire\":1,\"step\":7,\"result\":{}}",
        "{\"mcpwire\":1,\"step\":\"connect\",\"error\":\"no\"}",
        "[1,2",
        "{",
        "",
        "\u{0}\u{fffd}",
    ];
    let mut reference = Command::new(BINARY).args(["reference-client", url]).stdout(Stdio::piped()).spawn()?;
    for line in io::BufRead::lines(io::BufReader::new(reference.stdout.take().expect("a pipe"))) {
        io::stdout().write_all(&[0xff, 0xfe, b'\n'])?;
        println!("{}\n{}", odd.join("\n"), line?);
    }
    reference.wait().map(|_| ())
}

fn tell(step: &str, outcome: &Value) {
    let mut line = json!({"mcpwire": 1, "step": step});
    outcome.as_object().into_iter().flatten().for_each(|(name, value)| line[name] = value.clone());
    println!("{line}");
}

fn tell_all(outcome: &dyn Fn(&str) -> Value) {
    for step in steps() {
        let name = step["step"].as_str().unwrap_or_default();
        tell(name, &outcome(name));
    }
}

/// What a step would well come to.
fn plausible(step: &str) -> Value {
    let steps = steps();
    let step = steps.iter().find(|candidate| candidate["step"] == step).cloned().unwrap_or_default();
    match (step["do"].as_str(), step["arguments"]["a"].as_i64().zip(step["arguments"]["b"].as_i64())) {
        (Some("call-tool"), sum) => {
            let text = sum.map_or_else(|| "done".to_owned(), |(a, b)| (a + b).to_string());
            json!({"result": {"content": [{"type": "text", "text": text}], "isError": false}})
        }
        (Some("list-tools"), _) => {
            json!({"result": {"tools": [{"name": "add_numbers", "inputSchema": {"type": "object"}}]}})
        }
        _ => json!({"result": {}}),
    }
}

/// The steps of the script, those that are done together as well.
fn steps() -> Vec<Value> {
    let script = std::env::var("MCPWIRE_SCRIPT").expect("a script");
    let script: Value = serde_json::from_str(&script).expect("JSON");
    let steps = script["steps"].as_array().cloned().unwrap_or_default();
    steps
        .into_iter()
        .flat_map(|step| match step["steps"].as_array() {
            Some(together) => together.clone(),
            None => vec![step],
        })
        .collect()
}

/// A request for each step of the script, as somebody writes them who has seen a good client on the wire once.
fn canned() -> Vec<(String, String)> {
    let revision = std::env::var("MCP_CONFORMANCE_PROTOCOL_VERSION").expect("a revision");
    let modern = revision == "2026-07-28";
    let mut requests = Vec::new();
    for (number, step) in steps().iter().enumerate() {
        let (method, mut params) = match step["do"].as_str() {
            Some("connect") if modern => ("server/discover", json!({})),
            Some("connect") => {
                let info = json!({"name": "blind", "version": "1"});
                ("initialize", json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": info}))
            }
            Some("list-tools") => ("tools/list", json!({})),
            Some("call-tool") => ("tools/call", json!({"name": step["name"], "arguments": step["arguments"]})),
            _ => continue,
        };
        let mut fields = format!("MCP-Protocol-Version: {revision}\r\n");
        if modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": revision,
                "io.modelcontextprotocol/clientInfo": {"name": "blind", "version": "1"},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            fields.push_str(&format!("Mcp-Method: {method}\r\n"));
            if method == "tools/call" {
                fields.push_str(&format!("Mcp-Name: {}\r\n", step["name"].as_str().unwrap_or_default()));
            }
        } else if method != "initialize" {
            // Nobody guesses it.
            fields.push_str("Mcp-Session-Id: 0123456789abcdef0123456789abcdef\r\n");
        }
        let body = json!({"jsonrpc": "2.0", "id": number + 1, "method": method, "params": params}).to_string();
        let request = format!(
            "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json, text/event-stream\r\n\
             Content-Type: application/json\r\n{fields}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        requests.push((step["step"].as_str().unwrap_or_default().to_owned(), request));
    }
    requests
}
