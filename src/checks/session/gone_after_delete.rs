//! # A session that was deleted is gone
//!
//! After a DELETE that succeeded, every request with the id of the session gets 404. A session that lives on
//! keeps its memory and whatever it has open, and whoever has seen the id can go on using it. A client that gets
//! anything but 404 does not know that it must start over.
//!
//! A server that does not let clients end sessions answers DELETE with 405, and nothing ends.
//!
//! ## How to fix it
//! Take the session out of the table that POST, GET and DELETE look at, in one step, before DELETE is answered,
//! and answer 404 to an id that is not in it, DELETE included.

use crate::catalogue::{Check, Kind};
use crate::checks::question::{BUSY, Question, came, hung_up, telling, waited};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Part, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::SessionLifecycle),
    cites: &[CLAUSE],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "a session that a DELETE ends",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("session.server.404-after-termination");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if trace.learned("session").is_some() {
        judge.not_applicable(super::NONE_ISSUED);
        return;
    }
    let Some(delete) = trace.part("delete", Part::Control) else { return };
    match delete.status() {
        Some(200..300) => {}
        Some(status) => {
            judge.not_applicable(format!("the server ends no session: it answers DELETE with HTTP {status}"));
            return;
        }
        None => {
            judge.inconclusive(format!("the DELETE of the session was answered with {}", came(delete)));
            return;
        }
    }
    let control = trace.part("post-after-delete", Part::Control);
    if !control.is_some_and(|control| Question::of(trace, control).has_result()) {
        judge.inconclusive("the session did not answer before it was deleted");
        return;
    }
    let lives_on = trace
        .part("post-after-delete", Part::Probe)
        .is_some_and(|probe| Question::of(trace, probe).has_result());
    if delete.status() == Some(202) && lives_on {
        judge.inconclusive("DELETE was answered with HTTP 202, and the session had not ended when we looked last");
        return;
    }
    let get = trace.part("get-without-session", Part::Control);
    for (method, label, before) in
        [("POST", "post-after-delete", control), ("GET", "get-after-delete", get), ("DELETE", "delete", Some(delete))]
    {
        let Some(probe) = trace.part(label, Part::Probe) else { continue };
        expect_404(judge, probe, method, before);
    }
}

fn expect_404(judge: &mut Judge<'_>, probe: &Exchange, method: &str, before: Option<&Exchange>) {
    let timeout = judge.manifest().options.timeout;
    let seen = match probe.status() {
        // What the same method met before the end says nothing about it.
        Some(status) => !BUSY.contains(&status) && !before.is_some_and(|before| meets_the_same(before, status)),
        // A head that comes with the first event only is awaited in vain before the end as well.
        None => {
            before.is_none_or(|before| before.answer.is_some())
                && (waited(probe, timeout).is_some() || hung_up(probe).is_some())
        }
    };
    if !seen {
        return;
    }
    judge.examined();
    if probe.status() != Some(404) {
        let expected = format!("a {method} with the id of a session that was deleted is answered with HTTP 404");
        let observed = format!("it was answered with {}", came(probe));
        judge.finding(CLAUSE, expected, observed).shown_at(probe, telling(probe));
    }
}

fn meets_the_same(before: &Exchange, status: u16) -> bool {
    status != 404 && !before.succeeded() && before.status() == Some(status)
}

#[cfg(test)]
fn status(edit: &mut crate::trace::edit::Edit, label: &str, part: Part, status: &str) {
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    edit.part(label, part).answer_with(answer.as_bytes());
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("post-is-served-on", Scenario::SessionLifecycle, |edit| {
        let served = r#"{"jsonrpc":"2.0","id":4,"result":{}}"#;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}", served.len());
        edit.part("post-after-delete", Part::Probe).answer_with(format!("{head}\r\n\r\n{served}").as_bytes());
    }),
    mutant("get-opens-a-stream", Scenario::SessionLifecycle, |edit| {
        edit.part("get-after-delete", Part::Probe)
            .answer_with(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n");
    }),
    mutant("delete-always-succeeds", Scenario::SessionLifecycle, |edit| {
        status(edit, "delete", Part::Probe, "202 Accepted");
    }),
    mutant("gone-means-missing", Scenario::SessionLifecycle, |edit| {
        status(edit, "post-after-delete", Part::Probe, "400 Bad Request");
    }),
    mutant("get-is-said-not-to-exist", Scenario::SessionLifecycle, |edit| {
        status(edit, "get-after-delete", Part::Probe, "405 Method Not Allowed");
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal};
    use crate::verdict::Verdict;

    const ID: &str = "session/gone-after-delete";

    #[test]
    fn a_method_that_got_405_before_may_get_it_again() {
        legal(ID, Scenario::SessionLifecycle, |edit| {
            status(edit, "get-without-session", Part::Control, "405 Method Not Allowed");
            status(edit, "get-after-delete", Part::Probe, "405 Method Not Allowed");
        });
    }

    #[test]
    fn a_delete_that_gets_405_ends_nothing() {
        let verdicts = judged_in(ID, Scenario::SessionLifecycle, |edit| {
            status(edit, "delete", Part::Control, "405 Method Not Allowed");
            status(edit, "post-after-delete", Part::Probe, "200 OK");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotApplicable), "{verdicts:?}");
    }

    #[test]
    fn a_session_whose_end_is_still_to_come_has_not_ended() {
        let verdicts = judged_in(ID, Scenario::SessionLifecycle, |edit| {
            status(edit, "delete", Part::Control, "202 Accepted");
            let served = r#"{"jsonrpc":"2.0","id":3,"result":{}}"#;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}", served.len());
            edit.part("post-after-delete", Part::Probe).answer_with(format!("{head}\r\n\r\n{served}").as_bytes());
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }

    #[test]
    fn without_a_session_that_answered_there_is_no_verdict() {
        let verdicts = judged_in(ID, Scenario::SessionLifecycle, |edit| {
            status(edit, "post-after-delete", Part::Control, "500 Internal Server Error");
            status(edit, "post-after-delete", Part::Probe, "500 Internal Server Error");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }
}
