//! # A session that was never granted does not work
//!
//! A request with a session id that nobody was granted belongs to no session. A server that opens one for it holds
//! memory for whatever id it is shown, and takes ids that a client, or somebody who wants to know what another one
//! will do, has chosen. And a client whose session was lost with a restart of the server does not learn that it must
//! start over.
//!
//! The specification asks for 404 where a session has ended, and says nothing of one that never was: every refusal
//! is right, and that the request is served is advice. A server that serves requests without any id is not asked.
//!
//! ## How to fix it
//! Look the id up, and answer 404 where it is not in the table. Open a session for `initialize` only, under an id of
//! your own making.

use crate::catalogue::{Check, Kind};
use crate::checks::question::{BUSY, Question, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Part, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::SessionLifecycle),
    cites: &[Cite::Advice],
    revisions: Revision::LEGACY,
    elsewhere: "sessions do not exist in this revision",
    needs: "a session, and a request with an id that looks like its own",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const LABEL: &str = "post-with-unknown-session";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if trace.learned("session").is_some() {
        judge.not_applicable("the server issues no session id");
        return;
    }
    let (Some(control), Some(probe)) = (trace.part(LABEL, Part::Control), trace.part(LABEL, Part::Probe)) else {
        return;
    };
    if !Question::of(trace, control).has_result() {
        judge.inconclusive("a request with the session id was not answered with a result");
        return;
    }
    let without = trace.part("post-without-session", Part::Probe).map(|exchange| Question::of(trace, exchange));
    if without.is_none_or(|without| without.has_result()) {
        judge.not_applicable("the server serves requests without the session id");
        return;
    }
    let Some(status) = probe.status() else {
        judge.inconclusive("the answer to a request with an unknown session id was not seen");
        return;
    };
    if BUSY.contains(&status) {
        judge.inconclusive(format!(
            "a request with an unknown session id was answered with HTTP {status}: come again later"
        ));
        return;
    }
    judge.examined();
    if Question::of(trace, probe).has_result() {
        judge
            .finding(
                Cite::Advice,
                "a request with a session id that was never granted is refused",
                format!("it was answered with HTTP {status} and a result"),
            )
            .shown_at(probe, telling(probe));
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("whatever-id-is-served", Scenario::SessionLifecycle, |edit| {
    let Some(id) = edit.trace().part(LABEL, Part::Probe).and_then(|probe| probe.request_id()) else { return };
    let served = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}", served.len());
    edit.part(LABEL, Part::Probe).answer_with(format!("{head}\r\n\r\n{served}").as_bytes());
})];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "cleanup/unknown-session-is-refused";

    #[test]
    fn every_refusal_is_right() {
        tolerates(ID, Scenario::SessionLifecycle, |edit| {
            edit.part(LABEL, Part::Probe).status("400 Bad Request");
        });
        tolerates(ID, Scenario::SessionLifecycle, |edit| {
            edit.part(LABEL, Part::Probe).status("401 Unauthorized");
        });
        // The error of JSON-RPC says it as well.
        tolerates(ID, Scenario::SessionLifecycle, |edit| {
            edit.part(LABEL, Part::Probe).status("200 OK");
        });
    }

    #[test]
    fn a_server_that_serves_requests_without_an_id_is_not_asked() {
        let verdicts = judged_in(ID, Scenario::SessionLifecycle, |edit| {
            let served = r#"{"jsonrpc":"2.0","id":3,"result":{}}"#;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}", served.len());
            let answer = format!("{head}\r\n\r\n{served}");
            edit.part("post-without-session", Part::Probe).answer_with(answer.as_bytes());
            edit.part(LABEL, Part::Probe).answer_with(answer.as_bytes());
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotApplicable), "{verdicts:?}");
    }

    #[test]
    fn without_a_control_there_is_no_verdict() {
        let verdicts = judged_in(ID, Scenario::SessionLifecycle, |edit| {
            edit.part(LABEL, Part::Control)
                .answer_with(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }
}
