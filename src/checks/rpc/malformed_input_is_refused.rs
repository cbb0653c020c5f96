//! # What is no message is refused, and the server goes on
//!
//! Bytes that are no JSON, and JSON that is no message, get a 4xx or a JSON-RPC error. Whoever sent them must
//! learn of it: a server that accepts them lets its client wait for nothing. An error for a message without a
//! readable id has the id null or none: an invented one could be that of a request in flight. And whatever one
//! client sends, the next request is answered as before.
//!
//! A wrong `jsonrpc` version, an id that is null and, in 2025-03-26, an empty batch are reported as advice where
//! the server overlooks them.
//!
//! ## How to fix it
//! Parse the body before anything is queued or accepted. Answer 400, with a JSON-RPC error if you like: -32700
//! where the body is no JSON, -32600 where it is no message, `"id": null` or no id. Catch the error in the
//! handler of the one request, so that neither the session nor the process ends with it.

use std::time::Duration;

use crate::catalogue::{Check, Kind};
use crate::checks::question::{BUSY, Question, hung_up, shortened, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Id, Message, MessageKind, Moment, Part, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::MalformedInput),
    cites: &[PARSE_ERROR, INVALID_REQUEST, NULL_ID, super::REPLY, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "an answer to bytes that are no message",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const PARSE_ERROR: Cite = Cite::Clause("jsonrpc2.code.parse-error");
const INVALID_REQUEST: Cite = Cite::Clause("jsonrpc2.code.invalid-request");
const NULL_ID: Cite = Cite::Clause("jsonrpc2.response.id-null-if-unknown");

/// The inputs by their labels: what each is, and what says that it is refused.
const INPUTS: [(&str, &str, Cite); 8] = [
    ("not-json", "JSON that is cut off", PARSE_ERROR),
    ("not-json-at-all", "a text that is no JSON", PARSE_ERROR),
    ("no-message-object", "a JSON object that is no message", INVALID_REQUEST),
    ("no-message-string", "a JSON string", INVALID_REQUEST),
    ("no-message-number", "a JSON number", INVALID_REQUEST),
    ("wrong-version", "a request with a wrong `jsonrpc` version", Cite::Advice),
    ("null-id", "a request with the id null", Cite::Advice),
    // JSON-RPC 2.0, section 6, wants an error; MCP grants 202 to "any number of" notifications, and zero is one.
    ("empty-array", "an empty batch", Cite::Advice),
];

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for (label, what, cite) in INPUTS {
        let part = |part| trace.part(label, part).map(|exchange| Question::of(trace, exchange));
        let Some(probe) = part(Part::Probe) else { continue };
        if !part(Part::Control).is_some_and(|control| control.has_result()) {
            judge.inconclusive(format!("a good request before {what} was not answered with a result"));
            continue;
        }
        refused(judge, &probe, what, cite);
        super::goes_on_answering(trace, judge, &format!("after-{label}"), what);
    }
}

fn refused(judge: &mut Judge<'_>, probe: &Question<'_>, what: &str, cite: Cite) {
    let Some((verdict, moment)) = reaction(probe, judge.manifest().options.timeout) else {
        judge.inconclusive(match probe.exchange.status().filter(|status| BUSY.contains(status)) {
            Some(status) => format!("{what} was answered with HTTP {status}: come again later"),
            None => format!("the answer to {what} was not seen to its end"),
        });
        return;
    };
    judge.examined();
    let shown = probe.response().map_or(probe.exchange, |(stream, _)| stream);
    match verdict {
        Reaction::Refused => {}
        Reaction::NotRefused => {
            let expected = format!("{what} is answered with a 4xx or a JSON-RPC error");
            let observed = format!("it was answered with {}", probe.came());
            judge.finding(cite, expected, observed).shown_at(shown, moment);
        }
        Reaction::InventedId(id) => {
            let expected = format!("the error for {what} has the id null or none");
            let observed = format!("it has the id {}", shortened(&id.to_string()));
            judge.finding(NULL_ID, expected, observed).shown_at(shown, moment);
        }
    }
}

enum Reaction {
    Refused,
    NotRefused,
    InventedId(Id),
}

/// How the server took it; `None` where that was not seen.
fn reaction(probe: &Question<'_>, timeout: Duration) -> Option<(Reaction, Moment)> {
    let exchange = probe.exchange;
    if let Some((_, received)) = probe.response() {
        let id = &received.message.id;
        let reaction = match received.message.kind {
            MessageKind::Error if is_known(id, &exchange.request_body) => Reaction::Refused,
            MessageKind::Error => Reaction::InventedId(id.clone()),
            _ if exchange.status().is_some_and(is_client_error) => Reaction::Refused,
            _ => Reaction::NotRefused,
        };
        return Some((reaction, received.moment));
    }
    match exchange.status() {
        Some(status) if BUSY.contains(&status) => None,
        Some(status) if is_client_error(status) => Some((Reaction::Refused, telling(exchange))),
        // Another error must say in its body what it means, and the body must have been seen.
        Some(status) if !(200..300).contains(&status) => {
            exchange.is_complete().then(|| (Reaction::NotRefused, telling(exchange)))
        }
        _ => {
            let accepted = probe.unanswered().map(telling);
            let moment = accepted.or_else(|| probe.in_vain(timeout)).or_else(|| hung_up(exchange))?;
            Some((Reaction::NotRefused, moment))
        }
    }
}

fn is_client_error(status: u16) -> bool {
    (400..500).contains(&status)
}

