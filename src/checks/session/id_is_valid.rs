//! # The session id is well made
//!
//! A session id stands in a header of every request, so that it may hold visible ASCII only: a blank is cut off,
//! and a letter beyond ASCII is read differently by each library on the way. A client keeps the id that came
//! with `initialize`; if later answers show another one, or a failed `initialize` brings one, clients disagree
//! about which session they are in. The last two are advice, since no clause forbids them.
//!
//! ## How to fix it
//! Take a UUID or the hexadecimal or base64url form of random bytes, make it once, when `initialize` succeeds,
//! and repeat the same value or none afterwards.

use crate::catalogue::{Check, Kind};
use crate::checks::question::Question;
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, MessageKind, Trace};
use crate::verdict::{Cite, Judge};
use crate::codec::http1::Field;

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SessionLifecycle, Scenario::FailedInitialize]),
    cites: &[CLAUSE, Cite::Advice],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "an answer to `initialize`",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("session.id.visible-ascii");

/// The field that carries it, in every revision and in any case.
const FIELD: &str = "mcp-session-id";

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    visible_ascii(trace, judge);
    for exchange in trace.conforming() {
        one_value(judge, exchange);
    }
    let opening = trace.exchanges().filter(|exchange| exchange.rpc_method().as_deref() == Some("initialize"));
    let issues = ids(trace).next().is_some();
    let mut succeeded = false;
    for exchange in opening {
        let question = Question::of(trace, exchange);
        succeeded |= question.has_result();
        granted_by_success_only(judge, &question, issues);
    }
    if succeeded && !issues {
        judge.not_applicable(super::NONE_ISSUED);
    }
}

/// All ids that the server showed.
fn ids(trace: &Trace) -> impl Iterator<Item = (&Exchange, &Field)> {
    trace.exchanges().flat_map(|exchange| shown(exchange).map(move |field| (exchange, field)))
}

/// The ids in an answer: one, or the field came more than once.
fn shown(exchange: &Exchange) -> impl Iterator<Item = &Field> {
    let fields = exchange.answer.iter().flat_map(|answer| answer.head.fields.all(FIELD));
    fields.filter(|field| !field.value.is_empty())
}

fn visible_ascii(trace: &Trace, judge: &mut Judge<'_>) {
    let visible = |byte: &u8| (0x21..=0x7e).contains(byte);
    let mut seen: Vec<&[u8]> = Vec::new();
    for (exchange, field) in ids(trace) {
        if seen.contains(&field.value.as_slice()) {
            continue;
        }
        seen.push(&field.value);
        judge.examined();
        if let Some(at) = field.value.iter().position(|byte| !visible(byte)) {
            let byte = field.value[at];
            judge
                .finding(
                    CLAUSE,
                    "a session id holds visible ASCII only, 0x21 to 0x7E",
                    format!("its byte {} of {} is 0x{byte:02X}", at + 1, field.value.len()),
                )
                .shown_by(exchange);
        }
    }
}

/// An answer within a session shows the id of that session or none. Answers to requests without a session are
/// not held to it.
fn one_value(judge: &mut Judge<'_>, exchange: &Exchange) {
    let named = exchange.request.as_ref().and_then(|head| head.fields.get(FIELD));
    let Some(session) = named.or_else(|| shown(exchange).next()) else { return };
    for field in shown(exchange) {
        judge.examined();
        // A value that is no UTF-8 cannot be repeated by our side, which reads it as text.
        if field.text() != session.text() {
            judge
                .finding(
                    Cite::Advice,
                    format!("the session keeps its id, {}", session.text()),
                    format!("a later answer shows {}", field.text()),
                )
                .shown_by(exchange);
        }
    }
}

fn granted_by_success_only(judge: &mut Judge<'_>, opening: &Question<'_>, issues: bool) {
    let failed = opening.exchange.is_complete()
        && !opening.goes_on()
        && opening.response().is_none_or(|(_, received)| received.message.kind != MessageKind::Result);
    if !failed || !issues {
        return;
    }
    judge.examined();
    if let Some(field) = shown(opening.exchange).next() {
        judge
            .finding(
                Cite::Advice,
                "an `initialize` that fails grants no session",
                format!("it was answered with {} and the session id {}", opening.came(), field.text()),
            )
            .shown_by(opening.exchange);
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("a-blank-in-it", Scenario::SessionLifecycle, |edit| {
        with_session_id(edit, "initialize", "session 4711");
    }),
    mutant("a-letter-beyond-ascii-in-it", Scenario::SessionLifecycle, |edit| {
        with_session_id(edit, "initialize", "sitzung-für-4711");
    }),
    mutant("each-answer-shows-another", Scenario::SequentialCalls, |edit| {
        with_session_id(edit, "cheapest", "another-one");
    }),
    mutant("granted-before-initialize-failed", Scenario::FailedInitialize, |edit| {
        with_session_id(edit, "failed-initialize", "too-early");
    }),
];

#[cfg(test)]
fn with_session_id(edit: &mut crate::trace::edit::Edit, label: &'static str, id: &'static str) {
    edit.last(|exchange| exchange.label == label).head(|head| {
        let others = head.trim_end().split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with(FIELD));
        let lines: Vec<&str> = others.collect();
        format!("{}\r\nMcp-Session-Id: {id}\r\n\r\n", lines.join("\r\n"))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal};
    use crate::trace::redact::Redactor;
    use crate::verdict::Verdict;

    const ID: &str = "session/id-is-valid";

    #[test]
    fn an_error_to_a_request_without_a_session_may_show_any_id() {
        legal(ID, Scenario::SessionLifecycle, |edit| {
            with_session_id(edit, "post-without-session", "fresh-and-unused");
        });
    }

    #[test]
    fn redaction_hides_neither_a_bad_letter_nor_a_change() {
        for (label, id, wrong) in [
            ("initialize", "sitzung-für-4711", true),
            ("initialize", "session 4711", true),
            ("cheapest", "another-one", true),
        ] {
            let edit: fn(&mut crate::trace::edit::Edit) = match (label, id) {
                ("cheapest", _) => |edit| redacted(edit, "cheapest", "another-one"),
                (_, "session 4711") => |edit| redacted(edit, "initialize", "session 4711"),
                _ => |edit| redacted(edit, "initialize", "sitzung-für-4711"),
            };
            for (revision, verdict) in judged_in(ID, Scenario::SequentialCalls, edit) {
                assert_eq!(verdict == Verdict::Fail, wrong, "{label} {id} in {revision}");
            }
        }
    }

    fn redacted(edit: &mut crate::trace::edit::Edit, label: &'static str, id: &'static str) {
        with_session_id(edit, label, id);
        let redacted = Redactor::new([], []).redact(edit.trace());
        assert!(!redacted.exchanges().flat_map(shown).any(|field| field.text() == id));
        edit.replace(redacted.events);
    }

    #[test]
    fn a_server_without_sessions_is_not_asked() {
        let verdicts = judged_in(ID, Scenario::SequentialCalls, |edit| {
            edit.each(
                |exchange| shown(exchange).next().is_some(),
                |exchange| {
                    exchange.head(|head| {
                        let none = |line: &&str| !line.to_ascii_lowercase().starts_with(FIELD);
                        head.split("\r\n").filter(none).collect::<Vec<_>>().join("\r\n")
                    });
                },
            );
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotApplicable), "{verdicts:?}");
    }
}
