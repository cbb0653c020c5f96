//! # GET opens a stream or is not allowed
//!
//! A client that wants to hear of changes opens a stream by GET. A server that has one answers with
//! `text/event-stream`, one that has none with 405. Clients take 405 for "no such stream" and go on; any other
//! status is an error to them, which some give up over.
//!
//! A stream that ends at once is legal. So is a refusal that ordinary requests meet as well (401, 403, 406).
//!
//! ## How to fix it
//! Route GET on the MCP endpoint: to the stream of the session, or to 405 with `Allow: POST`. Look out for
//! routers that answer 404 to a method they do not know, and for middleware that answers GET by itself.

use crate::catalogue::{Check, Kind};
use crate::checks::question::BUSY;
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, PeerEnd, Trace};
use crate::verdict::{Cite, Judge};

const CLAUSE: Cite = Cite::Clause("http.get.sse-or-405");

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::GetStream),
    cites: &[CLAUSE],
    revisions: Revision::LEGACY,
    elsewhere: "2026-07-28 has no stream that is opened by GET",
    needs: "an answer to GET in a fresh session",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let Some(exchange) = trace.labelled("get").last() else { return };
    let Some(answer) = &exchange.answer else { return unanswered(trace, exchange, judge) };
    let status = answer.head.status;
    let media_type = answer.media_type();
    if status == 405 || exchange.succeeded() && media_type.as_deref() == Some("text/event-stream") {
        return judge.examined();
    }
    if super::is_after_the_session(trace, &answer.head_at) {
        // That is about the session.
        return judge.inconclusive(format!("no answer to GET came before its session was deleted, and then HTTP {status}"));
    }
    if !exchange.succeeded() {
        // The control: what is refused to everybody is not refused to GET.
        if trace.conforming().any(|other| other.http_method() != "GET" && other.status() == Some(status)) {
            return judge.not_exercised(format!("HTTP {status} is what ordinary requests get as well"));
        }
        if status == 400 && !shows_session(exchange) {
            return judge.not_exercised("HTTP 400, and there is no session that GET could show");
        }
        if BUSY.contains(&status) {
            return judge.inconclusive(format!("HTTP {status}: the server asks us to come again later"));
        }
    }
    judge.examined();
    let label = match &media_type {
        Some(media_type) => format!("HTTP {status} with Content-Type {media_type}"),
        None => format!("HTTP {status}"),
    };
    judge.finding(CLAUSE, EXPECTED, label).shown_at(exchange, answer.head_at);
}

const EXPECTED: &str = "GET is answered with text/event-stream, or with 405";

fn unanswered(trace: &Trace, exchange: &Exchange, judge: &mut Judge<'_>) {
    let (observed, moment) = match exchange.ending {
        Ending::Cut(PeerEnd::Fin, moment) => ("the server closed the connection without an answer", moment),
        Ending::Cut(PeerEnd::Reset, moment) => ("the server reset the connection without an answer", moment),
        Ending::Open { .. } => return judge.inconclusive("no answer to GET came within the time-out"),
        Ending::Complete(_) | Ending::Unreadable(_) | Ending::NotKept(_) => {
            return judge.inconclusive("the answer to GET could not be read");
        }
    };
    if super::is_after_the_session(trace, &moment) {
        return judge.inconclusive("no answer to GET came before its session was deleted");
    }
    judge.examined();
    judge.finding(CLAUSE, EXPECTED, observed).shown_at(exchange, moment);
}

fn shows_session(exchange: &Exchange) -> bool {
    exchange.request.as_ref().is_some_and(|head| head.fields.get("mcp-session-id").is_some())
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("not-found", Scenario::GetStream, |edit| {
        edit.part("get", crate::trace::Part::Plain).status("404 Not Found");
    }),
    mutant("a-page-about-itself", Scenario::GetStream, |edit| {
        edit.part("get", crate::trace::Part::Plain)
            .field("Content-Type", "application/json")
            .body(|_| r#"{"name":"server"}"#.to_owned());
    }),
    mutant("a-session-is-missed-that-was-shown", Scenario::GetStream, |edit| {
        edit.part("get", crate::trace::Part::Plain).status("400 Bad Request").body(|_| String::new());
    }),
    mutant("closed-without-an-answer", Scenario::GetStream, |edit| {
        edit.part("get", crate::trace::Part::Plain).drop_answer().then_ends(PeerEnd::Fin);
    }),
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::checks::proofs::{edited, tolerates};
    use crate::scenario::Scenario;
    use crate::trace::edit::Edit;
    use crate::trace::{Part, PeerEnd, What};
    use crate::verdict::Verdict;

    const ID: &str = "http/get-is-stream-or-405";

    fn comes_to(verdict: Verdict, edit: fn(&mut Edit)) {
        for (_, outcome) in edited(ID, Scenario::GetStream, edit) {
            assert_eq!(outcome.verdict(), verdict, "{outcome:#?}");
        }
    }

    #[test]
    fn there_may_be_no_stream_or_one_that_ends_at_once() {
        tolerates(ID, Scenario::GetStream, |edit| {
            edit.part("get", Part::Plain).status("405 Method Not Allowed").body(|_| String::new());
        });
        tolerates(ID, Scenario::GetStream, |edit| {
            edit.part("get", Part::Plain).body(|_| String::new());
        });
    }

    #[test]
    fn what_ordinary_requests_meet_as_well_is_not_held_against_get() {
        comes_to(Verdict::NotExercised, |edit| {
            edit.part("get", Part::Plain).status("403 Forbidden").body(|_| String::new());
            edit.last(|exchange| exchange.label == "initialized").status("403 Forbidden");
        });
    }

    #[test]
    fn a_head_may_come_with_the_end_of_its_session() {
        tolerates(ID, Scenario::GetStream, |edit| {
            edit.part("get", Part::Plain).body(|_| String::new()).delay_answer_alone(Duration::from_secs(15));
        });
    }

    #[test]
    fn what_is_said_of_a_session_that_has_ended_proves_nothing() {
        comes_to(Verdict::Inconclusive, |edit| {
            let get = edit.part("get", Part::Plain).status("404 Not Found").body(|_| String::new());
            get.delay_answer_alone(Duration::from_secs(15));
        });
        comes_to(Verdict::Inconclusive, |edit| {
            edit.part("get", Part::Plain).drop_answer().then_ends(PeerEnd::Fin);
            edit.events(|event| {
                let is_end = matches!(event.what, What::Fin { .. });
                if is_end {
                    event.at = event.at + Duration::from_secs(15);
                }
                is_end
            });
        });
    }

    #[test]
    fn no_answer_in_time_proves_nothing() {
        comes_to(Verdict::Inconclusive, |edit| {
            edit.part("get", Part::Plain).drop_answer().watched_for(Duration::from_secs(10));
        });
    }
}
