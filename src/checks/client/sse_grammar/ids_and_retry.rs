//! # Bad ids and retry times are ignored
//!
//! An id with a NUL in it is none, and a retry time is made of digits alone. A client that takes half of such an id for
//! one asks for the wrong part of a stream; one that objects loses a response that is there.
//!
//! ## How to fix it
//! Keep the last event id that had no NUL in it, and the last retry time that was made of digits; ignore the others
//! without a word.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::checks::client::caller::{self, Got};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::{Exchange, Trace};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[ID, RETRY],
    revisions: Revision::LEGACY,
    elsewhere: "streams are not resumed in 2026-07-28",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const ID: Cite = Cite::Clause("sse.parse.id-buffer");
const RETRY: Cite = Cite::Clause("sse.parse.retry-digits");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "ids-with-nul", ID, "with a NUL in the id of its event");
    super::read(trace, judge, "ids-and-bad-retry", RETRY, "with retry times that are not made of digits");
    // Nobody has to resume a stream; who does names the last id that is one.
    for exchange in trace.exchanges() {
        let Some(named) = resumes(exchange) else { continue };
        judge.examined();
        if !valid_ids(trace, exchange).contains(&named.as_str()) {
            judge
                .finding(
                    ID,
                    "a stream is resumed after the last event whose id has no NUL in it",
                    format!("the client asked for what follows `{}`", named.escape_debug()),
                )
                .shown_by(exchange);
        }
    }
    bad_retry_time(trace, judge);
}

/// Who resumes the streams before and behind this one resumes it too: it differs in a retry time that has to be ignored.
fn bad_retry_time(trace: &Trace, judge: &mut Judge<'_>) {
    let find = |label: &str| super::super::calls(trace).find(|call| call.label == label);
    let (Some(plain), Some(odd)) = (find("resumed"), find("resumed-with-bad-retry")) else { return };
    let Some(resumption) = resumption(trace, "one").filter(|get| get.asked.at.since(plain.asked.at) < AT_ONCE) else {
        return;
    };
    // Who stumbles over such a time in a whole answer does so here; it is one bug.
    if find("ids-and-bad-retry").is_some_and(|call| !matches!(caller::got(trace, call), Got::Right | Got::Untold)) {
        return;
    }
    // Our refusals may have taught a client not to resume. One that is at its end makes no call behind it at all.
    if find("resumed-again").is_some() && self::resumption(trace, "three").is_none() {
        return;
    }
    judge.examined();
    if self::resumption(trace, "two").is_none() {
        let got = match caller::got(trace, odd) {
            Got::Error(told) => format!("; the caller got an error: {}", caller::words(&told)),
            _ => String::new(),
        };
        judge
            .finding(
                RETRY,
                "a retry time that is not made of digits is ignored",
                format!("the client did not resume the stream, as it had resumed one without such a time{got}"),
            )
            .shown_by(odd)
            .event(resumption.asked.seq);
    }
}

/// A client that resumes so soon would have resumed the other stream in the time that it was given.
const AT_ONCE: Duration = Duration::from_millis(300);

/// The id after which a request asks for the rest of a stream.
fn resumes(exchange: &Exchange) -> Option<String> {
    (exchange.http_method() == "GET").then(|| exchange.request_field("last-event-id"))?
}

/// The request for what follows this event.
fn resumption<'t>(trace: &'t Trace, id: &str) -> Option<&'t Exchange> {
    trace.exchanges().find(|exchange| resumes(exchange).as_deref() == Some(id))
}

/// The last valid ids of the streams that began before this request.
fn valid_ids<'t>(trace: &'t Trace, before: &Exchange) -> Vec<&'t str> {
    let earlier = trace.exchanges().filter(|exchange| exchange.asked.seq < before.asked.seq);
    earlier.filter_map(|exchange| exchange.answer.as_ref()?.stream.as_ref()?.last_event_id()).collect()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("a-nul-is-an-error", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "ids-with-nul", None);
    }),
    mutant("a-sign-is-an-error", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "ids-and-bad-retry", None);
    }),
    mutant("half-an-id-is-kept", Scenario::ClientSseGrammar, |edit| {
        edit.last(|exchange| exchange.label == "resumption").request_field("Last-Event-ID", "cut");
    }),
    mutant("a-sign-keeps-it-from-resuming", Scenario::ClientSseGrammar, |edit| {
        edit.each(|exchange| resumes(exchange).as_deref() == Some("two"), |get| {
            get.never_asked();
        });
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{legal, tolerates};

    const ID: &str = "client/sse-grammar/ids-and-retry";

    #[test]
    fn nobody_has_to_resume() {
        tolerates(ID, Scenario::ClientSseGrammar, |edit| {
            edit.each(
                |exchange| exchange.label == "resumption",
                |exchange| {
                    exchange.never_asked();
                },
            );
        });
    }

    #[test]
    fn whoever_was_refused_too_often_may_stop() {
        tolerates(ID, Scenario::ClientSseGrammar, |edit| {
            edit.each(
                |exchange| matches!(resumes(exchange).as_deref(), Some("two" | "three")),
                |get| {
                    get.never_asked();
                },
            );
        });
    }

    #[test]
    fn an_id_of_an_earlier_stream_is_an_id() {
        legal(ID, Scenario::ClientSseGrammar, |edit| {
            edit.last(|exchange| exchange.label == "resumption").request_field("Last-Event-ID", "one");
        });
    }
}
