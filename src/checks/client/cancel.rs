//! # The server learns that a call was given up
//!
//! When its caller gives up, a client tells the server, which can then stop the work. Until 2025-11-25 it does so with
//! `notifications/cancelled` and the id of the request: the end of the connection alone means nothing there. In
//! 2026-07-28 it closes the stream of the request, which means just that; a stream that is kept costs both sides a
//! connection besides.
//!
//! Only what is still under way can be cancelled: a client that lets the limit of a call run on behind its answer cancels
//! calls that have long ended.
//!
//! ## How to fix it
//! Where a call ends because its caller gave up (a time-out, an abort signal, a dropped future), send
//! `{"method": "notifications/cancelled", "params": {"requestId": …}}` with the id as it was sent, number or string;
//! in 2026-07-28, close the stream of the request. Remove the timer, or the listener on the signal, with the answer.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::checks::client::caller::{self, Got};
use crate::scenario::Scenario;
use crate::spec::{Era, Revision};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, Id, Span, Told, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientCancel),
    cites: &[OWN, ON_EXPIRY, CLOSES, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that gives a call up, and tells what its caller gets (fixtures/clients/README.md)",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const OWN: Cite = Cite::Clause("cancel.only-own-inflight");
const ON_EXPIRY: Cite = Cite::Clause("timeout.cancel-on-expiry");
const CLOSES: Cite = Cite::Clause("cancel.client-should-notify");

const LABEL: &str = "given-up";

/// So long after the answer a cancellation cannot have crossed it.
const CROSSING: Duration = Duration::from_millis(100);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for notification in cancellations(trace) {
        names_a_request(trace, judge, notification);
    }
    let Some(call) = super::calls(trace).find(|call| call.label == LABEL) else { return };
    if !super::reads_answers(trace, judge) {
        return;
    }
    let told = match caller::got(trace, call) {
        Got::Error(told) => told,
        Got::Untold => {
            return judge.not_exercised("the client does not tell what its caller gets (fixtures/clients/README.md)");
        }
        _ => return judge.not_exercised("the caller did not give the call up"),
    };
    // What a client does with the call while it closes says nothing: it does that with all of them.
    let Some(behind) = super::calls(trace).find(|call| call.label == "behind") else {
        return judge.not_exercised("the client made no call after the one that it gave up");
    };
    judge.examined();
    match trace.revision().era() {
        Era::Legacy => is_announced(trace, judge, call, &told),
        Era::Modern => is_closed(judge, call, behind, &told),
    }
    goes_on(trace, judge, behind);
}

fn cancellations(trace: &Trace) -> impl Iterator<Item = &Exchange> {
    trace.exchanges().filter(|exchange| exchange.rpc_method().as_deref() == Some("notifications/cancelled"))
}

/// The id that a cancellation names, as JSON.
fn named(notification: &Exchange) -> Option<String> {
    let sent = notification.sent();
    let id = sent.first()?.value["params"].get("requestId")?;
    Some(id.to_string())
}

/// Of the requests that came before, the one with this id.
fn request<'t>(trace: &'t Trace, notification: &Exchange, id: &str) -> Option<&'t Exchange> {
    trace.exchanges().filter(|exchange| exchange.asked.seq < notification.asked.seq).find(
        |exchange| matches!(exchange.request_id(), Some(Id::Text(text)) if text == id),
    )
}

fn names_a_request(trace: &Trace, judge: &mut Judge<'_>, notification: &Exchange) {
    let named = named(notification).unwrap_or_else(|| "none".to_owned());
    if let Some(call) = request(trace, notification, &named) {
        return is_under_way(trace, judge, notification, call);
    }
    judge
        .finding(
            OWN,
            "a cancellation names a request of the client's, with the id as it was sent",
            format!("it named {named}, and there was no such request"),
        )
        .shown_by(notification);
}

/// The two may cross: the caller must have had its result for a while.
fn is_under_way(trace: &Trace, judge: &mut Judge<'_>, notification: &Exchange, call: &Exchange) {
    let Got::Right = caller::got(trace, call) else { return };
    let Some(told) = trace.told(&call.label) else { return };
    let since = Span(notification.asked.best().since(told.moment.at));
    judge.examined();
    if since.0 > CROSSING {
        let observed = format!("it named a call whose caller had had its result for {since}");
        judge
            .finding(OWN, "a cancellation names a request that is still under way", observed)
            .shown_by(call)
            .shown_by(notification);
    }
}

