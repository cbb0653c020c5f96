//! HTTP requests.

use super::Fault;
use super::url::Url;

/// A session, and where it is valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) origin: String,
}

/// A request, before it is known where redirects lead it.
pub(super) struct Request {
    pub(super) verb: &'static str,
    fields: Vec<(String, Vec<u8>)>,
    body: Option<String>,
    pub(super) session: Option<Session>,
    /// Whether it takes a new connection rather than wait for one.
    pub(super) is_hurried: bool,
}

impl Request {
    /// A message to the server.
    pub(super) fn post(body: String, fault: Option<Fault>) -> Self {
        let accept = match fault {
            Some(Fault::AcceptsJsonOnly) => "application/json",
            _ => "application/json, text/event-stream",
        };
        let request = Request { body: Some(body), ..Request::new("POST") }.with("Accept", accept);
        match fault {
            Some(Fault::NoContentType) => request,
            _ => request.with("Content-Type", "application/json"),
        }
    }

    /// A stream from the server.
    pub(super) fn get() -> Self {
        Request::new("GET").with("Accept", "text/event-stream")
    }

    /// The end of the session.
    pub(super) fn delete() -> Self {
        Request::new("DELETE")
    }

    fn new(verb: &'static str) -> Self {
        Request { verb, fields: Vec::new(), body: None, session: None, is_hurried: false }
    }

    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    pub(super) fn with_session(self, session: Option<Session>) -> Self {
        Request { session, ..self }
    }

    pub(super) fn hurried(self) -> Self {
        Request { is_hurried: true, ..self }
    }

    /// The request as it goes to this URL. The session id stays at the origin that issued it.
    pub(super) fn bytes(&self, url: &Url, fault: Option<Fault>) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\nHost: {}\r\n", self.verb, url.target(), url.origin()).into_bytes();
        let mut add = |name: &str, value: &[u8]| {
            for part in [name.as_bytes(), b": ", value, b"\r\n"] {
                bytes.extend_from_slice(part);
            }
        };
        for (name, value) in &self.fields {
            add(name, value);
        }
        let everywhere = fault == Some(Fault::CarriesSessionIdEverywhere);
        if let Some(session) = self.session.as_ref().filter(|session| everywhere || session.origin == url.origin()) {
            add("Mcp-Session-Id", session.id.as_bytes());
        }
        if let Some(body) = &self.body {
            add("Content-Length", body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default().as_bytes());
        bytes
    }
}
