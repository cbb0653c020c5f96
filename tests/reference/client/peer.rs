//! A server that answers as a test says, and writes down what the client does with its connections.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mcpwire::codec::http1::{RequestEvent, RequestHead, RequestParser};
use serde_json::{Value, json};

/// A piece of an answer.
#[derive(Clone, Debug)]
pub enum Part {
    Bytes(Vec<u8>),
    Pause(u64),
    Fin,
    Reset,
}

/// What was seen of the client.
#[derive(Clone, Debug)]
pub enum What {
    Opened,
    Asked(Asked),
    Fin,
    Reset,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Duration,
    pub connection: usize,
    pub what: What,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub head: RequestHead,
    pub text: String,
    pub body: Value,
    /// How many requests with this method, or this verb, came before.
    pub number: usize,
}

impl Asked {
    /// The method of its message, or its verb.
    pub fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or(if self.text.is_empty() { &self.head.method } else { "response" })
    }

    pub fn field(&self, name: &str) -> Option<String> {
        self.head.fields.text(name).map(|value| value.into_owned())
    }

    pub fn id(&self) -> &Value {
        &self.body["id"]
    }

    /// The response event of a call.
    pub fn result_event(&self, text: &str) -> String {
        let result = json!({ "content": [{ "type": "text", "text": text }] });
        event(&json!({ "jsonrpc": "2.0", "id": self.id(), "result": result }))
    }

    pub fn error_event(&self) -> String {
        event(&json!({ "jsonrpc": "2.0", "id": self.id(), "error": { "code": -32000, "message": "no" } }))
    }

    fn result(&self, result: Value) -> Vec<Part> {
        json(200, &json!({ "jsonrpc": "2.0", "id": self.id(), "result": result }))
    }
}

pub fn event(message: &Value) -> String {
    format!("data: {message}\n\n")
}

pub fn bytes(text: impl Into<Vec<u8>>) -> Part {
    Part::Bytes(text.into())
}

pub fn json(status: u16, body: &Value) -> Vec<Part> {
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    vec![bytes(head + &body)]
}

pub fn empty(status: u16) -> Vec<Part> {
    vec![bytes(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"))]
}

/// The head of a stream and its first chunk.
pub fn stream_head(chunk: impl AsRef<[u8]>) -> Part {
    let mut bytes = b"HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    bytes.extend(chunk_of(chunk));
    Part::Bytes(bytes)
}

pub fn chunk(content: impl AsRef<[u8]>) -> Part {
    Part::Bytes(chunk_of(content))
}

fn chunk_of(content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n"].concat()
}

pub fn last_chunk() -> Part {
    bytes("0\r\n\r\n")
}

/// A whole stream.
pub fn stream(content: impl AsRef<[u8]>) -> Vec<Part> {
    vec![stream_head(content), last_chunk()]
}

/// Where a field can be put into a head that begins with `HTTP/1.1 200 X`.
pub const AFTER_STATUS_LINE: std::ops::Range<usize> = 16..16;

type Answer = dyn Fn(&Asked) -> Option<Vec<Part>> + Send + Sync;

struct State {
    began: Instant,
    seen: Mutex<Vec<Seen>>,
    answer: Box<Answer>,
    is_over: AtomicBool,
    connections: AtomicUsize,
}

pub struct Peer {
    pub url: String,
    state: Arc<State>,
    acceptor: Option<JoinHandle<()>>,
}

impl Peer {
    /// Answers as the closure says, and otherwise as any server would.
    pub fn start(answer: impl Fn(&Asked) -> Option<Vec<Part>> + Send + Sync + 'static) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let state = Arc::new(State {
            began: Instant::now(),
            seen: Mutex::default(),
            answer: Box::new(answer),
            is_over: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
        });
        listener.set_nonblocking(true).unwrap();
        let acceptor = thread::spawn({
            let state = Arc::clone(&state);
            move || accept(&listener, &state)
        });
        Peer { url, state, acceptor: Some(acceptor) }
    }

    /// Everything that was seen, once the last connections have ended.
    pub fn seen(mut self) -> Vec<Seen> {
        thread::sleep(Duration::from_millis(30));
        self.state.is_over.store(true, Ordering::Release);
        self.acceptor.take().unwrap().join().unwrap();
        std::mem::take(&mut *self.state.seen.lock().unwrap())
    }
}

