//! # Nothing crosses from one stream to another
//!
//! What is said about a request comes on the stream of that request, and what belongs to a session stays in it: a
//! server that sends progress, log lines or responses to whatever stream is open shows one client what another one
//! does, and confuses both. It happens where the way back is a field of the server instead of the request.
//!
//! Each call carries a progress token that nobody else has. A message that names it on the stream of another call, or
//! on the GET stream of another session, is a finding.
//!
//! ## How to fix it
//! Bind the way back to the request when it comes in, and hand it to the handler with the request. Messages that
//! belong to no request go to streams of the session that they belong to, and to one stream only.

use super::callers::{Marked, text};
use crate::catalogue::{Check, Kind};
use crate::checks::progress::reported_under;
use crate::checks::question::session;
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, Moment, Received, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::BesideTrouble),
    cites: &[RELATED, ON_GET_STREAM, ACTIVE_TOKENS, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a tool that reports progress on the stream of its request (`--tool progress=NAME`)",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const RELATED: Cite = Cite::Clause("http.post.sse.related-only");
const ON_GET_STREAM: Cite = Cite::Clause("http.get.sse.no-responses");
const ACTIVE_TOKENS: Cite = Cite::Clause("progress.only-active-tokens");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let calls = Marked::all(trace);
    let listeners: Vec<&Exchange> = trace.conforming().filter(|exchange| exchange.label.starts_with("listen-")).collect();
    for call in &calls {
        for (part, received) in messages(call) {
            if call.is_marked(&text(&received.message)) && reported_under(&received.message).is_some() {
                let others = calls.iter().filter(|other| other.mark != call.mark);
                let open = others.flat_map(|other| other.question.parts()).chain(listeners.iter().copied());
                if open.into_iter().any(|stream| is_open(stream, received.moment)) {
                    judge.examined();
                }
                continue;
            }
            let Some(other) = owner(&calls, call, received) else { continue };
            judge.examined();
            judge
                .finding(
                    RELATED,
                    "the stream of a call carries what belongs to that call",
                    format!("a message about a call of {} came on the stream of a call of {}", other.caller(), call.caller()),
                )
                .shown_at(part, received.moment)
                .event(other.question.exchange.asked.seq);
        }
    }
    for stream in listeners {
        for received in stream.messages() {
            let text = text(&received.message);
            let strange = calls.iter().find(|call| {
                call.is_marked(&text) && session(call.question.exchange) != session(stream)
            });
            let Some(call) = strange else { continue };
            let cite = match received.message.is_response() {
                true => ON_GET_STREAM,
                false if reported_under(&received.message).is_some() => ACTIVE_TOKENS,
                false => Cite::Advice,
            };
            judge.examined();
            judge
                .finding(
                    cite,
                    "what belongs to a session stays in it",
                    format!("a message about a call of {} came on the GET stream of another session", call.caller()),
                )
                .shown_at(stream, received.moment)
                .event(call.question.exchange.asked.seq);
        }
    }
}

/// What came in the answer to a call, with the part that it stands in.
fn messages<'a>(call: &Marked<'a>) -> impl Iterator<Item = (&'a Exchange, &'a Received)> {
    let parts: Vec<&'a Exchange> = call.question.parts().collect();
    parts.into_iter().flat_map(|part| part.messages().iter().map(move |received| (part, received)))
}

/// The other call that a message which is no response is about.
fn owner<'c, 'a>(calls: &'c [Marked<'a>], call: &Marked<'a>, received: &Received) -> Option<&'c Marked<'a>> {
    if received.message.is_response() {
        return None;
    }
    let text = text(&received.message);
    calls.iter().find(|other| other.mark != call.mark && other.is_marked(&text))
}

/// Whether a stream was open at a moment: something could have strayed there.
fn is_open(stream: &Exchange, moment: Moment) -> bool {
    let Some(answer) = stream.answer.as_ref().filter(|_| stream.is_streamed()) else { return false };
    let ended = match stream.ending {
        Ending::Complete(end) | Ending::Cut(_, end) => end.seq,
        _ => u32::MAX,
    };
    answer.head_at.seq < moment.seq && moment.seq < ended
}

#[cfg(test)]
const REPORT: &str =
    r#"data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"TOKEN","progress":9}}"#;

#[cfg(test)]
fn report_about(edit: &crate::trace::edit::Edit, label: &str) -> Option<String> {
    let mark = Marked::all(edit.trace()).iter().find(|call| call.label() == label)?.mark.clone();
    Some(format!("{}\n\n", REPORT.replace("TOKEN", &mark)))
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("a-report-comes-on-the-stream-of-another-call", Scenario::BesideTrouble, |edit| {
        let Some(report) = report_about(edit, "beside-many-at-once-anna") else { return };
        edit.last(|exchange| exchange.label == "beside-many-at-once-ben" && exchange.is_streamed())
            .body(|body| format!("{report}{body}"));
    }),
    mutant("a-report-comes-on-the-get-stream-of-another-session", Scenario::BesideTrouble, |edit| {
        let Some(report) = report_about(edit, "beside-many-at-once-anna") else { return };
        edit.last(|exchange| exchange.label == "listen-ben").body(|body| format!("{body}{report}"));
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "isolation/nothing-crosses-sessions";

    #[test]
    fn a_report_on_the_get_stream_of_its_own_session_crosses_nothing() {
        tolerates(ID, Scenario::BesideTrouble, |edit| {
            let Some(report) = report_about(edit, "beside-many-at-once-ben") else { return };
            edit.last(|exchange| exchange.label == "listen-ben").body(|body| format!("{body}{report}"));
        });
    }

    #[test]
    fn messages_without_a_mark_are_nobodys() {
        tolerates(ID, Scenario::BesideTrouble, |edit| {
            let report = format!("{}\n\n", REPORT.replace("TOKEN", "of-nobody"));
            edit.last(|exchange| exchange.label == "beside-many-at-once-ben" && exchange.is_streamed())
                .body(|body| format!("{report}{body}"));
        });
    }

    #[test]
    fn without_reports_nothing_can_cross() {
        let verdicts = judged_in(ID, Scenario::BesideTrouble, |edit| {
            edit.each(Exchange::is_streamed, |exchange| {
                exchange.body(|body| {
                    body.split_inclusive("\n\n").filter(|event| !event.contains("notifications/")).collect()
                });
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }
}
