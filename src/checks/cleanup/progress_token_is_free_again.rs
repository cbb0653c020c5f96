//! # A progress token can be used again
//!
//! Progress tokens must differ among the requests that are active; when a request has ended, its token is free. A
//! server that has kept the entry of the first request sends the progress of the next one to a stream that nobody
//! reads any more, or refuses it; and its table grows with every call.
//!
//! The token is used twice again, in turn with tokens that are new: what those get as well is no finding. Nobody has
//! to report progress, so that a report that does not come is advice.
//!
//! ## How to fix it
//! Take the entry of the token out of the table when the response or the error is written, and when the request is
//! cancelled or its connection has gone; an entry that is still there is replaced by that of the new request.

use super::REPLY;
use crate::catalogue::{Check, Kind};
use crate::checks::progress::{reported_under, token_of};
use crate::checks::question::{BUSY, Question, hung_up, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Moment, Part, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ReusedTokens),
    cites: &[RELATED, REPLY, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a tool that reports progress on the stream of its request (`--tool progress=NAME`)",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const RELATED: Cite = Cite::Clause("http.post.sse.related-only");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let Some(first) = trace.part("first-use", Part::Control) else { return };
    let uses = |label, part| trace.labelled(label).filter(move |exchange: &&Exchange| exchange.part == part);
    let again: Vec<&Exchange> = uses("used-again", Part::Probe).collect();
    let controls: Vec<&Exchange> = std::iter::once(first).chain(uses("fresh-token", Part::Control)).collect();
    if again.is_empty() || controls.len() < 2 {
        return;
    }
    for control in &controls {
        let question = Question::of(trace, control);
        if question.has_result() {
            continue;
        }
        let came = question.came();
        match question.response() {
            Some(_) => {
                judge.not_exercised(format!("needs a tool that works: with a new token, it was answered with {came}"))
            }
            None => judge.inconclusive(format!("a call with a new progress token was answered with {came}")),
        }
        return;
    }
    if controls.iter().any(|control| own_reports(trace, control) == 0) {
        // Reports may come on another stream, or not at all.
        return;
    }
    let (mut lost, mut answered) = (Vec::new(), 0);
    for exchange in again {
        let question = Question::of(trace, exchange);
        if let Some((stream, moment)) = stray(trace, exchange) {
            judge.examined();
            judge
                .finding(
                    RELATED,
                    "progress comes on the stream of the request that brought the token with it",
                    "when the token was used again, progress under it came on the stream of one that had been answered",
                )
                .shown_at(stream, moment);
            continue;
        }
        if question.has_result() {
            judge.examined();
            answered += 1;
            if own_reports(trace, exchange) == 0 {
                lost.push(exchange);
            }
            continue;
        }
        if let Some(status) = exchange.status().filter(|status| BUSY.contains(status)) {
            judge.inconclusive(format!("a call with the token was answered with HTTP {status}: come again later"));
            return;
        }
        let timeout = judge.manifest().options.timeout;
        let refused = question.response().is_some() || exchange.status().is_some_and(|_| !exchange.succeeded());
        if refused
            || question.unanswered().is_some()
            || question.in_vain(timeout).is_some()
            || hung_up(exchange).is_some()
        {
            judge.examined();
            judge
                .finding(
                    REPLY,
                    "a request whose progress token was used before is answered with a result, as with a new one",
                    format!("it was answered with {}", question.came()),
                )
                .shown_at(exchange, telling(exchange));
        }
    }
    if let [first_lost, ..] = lost[..]
        && lost.len() == answered
    {
        judge
            .finding(
                Cite::Advice,
                "progress is reported under a token that is used again, as it is under a new one",
                format!(
                    "none of the {answered} calls that used it again got a report, each of the {} with a new one did",
                    controls.len()
                ),
            )
            .shown_at(first_lost, telling(first_lost));
    }
}

/// How many reports came under the request's own token in its answer.
fn own_reports(trace: &Trace, exchange: &Exchange) -> usize {
    let token = token_of(exchange);
    let question = Question::of(trace, exchange);
    let messages = question.parts().flat_map(|part| part.messages());
    messages.filter(|received| token.is_some() && reported_under(&received.message) == token.as_ref()).count()
}

