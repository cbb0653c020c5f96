//! # Nothing of other streams is replayed
//!
//! A stream that is resumed goes on as itself: messages that belong on another stream must not be replayed on it. The
//! client would take the response of another request twice, and where the streams are those of different sessions, one
//! client reads what was meant for another.
//!
//! Two streams are dropped side by side and resumed each from its own cursor, then come an id that was never given, an
//! id of another session, and the GET stream with a call made while it was down. None of them may bring a response or
//! the progress of a request whose stream was a different one. An id that events on several streams have is a matter
//! of `resumption/ids-unique-in-session`.
//!
//! ## How to fix it
//! Look the stream of the event up first, within the session that the request shows, and replay from that stream only;
//! an id that leads to none of the session replays nothing. One list for all events is not enough.

use std::collections::HashSet;

use super::streams::{Streams, session_of};
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Resumption),
    cites: &[CLAUSE],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: super::NEEDS,
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("resume.server.no-cross-stream");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let streams = Streams::of(trace);
    if super::is_not_offered(trace, &streams, judge) {
        return;
    }
    if streams.mixes() {
        judge.not_exercised("messages of other requests come on streams that were not resumed as well");
        return;
    }
    let (replays, mut found) = (streams.replays(), HashSet::new());
    for (stream, nth) in streams.resumptions() {
        let leg = &stream.legs[nth];
        // The control: what is not replayed at all is not kept apart either.
        if replays && (!leg.own.is_empty() || stream.legs[0].exchange.http_method() == "GET") {
            judge.examined();
        }
        let whose = match stream.legs[0].exchange.http_method() {
            "GET" => "the stream of the server's own messages",
            _ => "the stream of another request",
        };
        if !found.contains(whose) && foreign(&streams, leg.exchange, Some(stream.legs[0].exchange), whose, judge) {
            found.insert(whose);
        }
    }
    for stray in &streams.astray {
        if replays {
            judge.examined();
        }
        let whose = match stray.label.as_str() {
            "of-another-session" => "an id of another session",
            _ => "an id that no stream of the session had",
        };
        if !found.contains(whose) && foreign(&streams, stray, None, whose, judge) {
            found.insert(whose);
        }
    }
}

/// Finds the first message on a resumed stream that belongs to the stream of another request; says whether there is one.
fn foreign(
    streams: &Streams<'_>,
    resumed: &Exchange,
    opened: Option<&Exchange>,
    whose: &str,
    judge: &mut Judge<'_>,
) -> bool {
    let session = session_of(resumed);
    for received in resumed.messages() {
        let Some(owner) = streams.owner(&received.message, &session) else { continue };
        let owner = streams.all[owner].legs[0].exchange;
        if opened.is_some_and(|opened| opened.asked.seq == owner.asked.seq) {
            continue;
        }
        judge.examined();
        judge
            .finding(
                CLAUSE,
                "a resumed stream brings nothing that belongs on a different one",
                format!("a message that belongs to the request “{}” came on {}", owner.label, after(opened, whose)),
            )
            .shown_by(owner)
            .shown_at(resumed, received.moment);
        return true;
    }
    false
}

fn after(opened: Option<&Exchange>, whose: &str) -> String {
    match opened {
        Some(_) => whose.to_owned(),
        None => format!("a stream that was resumed from {whose}"),
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-other-stream-comes-too", Scenario::Resumption, |edit| {
        let Some(event) = response_of(edit, "rest-of-other") else { return };
        edit.last(|exchange| exchange.label == "rest-of-one").body(|body| format!("data: {event}\n\n{body}"));
    }),
    mutant("an-unknown-id-brings-everything", Scenario::Resumption, |edit| {
        let Some(event) = response_of(edit, "whole") else { return };
        edit.last(|exchange| exchange.label == "never-given").body(|body| format!("{body}data: {event}\n\n"));
    }),
    mutant("another-session-gets-it-too", Scenario::Resumption, |edit| {
        let Some(event) = response_of(edit, "whole") else { return };
        edit.last(|exchange| exchange.label == "of-another-session").body(|body| format!("{body}data: {event}\n\n"));
    }),
    mutant("the-get-stream-brings-what-was-said-meanwhile", Scenario::Resumption, |edit| {
        let Some(event) = response_of(edit, "beside") else { return };
        edit.last(|exchange| exchange.label == "rest-of-listen").body(|body| format!("{body}data: {event}\n\n"));
    }),
];

#[cfg(test)]
fn response_of(edit: &crate::trace::edit::Edit, label: &str) -> Option<String> {
    Some(edit.trace().labelled(label).last()?.response()?.message.value.to_string())
}

#[cfg(test)]
mod tests {
    use crate::checks::proofs::{legal, tolerates};
    use crate::scenario::Scenario;

    const ID: &str = "resumption/nothing-of-other-streams";

    #[test]
    fn what_belongs_to_no_request_may_come_anywhere() {
        tolerates(ID, Scenario::Resumption, |edit| {
            edit.each(
                |exchange| exchange.request_field("last-event-id").is_some() && exchange.is_streamed(),
                |exchange| {
                    exchange.body(|body| {
                        let news = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
                        format!("data: {news}\n\n{body}")
                    });
                },
            );
        });
    }

    #[test]
    fn an_unknown_id_may_be_refused() {
        tolerates(ID, Scenario::Resumption, |edit| {
            edit.each(
                |exchange| exchange.label == "never-given" || exchange.label == "of-another-session",
                |exchange| {
                    exchange.answer_with(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
                },
            );
        });
    }

    #[test]
    fn whoever_replays_nothing_mixes_nothing_up() {
        legal(ID, Scenario::Resumption, |edit| {
            edit.each(
                |exchange| exchange.request_field("last-event-id").is_some() && exchange.is_streamed(),
                |exchange| {
                    exchange.body(|_| ": welcome\n\n".to_owned());
                },
            );
        });
    }
}