/// Whether an error may have this id: none, null, or one that could be read in what we sent, however damaged.
fn is_known(id: &Id, sent: &[u8]) -> bool {
    let closed = [sent, b"}"].concat();
    let ids = |text: &[u8]| Message::read_all(text).unwrap_or_default().into_iter().map(|message| message.id);
    // An id that came back in another type is a question of its own.
    let text = |id: &Id| id.to_string().trim_matches('"').to_owned();
    matches!(id, Id::Absent | Id::Null)
        || ids(sent).chain(ids(&closed)).any(|sent| sent.same_as(id) || text(&sent) == text(id))
}

#[cfg(test)]
fn probe(label: &'static str) -> impl Fn(&crate::trace::Exchange) -> bool {
    move |exchange| exchange.label == label && exchange.part == Part::Probe
}

#[cfg(test)]
const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
#[cfg(test)]
const BROKEN: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

#[cfg(test)]
fn json(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("no-json-is-accepted", Scenario::MalformedInput, |edit| {
        edit.last(probe("not-json-at-all")).answer_with(ACCEPTED);
    }),
    mutant("no-message-is-answered", Scenario::MalformedInput, |edit| {
        edit.last(probe("no-message-object")).answer_with(&json("200 OK", r#"{"jsonrpc":"2.0","id":0,"result":{}}"#));
    }),
    mutant("the-handler-breaks", Scenario::MalformedInput, |edit| {
        edit.last(probe("no-message-number")).answer_with(BROKEN);
    }),
    mutant("the-error-has-an-invented-id", Scenario::MalformedInput, |edit| {
        let error = r#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32700,"message":"Parse error"}}"#;
        edit.last(probe("not-json")).answer_with(&json("400 Bad Request", error));
    }),
    mutant("nothing-comes", Scenario::MalformedInput, |edit| {
        edit.last(probe("no-message-string")).drop_answer().watched_for(Duration::from_secs(60));
    }),
    mutant("the-next-request-fails", Scenario::MalformedInput, |edit| {
        edit.last(|exchange| exchange.label == "after-no-message-string").answer_with(BROKEN);
    }),
    mutant("an-empty-batch-is-accepted", Scenario::MalformedInput, |edit| {
        edit.last(probe("empty-array")).answer_with(ACCEPTED);
    }),
    mutant("the-version-is-overlooked", Scenario::MalformedInput, |edit| {
        edit.last(probe("wrong-version")).answer_with(&json("200 OK", r#"{"jsonrpc":"2.0","id":17,"result":{}}"#));
    }),
    mutant("null-is-taken-for-an-id", Scenario::MalformedInput, |edit| {
        edit.last(probe("null-id")).answer_with(&json("200 OK", r#"{"jsonrpc":"2.0","id":null,"result":{}}"#));
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{judged_in, legal};
    use crate::verdict::Verdict;

    const ID: &str = "rpc/malformed-input-is-refused";

    #[test]
    fn a_page_a_bare_status_and_an_error_with_any_status_are_refusals() {
        legal(ID, Scenario::MalformedInput, |edit| {
            edit.last(probe("not-json")).answer_with(
                b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\n<h1>no</h1>",
            );
            edit.last(probe("not-json-at-all"))
                .answer_with(b"HTTP/1.1 422 Unprocessable Content\r\nContent-Length: 0\r\n\r\n");
            let absent = r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"no"}}"#;
            edit.last(probe("no-message-object")).answer_with(&json("200 OK", absent));
            let null = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32020,"message":"no"}}"#;
            edit.last(probe("no-message-number")).answer_with(&json("500 Internal Server Error", null));
        });
    }

    #[test]
    fn an_id_that_stood_in_the_damaged_text_is_not_invented() {
        assert!(is_known(&Id::Text("17".to_owned()), br#"{"jsonrpc":"2.0","id":17,"method":"ping""#));
        assert!(is_known(&Id::Text("17".to_owned()), br#"{"jsonrpc":"1.0","id":17,"method":"ping"}"#));
        assert!(!is_known(&Id::Text("18".to_owned()), br#"{"jsonrpc":"2.0","id":17,"method":"ping""#));
        assert!(!is_known(&Id::Text("\"server-error\"".to_owned()), b"mcpwire says hello"));
    }

    #[test]
    fn leniency_is_advice() {
        for damage in [version as fn(&mut crate::trace::edit::Edit), null] {
            for (revision, verdict) in judged_in(ID, Scenario::MalformedInput, damage) {
                assert_eq!(verdict, Verdict::Fail, "{revision}");
            }
        }
        let (_, _, wrong_version) = INPUTS[5];
        let (_, _, null_id) = INPUTS[6];
        assert_eq!((wrong_version, null_id), (Cite::Advice, Cite::Advice));
    }

    fn version(edit: &mut crate::trace::edit::Edit) {
        edit.last(probe("wrong-version")).answer_with(ACCEPTED);
    }

    fn null(edit: &mut crate::trace::edit::Edit) {
        edit.last(probe("null-id")).answer_with(ACCEPTED);
    }

    #[test]
    fn a_server_that_is_busy_has_not_judged_the_input() {
        let busy: [fn(&mut crate::trace::edit::Edit); 2] = [
            |edit| {
                edit.last(probe("not-json")).answer_with(BUSY_NOW);
            },
            |edit| {
                edit.last(|exchange| exchange.label == "after-not-json").answer_with(BUSY_NOW);
            },
        ];
        for edit in busy {
            let verdicts = judged_in(ID, Scenario::MalformedInput, edit);
            assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
        }
    }

    const BUSY_NOW: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn without_a_control_there_is_no_verdict() {
        let verdicts = judged_in(ID, Scenario::MalformedInput, |edit| {
            edit.last(probe("not-json")).answer_with(ACCEPTED);
            edit.part("not-json", Part::Control).answer_with(BROKEN);
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }
}
