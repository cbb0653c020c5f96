//! The phases of an exchange.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::trace::{Ending, Exchange, MessageKind, Nanos, Trace, What};

/// A class of exchanges that are alike in what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// `initialize`.
    Initialize,
    /// The first call of its kind on a connection of the repeated calls.
    FirstCall,
    /// The repeated calls.
    RepeatedCall,
    /// Lists.
    List,
    /// Other requests that are answered with a result.
    Call,
    /// Requests that are answered with a JSON-RPC error.
    Error,
    /// Notifications.
    Notification,
}

/// When the phases of an exchange were over, as time since its request began to be written: an upper bound, since
/// the kernel takes the bytes at some moment of that system call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// How long connecting took, on the first exchange of a connection.
    pub connect: Option<Duration>,
    /// How long writing the request took.
    pub write: Option<Duration>,
    /// The first byte of the answer.
    pub first_byte: Option<Duration>,
    /// The first event of the stream.
    pub first_event: Option<Duration>,
    /// The response.
    pub response: Option<Duration>,
    /// The end of the answer.
    pub end: Option<Duration>,
    /// The next request is possible on the connection: the answer is over, and the connection is kept.
    pub next: Option<Duration>,
}

/// One exchange, measured.
#[derive(Clone, Debug)]
pub struct Sample<'a> {
    /// What kind of exchange it was.
    pub class: Class,
    /// The exchange.
    pub exchange: &'a Exchange,
    /// Its phases.
    pub phases: Phases,
    /// All its times come from the kernel.
    pub by_kernel: bool,
    /// How long the peer's threads waited for a processor meanwhile, where that is known.
    pub peer_waited: Option<Duration>,
}

impl Sample<'_> {
    /// What a caller waits who makes one call after the other: until the answer is over, or, where the stream is
    /// left open, until its response.
    pub fn total(&self) -> Option<Duration> {
        self.phases.end.or(self.phases.response)
    }
}

/// The exchanges of a trace that can be measured, in order.
pub fn samples(trace: &Trace) -> impl Iterator<Item = Sample<'_>> {
    let waits: Vec<(u32, u64)> = trace
        .events
        .iter()
        .filter_map(|event| match event.what {
            What::PeerWaited { total } => Some((event.seq, total)),
            _ => None,
        })
        .collect();
    trace.conforming().filter_map(move |exchange| sample(trace, exchange, &waits))
}

fn sample<'a>(trace: &Trace, exchange: &'a Exchange, waits: &[(u32, u64)]) -> Option<Sample<'a>> {
    let (began, written) = exchange.written?;
    let answer = exchange.answer.as_ref()?;
    let since = |at: Nanos| at.since(began);
    let first_event = answer.stream.as_ref().and_then(|stream| stream.events.first());
    let end = match exchange.ending {
        Ending::Complete(moment) => Some(moment),
        _ => None,
    };
    let connect = (exchange.nth == 0)
        .then(|| trace.connection(exchange.conn)?.opened.map(|(began, moment)| moment.at.since(began)))
        .flatten();
    let last = end.or(exchange.response().map(|response| response.moment))?;
    Some(Sample {
        class: class(exchange)?,
        exchange,
        phases: Phases {
            connect,
            write: Some(written.at.since(began)),
            first_byte: exchange.first_byte.map(|moment| since(moment.best())),
            first_event: first_event.map(|(_, moment)| since(moment.best())),
            response: exchange.response().map(|response| since(response.moment.best())),
            end: end.map(|moment| since(moment.best())),
            next: end.filter(|_| is_kept(trace, exchange)).map(|moment| since(moment.best())),
        },
        by_kernel: last.kernel.is_some(),
        peer_waited: waited_between(waits, exchange.asked.seq, last.seq),
    })
}

/// Whether the connection could be used again, as far as was seen.
fn is_kept(trace: &Trace, exchange: &Exchange) -> bool {
    let is_last = trace.on_connection(exchange.conn).len() == exchange.nth + 1;
    let has_ended = trace.connection(exchange.conn).is_some_and(|facts| facts.ended.is_some());
    !(exchange.close_is_announced() || is_last && has_ended)
}

fn class(exchange: &Exchange) -> Option<Class> {
    let method = exchange.rpc_method()?;
    Some(match (exchange.label.as_str(), exchange.response().map(|response| response.message.kind)) {
        (_, None) if exchange.request_id().is_none() && exchange.succeeded() => Class::Notification,
        (_, None) => return None,
        // We held these up ourselves.
        (label, _) if label.starts_with("trial-") || ["call-with-events", "slow-body"].contains(&label) => return None,
        // What waits for others is judged by itself.
        (label, _) if label.starts_with("beside-") || label == "slow-call" => return None,
        (_, Some(MessageKind::Error)) => Class::Error,
        ("first-call", _) => Class::FirstCall,
        ("repeated-call", _) => Class::RepeatedCall,
        _ if method == "initialize" => Class::Initialize,
        _ if method.ends_with("/list") => Class::List,
        _ => Class::Call,
    })
}

/// What the peer's threads waited between the last look before `asked` and the first one after `ended`.
fn waited_between(waits: &[(u32, u64)], asked: u32, ended: u32) -> Option<Duration> {
    let before = waits.iter().rev().find(|(seq, _)| *seq < asked)?;
    let after = waits.iter().find(|(seq, _)| *seq > ended)?;
    Some(Duration::from_nanos(after.1.saturating_sub(before.1)))
}