fn is_announced(trace: &Trace, judge: &mut Judge<'_>, call: &Exchange, told: &Told) {
    let id = call.request_id().map(|id| id.to_string());
    if cancellations(trace).any(|notification| named(notification) == id) {
        return;
    }
    let others = cancellations(trace).count();
    let observed = match others {
        0 => format!("the caller gave up ({}), and none came", caller::words(told)),
        _ => format!("the caller gave up ({}), and none of the {others} that came names it", caller::words(told)),
    };
    let id = id.unwrap_or_default();
    judge
        .finding(ON_EXPIRY, format!("`notifications/cancelled` names the request {id}, which was given up"), observed)
        .shown_by(call)
        .event(told.moment.seq);
}

fn is_closed(judge: &mut Judge<'_>, call: &Exchange, behind: &Exchange, told: &Told) {
    if matches!(call.ending, Ending::Cut(_, moment) if moment.seq < behind.response().map_or(u32::MAX, |it| it.moment.seq))
    {
        return;
    }
    judge
        .finding(
            CLOSES,
            "the client closes the stream of a request that was given up",
            format!("the caller gave up ({}), and the stream was still open half a second later", caller::words(told)),
        )
        .shown_by(call)
        .event(told.moment.seq);
}

/// What was given up harms nobody else.
fn goes_on(trace: &Trace, judge: &mut Judge<'_>, behind: &Exchange) {
    let observed = match caller::got(trace, behind) {
        Got::Right | Got::Untold => return,
        Got::Wrong(_) => "the caller got another result".to_owned(),
        Got::Error(told) => format!("the caller got an error: {}", caller::words(&told)),
        Got::Nothing => "the caller never got anything".to_owned(),
    };
    judge.finding(Cite::Advice, "the next call gets its result", observed).shown_by(behind);
}

#[cfg(test)]
fn is_cancellation(exchange: &Exchange) -> bool {
    exchange.rpc_method().as_deref() == Some("notifications/cancelled")
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("cancelled-silently", Scenario::ClientCancel, |edit| {
        edit.each(is_cancellation, |notification| {
            notification.never_asked();
        });
    }),
    mutant("another-request-is-cancelled", Scenario::ClientCancel, |edit| {
        edit.last(is_cancellation).request_message(|message| message["params"]["requestId"] = 1_000.into());
    }),
    mutant("the-id-has-another-type", Scenario::ClientCancel, |edit| {
        edit.last(is_cancellation).request_message(|message| {
            message["params"]["requestId"] = message["params"]["requestId"].to_string().into();
        });
    }),
    mutant("an-answered-call-is-cancelled", Scenario::ClientCancel, |edit| {
        let warm_up = edit.trace().exchanges().find(|exchange| exchange.label == "warm-up");
        let id = warm_up.and_then(|exchange| exchange.sent().first().map(|message| message.value["id"].clone()));
        if edit.trace().revision().era() == Era::Legacy {
            edit.client_repeats("notifications/cancelled");
            edit.last(is_cancellation)
                .request_message(|message| message["params"]["requestId"] = id.clone().unwrap_or_default());
        }
    }),
    mutant("the-stream-is-kept", Scenario::ClientCancel, |edit| {
        if edit.trace().revision() == Revision::R20260728 {
            edit.client_keeps_connection(LABEL);
        }
    }),
    mutant("the-next-call-fails", Scenario::ClientCancel, |edit| edit.told_error(|step| step == "behind", None)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::trace::PeerEnd;
    use crate::verdict::Verdict;

    const ID: &str = "client/cancel";

    #[test]
    fn a_stream_may_be_reset_as_well_as_closed() {
        tolerates(ID, Scenario::ClientCancel, |edit| edit.client_ends_connections(PeerEnd::Reset));
    }

    #[test]
    fn a_call_that_is_cancelled_may_be_told_as_any_error() {
        tolerates(ID, Scenario::ClientCancel, |edit| edit.told_error(|step| step == LABEL, Some(-32001)));
    }

    #[test]
    fn a_client_that_tells_nothing_shows_nothing() {
        let verdicts = judged_in(ID, Scenario::ClientCancel, |edit| edit.told_nothing(|_| true));
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
