//! # Nobody resumes a stream that no caller waits for
//!
//! As long as its caller waits, a client may ask for the rest of a stream as often as the server lets it: that is how
//! a server holds a long call without a connection. Once the caller has been told that the call is lost, or has given
//! up, there is nothing to ask for. A client that goes on costs the server a request per `retry` and client, until the
//! client exits.
//!
//! Here every resumed stream ends again without a response. One request more may have been on its way.
//!
//! ## How to fix it
//! End the task that resumes a stream together with the call that it belongs to, whether that was answered, failed,
//! cancelled or given up.

use super::resumptions;
use crate::catalogue::{Check, Kind};
use crate::checks::client::caller::how_it_ended;
use crate::checks::client::reads_answers;
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Edit, Mutant, mutant};
use crate::trace::{Exchange, Moment, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientResumption),
    cites: &[Cite::Advice],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "a client that resumes streams, and tells what its caller gets (fixtures/clients/README.md)",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// The call whose stream ends again and again.
const LABEL: &str = "endless";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let gets: Vec<&Exchange> = resumptions(trace, LABEL).collect();
    let Some(last) = gets.last() else {
        return judge.not_exercised("the client resumed no stream that ended again and again");
    };
    if !reads_answers(trace, judge) {
        return;
    }
    if trace.all_told().next().is_none() {
        return judge.not_exercised("the client does not tell what its caller gets (fixtures/clients/README.md)");
    }
    let Some(told) = trace.told(LABEL) else {
        let (how, seq) = how_it_ended(trace).unwrap_or_default();
        let observed = format!("the caller was told nothing, {} requests later; the client: {how}", gets.len());
        judge.finding(Cite::Advice, "the caller is told when a call is lost", observed).shown_by(last).event(seq);
        return;
    };
    let later: Vec<&&Exchange> = gets.iter().filter(|get| get.asked.seq > told.moment.seq).collect();
    judge.examined();
    let Some(last) = later.last().filter(|_| later.len() > 1) else {
        return judge.remark(format!("a stream that ends again and again was resumed {} times", gets.len()));
    };
    let observed = format!(
        "{} requests came after the caller had its outcome, the last one {} later",
        later.len(),
        Span(since(last.asked, told.moment)),
    );
    judge
        .finding(Cite::Advice, "a stream is not resumed once its caller has an outcome", observed)
        .shown_by(last)
        .event(told.moment.seq);
}

fn since(later: Moment, earlier: Moment) -> std::time::Duration {
    later.at.since(earlier.at)
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("goes-on-for-ever", Scenario::ClientResumption, |edit| (0..3).for_each(|_| once_more(edit))),
    mutant("the-caller-is-told-nothing", Scenario::ClientResumption, |edit| edit.told_nothing(|step| step == LABEL)),
];

#[cfg(test)]
fn once_more(edit: &mut Edit) {
    let get = format!("GET /mcp HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: {LABEL}/5\r\n\r\n");
    edit.client_asks(LABEL, get.as_bytes(), b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "client/resumption/bounded";

    #[test]
    fn one_request_may_have_been_on_its_way() {
        tolerates(ID, Scenario::ClientResumption, once_more);
    }

    #[test]
    fn where_nothing_is_told_nobody_knows_what_the_caller_waits_for() {
        let verdicts = judged_in(ID, Scenario::ClientResumption, |edit| edit.told_nothing(|_| true));
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
