//! The requests of a client that rules on header fields look at, and how what is wrong with many alike is told once.

use crate::trace::{Conduct, Exchange, Message, MessageKind, Trace};
use crate::verdict::{Cite, Judge};

/// The path of the endpoint of our peers.
const PATH: &str = "/mcp";

/// What is wrong with a request.
#[derive(Debug)]
pub struct Wrong {
    pub cite: Cite,
    pub expected: String,
    pub observed: String,
}

impl Wrong {
    pub fn new(cite: Cite, expected: impl Into<String>, observed: impl Into<String>) -> Self {
        Self { cite, expected: expected.into(), observed: observed.into() }
    }
}

/// Looks at each of these requests. What is wrong with several is told once, with the first that shows it.
///
/// What is missing on the wire is missing, whoever sent it; but only a client that reads answers can pass.
pub fn look_at<'t>(
    trace: &'t Trace,
    judge: &mut Judge<'_>,
    requests: impl Iterator<Item = &'t Exchange>,
    look: impl Fn(&Exchange) -> Option<Wrong>,
) {
    let mut looked_at = 0;
    let mut all_wrong: Vec<(Wrong, Vec<&Exchange>)> = Vec::new();
    for exchange in requests {
        looked_at += 1;
        let Some(wrong) = look(exchange) else { continue };
        match all_wrong.iter_mut().find(|(known, _)| known.expected == wrong.expected) {
            Some((_, like_it)) => like_it.push(exchange),
            None => all_wrong.push((wrong, vec![exchange])),
        }
    }
    let may_pass = looked_at > 0 && super::reads_answers(trace, judge);
    if may_pass || !all_wrong.is_empty() {
        (0..looked_at).for_each(|_| judge.examined());
    }
    for (wrong, like_it) in all_wrong {
        let observed = match like_it.len() {
            1 => wrong.observed,
            more => format!("{} (so it is in {more} requests of this scenario)", wrong.observed),
        };
        let finding = judge.finding(wrong.cite, wrong.expected, observed).shown_by(like_it[0]);
        like_it.iter().fold(finding, |finding, exchange| finding.event(exchange.asked.seq));
    }
}

/// The whole requests to our endpoint, in the order of asking; not those that a redirect led to another origin.
pub fn to_endpoint(trace: &Trace) -> impl Iterator<Item = &Exchange> {
    trace.exchanges().filter(|exchange| {
        let is_there = |target: &str| target.split('?').next() == Some(PATH);
        exchange.label != "elsewhere"
            && exchange.written.is_some()
            && exchange.request.as_ref().is_some_and(|head| is_there(&head.target))
    })
}

/// The POSTs to our endpoint.
pub fn posts(trace: &Trace) -> impl Iterator<Item = &Exchange> {
    to_endpoint(trace).filter(|exchange| exchange.http_method() == "POST")
}

/// The POSTs of the modern era that carry a request: what notifications need in their headers is not defined.
pub fn modern(trace: &Trace) -> impl Iterator<Item = &Exchange> {
    posts(trace).filter(|exchange| request(exchange).is_some_and(|message| message.method() != Some("initialize")))
}

/// The JSON-RPC request that a POST carries, where it is one.
pub fn request(exchange: &Exchange) -> Option<Message> {
    match &exchange.sent()[..] {
        [message] if message.kind == MessageKind::Request => Some(message.clone()),
        _ => None,
    }
}

/// The handshake in which a request was made, if there was one before it, and we did nothing to its answer that a
/// client may have stumbled over.
pub fn handshake<'t>(trace: &'t Trace, request: &Exchange) -> Option<&'t Exchange> {
    let agreed = |exchange: &&Exchange| {
        exchange.rpc_method().as_deref() == Some("initialize")
            && exchange.response().is_some_and(|response| {
                response.message.kind == MessageKind::Result && response.moment.seq < request.asked.seq
            })
    };
    let agreed = trace.exchanges().filter(agreed).last();
    agreed
        .filter(|handshake| handshake.ours == Conduct::Conforming)
        .filter(|_| request.rpc_method().as_deref() != Some("initialize"))
}

/// The version that `_meta` names.
pub fn version_in_meta(exchange: &Exchange) -> Option<String> {
    let meta = request(exchange)?.value["params"]["_meta"].clone();
    Some(meta["io.modelcontextprotocol/protocolVersion"].as_str()?.to_owned())
}

/// What a request is called in a sentence.
pub fn name(exchange: &Exchange) -> String {
    let verb = exchange.http_method();
    match (exchange.rpc_method(), exchange.sent().first()) {
        (Some(method), _) => format!("`{method}`"),
        (None, Some(message)) if message.is_response() => "a response".to_owned(),
        _ => format!("a {verb}"),
    }
}
