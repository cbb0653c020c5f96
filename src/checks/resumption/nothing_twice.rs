//! # Nothing is replayed twice
//!
//! `Last-Event-ID` names the last event that the client has had: what is replayed is what follows. An event that the
//! client has had already, or that comes both from the store and from the stream that goes on, is done twice by a
//! client that cannot tell: progress jumps back, a request of the server's is answered again.
//!
//! Looked at are the response and the progress of the request whose stream it is. A replayed priming event carries no
//! message, and is none.
//!
//! ## How to fix it
//! Begin the replay behind the event that the id names, not at it. Take the place in the store and the subscription to
//! what is still to come in one step, and let one of the two send an event.

use std::collections::HashSet;

use super::streams::{Stream, Streams};
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::Trace;
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Resumption),
    cites: &[CURSOR],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: super::NEEDS,
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CURSOR: Cite = Cite::Clause("resume.event-id.per-stream-cursor");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let streams = Streams::of(trace);
    if super::is_not_offered(trace, &streams, judge) {
        return;
    }
    if streams.all.iter().any(Stream::repeats_itself) {
        judge.not_exercised("the tool tells the same more than once by itself");
        return;
    }
    let mut is_found = false;
    for (stream, nth) in streams.resumptions() {
        let (leg, had) = (&stream.legs[nth], stream.had(nth));
        if leg.own.is_empty() {
            continue;
        }
        judge.examined();
        // What a server does once it does again and again: once is told.
        if is_found {
            continue;
        }
        let mut came = HashSet::new();
        for own in &leg.own {
            let observed = match (had.contains(own.text.as_str()), came.insert(own.text.as_str())) {
                (true, _) => "came again, although it stands at the event or before it",
                (false, false) => "came twice on the resumed stream",
                (false, true) => continue,
            };
            let what = if own.is_response { "the response" } else { "a report of progress" };
            judge
                .finding(CURSOR, "what comes follows the event that `Last-Event-ID` names, and comes once", format!("{what} {observed}"))
                .shown_at(leg.exchange, own.moment);
            is_found = true;
            break;
        }
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-named-event-comes-again", Scenario::Resumption, |edit| {
        let Some(whole) = edit.trace().labelled("whole").next() else { return };
        let body = whole.answer.as_ref().map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
        let events: Vec<String> = body.unwrap_or_default().split_inclusive("\n\n").map(str::to_owned).collect();
        let named = |id: &str| events.iter().find(|event| event.lines().any(|line| line == format!("id: {id}"))).cloned();
        let get = edit.trace().labelled("whole-from-middle").last();
        let Some(event) = get.and_then(|get| named(&get.request_field("last-event-id")?)) else { return };
        edit.last(|exchange| exchange.label == "whole-from-middle").body(|body| format!("{event}{body}"));
    }),
    mutant("an-event-comes-from-the-store-and-from-the-stream", Scenario::Resumption, |edit| {
        edit.last(|exchange| exchange.label == "one-again").body(|body| {
            let first = body.split_inclusive("\n\n").next().unwrap_or_default().to_owned();
            format!("{first}{body}")
        });
    }),
];

#[cfg(test)]
mod tests {
    use crate::checks::proofs::tolerates;
    use crate::scenario::Scenario;

    const ID: &str = "resumption/nothing-twice";

    #[test]
    fn to_ask_twice_is_to_be_told_twice() {
        // The same cursor, and the same answer.
        tolerates(ID, Scenario::Resumption, |edit| {
            edit.each(
                |exchange| exchange.label == "whole-from-first",
                |exchange| {
                    exchange.body(|body| body);
                },
            );
        });
    }

    #[test]
    fn a_priming_event_may_be_replayed() {
        tolerates(ID, Scenario::Resumption, |edit| {
            edit.each(
                |exchange| exchange.request_field("last-event-id").is_some(),
                |exchange| {
                    exchange.body(|body| format!("id: 0-0\ndata:\n\nid: 0-0\ndata:\n\n{body}"));
                },
            );
        });
    }
}
