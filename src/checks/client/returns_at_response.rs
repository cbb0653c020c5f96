//! # A call returns at its response
//!
//! The response is the answer; what is left of the body after it has no news for the caller. A client that waits for
//! the end of the body makes each call as slow as its server is in ending streams, and hangs where one never ends.
//!
//! Looked at is the order of events: what the caller got, or at least the client's next call, has to come before the
//! end of a body that is 200 ms or 2 s late, or that never comes.
//!
//! ## How to fix it
//! Complete the call when the event with its response has been read; let the transport read the rest by itself, for a
//! bounded time.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, Moment, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientLateEnd),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that follows MCPWIRE_SCRIPT, or makes ten calls by itself",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if !super::reads_answers(trace, judge) {
        return;
    }
    let late: Vec<&Exchange> = super::calls_like(trace, "end-after-2").filter(|e| !e.label.contains("-20-ms")).collect();
    let returned: Vec<(&Exchange, Option<Moment>)> =
        late.iter().map(|exchange| (*exchange, returned(trace, exchange))).collect();
    // One late look of ours on a busy machine is no evidence; the 2 s leave room for any.
    let waited = |(exchange, returned): &&(&Exchange, Option<Moment>)| match (exchange.ending, returned) {
        (Ending::Complete(end), Some(returned)) => returned.seq > end.seq,
        _ => false,
    };
    let known = returned.iter().filter(|(_, returned)| returned.is_some()).count();
    let waiting: Vec<_> = returned.iter().filter(waited).collect();
    for _ in 0..known {
        judge.examined();
    }
    if waiting.len() * 2 > known
        && let Some((exchange, Some(moment))) = waiting.last()
    {
        let after = exchange.response().map(|response| moment.at.since(response.moment.at)).unwrap_or_default();
        let count = waiting.len();
        let observed =
            format!("{count} of {known} calls returned only when the body had ended, the last one {} after its response", Span(after));
        judge.finding(Cite::Budget, "a call returns at its response", observed).shown_by(exchange).event(moment.seq);
    }
    for exchange in super::calls_like(trace, "never-ends-") {
        never_ended(trace, judge, exchange);
    }
}

/// A body that never ends hangs nobody.
fn never_ended(trace: &Trace, judge: &mut Judge<'_>, exchange: &Exchange) {
    const EXPECTED: &str = "a body that never ends hangs neither the call nor the client";
    match super::caller::got(trace, exchange) {
        super::caller::Got::Right => judge.examined(),
        super::caller::Got::Wrong(_) | super::caller::Got::Untold => return,
        super::caller::Got::Error(told) => {
            let observed = format!("the caller got an error instead of its result: {}", super::caller::words(&told));
            judge.examined();
            judge.finding(Cite::Budget, EXPECTED, observed).shown_by(exchange).event(told.moment.seq);
        }
        super::caller::Got::Nothing => {
            let (how, seq) = super::caller::how_it_ended(trace).unwrap_or_default();
            judge.examined();
            let observed = format!("the call never returned; the client: {how}");
            judge.finding(Cite::Budget, EXPECTED, observed).shown_by(exchange).event(seq);
        }
    }
    if let Some((how, seq)) = super::caller::was_ended(trace) {
        judge.finding(Cite::Budget, EXPECTED, format!("the client did not end by itself: {how}")).shown_by(exchange).event(seq);
    }
}

/// When the call had returned: its outcome was told, or, where the client does not tell, its next call was made.
fn returned(trace: &Trace, exchange: &Exchange) -> Option<Moment> {
    let told = trace.told(&exchange.label).map(|told| told.moment);
    told.or_else(|| super::calls(trace).find(|next| next.asked.seq > exchange.asked.seq).map(|next| next.asked))
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("told-at-the-end-of-the-body", Scenario::ClientLateEnd, |edit| {
        let ends: Vec<(String, u32)> = super::calls_like(edit.trace(), "end-after-2")
            .filter_map(|exchange| match exchange.ending {
                Ending::Complete(end) if !exchange.label.contains("-20-ms") => Some((exchange.label.clone(), end.seq)),
                _ => None,
            })
            .collect();
        // From the last to the first, so that the numbers of events stay.
        for (label, seq) in ends.into_iter().rev() {
            edit.told_after(&label, seq, std::time::Duration::from_millis(1));
        }
    }),
    mutant("the-endless-call-fails", Scenario::ClientLateEnd, |edit| {
        edit.told_error(|step| step == "never-ends-1", None);
    }),
    mutant("the-endless-call-hangs", Scenario::ClientLateEnd, |edit| {
        edit.told_nothing(|step| step == "never-ends-1");
    }),
];
