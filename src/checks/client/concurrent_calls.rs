//! # Calls side by side do not wait for one another
//!
//! Whoever makes three calls at once wants them done at once: a request that leaves only when the answer before it has
//! come, or its head, adds up what the server takes for each, and one slow tool holds up all others. Answers may come in
//! any order, and each belongs to the caller whose request it answers: by its id, and by its connection.
//!
//! Three calls are begun together, twice, and answered from the last to the first: once with the heads sent at once,
//! once with nothing sent of an answer before its turn.
//!
//! ## How to fix it
//! Write each request as soon as it is made, over an idle connection or a new one; never await an answer in the loop
//! that sends. Keep the calls under way in a map by their id, and hand each response out by the id that it carries.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Edit, Mutant, mutant};
use crate::trace::{Exchange, Received, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientConcurrent),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that begins calls together, as its script says, and tells what its callers get",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// The rounds, and what of an answer comes only when it is its turn.
const ROUNDS: [(&str, &str); 2] = [("crossed-", "the response"), ("held-", "the head")];

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for (prefix, what) in ROUNDS {
        let spelt = "that comes while others are under way";
        super::caller::gets_the_answer(trace, judge, prefix, "warm-up", Cite::Budget, spelt);
        if trace.all_told().next().is_some() {
            none_waits(trace, judge, prefix, what);
        }
    }
}

/// No call is made only when another one of its round has its answer.
fn none_waits(trace: &Trace, judge: &mut Judge<'_>, prefix: &str, what: &str) {
    let calls: Vec<&Exchange> = super::calls_like(trace, prefix).collect();
    let answered = calls.iter().filter_map(|call| Some((*call, call.response()?)));
    let Some((first, response)) = answered.min_by_key(|(_, response)| response.moment.seq) else { return };
    for call in &calls {
        if call.asked.seq < response.moment.seq {
            continue;
        }
        judge
            .finding(
                Cite::Budget,
                "calls that are begun together are made together",
                format!("`{}` was made {}", call.label, when(call, first, response, what)),
            )
            .shown_by(first)
            .event(call.asked.seq);
    }
}

fn when(call: &Exchange, first: &Exchange, response: &Received, what: &str) -> String {
    let after = Span(call.asked.at.since(response.moment.at));
    let held = Span(response.moment.at.since(first.asked.at));
    format!("{after} after {what} of `{}` had come, which was held back for {held}", first.label)
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("answers-swapped", Scenario::ClientConcurrent, |edit| swap(edit, "crossed-1", "crossed-3")),
    mutant("answers-swapped-where-heads-are-held", Scenario::ClientConcurrent, |edit| swap(edit, "held-1", "held-3")),
    mutant("an-answer-lost", Scenario::ClientConcurrent, |edit| edit.told_nothing(|step| step == "crossed-2")),
    mutant("made-after-the-answer-before", Scenario::ClientConcurrent, |edit| one_waits(edit, "crossed-")),
    mutant("made-after-the-head-before", Scenario::ClientConcurrent, |edit| one_waits(edit, "held-")),
];

/// The callers of two calls got each other's result.
#[cfg(test)]
fn swap(edit: &mut Edit, one: &str, other: &str) {
    let result = |step: &str| edit.trace().told(step).and_then(|told| told.outcome.ok());
    let (Some(of_one), Some(of_other)) = (result(one), result(other)) else { return };
    for (step, result) in [(one, of_other), (other, of_one)] {
        edit.told(|told| told == step, |mut line| {
            line["result"] = result.clone();
            Some(line)
        });
    }
}

/// One call was made when another one of its round had its answer.
#[cfg(test)]
fn one_waits(edit: &mut Edit, prefix: &str) {
    let trace = edit.trace();
    let calls: Vec<&Exchange> = super::calls_like(trace, prefix).collect();
    let responses = calls.iter().filter_map(|call| Some((call.conn, call.response()?.moment)));
    let Some((first, moment)) = responses.min_by_key(|(_, moment)| moment.seq) else { return };
    let Some(late) = calls.iter().find(|call| call.conn != first) else { return };
    let (conn, asked) = (late.conn, late.asked.seq);
    let is_late = |seq: u32, on| on == Some(conn) && (asked..moment.seq).contains(&seq);
    let (mut moved, mut events): (Vec<_>, Vec<_>) =
        trace.events.iter().cloned().partition(|event| is_late(event.seq, event.what.conn()));
    moved.iter_mut().for_each(|event| event.at = moment.at);
    let at = events.iter().position(|event| event.seq > moment.seq).unwrap_or(events.len());
    events.splice(at..at, moved);
    edit.replace(events);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "client/concurrent-calls";

    #[test]
    fn callers_may_be_told_in_any_order() {
        tolerates(ID, Scenario::ClientConcurrent, |edit| {
            let last = edit.trace().events.len() as u32 - 1;
            edit.told_after("crossed-3", last, std::time::Duration::from_millis(1));
        });
    }

    #[test]
    fn a_client_that_follows_no_script_begins_nothing_together() {
        legal(ID, Scenario::ClientConcurrent, |edit| {
            one_waits(edit, "held-");
            edit.told_nothing(|_| true);
        });
        let verdicts = judged_in(ID, Scenario::ClientConcurrent, |edit| edit.told_nothing(|_| true));
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
