//! # In 2026-07-28 `Last-Event-ID` means nothing
//!
//! Streams cannot be resumed any more, and a server of this revision SHOULD ignore the header field: a client, or a
//! library beneath it, that still sends the field gets the answer to its request all the same. A server that takes it
//! for a wish to resume sends the rest of something else, or refuses what it should answer.
//!
//! The same request is made with and without the field. The text binds servers that speak no earlier revision; of
//! others it is advice.
//!
//! ## How to fix it
//! Look at `Last-Event-ID` in the handler of the earlier revisions only, behind the question which revision a request
//! is of.

use crate::catalogue::{Check, Kind};
use crate::checks::question::{BUSY, Question, hung_up, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Part, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::LastEventId),
    cites: &[IGNORED, REMOVED, Cite::Advice],
    revisions: &[Revision::R20260728],
    elsewhere: "streams can be resumed in this revision",
    needs: "a request that is answered with a result",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const IGNORED: Cite = Cite::Clause("compat.legacy.ignore-last-event-id");
const REMOVED: Cite = Cite::Clause("resume.removed");

const LABEL: &str = "last-event-id";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let (Some(control), Some(probe)) = (trace.part(LABEL, Part::Control), trace.part(LABEL, Part::Probe)) else { return };
    let (without, with) = (Question::of(trace, control), Question::of(trace, probe));
    if !without.has_result() {
        match without.response() {
            Some(_) => judge.not_exercised(format!("without the field, the request was answered with {}", without.came())),
            None => judge.inconclusive(format!("without the field, the request was answered with {}", without.came())),
        }
        return;
    }
    // Progress that comes late is a matter of its own: a replay brings the response.
    let earlier = without.response().map(|(_, received)| &received.message.value);
    if let Some(replayed) = probe.messages().iter().find(|received| Some(&received.message.value) == earlier) {
        judge.examined();
        judge
            .finding(REMOVED, "nothing of an earlier stream is replayed", "the response to the request before came again")
            .shown_by(control)
            .shown_at(probe, replayed.moment);
        return;
    }
    if with.has_result() {
        return judge.examined();
    }
    if let Some(status) = probe.status().filter(|status| BUSY.contains(status)) {
        judge.inconclusive(format!("the request with the field was answered with HTTP {status}: come again later"));
        return;
    }
    let timeout = judge.manifest().options.timeout;
    let refused = with.response().is_some() || probe.status().is_some_and(|_| !probe.succeeded());
    if refused || with.unanswered().is_some() || with.in_vain(timeout).is_some() || hung_up(probe).is_some() {
        let runs = &judge.manifest().revisions;
        let is_refused = |legacy: &Revision| runs.iter().any(|run| run.revision == *legacy && !run.spoken);
        let speaks_no_other = Revision::LEGACY.iter().all(is_refused);
        judge.examined();
        judge
            .finding(
                if speaks_no_other { IGNORED } else { Cite::Advice },
                "a request with `Last-Event-ID` is answered as it is without",
                format!("it was answered with {}", with.came()),
            )
            .shown_at(probe, telling(probe));
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("taken-for-a-wish-to-resume", Scenario::LastEventId, |edit| {
        edit.part(LABEL, Part::Probe).body(|_| ": nothing to resume\n\n".to_owned());
    }),
    mutant("refused", Scenario::LastEventId, |edit| {
        edit.part(LABEL, Part::Probe).answer_with(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    }),
    mutant("the-stream-before-is-replayed", Scenario::LastEventId, |edit| {
        let before = edit.trace().part(LABEL, Part::Control).and_then(|control| {
            Some(String::from_utf8_lossy(&control.answer.as_ref()?.body).into_owned())
        });
        let Some(before) = before else { return };
        edit.part(LABEL, Part::Probe).body(|body| format!("{before}{body}"));
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::judged_in;
    use crate::verdict::Verdict;

    #[test]
    fn without_a_control_there_is_no_verdict() {
        let verdicts = judged_in("resumption/header-ignored", Scenario::LastEventId, |edit| {
            edit.part(LABEL, Part::Control)
                .answer_with(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }
}
