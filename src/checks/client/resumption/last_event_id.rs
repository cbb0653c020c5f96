//! # A stream that breaks is resumed where it broke
//!
//! Connections break, and from 2025-11-25 on a server may close one in order, once it has sent an event id. The answer
//! is not lost: whoever asks with a GET for what comes after the last event gets it. A client that does not leaves its
//! caller waiting, or tells it that a call failed that did not; one that asks without the last id, or with another,
//! gets nothing, or the same events twice.
//!
//! The texts ask of a client that *wishes* to resume a broken stream that it does so with a GET and `Last-Event-ID`;
//! to resume one that the server closed is a SHOULD of 2025-11-25.
//!
//! ## How to fix it
//! Keep the id of the last event of each stream. When a body ends before the response, wait as long as the server
//! said with `retry`, and send a GET with `Last-Event-ID` and the session id; read its stream for the response.

use std::time::Duration;

use super::{ended, resumptions};
use crate::catalogue::{Check, Kind};
use crate::checks::client::{calls_like, caller, reads_answers};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Moment, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientResumption),
    cites: &[WITH_ID, POLLS, Cite::Advice],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "a client that makes a call or two",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const WITH_ID: Cite = Cite::Clause("resume.client.get-last-event-id");
const POLLS: Cite = Cite::Clause("http.post.sse.client-polls-after-close");

/// The calls whose stream we end early, and whose response comes on the stream that resumes it.
const ENDED_EARLY: [&str; 2] = ["closed", "broken"];

/// A client that tells nothing has this long to resume a stream: several times the `retry` that it was given, and as
/// long as some clients wait by default.
const PATIENCE: Duration = Duration::from_secs(4);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for label in ENDED_EARLY {
        let Some((call, end)) =
            calls_like(trace, label).next().and_then(|call| Some((call, ended(trace, call)?)))
        else {
            continue;
        };
        match resumptions(trace, label).next() {
            Some(get) => resumed(trace, judge, call, get),
            None => not_resumed(trace, judge, call, end),
        }
    }
}

fn resumed(trace: &Trace, judge: &mut Judge<'_>, call: &Exchange, get: &Exchange) {
    let stream = call.answer.as_ref().and_then(|answer| answer.stream.as_ref());
    let last = stream.and_then(|stream| stream.last_event_id()).unwrap_or_default();
    let asked = get.request_field("last-event-id").unwrap_or_default();
    if asked != last {
        judge
            .finding(
                WITH_ID,
                format!("the GET carries the id of the last event, `{last}`"),
                format!("it carried `{asked}`"),
            )
            .shown_by(call)
            .shown_by(get);
        return;
    }
    if !reads_answers(trace, judge) {
        return;
    }
    let Some(response) = get.response() else { return };
    let observed = match caller::got(trace, get) {
        caller::Got::Right | caller::Got::Untold => return judge.examined(),
        caller::Got::Wrong(_) => "the caller got another result".to_owned(),
        caller::Got::Error(told) => format!("the caller got an error: {}", caller::words(&told)),
        caller::Got::Nothing => "the caller never got anything".to_owned(),
    };
    judge
        .finding(WITH_ID, "the caller gets the response that comes on the resumed stream", observed)
        .shown_by(call)
        .shown_at(get, response.moment);
}

fn not_resumed(trace: &Trace, judge: &mut Judge<'_>, call: &Exchange, end: Moment) {
    let told = trace.told(&call.label);
    let until = told.as_ref().map(|told| told.moment).or_else(|| last_moment(trace));
    let Some(until) = until else { return };
    let waited = until.at.since(end.at);
    if told.is_none() && waited < PATIENCE {
        return judge.not_exercised("the client ended too soon to resume a stream");
    }
    // Where the client listens already, a second GET is one that was meant to resume the stream.
    let mut without = trace.exchanges().filter(|exchange| {
        exchange.http_method() == "GET" && exchange.request_field("last-event-id").is_none()
    });
    let without = without.next().and(without.find(|get| get.asked.seq > end.seq));
    let (cite, how) = match (call.label.as_str(), without) {
        (_, Some(_)) => (WITH_ID, ": it sent a GET without `Last-Event-ID`"),
        ("closed", _) => (POLLS, ""),
        _ => (Cite::Advice, ""),
    };
    let outcome = match told.map(|told| told.outcome) {
        Some(Err(error)) => format!("told its caller `{}`", error.message),
        Some(Ok(_)) => "told its caller a result".to_owned(),
        None => "told its caller nothing".to_owned(),
    };
    let observed = format!("the client did not{how}; {} after the end it {outcome}", Span(waited));
    let finding = judge.finding(cite, "a stream that ends after an event with an id is resumed from there", observed);
    let finding = finding.shown_at(call, end).event(until.seq);
    if let Some(without) = without {
        finding.event(without.asked.seq);
    }
}

fn last_moment(trace: &Trace) -> Option<Moment> {
    let last = trace.events.last()?;
    Some(Moment { at: last.at, kernel: None, seq: last.seq })
}

#[cfg(test)]
fn is_resumption(exchange: &Exchange) -> bool {
    exchange.request_field("last-event-id").is_some()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("never-resumed", Scenario::ClientResumption, |edit| {
        edit.each(is_resumption, |get| {
            get.never_asked();
        });
        edit.told_error(|step| ENDED_EARLY.contains(&step), None);
    }),
    mutant("resumed-without-an-id", Scenario::ClientResumption, |edit| {
        edit.each(is_resumption, |get| {
            get.without_request_field("Last-Event-ID");
        });
    }),
    mutant("resumed-from-an-earlier-event", Scenario::ClientResumption, |edit| {
        edit.first(|exchange| exchange.request_field("last-event-id").as_deref() == Some("broken/1"))
            .request_field("Last-Event-ID", "broken/0");
    }),
    mutant("the-response-is-lost", Scenario::ClientResumption, |edit| edit.told_error(|step| step == "broken", None)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{edited, tolerates};

    const ID: &str = "client/resumption/last-event-id";

    #[test]
    fn what_the_caller_got_need_not_be_told() {
        tolerates(ID, Scenario::ClientResumption, |edit| edit.told_nothing(|_| true));
    }

    #[test]
    fn whoever_does_not_wish_to_resume_a_broken_stream_violates_no_clause() {
        let outcomes = edited(ID, Scenario::ClientResumption, |edit| {
            edit.each(
                |exchange| exchange.request_field("last-event-id").is_some_and(|id| id.starts_with("broken/")),
                |get| {
                    get.never_asked();
                },
            );
            edit.told_error(|step| step == "broken", None);
        });
        for (revision, outcome) in outcomes {
            assert!(outcome.findings.iter().all(|finding| finding.cite == Cite::Advice), "{revision}: {outcome:#?}");
        }
    }
}
