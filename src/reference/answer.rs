//! Answers that are complete when they are sent: a head, and a body whose length is known.

use std::io;

use super::connection::{After, Connection};
use super::server::Server;
use super::{Fault, Variant, date};

/// The status and the fields of an answer.
pub(super) struct Head {
    status: u16,
    fields: Vec<(&'static str, Vec<u8>)>,
}

impl Head {
    pub(super) fn new(status: u16) -> Head {
        Head { status, fields: Vec::new() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Head {
        self.fields.push((name, value.into()));
        self
    }
}

impl Connection {
    /// Answers with one JSON text.
    pub(super) fn json(&mut self, head: Head, text: &str) -> io::Result<()> {
        let server = &self.server;
        let media_type = match head.status {
            200 if server.has(Fault::JsonAsPlainText) => "text/plain; charset=utf-8",
            _ if server.plays(Variant::OddContentTypes) => "Application/JSON; charset=utf-8",
            _ => "application/json",
        };
        let line_end = if server.has(Fault::TrailingNewlineUncounted) { "\n" } else { "" };
        let length = content_length(text, server);

        let mut bytes = self.head(head.with("Content-Type", media_type).with("Content-Length", length.to_string()));
        if !self.asked.head_only {
            bytes.extend_from_slice(text.as_bytes());
            bytes.extend_from_slice(line_end.as_bytes());
        }
        if length > text.len() {
            self.after = After::Close;
        }
        self.write(&bytes)
    }

    /// Answers with nothing but a head.
    pub(super) fn empty(&mut self, head: Head) -> io::Result<()> {
        let bytes = self.head(head.with("Content-Length", "0"));
        self.write(&bytes)
    }

    /// Accepts what needs no response (2025-11-25, "Sending Messages to the Server", 4).
    pub(super) fn accepted(&mut self, head: Head) -> io::Result<()> {
        if self.server.has(Fault::AcceptedWithBody) {
            return self.json(head, "null");
        }
        if self.server.has(Fault::AcceptedUnframed) {
            let bytes = self.head(head);
            return self.write(&bytes);
        }
        if self.server.plays(Variant::AcceptedChunked) && self.asked.knows_chunks {
            let mut bytes = self.head(head.with("Transfer-Encoding", "chunked"));
            bytes.extend_from_slice(b"0\r\n\r\n");
            return self.write(&bytes);
        }
        self.empty(head)
    }

    /// The bytes of a head, after the decision whether the connection outlives the answer.
    pub(super) fn head(&mut self, mut head: Head) -> Vec<u8> {
        head.fields.insert(0, ("Date", date::now().into()));
        if self.must_close(head.status) {
            self.after = After::Close;
            head = head.with("Connection", "close");
        } else if self.server.has(Fault::ClosesUnannounced) {
            self.after = After::Close;
        } else if self.server.has(Fault::ResetAfterAnswer) {
            self.after = After::Reset;
        }

        let mut bytes = format!("HTTP/1.1 {} {}\r\n", head.status, reason(head.status)).into_bytes();
        for (name, value) in &head.fields {
            let is_loud = self.server.plays(Variant::UpperCaseHeaderNames);
            let name = if is_loud { name.to_ascii_uppercase() } else { (*name).to_owned() };
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// Whether the connection ends with this answer for a reason that the answer can announce.
    fn must_close(&self, status: u16) -> bool {
        !self.asked.stays_open
            || self.after == After::Close
            || self.server.plays(Variant::CloseAnnounced)
            || self.server.has(Fault::AcceptsByTimer)
            || self.server.plays(Variant::ClosesAfter4xx) && (400..=499).contains(&status)
    }
}

/// How many bytes the text has, or what the server takes for that.
fn content_length(text: &str, server: &Server) -> usize {
    if server.has(Fault::ContentLengthCountsCharacters) {
        text.chars().count()
    } else if server.has(Fault::ContentLengthTooLong) {
        let escaped = |character: char| if character.is_ascii() { 1 } else { 6 * character.len_utf16() };
        text.chars().map(escaped).sum()
    } else {
        text.len()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
