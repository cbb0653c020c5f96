//! What a client does with its sockets, and what its caller gets.

checks! {
    body_drained,
    connection_reused,
    repeated_call_latency,
    error_is_terminal,
    returns_at_response,
    body_released,
    orderly_close,
    version_header,
    accept,
    truncated_answer,
    server_requests,
    concurrent_calls,
    cancel,
    era_fallback,
}

mod caller;
mod headers;
mod http;
mod requests;
mod resumption;
mod session;
mod sse_grammar;

use crate::catalogue::Listed;
use crate::trace::{Exchange, Trace};
use crate::verdict::Judge;

/// The areas of the client's side.
pub(super) fn areas() -> Vec<Vec<Listed>> {
    vec![listed(), sse_grammar::listed(), http::listed(), session::listed(), headers::listed(), resumption::listed()]
}

/// Whether the client has shown that it reads answers; where it has not, nothing that it does can pass, and the judge
/// is told what was missing.
fn reads_answers(trace: &Trace, judge: &mut Judge<'_>) -> bool {
    let understood = trace.understood();
    if !understood {
        judge.not_exercised(
            "nothing shows that the client has read an answer: it echoed no session id, and told no result \
             (fixtures/clients/README.md says how a client tells)",
        );
    }
    understood
}

/// The calls of a tool, in the order of asking.
fn calls(trace: &Trace) -> impl Iterator<Item = &Exchange> {
    trace.exchanges().filter(|exchange| exchange.rpc_method().as_deref() == Some("tools/call"))
}

/// The calls whose label begins so.
fn calls_like<'t>(trace: &'t Trace, prefix: &'t str) -> impl Iterator<Item = &'t Exchange> {
    calls(trace).filter(move |exchange| exchange.label.starts_with(prefix))
}
