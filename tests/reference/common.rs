//! A raw client: what it sends is written by hand, what it gets is kept byte by byte.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use mcpwire::codec::http1::{Ending, Framing, ResponseEvent, ResponseHead, ResponseParser};
use mcpwire::codec::sse::{SseEvent, SseParser};
use mcpwire::reference::{Config, Fault, Reference, Variant};
use serde_json::Value;

pub const LEGACY: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];
pub const MODERN: &str = "2026-07-28";
pub const ALL: [&str; 4] = ["2025-03-26", "2025-06-18", "2025-11-25", MODERN];

/// How long an answer may take, unless a test expects none.
pub const PATIENCE: Duration = Duration::from_millis(400);

pub fn conforming() -> Reference {
    start(None, &[])
}

pub fn start(fault: Option<Fault>, variants: &[Variant]) -> Reference {
    Reference::start(Config { fault, variants: variants.to_vec(), ..Config::default() }).unwrap()
}

/// How the transfer of an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Complete,
    /// Nothing more came in time.
    Open,
    Fin,
    Reset,
}

/// What became of the connection right after a complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Afterwards {
    Kept,
    Fin,
    Reset,
    Surplus(Vec<u8>),
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub head: Option<ResponseHead>,
    pub framing: Option<Framing>,
    pub raw: Vec<u8>,
    pub body: Vec<u8>,
    pub reads: Vec<(Duration, Vec<u8>)>,
    pub faults: Vec<String>,
    pub end: End,
    pub afterwards: Afterwards,
}

impl Answer {
    pub fn status(&self) -> u16 {
        self.head.as_ref().map_or(0, |head| head.status)
    }

    pub fn field(&self, name: &str) -> Option<String> {
        self.head.as_ref()?.fields.text(name).map(|value| value.into_owned())
    }

    pub fn is_stream(&self) -> bool {
        self.field("content-type").is_some_and(|value| value.to_ascii_lowercase().starts_with("text/event-stream"))
    }

    pub fn events(&self) -> Vec<SseEvent> {
        let (mut parser, mut events) = (SseParser::new(), Vec::new());
        parser.push(&self.body, &mut events);
        parser.finish(&mut events);
        events
    }

    /// The texts of the JSON-RPC messages.
    pub fn texts(&self) -> Vec<String> {
        if !self.is_stream() {
            let text = String::from_utf8_lossy(&self.body).into_owned();
            return if text.is_empty() { Vec::new() } else { vec![text] };
        }
        let data = |event| match event {
            SseEvent::Dispatch(event) if !event.data.is_empty() => Some(event.data),
            _ => None,
        };
        self.events().into_iter().filter_map(data).collect()
    }

    pub fn messages(&self) -> Vec<Value> {
        self.texts().iter().map(|text| serde_json::from_str(text).unwrap_or(Value::Null)).collect()
    }

    /// The one message.
    pub fn message(&self) -> Value {
        let messages = self.messages();
        assert_eq!(messages.len(), 1, "one message in {self:?}");
        messages.into_iter().next().unwrap()
    }

    pub fn code(&self) -> i64 {
        self.message()["error"]["code"].as_i64().unwrap_or_default()
    }

    pub fn event_ids(&self) -> Vec<String> {
        let id = |event| match event {
            SseEvent::Dispatch(event) => event.id,
            _ => None,
        };
        self.events().into_iter().filter_map(id).collect()
    }

    pub fn first_byte(&self) -> Duration {
        self.reads.first().map_or(PATIENCE, |(time, _)| *time)
    }

    pub fn last_byte(&self) -> Duration {
        self.reads.last().map_or(PATIENCE, |(time, _)| *time)
    }

    /// Asserts that the answer is complete and the connection was kept.
    pub fn whole(self) -> Self {
        assert_eq!((self.end, &self.afterwards), (End::Complete, &Afterwards::Kept), "{self:?}");
        assert!(self.faults.is_empty(), "{self:?}");
        self
    }
}

