//! # Repeated calls stay within the budget
//!
//! The cheapest call that a server has, made again and again on one connection, costs little more than the same
//! call against the embedded server on the same machine. Where it costs much more, every call of every client
//! does: a held-back segment alone adds some 40 ms.
//!
//! What counts is the median of calls 2 to N, from the request to the end of its answer, by the kernel's clock,
//! less what the server's threads waited for a processor. The first call is reported apart: it may warm things
//! up. The budget (`--budget`, 10 ms unless set) comes on top of the measured floor. Remote targets are judged
//! only where a budget is given: the way there is not theirs.
//!
//! ## How to fix it
//! Look at the phases first. A response that comes late with its first byte early is held back or not flushed:
//! set TCP_NODELAY, flush each event. An end that comes late behind the response means that the stream is not
//! closed when the response is written. A late first byte is the server's own time.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::latency::{Class, Sample, median, samples};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Distance, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::RepeatedCalls),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a cheap call (`ping`, `server/discover` or `tools/list`) and a connection that is kept for 20 of them",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// A median of fewer samples is a matter of luck on a shared machine.
const ENOUGH: usize = 20;

/// A request left at some moment of its system call. Where that call took more than this part of the limit, we were
/// preempted in it, and the sample is too blurred.
const BLURRED: u32 = 4;

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let options = &judge.manifest().options;
    if trace.head.distance == Distance::Remote && !options.budget_is_set {
        return judge.not_exercised("the target is remote, and no --budget was given: its times are reported only");
    }
    let floor = judge.manifest().floor.map_or(Duration::ZERO, |floor| Duration::from_nanos(floor.p50));
    let limit = floor + options.budget;
    let repeated = |sample: &Sample<'_>| sample.class == Class::RepeatedCall && sample.exchange.nth > 0;
    let all: Vec<Sample<'_>> = samples(trace).filter(repeated).collect();
    let sharp = |sample: &&Sample<'_>| sample.phases.write.is_some_and(|took| took <= limit / BLURRED);
    let calls: Vec<&Sample<'_>> = all.iter().filter(sharp).collect();
    if all.len() < ENOUGH {
        return judge.not_exercised(format!(
            "needs {ENOUGH} calls on a connection that is kept; {} could be made",
            all.len()
        ));
    }
    let Some(p50) = median(calls.iter().filter_map(|sample| sample.total())).filter(|_| calls.len() * 2 >= ENOUGH)
    else {
        return judge.inconclusive("the machine was too busy: most requests were preempted while they were written");
    };
    if p50 > limit {
        if calls.iter().any(|sample| !sample.by_kernel) {
            return judge.not_exercised("over the budget by our own clock, which alone judges nobody");
        }
        // A lower bound of the server's own time: threads that waited side by side are all subtracted.
        let own_time = |sample: &&Sample<'_>| Some(sample.total()?.saturating_sub(sample.peer_waited.unwrap_or_default()));
        let corrected = median(calls.iter().filter_map(own_time)).unwrap_or(p50);
        if corrected <= limit {
            return judge.inconclusive(format!(
                "the machine was too busy: p50 is {}, of which the server's threads waited most for a processor",
                Span(p50)
            ));
        }
    }
    for _ in &calls {
        judge.examined();
    }
    if p50 > limit {
        let phase = |of: fn(&Sample<'_>) -> Option<Duration>| {
            median(calls.iter().filter_map(|sample| of(sample))).map_or("-".to_owned(), |at| Span(at).to_string())
        };
        let observed = format!(
            "p50 {} over {} calls (medians: first byte {}, response {}, end {})",
            Span(p50),
            calls.len(),
            phase(|sample| sample.phases.first_byte),
            phase(|sample| sample.phases.response),
            phase(|sample| sample.phases.end),
        );
        let expected = format!(
            "calls 2 to N take at most {} in the median (a budget of {} over the measured floor of {})",
            Span(limit),
            Span(judge.manifest().options.budget),
            Span(floor)
        );
        let typical = calls.iter().find(|sample| sample.total() == Some(p50)).map(|sample| sample.exchange);
        let finding = judge.finding(Cite::Budget, expected, observed);
        if let Some(exchange) = typical {
            finding.shown_by(exchange);
        }
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("every-answer-comes-40-ms-late", Scenario::RepeatedCalls, |edit| {
    edit.each(
        |exchange| exchange.label == "repeated-call",
        |call| {
            call.delay_answer(Duration::from_millis(40));
        },
    );
})];
