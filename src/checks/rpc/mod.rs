//! Requests and responses as JSON-RPC 2.0 wants them.

checks! {
    exactly_one_response,
    id_echoed_exactly,
    ids_differ_by_type,
    unknown_method_is_an_error,
    malformed_input_is_refused,
}

use super::question::{Question, came, telling};
use crate::trace::{Exchange, Trace};
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