fn accept(listener: &TcpListener, state: &Arc<State>) {
    let mut threads = Vec::new();
    while !state.is_over.load(Ordering::Acquire) {
        match listener.accept() {
            Ok((socket, _)) => {
                let connection = state.connections.fetch_add(1, Ordering::Relaxed);
                state.note(connection, What::Opened);
                let state = Arc::clone(state);
                threads.push(thread::spawn(move || state.serve(socket, connection)));
            }
            Err(_) => thread::sleep(Duration::from_millis(1)),
        }
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

impl State {
    fn note(&self, connection: usize, what: What) {
        self.seen.lock().unwrap().push(Seen { at: self.began.elapsed(), connection, what });
    }

    fn serve(self: &Arc<Self>, socket: TcpStream, connection: usize) {
        socket.set_nonblocking(false).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
        let writer = socket.try_clone().unwrap();
        let (sender, answers) = std::sync::mpsc::channel::<Vec<Part>>();
        let is_reset = Arc::new(AtomicBool::new(false));
        let writing = thread::spawn({
            let is_reset = Arc::clone(&is_reset);
            move || answers.into_iter().for_each(|parts| write(&writer, parts, &is_reset))
        });
        self.read(socket, connection, &is_reset, |asked| {
            let parts = (self.answer)(asked).unwrap_or_else(|| usual(asked));
            sender.send(parts).unwrap();
        });
        drop(sender);
        writing.join().unwrap();
    }

    fn read(&self, mut socket: TcpStream, connection: usize, is_reset: &AtomicBool, mut answer: impl FnMut(&Asked)) {
        let (mut parser, mut buffer) = (RequestParser::new(), vec![0; 1 << 16]);
        let (mut received, mut head, mut text) = (Vec::new(), None, Vec::new());
        while !self.is_over.load(Ordering::Acquire) && !is_reset.load(Ordering::Acquire) {
            let count = match socket.read(&mut buffer) {
                Ok(0) => return self.note(connection, What::Fin),
                Ok(count) => count,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(_) => return self.note(connection, What::Reset),
            };
            received.extend_from_slice(&buffer[..count]);
            let mut events = Vec::new();
            parser.push(&buffer[..count], &mut events);
            for event in events {
                match event {
                    RequestEvent::Head(request, _) => head = Some(request),
                    RequestEvent::Data(span) => {
                        text.extend_from_slice(&received[span.start as usize..span.end as usize]);
                    }
                    RequestEvent::End { .. } => {
                        let text = String::from_utf8(std::mem::take(&mut text)).unwrap();
                        let body = serde_json::from_str(&text).unwrap_or_default();
                        let mut asked = Asked { head: head.take().unwrap(), text, body, number: 0 };
                        asked.number = self.count(asked.method());
                        self.note(connection, What::Asked(asked.clone()));
                        answer(&asked);
                    }
                    RequestEvent::Fault(fault) => panic!("{fault}"),
                    _ => {}
                }
            }
        }
    }

    fn count(&self, method: &str) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|seen| matches!(&seen.what, What::Asked(asked) if asked.method() == method)).count()
    }
}

fn write(mut socket: &TcpStream, parts: Vec<Part>, is_reset: &AtomicBool) {
    for part in parts {
        match part {
            Part::Bytes(bytes) => drop(socket.write_all(&bytes)),
            Part::Pause(ms) => thread::sleep(Duration::from_millis(ms)),
            Part::Fin => drop(socket.shutdown(Shutdown::Write)),
            Part::Reset => {
                // It happens when the reader lets go of the socket as well.
                socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO)).unwrap();
                is_reset.store(true, Ordering::Release);
            }
        }
    }
}

/// What any server answers.
fn usual(asked: &Asked) -> Vec<Part> {
    match asked.method() {
        "initialize" => {
            let version = &asked.body["params"]["protocolVersion"];
            let info = json!({ "name": "peer", "version": "1" });
            let mut parts = asked.result(json!({ "protocolVersion": version, "capabilities": {}, "serverInfo": info }));
            let Part::Bytes(head) = &mut parts[0] else { unreachable!() };
            head.splice(AFTER_STATUS_LINE, *b"Mcp-Session-Id: one\r\n");
            parts
        }
        "server/discover" => {
            let versions = json!(["2026-07-28"]);
            asked.result(json!({ "resultType": "complete", "supportedVersions": versions, "capabilities": {} }))
        }
        "tools/list" => asked.result(json!({ "tools": [] })),
        "tools/call" => stream(asked.result_event("done")),
        "GET" => empty(405),
        "DELETE" => empty(200),
        _ => empty(202),
    }
}