/// A request, before it is written.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Ask {
    pub fn new(method: &str) -> Ask {
        Ask { method: method.into(), target: "/mcp".into(), fields: Vec::new(), body: Vec::new() }
            .with("Host", "localhost")
    }

    pub fn post(body: impl Into<Vec<u8>>) -> Ask {
        let ask = Ask::new("POST")
            .with("Accept", "application/json, text/event-stream")
            .with("Content-Type", "application/json");
        Ask { body: body.into(), ..ask }
    }

    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Ask {
        self.fields.push((name.into(), value.as_ref().to_vec()));
        self
    }

    pub fn without(mut self, name: &str) -> Ask {
        self.fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    pub fn replacing(self, name: &str, value: impl AsRef<[u8]>) -> Ask {
        self.without(name).with(name, value)
    }

    pub fn to(mut self, target: &str) -> Ask {
        self.target = target.into();
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.fields {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        if self.method == "POST" && !self.fields.iter().any(|(name, _)| name == "Transfer-Encoding") {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// One connection.
pub struct Wire {
    pub stream: TcpStream,
    parser: ResponseParser,
    received: Vec<u8>,
    pub usable: bool,
}

impl Wire {
    pub fn connect(address: SocketAddr) -> Wire {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Wire { stream, parser: ResponseParser::new(), received: Vec::new(), usable: true }
    }

    pub fn write(&mut self, method: &str, bytes: &[u8]) {
        self.parser.expect(method);
        if self.stream.write_all(bytes).is_err() {
            self.usable = false;
        }
    }

    pub fn ask(&mut self, ask: &Ask) -> Answer {
        self.write(&ask.method, &ask.bytes());
        let answer = self.answer(PATIENCE);
        self.usable &= answer.end == End::Complete;
        answer
    }

    /// Reads the next answer.
    pub fn answer(&mut self, patience: Duration) -> Answer {
        self.read(patience, |_| false)
    }

    /// Reads the next answer until it is complete, or its body is what the caller waits for.
    pub fn read(&mut self, patience: Duration, enough: impl Fn(&[u8]) -> bool) -> Answer {
        let start = Instant::now();
        let mut answer = Answer {
            head: None,
            framing: None,
            raw: Vec::new(),
            body: Vec::new(),
            reads: Vec::new(),
            faults: Vec::new(),
            end: End::Open,
            afterwards: Afterwards::Kept,
        };
        let mut is_complete = false;
        while !is_complete && (answer.head.is_none() || !enough(&answer.body)) {
            let left = patience.saturating_sub(start.elapsed());
            let mut events = Vec::new();
            match self.receive(left) {
                None => break,
                Some(Ok(bytes)) => {
                    self.received.extend_from_slice(&bytes);
                    answer.raw.extend_from_slice(&bytes);
                    self.parser.push(&bytes, &mut events);
                    answer.reads.push((start.elapsed(), bytes));
                }
                Some(Err(ending)) => {
                    self.usable = false;
                    self.parser.close(ending, &mut events);
                    answer.end = if ending == Ending::Fin { End::Fin } else { End::Reset };
                }
            }
            for event in events {
                match event {
                    ResponseEvent::Head(head, framing) => {
                        answer.head = Some(head);
                        answer.framing = Some(framing);
                    }
                    ResponseEvent::Data(span) => {
                        answer.body.extend_from_slice(&self.received[span.start as usize..span.end as usize]);
                    }
                    ResponseEvent::End { .. } => is_complete = true,
                    ResponseEvent::Surplus(span) => {
                        let bytes = self.received[span.start as usize..span.end as usize].to_vec();
                        answer.afterwards = Afterwards::Surplus(bytes);
                    }
                    ResponseEvent::Fault(fault) => answer.faults.push(fault.to_string()),
                    _ => {}
                }
            }
            if !self.usable {
                break;
            }
        }
        if is_complete {
            answer.end = End::Complete;
            self.settle(&mut answer);
        }
        answer
    }

    fn settle(&mut self, answer: &mut Answer) {
        const SETTLE: Duration = Duration::from_millis(6);
        if !self.usable {
            answer.afterwards = Afterwards::Fin;
            return;
        }
        // What is announced is waited for, however busy the machine is.
        let announced = answer.field("connection").is_some_and(|options| options.eq_ignore_ascii_case("close"));
        match self.receive(if announced { PATIENCE * 5 } else { SETTLE }) {
            None => {}
            Some(Ok(bytes)) => answer.afterwards = Afterwards::Surplus(bytes),
            Some(Err(ending)) => {
                self.usable = false;
                answer.afterwards = if ending == Ending::Fin { Afterwards::Fin } else { Afterwards::Reset };
            }
        }
        self.usable &= answer.afterwards == Afterwards::Kept;
    }

    /// Bytes, the end of the connection, or nothing in time.
    fn receive(&mut self, patience: Duration) -> Option<Result<Vec<u8>, Ending>> {
        self.stream.set_read_timeout(Some(patience.max(Duration::from_millis(1)))).unwrap();
        let mut buffer = [0; 65536];
        match self.stream.read(&mut buffer) {
            Ok(0) => Some(Err(Ending::Fin)),
            Ok(count) => Some(Ok(buffer[..count].to_vec())),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            Err(_) => Some(Err(Ending::Reset)),
        }
    }
}

/// A client of one revision.
pub struct Client {
    pub address: SocketAddr,
    pub revision: &'static str,
    pub session: Option<Vec<u8>>,
    pub wire: Wire,
}

impl Client {
    /// Connected, and no more.
    pub fn connect(server: &Reference, revision: &'static str) -> Client {
        let address = server.address();
        Client { address, revision, session: None, wire: Wire::connect(address) }
    }

    /// Connected and, where there is such a thing, with an initialized session.
    pub fn open(server: &Reference, revision: &'static str) -> Client {
        let mut client = Client::connect(server, revision);
        if !client.is_modern() {
            let answer = client.initialize();
            assert_eq!(answer.status(), 200, "{answer:?}");
            client.notify("notifications/initialized", "{}");
        }
        client
    }

    /// The same client on another connection.
    pub fn again(&self) -> Client {
        Client { wire: Wire::connect(self.address), session: self.session.clone(), ..*self }
    }

    pub fn is_modern(&self) -> bool {
        self.revision == MODERN
    }

    pub fn initialize(&mut self) -> Answer {
        let ask = Ask::post(format!(
            r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{}","capabilities":{{}},"clientInfo":{{"name":"test","version":"1"}}}}}}"#,
            self.revision
        ));
        let answer = self.ask(&ask);
        let granted = answer.head.as_ref().and_then(|head| head.fields.get("mcp-session-id"));
        self.session = granted.map(|id| id.value.clone());
        answer
    }

    /// What travels with every request of this client.
    pub fn dress(&self, mut ask: Ask) -> Ask {
        if let Some(session) = &self.session {
            ask = ask.with("Mcp-Session-Id", session);
        }
        if self.revision != "2025-03-26" {
            ask = ask.with("MCP-Protocol-Version", self.revision);
        }
        ask
    }

    /// A request of this id (as JSON text), with these parameters (the inside of an object).
    pub fn request(&self, id: &str, method: &str, params: &str) -> Ask {
        let mut params = params.trim_start_matches('{').trim_end_matches('}').to_owned();
        if !params.is_empty() && params.matches('{').count() > params.matches('}').count() {
            params.extend(std::iter::repeat_n('}', params.matches('{').count() - params.matches('}').count()));
        }
        if self.is_modern() {
            let meta = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}"#;
            params = match params.contains(r#""_meta":{"#) {
                true => params.replace(r#""_meta":{"#, &format!(r#""_meta":{{{meta},"#)),
                false if params.is_empty() => format!(r#""_meta":{{{meta}}}"#),
                false => format!(r#"{params},"_meta":{{{meta}}}"#),
            };
        }
        let ask = self
            .dress(Ask::post(format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}}}}}"#)));
        if !self.is_modern() {
            return ask;
        }
        let ask = ask.with("Mcp-Method", method);
        let name = serde_json::from_slice::<Value>(&ask.body).unwrap()["params"]["name"].as_str().map(str::to_owned);
        match name {
            Some(name) if method == "tools/call" => ask.with("Mcp-Name", name),
            _ => ask,
        }
    }

    pub fn call(&self, id: &str, tool: &str, more: &str) -> Ask {
        let comma = if more.is_empty() { "" } else { "," };
        self.request(id, "tools/call", &format!(r#"{{"name":"{tool}"{comma}{more}}}"#))
    }

    pub fn notification(&self, method: &str, params: &str) -> Ask {
        self.dress(Ask::post(format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#)))
    }

    pub fn notify(&mut self, method: &str, params: &str) -> Answer {
        let ask = self.notification(method, params);
        self.ask(&ask)
    }

    pub fn get(&self) -> Ask {
        self.dress(Ask::new("GET").with("Accept", "text/event-stream"))
    }

    pub fn delete(&self) -> Ask {
        self.dress(Ask::new("DELETE"))
    }

    /// Asks on this connection, or on a new one if this one has ended.
    pub fn ask(&mut self, ask: &Ask) -> Answer {
        if !self.wire.usable {
            self.wire = Wire::connect(self.address);
        }
        self.wire.ask(ask)
    }
}
