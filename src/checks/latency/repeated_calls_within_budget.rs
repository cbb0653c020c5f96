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
//! The cause, where the trace proves one, says where to look. `held-back-segment`: set TCP_NODELAY.
//! `stream-not-ended`: close the stream when the response is written. `connection-not-reusable`: keep connections, and
//! accept new ones at once. `flush-missing`: flush each event. `thinking-time`: it is the server's own time; profile
//! it. A first call that is slow alone (`cold-start`) is only remarked.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::latency::cause::{self, Calls, Cause, Diagnosis};
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
    let repeated = Calls::repeated(trace, limit);
    let sharp = |sample: &&Sample<'_>| sample.phases.write.is_some_and(|took| took <= limit / BLURRED);
    let calls: Vec<&Sample<'_>> = repeated.samples.iter().filter(sharp).collect();
    // Where calls need a connection each, they are judged only where that is the cause, or is excluded as one.
    if repeated.samples.len() < ENOUGH || repeated.reconnect && !is_caused(&repeated) {
        let kept = samples(trace).filter(|s| s.class == Class::RepeatedCall && s.exchange.nth > 0).count();
        return judge
            .not_exercised(format!("needs {ENOUGH} calls on a connection that is kept; {kept} could be made"));
    }
    let Some(p50) = median(calls.iter().filter_map(|sample| repeated.waited(sample)))
        .filter(|_| calls.len() * 2 >= ENOUGH)
    else {
        return judge.inconclusive("the machine was too busy: most requests were preempted while they were written");
    };
    if p50 > limit {
        if calls.iter().any(|sample| !sample.by_kernel) {
            return judge.not_exercised("over the budget by our own clock, which alone judges nobody");
        }
        if let Some(why) = cause::too_busy(&calls, p50, limit) {
            return judge.inconclusive(why);
        }
    }
    for _ in &calls {
        judge.examined();
    }
    if p50 <= limit {
        // One slow call before many fast ones costs nobody much.
        if let Some(evidence) = cause::cold_start(trace, limit) {
            judge.remark(format!("{}: {evidence}", Cause::ColdStart.name()));
        }
        return;
    }
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
    let diagnosis = cause::of_calls(&repeated);
    let observed = match &diagnosis {
        Diagnosis::Named(..) => observed,
        Diagnosis::Unclear(why) => format!("{observed}; the cause is not clear: {why}"),
    };
    let typical = calls.iter().find(|sample| repeated.waited(sample) == Some(p50)).map(|sample| sample.exchange);
    let mut finding = judge.finding(Cite::Budget, expected, observed);
    if let Some(exchange) = typical {
        finding = finding.shown_by(exchange);
    }
    if let Diagnosis::Named(cause, evidence) = diagnosis {
        finding.because(cause.name(), evidence);
    }
}

fn is_caused(calls: &Calls<'_>) -> bool {
    matches!(cause::of_calls(calls), Diagnosis::Named(..))
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
