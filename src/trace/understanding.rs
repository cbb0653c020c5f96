//! What shows that a client under test has read an answer: only then can anything that it does pass.

use super::{Exchange, Message, Trace};
use crate::spec::{Era, Revision};

impl Trace {
    /// Whether the client has shown that it reads answers: it echoes a session id that it can have from nowhere else,
    /// or its caller got what stood in an answer of ours.
    pub fn understood(&self) -> bool {
        self.exchanges().any(|exchange| self.in_session(exchange) || self.caller_got(exchange))
    }

    /// Whether the client has asked for this revision and gone on with it.
    pub fn spoken(&self) -> bool {
        match self.revision().era() {
            Era::Modern => self.exchanges().any(is_modern),
            Era::Legacy => {
                let granted =
                    self.exchanges().find(|e| e.rpc_method().as_deref() == Some("initialize") && e.succeeded());
                granted.is_some_and(|granted| {
                    self.exchanges().any(|exchange| {
                        exchange.asked.seq > granted.asked.seq
                            && !is_modern(exchange)
                            && exchange.rpc_method().as_deref() != Some("initialize")
                    })
                })
            }
        }
    }

    /// Whether a request carries the id of a session that we granted before.
    pub fn in_session(&self, exchange: &Exchange) -> bool {
        let carried = exchange.request.as_ref().and_then(|head| head.fields.get("mcp-session-id"));
        carried.is_some_and(|carried| {
            self.granted().iter().any(|(seq, id)| *seq < exchange.asked.seq && *id == carried.value.as_slice())
        })
    }

    /// Found once: a hostile client makes many requests, and each is asked for all before it.
    fn granted(&self) -> &[(u32, Vec<u8>)] {
        let granted = |exchange: &Exchange| Some((exchange.asked.seq, exchange.grants()?.to_vec()));
        self.granted.get_or_init(|| self.exchanges().filter_map(granted).collect())
    }

    /// Whether the caller of this call got the content that our response carries. Every response carries a number of
    /// its own, so that nobody can know it who has not read it.
    pub fn caller_got(&self, exchange: &Exchange) -> bool {
        let content = |message: &Message| message.value["result"].get("content").cloned();
        let Some(sent) = exchange.response().and_then(|received| content(&received.message)) else { return false };
        self.told(&exchange.label)
            .is_some_and(|told| told.outcome.is_ok_and(|result| result.get("content") == Some(&sent)))
    }
}

impl Exchange {
    /// The session id that our answer to `initialize` grants.
    pub fn grants(&self) -> Option<&[u8]> {
        (self.rpc_method().as_deref() == Some("initialize") && self.succeeded()).then_some(())?;
        Some(self.answer.as_ref()?.head.fields.get("mcp-session-id")?.value.as_slice())
    }

    /// A header field of the request.
    pub fn request_field(&self, name: &str) -> Option<String> {
        self.request.as_ref()?.fields.text(name).map(|text| text.into_owned())
    }
}

/// Whether a request is written in the modern era's shape: one of its marks suffices, since a client may have forgotten
/// the others.
pub fn is_modern(exchange: &Exchange) -> bool {
    let modern = Revision::R20260728.date();
    let marked = |message: &Message| {
        let version = &message.value["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"];
        version.as_str() == Some(modern) || message.method() == Some("server/discover")
    };
    let version = exchange.request_field("mcp-protocol-version");
    // A client of both eras may send this field in the legacy one as well.
    let of_method = exchange.request_field("mcp-method").is_some_and(|method| method != "initialize")
        && version.is_none()
        && exchange.request_field("mcp-session-id").is_none();
    version.as_deref() == Some(modern) || of_method || exchange.sent().iter().any(marked)
}
