//! # Others are served while one makes trouble
//!
//! A request whose body stalls, and an answer that its client does not read, hold up that client. Where everybody else
//! waits as well, in sessions and on connections of their own, one slow client stops the server: a lock is held while
//! a body comes or an answer is written, or one thread reads and writes for all.
//!
//! What proves it is the order, and that three times: the others are answered only when the body has come to its end,
//! or when the connection that nobody read is gone, however long we wait with that. An answer that is too large for
//! the buffers in between takes a tool that says much (`--tool large=NAME`).
//!
//! ## How to fix it
//! Read bodies before taking a lock, and hold none while writing to a socket: hand what is to be written to a queue
//! with a limit of the connection's own, and close the connection when it stays full.

use std::time::Duration;

use super::callers::Marked;
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Moment, Nanos, Trace, What};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::BesideTrouble),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a call that is answered while nothing else goes on, and receive times of the kernel's",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// So many rounds show that it is no accident.
const ROUNDS: usize = 3;

/// What lasts while others call, and when it is over.
const LASTING: [(&str, &str); 2] =
    [("stalled-body", "when the stalled body had come"), ("unread-stream", "when the connection was gone that nobody read")];

/// One round.
struct Round<'a> {
    trouble: &'a Exchange,
    /// When it was over.
    over: Nanos,
    calls: Vec<&'a Exchange>,
}

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let calls = Marked::all(trace);
    for (trouble, when) in LASTING {
        let rounds = rounds(trace, &calls, trouble);
        if rounds.is_empty() {
            continue;
        }
        if rounds.iter().flat_map(|round| &round.calls).any(|call| call.first_byte.is_some_and(|first| first.kernel.is_none())) {
            return judge.not_exercised("this needs receive times of the kernel's");
        }
        let kept: Vec<(&Round<'_>, &Exchange, Moment)> = rounds
            .iter()
            .filter_map(|round| round.kept_waiting().map(|(call, moment)| (round, call, moment)))
            .collect();
        match kept[..] {
            [.., (round, call, moment)] if kept.len() >= ROUNDS => {
                judge.examined();
                judge
                    .finding(
                        Cite::Budget,
                        "calls of others are answered while one client is slow",
                        format!("in {} of {} rounds, calls of others were answered only {when}", kept.len(), rounds.len()),
                    )
                    .shown_at(call, moment)
                    .event(round.trouble.asked.seq);
            }
            [_, _, ..] => judge.inconclusive(format!(
                "in {} of {} rounds, calls of others were answered only {when}: too few to tell",
                kept.len(),
                rounds.len()
            )),
            _ => rounds.iter().for_each(|_| judge.examined()),
        }
    }
}

impl<'a> Round<'a> {
    /// A call that was answered only when the trouble was over, and soon then.
    fn kept_waiting(&self) -> Option<(&'a Exchange, Moment)> {
        self.calls.iter().find_map(|call| {
            let (first, (asked, _)) = (call.first_byte?, call.written?);
            let waited = self.over.since(asked);
            let soon = first.best().since(self.over) <= waited / 2;
            (first.best() >= self.over && waited >= LEAST && soon).then_some((*call, first))
        })
    }
}

/// A call that waited less was on its way. We hold the trouble for 150 ms at the least, of which a busy machine may take
/// some away from the call.
const LEAST: Duration = Duration::from_millis(75);

/// The rounds that have a call with a control, which was answered.
fn rounds<'a>(trace: &'a Trace, calls: &[Marked<'a>], label: &str) -> Vec<Round<'a>> {
    let troubles: Vec<&Exchange> = trace.exchanges().filter(|exchange| exchange.label == label).collect();
    let beside = format!("beside-{label}-");
    let mut rounds = Vec::new();
    for (nth, trouble) in troubles.iter().enumerate() {
        let next = troubles.get(nth + 1).map_or(u32::MAX, |next| next.asked.seq);
        let meanwhile = |call: &&Marked<'_>| {
            let seq = call.question.exchange.asked.seq;
            call.label().starts_with(&beside) && trouble.asked.seq < seq && seq < next
        };
        let made = calls.iter().filter(meanwhile).filter(|call| call.has_control(calls) && call.question.has_result());
        let made: Vec<&Exchange> = made.map(|call| call.question.exchange).collect();
        if let (Some(over), [_, ..]) = (over(trace, trouble), &made[..]) {
            rounds.push(Round { trouble, over, calls: made });
        }
    }
    rounds
}

/// When the last bytes of the request began to be written, where it took several writes, or else when we dropped it.
fn over(trace: &Trace, trouble: &Exchange) -> Option<Nanos> {
    let on_it = trace.events.iter().filter(|event| event.what.conn() == Some(trouble.conn));
    let writes: Vec<Nanos> = on_it
        .filter_map(|event| match event.what {
            What::Wrote { began, .. } => Some(began),
            _ => None,
        })
        .collect();
    match writes[..] {
        [_, .., last] => Some(last),
        _ => trace.connection(trouble.conn)?.closed.map(|closed| closed.at),
    }
}

/// Each call of one of the others is answered only when the trouble is over, which is later than it was.
#[cfg(test)]
fn keep_waiting(edit: &mut crate::trace::edit::Edit, label: &str) {
    let beside = format!("beside-{label}-ben");
    let answered = |call: &Exchange| call.first_byte.map(|first| first.seq);
    let of_label = edit.trace().exchanges().filter(|exchange| exchange.label == beside);
    let answers: Vec<u32> = of_label.filter_map(answered).collect();
    for answer in answers.into_iter().rev() {
        edit.postpone_from(answer, Duration::from_millis(300));
    }
    edit.each(
        |exchange| exchange.label == beside,
        |call| {
            call.delay_answer_alone(Duration::from_millis(100));
        },
    );
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("answered-behind-a-stalled-body", Scenario::BesideTrouble, |edit| keep_waiting(edit, "stalled-body")),
    mutant("answered-behind-an-unread-stream", Scenario::BesideTrouble, |edit| keep_waiting(edit, "unread-stream")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "isolation/bystanders-are-served";

    #[test]
    fn one_call_that_waited_shows_nothing() {
        tolerates(ID, Scenario::BesideTrouble, |edit| {
            let Some(answer) = edit.trace().labelled("beside-stalled-body-ben").last().and_then(|call| call.first_byte)
            else {
                return;
            };
            edit.postpone_from(answer.seq, Duration::from_millis(300));
            edit.last(|exchange| exchange.label == "beside-stalled-body-ben")
                .delay_answer_alone(Duration::from_millis(100));
        });
    }

    #[test]
    fn who_is_slow_anyhow_waits_for_nobody() {
        let verdicts = judged_in(ID, Scenario::BesideTrouble, |edit| {
            edit.each(
                |exchange| exchange.label.starts_with("beside-stalled-body-"),
                |call| {
                    call.delay_answer_alone(Duration::from_millis(900));
                },
            );
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Pass), "{verdicts:?}");
    }
}
