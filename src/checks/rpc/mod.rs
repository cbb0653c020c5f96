//! Requests and responses as JSON-RPC 2.0 wants them.

checks! {
    exactly_one_response,
    id_echoed_exactly,
    ids_differ_by_type,
    unknown_method_is_an_error,
    malformed_input_is_refused,
}

use super::question::{BUSY, Question, came, session, telling};
use crate::trace::{Exchange, Id, Received, Trace};
use crate::verdict::{Cite, Judge};

/// JSON-RPC 2.0, section 5: "When a rpc call is made, the Server MUST reply with a Response".
const REPLY: Cite = Cite::Clause("jsonrpc.conform");

/// The rule of both checks on bad requests: a good request behind one is answered as it was before. Says so
/// where it was not.
fn goes_on_answering(trace: &Trace, judge: &mut Judge<'_>, label: &str, behind: &str) {
    let after: Vec<&Exchange> = trace.labelled(label).collect();
    let Some(last) = after.last() else { return };
    if after.iter().any(|exchange| Question::of(trace, exchange).has_result()) {
        judge.examined();
        return;
    }
    let question = Question::of(trace, last);
    if let Some(status) = last.status().filter(|status| BUSY.contains(status)) {
        judge.inconclusive(format!("the request behind {behind} was answered with HTTP {status}: come again later"));
        return;
    }
    let timeout = judge.manifest().options.timeout;
    let failed = last.status().is_some_and(|status| !(200..300).contains(&status))
        || question.response().is_some()
        || question.unanswered().is_some()
        || question.in_vain(timeout).is_some()
        || super::question::hung_up(last).is_some();
    if !failed {
        // Lost on the way, or not seen to its end.
        return;
    }
    judge.examined();
    judge
        .finding(
            REPLY,
            format!("a request behind {behind} is answered with a result, as the same request was before it"),
            format!("it was answered with {}", came(last)),
        )
        .shown_at(last, telling(last));
}

/// The requests of a trace in which our side kept to the protocol.
struct Requests<'a>(Vec<Request<'a>>);

/// One of them.
struct Request<'a> {
    question: Question<'a>,
    id: Id,
    /// A response with its id stands in its answer. Asked for each response of a flood, it must not be looked for
    /// each time.
    answered: bool,
}

impl<'a> Requests<'a> {
    fn of(trace: &'a Trace) -> Self {
        let request = |(question, id): (Question<'a>, Id)| {
            let answered = question.responses().any(|(_, received)| received.message.id.same_as(&id));
            Request { question, id, answered }
        };
        Self(Question::all(trace).map(request).collect())
    }

    /// The request whose response has come on the stream of another one, if it is one of these. Where that
    /// request has its response already, and the other one would have none without this, the id is wrong and not
    /// the place.
    fn strayed_from(&self, stream: &Exchange, response: &Received) -> Option<usize> {
        let id = &response.message.id;
        let here = self.0.iter().find(|request| request.question.parts().any(|part| std::ptr::eq(part, stream)));
        if here.is_some_and(|request| request.id.same_as(id)) {
            return None;
        }
        let owner = self.0.iter().position(|request| {
            let asked = request.question.exchange;
            request.id.same_as(id) && asked.asked.seq < response.moment.seq && session(asked) == session(stream)
        })?;
        (here.is_none_or(|request| request.answered) || !self.0[owner].answered).then_some(owner)
    }
}
