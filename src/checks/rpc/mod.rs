//! Requests and responses as JSON-RPC 2.0 wants them.

checks! {
    exactly_one_response,
    id_echoed_exactly,
    ids_differ_by_type,
    unknown_method_is_an_error,
    malformed_input_is_refused,
}

use super::question::{Question, came, telling};
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

/// The request whose response has come on the stream of another one, if it is one of these. Where that request
/// has its response already, and the other one would have none without this, the id is wrong and not the place.
fn strayed_from(stream: &Exchange, response: &Received, requests: &[(Question<'_>, Id)]) -> Option<usize> {
    let id = &response.message.id;
    let answered = |(question, id): &(Question<'_>, Id)| question.is_answered(id);
    let here = requests.iter().find(|(question, _)| question.parts().any(|part| std::ptr::eq(part, stream)));
    if here.is_some_and(|(_, own)| own.same_as(id)) {
        return None;
    }
    let owner = requests.iter().position(|(question, theirs)| {
        theirs.same_as(id)
            && question.exchange.asked.seq < response.moment.seq
            && session(question.exchange) == session(stream)
    })?;
    (here.is_none_or(answered) || !answered(&requests[owner])).then_some(owner)
}

/// The session that an exchange belongs to: the one that it names or, at its beginning, the one that it opens.
fn session(exchange: &Exchange) -> Option<&[u8]> {
    let named = exchange.request.as_ref().and_then(|head| head.fields.get("mcp-session-id"));
    let granted = || exchange.answer.as_ref().and_then(|answer| answer.head.fields.get("mcp-session-id"));
    named.or_else(granted).map(|field| field.value.as_slice())
}
