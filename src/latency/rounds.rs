//! The rounds of a client: from one response of ours to its next request.

use std::time::Duration;

use crate::scenario::Scenario;
use crate::trace::{Exchange, Trace, What};

/// From one response to the next request.
#[derive(Clone, Debug)]
pub struct Round<'t> {
    /// How long it took.
    pub took: Duration,
    /// The next request.
    pub next: &'t Exchange,
    /// The kernel saw the request come.
    pub by_kernel: bool,
    /// How long the client's threads waited for a processor meanwhile.
    pub waited: Duration,
    /// How long after the head of the request its last byte came.
    pub second_piece_after: Duration,
}

/// The rounds of a trace whose calls are repeated.
pub fn rounds(trace: &Trace) -> Vec<Round<'_>> {
    let calls: Vec<&Exchange> = trace.exchanges().filter(|exchange| exchange.label.starts_with("repeat-")).collect();
    let waited = |seq: u32| {
        let behind = trace.events.iter().skip_while(|event| event.seq < seq);
        behind.take(4).find_map(|event| match event.what {
            What::PeerWaited { total } => Some(total),
            _ => None,
        })
    };
    let held_back = trace.scenario() == Scenario::ClientHeldBack;
    calls
        .windows(2)
        .filter_map(|pair| {
            let [before, next] = pair else { return None };
            let (response, (_, asked)) = (before.response()?, next.written?);
            // Where our kernel holds the response back, its time is not when it went out: count from the request.
            let began = if held_back { before.written?.1.best() } else { response.moment.at };
            let waited =
                waited(asked.seq).zip(waited(before.written?.1.seq)).map(|(now, then)| now.saturating_sub(then));
            Some(Round {
                took: asked.best().since(began),
                next,
                by_kernel: asked.kernel.is_some(),
                waited: Duration::from_nanos(waited.unwrap_or_default()),
                second_piece_after: asked.best().since(next.asked.best()),
            })
        })
        .collect()
}
