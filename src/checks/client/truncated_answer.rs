//! # A truncated answer is an error, at once
//!
//! An answer can break off: the connection ends in the middle of it, a stream ends without the response, the JSON is
//! cut. There is nothing more to come and, without event ids, nothing to resume. A caller that is not told waits for
//! its time-out, or for ever; a client that ends altogether costs the calls of all others. And a call that is silently made again runs its tool twice.
//!
//! Looked at are six such answers: a stream and a JSON text that end with the connection (FIN), a stream that is reset,
//! one that ends in order, a JSON text that is none, and no answer at all. In 2026-07-28 a client may make the call
//! again under a new id; the changelog even demands it.
//!
//! ## How to fix it
//! Let the end of a body, and an error in reading it, end the call: with an error where its response has not come.
//! Switch the repetition of POSTs off in the HTTP library, except where a connection from the pool was closed before
//! the request had been sent.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::checks::client::caller::{self, Got};
use crate::scenario::Scenario;
use crate::spec::{Era, Revision};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientTruncated),
    cites: &[CHUNKED, LENGTH, REPEATED, NEW_ID, TIME_OUT, Cite::Budget, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets (fixtures/clients/README.md)",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CHUNKED: Cite = Cite::Clause("http11.client.incomplete-chunked");
const LENGTH: Cite = Cite::Clause("http11.client.short-content-length");
const REPEATED: Cite = Cite::Clause("http.client.no-auto-retry-post");
const NEW_ID: Cite = Cite::Clause("resume.client.reissue-new-id");
const TIME_OUT: Cite = Cite::Clause("timeout.establish");

/// An answer that breaks off.
struct Truncated {
    label: &'static str,
    is: &'static str,
    /// What says that this is no answer to take a result from.
    no_result: Cite,
}

const TRUNCATED: [Truncated; 6] = [
    Truncated { label: "fin-in-stream", is: "a stream that ends with its connection", no_result: CHUNKED },
    Truncated { label: "reset-in-stream", is: "a stream whose connection is reset", no_result: CHUNKED },
    Truncated { label: "stream-without-response", is: "a stream without a response", no_result: Cite::Advice },
    Truncated { label: "short-json", is: "an answer shorter than its Content-Length", no_result: LENGTH },
    Truncated { label: "broken-json", is: "half a JSON text", no_result: Cite::Advice },
    Truncated { label: "no-answer", is: "no answer at all", no_result: Cite::Advice },
];

/// Plain calls, and what went before each.
const BEHIND: [(&str, &str); 3] = [
    ("behind-streams", "stream-without-response"),
    ("behind-short-json", "short-json"),
    ("behind-no-answer", "no-answer"),
];

/// A caller that has no outcome by then, a second before its own limit, is not told by the client.
const SOON: Duration = Duration::from_secs(4);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for truncated in &TRUNCATED {
        repeated(trace, judge, truncated);
    }
    if !super::reads_answers(trace, judge) {
        return;
    }
    if trace.all_told().next().is_none() {
        return judge.not_exercised("the client does not tell what its caller gets (fixtures/clients/README.md)");
    }
    for truncated in &TRUNCATED {
        told(trace, judge, truncated);
    }
    goes_on(trace, judge);
}

/// An answer that breaks off costs its own call and no other.
fn goes_on(trace: &Trace, judge: &mut Judge<'_>) {
    for (behind, truncated) in BEHIND {
        let Some(lost) = super::calls(trace).find(|call| call.label == truncated) else { continue };
        let Some(told) = trace.told(behind) else { continue };
        judge.examined();
        if told.outcome.is_err() {
            let observed = format!("the caller of the next call got an error: {}", caller::words(&told));
            judge
                .finding(Cite::Advice, "a lost answer costs its own call and no other", observed)
                .shown_by(lost)
                .event(told.moment.seq);
            // What comes behind fails for the same reason.
            return;
        }
    }
}

/// The calls that a turn answers: the first, and those that repeat it.
fn calls_of<'t>(trace: &'t Trace, truncated: &Truncated) -> Option<(&'t Exchange, Vec<&'t Exchange>)> {
    let label = truncated.label;
    let mut calls = super::calls(trace).filter(move |call| call.label == label);
    Some((calls.next()?, calls.collect()))
}

