//! # A dropped connection does not call the request off (legacy revisions)
//!
//! Networks drop connections, and in the revisions with sessions that means nothing: the client may come back for the
//! answer, and who wants to cancel says so with `notifications/cancelled`. A server that ties the work to the
//! connection throws work away that its client still waits for, and leaves half of it done.
//!
//! A tool with a side effect is called and its connection dropped when the stream of the answer has begun; another tool
//! tells whether the effect came about all the same. That it does so undisturbed, and does not without a call, is seen
//! before. Where the stream can be resumed (`Last-Event-ID`), an answer that is fetched there shows it as well.
//!
//! In 2026-07-28 the opposite is right: see `isolation/disconnect-is-cancellation`.
//!
//! ## How to fix it
//! Run the handler as a task of the session, not of the connection: its answer goes to the event store, and from there
//! to whatever stream the client has. End it on `notifications/cancelled`, and when the session ends.

use std::time::Duration;

use super::effect::{Trial, is_certain, seen};
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Part, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Disconnect),
    cites: &[NOT_CANCELLED],
    revisions: Revision::LEGACY,
    elsewhere: "in this revision a dropped connection calls its request off",
    needs: "an event stream in answer to a tool with a side effect, and a tool that tells of the effect (`--tool \
            side-effect=NAME --tool effect=NAME`), or to a slow tool a stream that can be resumed (`--tool slow=NAME`)",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const NOT_CANCELLED: Cite = Cite::Clause("http.post.sse.disconnect-not-cancel");

/// How much longer than undisturbed the work may take before it counts as given up.
const LATE: Duration = Duration::from_secs(1);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    came_back(trace, judge);
    let Some(seen) = seen(trace, judge) else { return };
    let late = LATE.min(judge.manifest().options.timeout / 2);
    let given_up = |trial: &Trial<'_>| !trial.done && trial.after >= seen.takes * 2 + late;
    if seen.trials.iter().any(|trial| !trial.done && !given_up(trial)) {
        judge.inconclusive("the work of a call whose connection was dropped was not waited for as long as it might take");
    }
    seen.trials.iter().filter(|trial| trial.done).for_each(|_| judge.examined());
    match is_certain(&seen.trials, given_up) {
        Some(false) => {}
        None => judge.inconclusive("the work of one call whose connection was dropped did not come to its end"),
        Some(true) => {
            for trial in seen.trials.iter().filter(|trial| given_up(trial)) {
                judge.examined();
                judge
                    .finding(
                        NOT_CANCELLED,
                        "the work on a call goes on when its connection is dropped",
                        format!("its connection was {}, and its effect never came about", trial.how),
                    )
                    .shown_by(trial.call)
                    .event(trial.look.1.seq);
            }
        }
    }
}

/// An answer that was fetched when the connection had been dropped.
fn came_back(trace: &Trace, judge: &mut Judge<'_>) {
    let (Some(call), Some(back)) = (trace.part("dropped-and-resumed", Part::Probe), trace.labelled("come-back").next()) else {
        return;
    };
    let Some(id) = call.request_id() else { return };
    let mut responses = back.messages().iter().filter(|received| received.message.is_response());
    let is_result = |message: &crate::trace::Message| message.value.get("result").is_some() && message.id.same_as(&id);
    if call.response().is_none() && responses.any(|received| is_result(&received.message)) {
        judge.examined();
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("the-effect-never-comes", Scenario::Disconnect, |edit| {
    super::effect::leave_undone(edit);
})];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal};
    use crate::verdict::Verdict;

    const ID: &str = "isolation/disconnect-is-no-cancellation";

    #[test]
    fn what_took_its_time_only_was_not_given_up() {
        legal(ID, Scenario::Disconnect, |edit| {
            let last = |edit: &crate::trace::edit::Edit| edit.trace().labelled("effect-after-in-order").last().map(|e| e.asked.seq);
            if let Some(seq) = last(edit) {
                edit.postpone_from(seq, Duration::from_millis(900));
            }
        });
    }

    #[test]
    fn an_effect_that_comes_by_itself_shows_nothing() {
        let verdicts = judged_in(ID, Scenario::Disconnect, |edit| {
            super::super::effect::leave_undone(edit);
            edit.last(|exchange| exchange.label == "effect-unchanged").body(|body| body.replace(r#""text":""#, r#""text":"1"#));
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict != Verdict::Fail), "{verdicts:?}");
    }
}
