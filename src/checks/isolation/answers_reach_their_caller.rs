//! # Answers reach their caller, each once
//!
//! Several clients call at once, each in a session and over connections of its own; two of them even use the same
//! request id at the same time, as clients that count from 1 do. Whoever gets somebody else's answer acts on what was
//! never meant for him, and nothing tells him so: this is how one user comes to see another one's data. And a call of
//! one client that fails, or its session that ends, is no reason for another client's calls to fail.
//!
//! Each call is marked, in its id, its progress token and, where a tool is known that says what it is told
//! (`--tool 'echo=NAME:{"text":"{mark}"}'`), in its argument. A mark that comes back in the answer to another call is
//! a finding, as is a second response, or none where the same call without trouble around was answered with a result.
//!
//! ## How to fix it
//! Keep what belongs to a request with the request: no table that has the request id alone for a key when it serves
//! several sessions, no variable of the server or the handler for the call at hand. Catch what a handler throws where
//! the request is handled, and let nobody else notice.

use super::callers::{Marked, REPLY, must_be_served, text};
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::Trace;
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::BesideTrouble),
    cites: &[REPLY, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a call that is answered with a result while nothing else goes on",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let calls = Marked::all(trace);
    for call in &calls {
        let foreign = calls.iter().filter(|other| other.mark != call.mark).find_map(|other| {
            let (part, response) =
                call.question.responses().find(|(_, response)| other.is_marked(&text(&response.message)))?;
            Some((other, part, response.moment))
        });
        if let Some((other, part, moment)) = foreign {
            judge.examined();
            judge
                .finding(
                    REPLY,
                    "a call gets the answer to what it asked",
                    format!("a call of {} got the answer to one of {}", call.caller(), other.caller()),
                )
                .shown_at(part, moment)
                .event(other.question.exchange.asked.seq);
        }
        let mut own = call.question.responses().filter(|(_, response)| response.message.id.same_as(&call.id));
        if let Some((part, second)) = own.nth(1) {
            judge.examined();
            judge
                .finding(REPLY, "a call is answered once", format!("a call of {} was answered twice", call.caller()))
                .shown_at(part, second.moment);
        }
    }
    // What comes of dropped connections is a question of its own.
    let is_ours = |call: &&Marked<'_>| !call.label().starts_with("alone") && !call.label().contains("dropped");
    for call in calls.iter().filter(is_ours) {
        if !must_be_served(trace, judge, call, &calls) {
            return;
        }
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-argument-of-another-one", Scenario::BesideTrouble, |edit| {
        let mark = |edit: &crate::trace::edit::Edit, label: &str| {
            Marked::all(edit.trace()).iter().find(|call| call.label() == label).map(|call| call.mark.clone())
        };
        let (Some(anna), Some(ben)) = (mark(edit, "same-id-anna"), mark(edit, "same-id-ben")) else { return };
        edit.last(|exchange| exchange.label == "same-id-ben").body(|body| body.replace(&ben, &anna));
    }),
    mutant("answered-twice", Scenario::BesideTrouble, |edit| {
        edit.last(|exchange| exchange.label == "beside-many-at-once-anna" && exchange.is_streamed()).body(|body| {
            let last = body.trim_end().rsplit("\n\n").next().unwrap_or_default().to_owned();
            format!("{body}{last}\n\n")
        });
    }),
    mutant("fails-with-somebody-else", Scenario::BesideTrouble, |edit| {
        edit.last(|exchange| exchange.label == "after-failing-call-ben")
            .answer_with(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
    }),
    mutant("ends-with-somebody-elses-session", Scenario::BesideTrouble, |edit| {
        edit.last(|exchange| exchange.label == "beside-deleted-session-anna").body(|_| String::new());
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "isolation/answers-reach-their-caller";

    #[test]
    fn what_one_says_himself_is_his() {
        tolerates(ID, Scenario::BesideTrouble, |edit| {
            edit.last(|exchange| exchange.label == "same-id-ben").body(|body| body.replace("\"isError\":false", "\"x\":1"));
        });
    }

    #[test]
    fn many_requests_at_once_may_be_too_many() {
        tolerates(ID, Scenario::BesideTrouble, |edit| {
            edit.last(|exchange| exchange.label == "many-at-once-one")
                .answer_with(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
        });
    }

    #[test]
    fn a_server_that_is_busy_has_failed_nobody() {
        let verdicts = judged_in(ID, Scenario::BesideTrouble, |edit| {
            edit.last(|exchange| exchange.label == "after-failing-call-anna")
                .answer_with(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }

    #[test]
    fn what_fails_without_trouble_shows_nothing() {
        let verdicts = judged_in(ID, Scenario::BesideTrouble, |edit| {
            edit.each(
                |exchange| exchange.request_id().is_some(),
                |exchange| {
                    exchange.answer_with(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
                },
            );
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