/// A report under the token of a request, that came while the request was made, on the stream of another one that
/// had the token before.
fn stray<'a>(trace: &'a Trace, again: &Exchange) -> Option<(&'a Exchange, Moment)> {
    let token = token_of(again)?;
    let earlier = |other: &&Exchange| other.asked.seq < again.asked.seq && token_of(other).as_ref() == Some(&token);
    trace.conforming().filter(earlier).find_map(|other| {
        let response = other.response()?.moment.seq;
        let late = other.messages().iter().find(|received| {
            received.moment.seq > response.max(again.asked.seq) && reported_under(&received.message) == Some(&token)
        })?;
        Some((other, late.moment))
    })
}

#[cfg(test)]
fn without_reports(edit: &mut crate::trace::edit::Edit, label: &str, nth: usize) {
    let asked = edit.trace().labelled(label).nth(nth).map(|exchange| exchange.asked.seq);
    edit.last(|exchange| Some(exchange.asked.seq) == asked).body(silenced);
}

/// An event stream without its reports of progress.
#[cfg(test)]
fn silenced(body: String) -> String {
    body.split_inclusive("\n\n").filter(|event| !event.contains("notifications/progress")).collect()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("reports-go-nowhere", Scenario::ReusedTokens, |edit| {
        without_reports(edit, "used-again", 1);
        without_reports(edit, "used-again", 0);
    }),
    mutant("the-second-use-is-refused", Scenario::ReusedTokens, |edit| {
        edit.part("used-again", Part::Probe).answer_with(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    }),
    mutant("reports-go-to-the-first-stream", Scenario::ReusedTokens, |edit| {
        first_stream_stays(edit);
    }),
];

/// The stream of the first use stays open, and gets the reports of the second one.
#[cfg(test)]
fn first_stream_stays(edit: &mut crate::trace::edit::Edit) {
    use crate::trace::{Bytes, Event, What};

    let params = r#"{"progressToken":"mcpwire-reused-token","progress":1}"#;
    let late = format!(r#"data: {{"jsonrpc":"2.0","method":"notifications/progress","params":{params}}}"#);
    let Some(conn) = edit.trace().part("first-use", Part::Control).map(|first| first.conn) else { return };
    edit.part("first-use", Part::Control).then_ends_and_we_reconnect(crate::trace::PeerEnd::Fin).drop_end();
    let mut events = edit.trace().events.clone();
    let at = events.iter().map(|event| event.at).max().unwrap_or_default();
    let chunk = format!("{:x}\r\n{late}\n\n\r\n", late.len() + 2);
    let what = What::Read { conn, kernel: None, segments: None, bytes: Bytes(chunk.into_bytes()), dropped: 0 };
    events.push(Event { seq: 0, at, what });
    edit.replace(events);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "cleanup/progress-token-is-free-again";

    #[test]
    fn a_report_may_be_left_out_now_and_then() {
        tolerates(ID, Scenario::ReusedTokens, |edit| without_reports(edit, "used-again", 1));
    }

    #[test]
    fn who_reports_nothing_at_all_loses_nothing() {
        let verdicts = judged_in(ID, Scenario::ReusedTokens, |edit| {
            edit.each(Exchange::is_streamed, |exchange| {
                exchange.body(silenced);
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }

    #[test]
    fn a_tool_that_fails_shows_nothing() {
        legal(ID, Scenario::ReusedTokens, |edit| {
            edit.each(
                |exchange| exchange.request_id().is_some() && exchange.is_streamed(),
                |exchange| {
                    exchange.body(|body| body.replace(r#""result":{"#, r#""error":{"code":-32602,"message":"no","#));
                },
            );
        });
    }

    #[test]
    fn a_server_that_is_busy_has_not_refused_the_token() {
        let verdicts = judged_in(ID, Scenario::ReusedTokens, |edit| {
            edit.part("used-again", Part::Probe)
                .answer_with(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }

    #[test]
    fn without_a_control_there_is_no_verdict() {
        let verdicts = judged_in(ID, Scenario::ReusedTokens, |edit| {
            edit.part("fresh-token", Part::Control)
                .answer_with(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }
}
