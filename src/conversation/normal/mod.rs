//! What differs from run to run although nothing changed gets a name: one rule a file.
//!
//! A name says what kind of thing it stands for, and which one of its kind, in the order of first appearance. Most
//! count within their exchange (`<event-2>` is the second one of its stream, `<event-2 of warm-up>` is how others speak
//! of it), so that an exchange more or less renames nothing elsewhere. Sessions, ports and secrets, which everything
//! shares, count within the page.

mod address;
mod event_id;
mod progress_token;
mod random;
mod request_id;
mod revision;
mod script;
mod secret;
mod session;
mod time;
mod value;
mod version;

use std::collections::HashMap;

pub use self::value::value;
use crate::scenario::Scenario;
use crate::trace::{Exchange, Id, Trace};

/// What a name can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A session id.
    Session,
    /// Something else that was redacted.
    Secret,
    /// A TCP port.
    Port,
    /// The id of an event.
    Event,
    /// The id of a request of the server's.
    ServerId,
    /// A progress token.
    Token,
    /// A token that nobody can guess.
    Random,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Secret => "secret",
            Self::Port => "port",
            Self::Event => "event",
            Self::ServerId => "server-id",
            Self::Token => "token",
            Self::Random => "random",
        }
    }

    fn is_shared(self) -> bool {
        matches!(self, Self::Session | Self::Secret | Self::Port)
    }
}

/// The names of one page.
#[derive(Debug)]
pub struct Names {
    scenario: Scenario,
    revision: &'static str,
    /// What the exchanges are called, in canonical order.
    labels: Vec<String>,
    /// The ids of the requests in each.
    asked: Vec<Vec<Id>>,
    /// The numbers of the calls in the script of a client.
    numbers: Vec<Option<i64>>,
    /// The exchange that is being read.
    current: usize,
    /// The progress token in its request.
    token: Option<String>,
    /// Its answer is being read.
    answering: bool,
    known: HashMap<(Kind, String), (usize, usize)>,
    counts: HashMap<(Kind, usize), usize>,
}

impl Names {
    /// No names yet.
    pub fn of(trace: &Trace, exchanges: &[&Exchange]) -> Self {
        Self {
            scenario: trace.scenario(),
            revision: trace.revision().date(),
            labels: exchanges.iter().map(|exchange| label(exchange)).collect(),
            asked: exchanges.iter().map(|exchange| request_id::of_requests(exchange)).collect(),
            numbers: exchanges.iter().map(|exchange| script::number(trace, exchange)).collect(),
            current: 0,
            token: None,
            answering: false,
            known: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    /// From here on, this exchange is read.
    pub fn enter(&mut self, exchange: usize) {
        (self.current, self.token, self.answering) = (exchange, None, false);
    }

    /// From here on, its answer is read.
    pub fn answers(&mut self) {
        self.answering = true;
    }

    /// Names that say whose they are, without that.
    pub fn unowned(&self, text: &str) -> String {
        replaced(text, |rest, _| {
            let owner = rest.strip_prefix(" of ").and_then(|owner| owner.find('>'))?;
            let is_label = self.labels.iter().any(|label| *label == rest[" of ".len()..][..owner]);
            is_label.then(|| (" of ".len() + owner, String::new()))
        })
    }

    /// Bytes that may have been meant as a message, with the name of the request's id.
    pub fn with_id(&self, bytes: &[u8]) -> Vec<u8> {
        request_id::in_raw(self, bytes)
    }

    /// The name of a value.
    fn name(&mut self, kind: Kind, value: &str) -> String {
        let owner = if kind.is_shared() { usize::MAX } else { self.current };
        let (owner, number) = *self.known.entry((kind, value.to_owned())).or_insert_with(|| {
            let count = self.counts.entry((kind, owner)).or_default();
            *count += 1;
            (owner, *count)
        });
        let word = kind.word();
        match self.labels.get(owner).filter(|_| owner != self.current) {
            Some(label) => format!("<{word}-{number} of {label}>"),
            None => format!("<{word}-{number}>"),
        }
    }

    /// A text in which names stand for what differs from run to run.
    pub fn text(&mut self, text: &str) -> String {
        // The longest forms first: a date is no part of a random token, and a token no part of an address.
        let rules: [fn(&mut Self, &str) -> String; 6] =
            [script::rule, secret::rule, time::rule, revision::rule, address::rule, random::rule];
        rules.into_iter().fold(text.to_owned(), |text, rule| rule(self, &text))
    }

    /// The value of a header field.
    pub fn field(&mut self, name: &str, value: &str) -> String {
        match name.to_ascii_lowercase().as_str() {
            "mcp-session-id" => session::name(self, value),
            "last-event-id" => event_id::name(self, value),
            "server" | "user-agent" | "x-powered-by" => version::of_products(value),
            _ => self.text(value),
        }
    }

    /// The id of an event.
    pub fn event(&mut self, id: &str) -> String {
        event_id::name(self, id)
    }

    /// The id of a message that the client sent.
    pub fn id_of_client(&mut self, id: &Id, is_request: bool) -> String {
        request_id::of_client(self, id, is_request)
    }

    /// The id of a message that the server sent.
    pub fn id_of_server(&mut self, id: &Id, is_request: bool) -> String {
        request_id::of_server(self, id, is_request)
    }
}

/// What an exchange is called.
pub fn label(exchange: &Exchange) -> String {
    match exchange.label.as_str() {
        "" => exchange.rpc_method().unwrap_or_else(|| exchange.http_method().to_owned()),
        label => label.to_owned(),
    }
}

/// Replaces what `find` finds: it gets the text on from a place and the character before it, and says how many bytes
/// are to be replaced by what.
fn replaced(text: &str, mut find: impl FnMut(&str, Option<char>) -> Option<(usize, String)>) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, None);
    while let Some(next) = rest.chars().next() {
        match find(rest, before).filter(|(length, _)| *length > 0 && rest.is_char_boundary(*length)) {
            Some((length, name)) => {
                out.push_str(&name);
                before = rest[..length].chars().last();
                rest = &rest[length..];
            }
            None => {
                out.push(next);
                before = Some(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    out
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

/// How many bytes at the beginning of a text are digits.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests;
