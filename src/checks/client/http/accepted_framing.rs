//! # A 202 without a length ends where its chunks end
//!
//! A notification is answered with 202 and no body. Some servers say so with `Content-Length: 0`, some with a chunked
//! body that is empty. A client that waits for more is stuck before its first call, until somebody closes.
//!
//! ## How to fix it
//! Take the chunk of size zero for the end of the answer, whatever the status is, and do not wait for the connection.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::checks::client::caller;
use crate::codec::http1::Framing;
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::{Ending, Exchange, Moment, Span, Trace};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientHttp),
    cites: &[CHUNKED],
    revisions: Revision::LEGACY,
    elsewhere: "clients send no notifications in 2026-07-28",
    needs: "a client that reads the answers to its requests",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CHUNKED: Cite = Cite::Clause("http11.client.parse-chunked");

/// Whoever goes on only then has waited for something else.
const STUCK: Duration = Duration::from_secs(4);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if !crate::checks::client::reads_answers(trace, judge) {
        return;
    }
    let is_acceptance = |exchange: &&Exchange| exchange.label == "notifications/initialized" && is_empty_and_chunked(exchange);
    let Some(accepted) = trace.exchanges().find(is_acceptance) else { return };
    let Ending::Complete(end) = accepted.ending else {
        return judge.not_exercised("the client ended the connection before the end of the answer");
    };
    let told = trace.told("connect");
    let next = trace.exchanges().find(|exchange| exchange.asked.seq > end.seq && exchange.http_method() == "POST");
    let (observed, seq) = match (&told, next) {
        (Some(told), _) if told.outcome.is_err() => {
            (format!("the caller could not connect: {}", caller::words(told)), told.moment.seq)
        }
        (Some(told), _) => return went_on(judge, accepted, end, told.moment),
        (None, Some(next)) => return went_on(judge, accepted, end, next.asked),
        (None, None) => {
            let (how, seq) = caller::how_it_ended(trace).unwrap_or_default();
            (format!("the client never went on: {how}"), seq)
        }
    };
    judge.examined();
    judge.finding(CHUNKED, EXPECTED, observed).shown_by(accepted).event(seq);
}

const EXPECTED: &str = "an answer ends with its last chunk";

fn went_on(judge: &mut Judge<'_>, accepted: &Exchange, end: Moment, next: Moment) {
    judge.examined();
    let waited = next.at.since(end.at);
    if waited >= STUCK {
        let observed = format!("the client went on {} after the last chunk", Span(waited));
        judge.finding(CHUNKED, EXPECTED, observed).shown_at(accepted, next);
    }
}

fn is_empty_and_chunked(exchange: &Exchange) -> bool {
    exchange.answer.as_ref().is_some_and(|answer| {
        answer.head.status == 202 && answer.framing == Framing::Chunked && answer.body.is_empty()
    })
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("it-waits-for-the-connection", Scenario::ClientHttp, |edit| {
        let accepted = edit.trace().exchanges().find(|exchange| exchange.label == "notifications/initialized");
        let Some(Ending::Complete(end)) = accepted.map(|exchange| exchange.ending) else { return };
        edit.told_after("connect", end.seq, STUCK);
    }),
    mutant("it-gives-up", Scenario::ClientHttp, |edit| {
        edit.told_error(|step| step == "connect", None);
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    const ID: &str = "client/http/accepted-framing";

    #[test]
    fn a_client_may_take_its_time() {
        tolerates(ID, Scenario::ClientHttp, |edit| {
            edit.first(|exchange| exchange.label == "notifications/initialized").then_rests(STUCK / 2);
        });
    }

    #[test]
    fn a_client_that_does_not_tell_shows_it_by_its_next_request() {
        tolerates(ID, Scenario::ClientHttp, |edit| edit.told_nothing(|_| true));
    }
}
