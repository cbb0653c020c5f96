//! # The response carries the id of its request, to the letter
//!
//! The id of a response equals that of its request in value and in JSON type: `1` and `"1"` are two ids, and so
//! are `"7"` and `"007"`. A client that looks its request up by the id never finds it when the type or a digit
//! has changed, and waits until it times out.
//!
//! Integers beyond 2^53 are the exception: JSON lets an implementation round them (RFC 8259, section 6), so
//! that a neighbour in their place is reported as advice.
//!
//! ## How to fix it
//! Keep the id as the JSON value that it was, in a type that holds integers and strings, and never pass it
//! through text or a double. Where a language reads every number as a double, keep the raw text of the id.

use serde_json::Value;

use super::{Request, Requests};
use crate::catalogue::{Check, Kind};
use crate::checks::question::{is_readable, shortened};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Id, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::Ids]),
    cites: &[CLAUSE, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a request that is answered with a response",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("jsonrpc2.response.id-exact");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    // Two ids that differ in their type only are a question of their own.
    if trace.scenario() == Scenario::IdsInFlight {
        return;
    }
    let requests = Requests::of(trace);
    for Request { question, id: asked, .. } in &requests.0 {
        for (stream, response) in question.responses().filter(|(stream, _)| stream.succeeded() && is_readable(stream)) {
            let id = &response.message.id;
            // The response to another request has the right id, and is in the wrong place.
            if requests.strayed_from(stream, response).is_some() {
                continue;
            }
            judge.examined();
            if id.same_as(asked) {
                continue;
            }
            let cite = if is_neighbour(asked, id) { Cite::Advice } else { CLAUSE };
            judge
                .finding(
                    cite,
                    format!("the response carries the id {}, as the request did", shortened(&asked.to_string())),
                    format!("it carries {}", describe(id)),
                )
                .shown_at(stream, response.moment);
        }
    }
}

fn describe(id: &Id) -> String {
    match id {
        Id::Absent => "no id".to_owned(),
        Id::Null => "the id null".to_owned(),
        Id::Text(text) if text.starts_with('"') => format!("the string {}", shortened(text)),
        Id::Text(text) => format!("the id {}", shortened(text)),
    }
}

/// The integers up to here are those that every implementation keeps.
const SAFE: u64 = (1 << 53) - 1;

/// Whether an integer beyond 2^53 came back as one that a double takes for the same.
fn is_neighbour(asked: &Id, answered: &Id) -> bool {
    let number = |id: &Id| match id {
        Id::Text(text) => serde_json::from_str::<Value>(text).ok().filter(Value::is_number),
        Id::Absent | Id::Null => None,
    };
    let (Some(asked), Some(answered)) = (number(asked), number(answered)) else { return false };
    let beyond = asked.as_i64().is_none_or(|integer| integer.unsigned_abs() > SAFE);
    beyond && asked.as_f64() == answered.as_f64()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("numbers-become-strings", Scenario::Ids, |edit| {
        answer_with_another_id(edit, "-1", r#""-1""#);
    }),
    mutant("numeric-strings-become-numbers", Scenario::Ids, |edit| {
        answer_with_another_id(edit, r#""1001""#, "1001");
    }),
    mutant("leading-zeros-are-lost", Scenario::Ids, |edit| {
        answer_with_another_id(edit, r#""007""#, r#""7""#);
    }),
    mutant("integers-are-cut-to-32-bits", Scenario::Ids, |edit| {
        answer_with_another_id(edit, "4294967296", "0");
    }),
    mutant("zero-is-taken-for-no-id", Scenario::Ids, |edit| {
        answer_with_another_id(edit, "0", "null");
    }),
    mutant("big-integers-become-their-neighbours", Scenario::Ids, |edit| {
        answer_with_another_id(edit, "9007199254740993", "9007199254740992");
    }),
    mutant("errors-lose-their-id", Scenario::SequentialCalls, |edit| {
        edit.last(|exchange| exchange.label == "unknown-tool" && exchange.succeeded()).body(|body| {
            let (before, rest) = body.split_once(r#""id":"#).unwrap_or((&body, ""));
            format!("{before}{}", rest.split_once(',').map_or("", |(_, rest)| rest))
        });
    }),
];

#[cfg(test)]
fn answer_with_another_id(edit: &mut crate::trace::edit::Edit, asked: &str, answered: &str) {
    let wanted = Id::Text(asked.to_owned());
    let body = |body: String| body.replace(&format!(r#""id":{asked}"#), &format!(r#""id":{answered}"#));
    edit.last(|exchange| exchange.request_id() == Some(wanted.clone())).body(body);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::legal;

    const ID: &str = "rpc/id-echoed-exactly";

    #[test]
    fn another_spelling_of_the_same_value_is_the_same_id() {
        legal(ID, Scenario::Ids, |edit| answer_with_another_id(edit, "0", "0.0"));
        legal(ID, Scenario::Ids, |edit| answer_with_another_id(edit, r#""a-string""#, r#""a\u002dstring""#));
    }

    #[test]
    fn an_id_that_is_refused_is_not_examined() {
        legal(ID, Scenario::Ids, |edit| {
            edit.last(|exchange| exchange.request_id() == Some(Id::Text("-1".to_owned()))).answer_with(
                b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 61\r\n\r\n\
                  {\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"no\"},\"id\":0}",
            );
        });
    }

    #[test]
    fn an_id_in_a_stream_that_is_no_utf_8_cannot_be_compared() {
        legal(ID, Scenario::Ids, |edit| {
            let wanted = |exchange: &crate::trace::Exchange| {
                exchange.is_streamed() && exchange.request_id().is_some_and(|id| id.to_string().contains('ü'))
            };
            edit.last(wanted).bytes(|body| {
                let text = String::from_utf8_lossy(&body).into_owned();
                text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
            });
        });
    }

    #[test]
    fn only_what_a_double_cannot_tell_apart_is_a_neighbour() {
        let id = |text: &str| Id::Text(text.to_owned());
        assert!(is_neighbour(&id("9007199254740993"), &id("9007199254740992")));
        assert!(is_neighbour(&id("9007199254740993"), &id("9.007199254740992e15")));
        assert!(!is_neighbour(&id("9007199254740993"), &id("9007199254740999")));
        assert!(!is_neighbour(&id("9007199254740991"), &id("9007199254740990")));
        assert!(!is_neighbour(&id("9007199254740993"), &id("\"9007199254740993\"")));
    }
}
