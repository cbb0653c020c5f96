//! # Repeated calls stay within the budget
//!
//! Against a peer that answers at once, what a call takes is the client's own: its turnaround, from our response to its
//! next request. The median of many counts, over what the embedded reference client takes on the same machine in the
//! same minute, and less what the client's threads waited for a processor.
//!
//! The same calls are made against a peer that holds its last segment back, as every server without TCP_NODELAY does
//! that writes a response in a second small segment. A client that keeps its connections then waits some 40 ms a call
//! for its own kernel's delayed acknowledgement. That is the server's fault and no finding here; the report says what
//! it costs this client, and why.
//!
//! ## How to fix it
//! Set TCP_NODELAY and write each request in one piece; let nothing sleep or poll between a response and the next
//! request; reuse connections. Where the report names a cause, begin there.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::latency::{Round, median, rounds};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Span, Trace, What};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::ClientRepeatedCalls, Scenario::ClientHeldBack]),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that follows MCPWIRE_SCRIPT, or makes ten calls by itself",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// A median of fewer samples is a matter of luck on a shared machine.
const ENOUGH: usize = 10;

/// A request in two pieces whose second one comes so much later was held back by its sender's kernel: the peer's
/// acknowledgement takes some 40 ms.
const HELD_BACK: Duration = Duration::from_millis(20);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let held_back = match trace.scenario() {
        Scenario::ClientRepeatedCalls => false,
        Scenario::ClientHeldBack => true,
        _ => return,
    };
    if !super::reads_answers(trace, judge) {
        return;
    }
    let rounds: Vec<Round<'_>> = rounds(trace);
    let floor = judge.manifest().floor.map_or(Duration::ZERO, |floor| Duration::from_nanos(floor.p50));
    let limit = floor + judge.manifest().options.budget;
    let Some(p50) = median(rounds.iter().map(|round| round.took)).filter(|_| rounds.len() >= ENOUGH) else {
        return judge.not_exercised(format!("needs {ENOUGH} calls one after the other; {} were made", rounds.len()));
    };
    if held_back {
        return against_a_held_back_segment(trace, judge, p50, limit);
    }
    if p50 > limit {
        if rounds.iter().any(|round| !round.by_kernel) {
            return judge.not_exercised("over the budget by our own clock, which alone judges nobody");
        }
        // A lower bound of the client's own time: threads that waited side by side are all subtracted.
        let own = median(rounds.iter().map(|round| round.took.saturating_sub(round.waited))).unwrap_or(p50);
        if own <= limit {
            return judge.inconclusive(format!(
                "the machine was too busy: p50 is {}, of which the client's threads waited most for a processor",
                Span(p50)
            ));
        }
    }
    for _ in &rounds {
        judge.examined();
    }
    if p50 > limit {
        let expected = format!(
            "from a response to the next request a client takes at most {} in the median (a budget of {} over the \
             measured floor of {})",
            Span(limit),
            Span(judge.manifest().options.budget),
            Span(floor)
        );
        let observed = format!("p50 {} over {} calls", Span(p50), rounds.len());
        let typical = rounds.iter().find(|round| round.took == p50).map(|round| round.next);
        let mut finding = judge.finding(Cite::Budget, expected, observed);
        if let Some(exchange) = typical {
            finding = finding.shown_by(exchange);
        }
        let in_two = rounds.iter().filter(|round| round.second_piece_after > HELD_BACK).count();
        if in_two * 2 > rounds.len() {
            let evidence = format!("the rest of {in_two} of {} requests came 20 ms or more after their head", rounds.len());
            finding.because("request-held-back", evidence);
        }
    }
}

/// What a segment that is held back costs this client, and why.
fn against_a_held_back_segment(trace: &Trace, judge: &mut Judge<'_>, p50: Duration, limit: Duration) {
    let held = trace.events.iter().filter(|event| matches!(&event.what, What::State { info, .. } if info.unsent_bytes > 0));
    let (held, calls) = (held.count(), super::calls(trace).count());
    let fresh = super::calls_like(trace, "repeat-").filter(|exchange| exchange.nth == 0).count();
    judge.examined();
    judge.remark(if p50 > limit {
        format!(
            "against a server that holds its last segment back (no TCP_NODELAY) a call takes {}: {held} of {calls} \
             responses waited for this client's delayed acknowledgement",
            Span(p50)
        )
    } else if fresh * 2 > calls {
        format!(
            "a server that holds its last segment back does not slow this client down ({}): it opens a connection for \
             each call, and a new connection acknowledges at once",
            Span(p50)
        )
    } else {
        format!("a server that holds its last segment back does not slow this client down ({})", Span(p50))
    });
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("thinks-for-40-ms", Scenario::ClientRepeatedCalls, |edit| {
    let requests: Vec<u32> = super::calls_like(edit.trace(), "repeat-").map(|exchange| exchange.asked.seq).collect();
    for seq in requests {
        edit.postpone_from(seq, Duration::from_millis(40));
    }
})];
