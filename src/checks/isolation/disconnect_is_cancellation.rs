//! # A dropped connection calls its request off (2026-07-28)
//!
//! In 2026-07-28 each request has a stream of its own, and closing it is how a client cancels: there is no other way.
//! A server that works on does what nobody wants any more, and a client that gives up and tries again has it do
//! everything twice.
//!
//! A tool with a side effect is called and its connection dropped when the stream of the answer has begun; another tool
//! tells that the effect had not come about then, and whether it does later. The server must take the disconnect for a
//! cancellation, which nobody can see from outside, and should stop the work, which is what is judged here.
//!
//! In the legacy revisions the opposite is right: see `isolation/disconnect-is-no-cancellation`.
//!
//! ## How to fix it
//! Watch the connection while the handler runs, and hand its end to the handler: cancel the task (a cancel scope, an abort handle), or
//! fire the signal that the handler got (`AbortSignal`, `CancellationToken`), and heed it in handlers that take long.

use super::effect::{Trial, is_certain, seen};
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::Trace;
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Disconnect),
    cites: &[STOPS],
    revisions: &[Revision::R20260728],
    elsewhere: "in this revision a dropped connection cancels nothing",
    needs: "an event stream in answer to a tool with a side effect, and a tool that tells of the effect (`--tool \
            side-effect=NAME --tool effect=NAME`)",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const STOPS: Cite = Cite::Clause("cancel.http.stop-work");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let Some(seen) = seen(trace, judge) else { return };
    if seen.trials.is_empty() {
        judge.not_exercised("needs an event stream that begins before the work is done, and a connection dropped by then");
        return;
    }
    let stopped = |trial: &Trial<'_>| !trial.done && trial.after >= seen.takes;
    seen.trials.iter().filter(|trial| stopped(trial)).for_each(|_| judge.examined());
    match is_certain(&seen.trials, |trial| trial.done) {
        Some(false) => {}
        None => judge.inconclusive("the work of one call whose connection was dropped came to its end all the same"),
        Some(true) => {
            for trial in seen.trials.iter().filter(|trial| trial.done) {
                judge.examined();
                judge
                    .finding(
                        STOPS,
                        "the work on a call stops when its connection is dropped",
                        format!("its connection was {}, and its effect came about all the same", trial.how),
                    )
                    .shown_by(trial.call)
                    .event(trial.look.1.seq);
            }
        }
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("the-effect-comes-all-the-same", Scenario::Disconnect, |edit| {
    super::effect::complete(edit);
})];
