//! # Calls beside others stay within the budget
//!
//! A call has nothing to do with another one that takes long, or whose body comes slowly. Where it is answered only
//! when the other one is out of the way, one slow tool or one slow client stops everybody: requests go through a queue
//! that handles one at a time, or a lock is held for as long as a handler runs or a body comes.
//!
//! What proves it is no time but the order, round after round: the answer comes only when the slow call has its own,
//! or when we have sent the last bytes of the other request's body. The time decides only whether that is over the
//! budget (`--budget`).
//!
//! ## How to fix it
//! Read bodies before taking a lock, and hold none across a handler. Run each request as a task of its own, and
//! blocking tools on threads (asyncio: `asyncio.to_thread`; Rust: `spawn_blocking`).

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::latency::cause::{self, Beside, Diagnosis, Round, Rounds};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Distance, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::CallsBeside),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a cheap call (`ping`, `server/discover` or `tools/list`) that is answered",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let options = &judge.manifest().options;
    if trace.head.distance == Distance::Remote && !options.budget_is_set {
        return judge.not_exercised("the target is remote, and no --budget was given: its times are reported only");
    }
    let floor = judge.manifest().floor.map_or(Duration::ZERO, |floor| Duration::from_nanos(floor.p50));
    let limit = floor + options.budget;
    let kinds = [Beside::SlowCall, Beside::SlowBody].map(|beside| Rounds::of(trace, beside));
    // Before anything is examined: what one kind shows is no reason to be content with the other.
    if kinds.iter().any(|rounds| rounds.blocked(limit) > 0 && shown_by(rounds, limit).is_none()) {
        return judge.not_exercised("over the budget by our own clock, which alone judges nobody");
    }
    for rounds in &kinds {
        one_kind(rounds, limit, judge);
    }
}

/// The round that shows it best: one with a time of the kernel's.
fn shown_by<'r, 't>(rounds: &'r Rounds<'t>, limit: Duration) -> Option<&'r Round<'t>> {
    rounds.all.iter().find(|round| round.is_blocked(limit) && round.by_kernel)
}

fn one_kind(rounds: &Rounds<'_>, limit: Duration, judge: &mut Judge<'_>) {
    let blocked = rounds.blocked(limit);
    // One sample tells nothing, and where others overtook, nobody waits for long.
    if blocked == 0 || blocked == 1 && rounds.all.len() > 1 {
        for _ in &rounds.all {
            judge.examined();
        }
        return;
    }
    let what = match rounds.beside {
        Beside::SlowCall => "a slow call had been answered",
        Beside::SlowBody => "the body of another request was there",
    };
    if !rounds.are_blocked(limit) {
        let of = rounds.all.len();
        return judge.inconclusive(format!("{blocked} of {of} calls were answered only when {what}: too few to tell"));
    }
    let Some(shown) = shown_by(rounds, limit) else { return };
    for _ in &rounds.all {
        judge.examined();
    }
    let expected = format!("a call takes at most {} whatever else is under way", Span(limit));
    let observed = format!("{blocked} of {} calls were answered only when {what}", rounds.all.len());
    let diagnosis = cause::of_calls_beside(rounds);
    let finding = judge.finding(Cite::Budget, expected, observed);
    let finding = finding.shown_by(shown.call).event(shown.other.asked.seq);
    if let Diagnosis::Named(cause, evidence) = diagnosis {
        finding.because(cause.name(), evidence);
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("answered-behind-the-slow-call", Scenario::CallsBeside, |edit| {
        edit.each(
            |exchange| exchange.label == "beside-slow-call",
            |call| {
                call.delay_answer_alone(Duration::from_millis(400));
            },
        );
    }),
    mutant("answered-behind-the-body", Scenario::CallsBeside, |edit| {
        edit.each(
            |exchange| exchange.label == "beside-slow-body",
            |call| {
                call.delay_answer_alone(Duration::from_millis(400));
            },
        );
    }),
];
