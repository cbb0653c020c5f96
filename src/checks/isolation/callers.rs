//! The callers of the scenario `beside-trouble`, and their calls: each carries a mark that nobody else has.

use std::time::Duration;

use serde_json::Value;

use crate::checks::progress::token_of;
use crate::checks::question::{BUSY, Question, hung_up, telling};
use crate::trace::{Ending, Exchange, Id, Message, Moment, Trace};
use crate::verdict::{Cite, Judge};

/// JSON-RPC 2.0, section 5: "When a rpc call is made, the Server MUST reply with a Response".
pub(super) const REPLY: Cite = Cite::Clause("jsonrpc.conform");

/// What the marks begin with.
const MARK: &str = "mcpwire-";

/// One call of a caller.
pub(super) struct Marked<'a> {
    /// The call, and what came of it.
    pub question: Question<'a>,
    /// Its id.
    pub id: Id,
    /// What stands in its progress token and in its argument, and nowhere else.
    pub mark: String,
    /// What is called.
    what: Option<(String, Option<String>)>,
}

/// What became of a call.
pub(super) enum Fate {
    /// It was answered with a result.
    Served,
    /// The target wants us to come again later.
    Busy(u16),
    /// It was not answered with a result, for certain: at this moment that was clear.
    Failed(Moment),
    /// It cannot be told.
    Unknown,
}

impl<'a> Marked<'a> {
    /// All calls of a trace.
    pub fn all(trace: &'a Trace) -> Vec<Self> {
        let marked = |(question, id): (Question<'a>, Id)| {
            let mark = token_of(question.exchange)?.as_str()?.to_owned();
            let what = called(question.exchange);
            mark.starts_with(MARK).then_some(Self { question, id, mark, what })
        };
        Question::all(trace).filter_map(marked).collect()
    }

    /// What the scenario calls it.
    pub fn label(&self) -> &'a str {
        &self.question.exchange.label
    }

    /// Whose call it is.
    pub fn caller(&self) -> &'a str {
        self.label().rsplit_once('-').map_or("", |(_, caller)| caller)
    }

    /// The trouble beside it or before it, in words.
    pub fn around(&self) -> Option<String> {
        let (label, caller) = (self.label(), self.caller());
        let round = label.strip_suffix(caller).unwrap_or(label).trim_end_matches('-');
        let (when, trouble) = round.split_once('-')?;
        let words = match trouble {
            "many-at-once" => "many requests at once",
            "failing-call" => "a call that failed",
            "stalled-body" => "a request whose body had stalled",
            "unread-stream" => "an answer that nobody read",
            "deleted-session" => "a session deleted in mid-call",
            "dropped-in-order" => "a connection closed in mid-answer (FIN)",
            "dropped-by-reset" => "a connection reset in mid-answer (RST)",
            "dropped" => "connections dropped in mid-answer",
            "id" => return Some("beside a call of another client with the same id".to_owned()),
            _ => return None,
        };
        match when {
            "beside" => Some(format!("beside {words}")),
            "after" => Some(format!("after {words}")),
            _ => None,
        }
    }

    /// Whether the same was called with no trouble around, and answered with a result each time.
    pub fn has_control(&self, all: &[Self]) -> bool {
        let mut alone =
            all.iter().filter(|call| call.label().starts_with("alone") && call.what == self.what).peekable();
        alone.peek().is_some() && alone.all(|call| call.question.has_result())
    }

    /// What became of it.
    pub fn fate(&self, timeout: Duration) -> Fate {
        let question = &self.question;
        if question.has_result() {
            return Fate::Served;
        }
        let Some(last) = question.parts().last() else { return Fate::Unknown };
        if let Some(status) = last.status().filter(|status| BUSY.contains(status)) {
            return Fate::Busy(status);
        }
        let refused =
            question.response().is_some() || last.status().is_some_and(|status| !(200..300).contains(&status));
        let cut = matches!(last.ending, Ending::Cut(..)) && !question.goes_on();
        let failed = refused
            || cut
            || question.unanswered().is_some()
            || question.in_vain(timeout).is_some()
            || hung_up(last).is_some();
        if failed { Fate::Failed(telling(last)) } else { Fate::Unknown }
    }

    /// What its not being served stands on. A server may end sessions at any time, and says so with 404 (2025-11-25,
    /// "Session Management", 3).
    pub fn cite(&self, trace: &Trace) -> Cite {
        let ended = trace.revision().is_legacy() && self.question.exchange.status() == Some(404);
        if ended { Cite::Advice } else { REPLY }
    }

    /// Whether a message has the mark of this call in it.
    pub fn is_marked(&self, text: &str) -> bool {
        text.contains(&self.mark)
    }
}

/// Judges a call that is made with trouble around: it is served as it was without. `false` where that ends the judging.
pub(super) fn must_be_served(trace: &Trace, judge: &mut Judge<'_>, call: &Marked<'_>, all: &[Marked<'_>]) -> bool {
    if !call.has_control(all) {
        return true;
    }
    match call.fate(judge.manifest().options.timeout) {
        Fate::Served => judge.examined(),
        // One that would have to be fetched piece by piece is not waited for without end.
        Fate::Unknown if call.question.goes_on() => {}
        Fate::Unknown => {
            let around = call.around().unwrap_or_else(|| "with nothing else around".to_owned());
            judge.inconclusive(format!("what became of a call {around} was not seen to its end"));
        }
        // That so many are too many is for the server to say.
        Fate::Busy(_) if call.label().contains("many-at-once") => {}
        Fate::Busy(status) => {
            judge.inconclusive(format!("a call was answered with HTTP {status}: come again later"));
            return false;
        }
        Fate::Failed(moment) => {
            let around = call.around().unwrap_or_else(|| "with nothing else around".to_owned());
            judge.examined();
            judge
                .finding(
                    call.cite(trace),
                    "a call is answered with a result whatever others do, as it was before",
                    format!("{around}, a call of somebody else was answered with {}", call.question.came()),
                )
                .shown_at(last_part(call), moment);
        }
    }
    true
}

fn last_part<'a>(call: &Marked<'a>) -> &'a Exchange {
    call.question.parts().last().unwrap_or(call.question.exchange)
}

/// When the first connection is dropped in mid-answer, as an event of the trace.
pub(super) fn first_drop(trace: &Trace) -> u32 {
    trace.labelled("dropped-in-order").next().map_or(u32::MAX, |exchange| exchange.asked.seq)
}

/// All of a message, to look for marks in.
pub(super) fn text(message: &Message) -> String {
    message.value.to_string()
}

/// The method and, for a tool, its name.
fn called(exchange: &Exchange) -> Option<(String, Option<String>)> {
    match &exchange.sent()[..] {
        [message] => {
            let name = message.value.get("params").and_then(|params| params.get("name")).and_then(Value::as_str);
            Some((message.method()?.to_owned(), name.map(str::to_owned)))
        }
        _ => None,
    }
}
