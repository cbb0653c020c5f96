//! What the peer answers, act by act.

use std::fmt;
use std::time::Duration;

use super::State;
use crate::trace::Conduct;

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// What the exchange is called in the trace.
    pub label: String,
    /// Whether it keeps to the protocol.
    pub ours: Conduct,
    /// What is done, in order. Whatever the client does in the meantime is recorded; when it ends the connection,
    /// the rest is left undone.
    pub acts: Vec<Act>,
}

/// One thing that the peer does on a connection.
pub enum Act {
    /// Hands these bytes to the kernel with one system call.
    Write(Vec<u8>),
    /// Waits, and watches the client.
    Wait(Duration),
    /// Waits until something has happened elsewhere, but no longer than that.
    Until(fn(&State) -> bool, Duration),
    /// Writes down what our kernel knows of the connection.
    State,
    /// Changes what later answers depend on.
    Change(fn(&mut State)),
    /// Ends our direction in order, and watches the client.
    Fin,
    /// Tears the connection down.
    Reset,
    /// Does nothing until the scenario is over.
    Hold,
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(bytes) => write!(f, "Write({} bytes)", bytes.len()),
            Self::Wait(duration) => write!(f, "Wait({duration:?})"),
            Self::Until(_, most) => write!(f, "Until(…, {most:?})"),
            Self::State => f.write_str("State"),
            Self::Change(_) => f.write_str("Change(…)"),
            Self::Fin => f.write_str("Fin"),
            Self::Reset => f.write_str("Reset"),
            Self::Hold => f.write_str("Hold"),
        }
    }
}

impl Reply {
    /// An answer that consists of these acts.
    pub fn of(acts: Vec<Act>) -> Self {
        Self { label: String::new(), ours: Conduct::Conforming, acts }
    }

    /// An answer without a body.
    pub fn empty(status: u16, fields: &[(&str, &str)]) -> Self {
        let head = head(status, &[fields, &[("Content-Length", "0")]].concat());
        Self::of(vec![Act::Write(head)])
    }

    /// An answer that is one JSON text, in one write.
    pub fn json(status: u16, fields: &[(&str, &str)], text: &str) -> Self {
        let mut bytes = json_head(status, fields, text.len());
        bytes.extend_from_slice(text.as_bytes());
        Self::of(vec![Act::Write(bytes)])
    }

    /// An event stream that carries these events, each in a write of its own, the terminator in another.
    pub fn stream<'t>(events: impl IntoIterator<Item = &'t str>) -> Self {
        let mut acts = vec![Act::Write(sse_head(&[]))];
        acts.extend(events.into_iter().map(|event| Act::Write(chunk(event.as_bytes()))));
        acts.push(Act::Write(chunk(b"")));
        Self::of(acts)
    }

    /// The same as an event stream, where it is one JSON text that the request asked for.
    pub fn into_stream(mut self) -> Self {
        if let [Act::Write(bytes)] = &mut self.acts[..]
            && let Some((head, body)) = String::from_utf8_lossy(bytes).split_once("\r\n\r\n")
            && head.starts_with("HTTP/1.1 200 ")
            && head.contains("application/json")
        {
            let fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
            let others: Vec<(&str, &str)> = fields.filter(|(name, _)| !name.starts_with("Content-")).collect();
            let event = format!("data: {body}\n\n");
            *bytes = [sse_head(&others), chunk(event.as_bytes()), chunk(b"")].concat();
        }
        self
    }

    /// The same in chunks, where it is an acceptance without a body.
    pub fn into_empty_chunks(mut self) -> Self {
        if let [Act::Write(bytes)] = &mut self.acts[..]
            && bytes.starts_with(b"HTTP/1.1 202 ")
        {
            *bytes = [head(202, &[("Transfer-Encoding", "chunked")]), chunk(b"")].concat();
        }
        self
    }

    /// Called so in the trace, unless it has a name already.
    pub fn labelled(mut self, label: &str) -> Self {
        if self.label.is_empty() {
            label.clone_into(&mut self.label);
        }
        self
    }

    /// Not keeping to the protocol, on purpose.
    pub fn damaged(mut self) -> Self {
        self.ours = Conduct::Damaged;
        self
    }
}

/// The head of an answer.
pub fn head(status: u16, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// The head of an answer that is one JSON text of this length.
pub fn json_head(status: u16, fields: &[(&str, &str)], length: usize) -> Vec<u8> {
    let length = length.to_string();
    head(status, &[&[("Content-Type", "application/json"), ("Content-Length", &length)], fields].concat())
}

/// The head of an event stream in chunks.
pub fn sse_head(fields: &[(&str, &str)]) -> Vec<u8> {
    let standard = [
        ("Content-Type", "text/event-stream"),
        ("Cache-Control", "no-cache"),
        ("X-Accel-Buffering", "no"),
        ("Transfer-Encoding", "chunked"),
    ];
    head(200, &[&standard, fields].concat())
}

/// A chunk of a body; the last one where the data is empty (RFC 9112, section 7.1).
pub fn chunk(data: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{:x}\r\n", data.len()).into_bytes();
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        _ => "",
    }
}
