//! What stands in an event stream, and how it ends.

checks! {
    stream_ends_after_response,
    stream_ends_after_error,
    nothing_after_response,
    well_formed,
}

use std::time::Duration;

#[cfg(test)]
use crate::trace::Exchange;
use crate::trace::{Ending, MessageKind, PeerEnd, Span, Trace};
use crate::verdict::{Cite, Judge};

/// The rule of both checks on the end of a stream: after the response, a result or an error, it ends in time.
fn stream_ends(trace: &Trace, judge: &mut Judge<'_>, after: MessageKind) {
    let grace = judge.manifest().options.stream_end_grace;
    for exchange in trace.conforming().filter(|exchange| exchange.http_method() == "POST" && exchange.is_streamed()) {
        let Some(response) = exchange.response().filter(|response| response.message.kind == after) else { continue };
        let since = |at: crate::trace::Moment| at.best().since(response.moment.best());
        let late = match exchange.ending {
            Ending::Complete(end) | Ending::Cut(PeerEnd::Fin, end) => (since(end) > grace)
                .then(|| (end, format!("the stream ended only {} after the response", Span(since(end))))),
            Ending::Cut(PeerEnd::Reset, end) => Some((end, "the server reset the connection instead".to_owned())),
            Ending::Open { watched: Some(look) } if since(look) >= grace.saturating_sub(SLACK) => {
                Some((look, format!("still open {} after the response", Span(since(look)))))
            }
            // We did not look long enough, or lost the thread: nothing can be said of this one.
            Ending::Open { .. } | Ending::Unreadable(_) | Ending::NotKept(_) => continue,
        };
        judge.examined();
        if let Some((moment, observed)) = late {
            let what = if after == MessageKind::Error { "JSON-RPC error" } else { "response" };
            judge
                .finding(CLAUSE, format!("the stream ends within {} of the {what}", Span(grace)), observed)
                .shown_at(exchange, response.moment)
                .event(moment.seq);
        }
    }
}

const CLAUSE: Cite = Cite::Clause("http.post.sse.close-after-response");

/// The kernel's stamp of the response lies before the moment from which the driver counted its patience.
const SLACK: Duration = Duration::from_millis(50);

/// Whether an exchange is answered so on an event stream.
#[cfg(test)]
fn streams(exchange: &Exchange, kind: MessageKind) -> bool {
    exchange.is_streamed() && exchange.response().is_some_and(|response| response.message.kind == kind)
}