fn repeated(trace: &Trace, judge: &mut Judge<'_>, truncated: &Truncated) {
    let Some((call, again)) = calls_of(trace, truncated) else { return };
    // A used connection may have been closed before the request had arrived: that cannot be known from the client's
    // side as long as nothing has come back.
    if call.nth > 0 && call.first_byte.is_none() {
        return;
    }
    for again in again {
        let same_id = again.request_id() == call.request_id();
        let (cite, expected) = match trace.revision().era() {
            Era::Modern if !same_id => continue,
            Era::Modern => (NEW_ID, "a request that is made again has a new id"),
            Era::Legacy => (REPEATED, "a call is not made again by itself: its tool may have run"),
        };
        let after = Span(again.asked.at.since(call.asked.at));
        let id = if same_id { "the same id" } else { "another id" };
        let observed = format!("{} was followed by the same call under {id}, {after} after the first", truncated.is);
        judge.finding(cite, expected, observed).shown_by(call).shown_by(again);
    }
}

fn told(trace: &Trace, judge: &mut Judge<'_>, truncated: &Truncated) {
    let Some((call, again)) = calls_of(trace, truncated) else { return };
    let waited = |until: crate::trace::Nanos| until.since(call.asked.at);
    let is = truncated.is;
    let expected = "the caller gets an error as soon as no more of the answer can come";
    let (cite, observed, seq) = match caller::got(trace, call) {
        Got::Error(told) if waited(told.moment.at) < SOON => return judge.examined(),
        // It is the result of the call that was made again.
        Got::Wrong(_) if !again.is_empty() => return judge.examined(),
        Got::Untold => return,
        Got::Error(told) => {
            let waited = Span(waited(told.moment.at));
            let words = caller::words(&told);
            (Cite::Budget, format!("after {is} the caller waited for {waited}, until: {words}"), told.moment.seq)
        }
        Got::Right | Got::Wrong(_) => {
            let seq = trace.told(&call.label).map_or(call.asked.seq, |told| told.moment.seq);
            (truncated.no_result, format!("out of {is} the caller got a result"), seq)
        }
        Got::Nothing => {
            let (how, seq) = caller::how_it_ended(trace).unwrap_or_default();
            let until = trace.events.last().map_or(call.asked.at, |event| event.at);
            // The caller had set a limit of 5 s.
            let cite = if waited(until) < SOON * 2 { Cite::Budget } else { TIME_OUT };
            (cite, format!("after {is} the caller never got anything; the client: {how}"), seq)
        }
    };
    judge.examined();
    judge.finding(cite, expected, observed).shown_by(call).event(seq);
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-caller-waits-for-its-limit", Scenario::ClientTruncated, |edit| {
        let last = edit.trace().events.last().map_or(0, |event| event.seq);
        edit.told_after("stream-without-response", last, Duration::from_secs(5));
    }),
    mutant("the-caller-is-told-nothing", Scenario::ClientTruncated, |edit| {
        edit.told_nothing(|step| step == "broken-json");
    }),
    mutant("half-an-answer-is-a-result", Scenario::ClientTruncated, |edit| {
        edit.told(
            |step| step == "short-json",
            |_| Some(serde_json::json!({"mcpwire": 1, "step": "short-json", "result": {"content": []}})),
        );
    }),
    mutant("the-session-ends-with-the-answer", Scenario::ClientTruncated, |edit| {
        edit.told_error(|step| step == "behind-no-answer", None);
    }),
    mutant("made-again", Scenario::ClientTruncated, |edit| edit.client_repeats("fin-in-stream")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{edited, judged_in};
    use crate::verdict::Verdict;

    const ID: &str = "client/truncated-answer";

    #[test]
    fn only_the_modern_era_lets_a_client_make_the_call_again() {
        let outcomes = edited(ID, Scenario::ClientTruncated, |edit| {
            edit.client_repeats("fin-in-stream");
            edit.last(|exchange| exchange.label == "fin-in-stream")
                .request_message(|message| message["id"] = "new".into());
        });
        for (revision, outcome) in outcomes {
            let expected = if revision == Revision::R20260728 { Verdict::Pass } else { Verdict::Fail };
            assert_eq!(outcome.verdict(), expected, "{revision}: {outcome:#?}");
        }
    }

    #[test]
    fn a_client_that_tells_nothing_shows_nothing() {
        let verdicts = judged_in(ID, Scenario::ClientTruncated, |edit| edit.told_nothing(|_| true));
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
