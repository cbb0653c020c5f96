//! # Each request gets exactly one response, on its own stream
//!
//! A request is answered once, in the answer to the POST that carried it or on a stream that resumes that
//! answer. A client that waits on its own stream never sees a response that went elsewhere, and one that sees
//! two may take the second for the answer to something else.
//!
//! ## How to fix it
//! Keep one entry per request that leads to its stream, take it out when the response or the error is written,
//! and never send a response through the channel of the GET stream. End a stream only when its response is out.

use crate::catalogue::{Check, Kind};
use crate::checks::question::{Question, came, is_resumption, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Id, Received, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SequentialCalls]),
    cites: &[super::REPLY, ON_GET_STREAM, BROADCAST, SAME_ID, MISSING],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a request whose answer is seen to its end",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const ON_GET_STREAM: Cite = Cite::Clause("http.get.sse.no-responses");
const BROADCAST: Cite = Cite::Clause("http.multi.single-stream-per-message");
const SAME_ID: Cite = Cite::Clause("jsonrpc.response.same-id");
const MISSING: Cite = Cite::Clause("http.post.sse.eventual-response");

/// A response on a stream that it does not belong to.
struct Stray<'a> {
    stream: &'a Exchange,
    response: &'a Received,
    /// The request that it answers, if it is one of ours.
    owner: Option<usize>,
}

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    // Two ids that differ in their type only are a question of their own.
    if trace.scenario() == Scenario::IdsInFlight {
        return;
    }
    let requests: Vec<(Question<'_>, Id)> = Question::all(trace).collect();
    let strays = strays(trace, &requests);
    for (nth, (question, id)) in requests.iter().enumerate() {
        let own: Vec<_> = question.responses().filter(|(_, received)| received.message.id.same_as(id)).collect();
        let strayed = strays.iter().any(|stray| stray.owner == Some(nth));
        if question.parts().any(Exchange::is_complete) || own.len() > 1 {
            judge.examined();
        }
        if let [_, (stream, second), ..] = own[..] {
            judge
                .finding(super::REPLY, "one response to each request", format!("{} with the id {id}", own.len()))
                .shown_at(stream, second.moment);
        } else if let Some(last) = question.unanswered().filter(|_| !strayed) {
            let clause = if trace.revision().is_legacy() { MISSING } else { super::REPLY };
            judge
                .finding(
                    clause,
                    format!("the answer brings the response to the request with the id {id}"),
                    format!("it was complete with {}", came(last)),
                )
                .shown_at(last, telling(last));
        }
    }
    for Stray { stream, response, owner } in strays {
        let id = &response.message.id;
        let own = |(question, id): &(Question<'_>, Id)| question.is_answered(id);
        let (clause, whose) = match (stream.http_method(), owner) {
            ("GET", _) => (ON_GET_STREAM, "a GET that resumes nothing"),
            (_, Some(owner)) if trace.revision().is_legacy() && own(&requests[owner]) => (BROADCAST, "another request"),
            _ => (SAME_ID, "another request"),
        };
        judge.examined();
        judge
            .finding(
                clause,
                "a response comes in the answer to its own request only",
                format!("the response with the id {id} came on the stream of {whose}"),
            )
            .shown_at(stream, response.moment);
    }
}

/// The responses that stand in the answer to something else than their request.
fn strays<'a>(trace: &'a Trace, requests: &[(Question<'_>, Id)]) -> Vec<Stray<'a>> {
    let mut strays = Vec::new();
    for stream in trace.conforming() {
        let responses = stream.messages().iter().filter(|received| received.message.is_response());
        match stream.http_method() {
            "GET" if trace.revision().is_legacy() && stream.is_streamed() && !is_resumption(stream) => {
                strays.extend(responses.map(|response| {
                    let owner = requests.iter().position(|(_, id)| id.same_as(&response.message.id));
                    Stray { stream, response, owner }
                }));
            }
            "POST" => strays.extend(responses.filter_map(|response| {
                let owner = super::strayed_from(stream, response, requests)?;
                Some(Stray { stream, response, owner: Some(owner) })
            })),
            _ => {}
        }
    }
    strays
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("response-sent-twice", Scenario::SequentialCalls, |edit| {
        edit.last(|exchange| exchange.label == "tool").body(|body| format!("{body}{body}"));
    }),
    mutant("stream-ends-without-the-response", Scenario::SequentialCalls, |edit| {
        edit.last(|exchange| exchange.label == "tool").body(|_| ": bye\n\n".to_owned());
    }),
    mutant("accepted-instead-of-answered", Scenario::SequentialCalls, |edit| {
        edit.last(|exchange| exchange.label == "cheapest")
            .answer_with(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    }),
    mutant("response-goes-to-the-get-stream-too", Scenario::SequentialCalls, |edit| {
        let Some(event) = last_response(edit.trace(), "cheapest") else { return };
        edit.first(|exchange| exchange.label == "listen").body(|body| format!("{body}data: {event}\n\n"));
    }),
    mutant("response-goes-to-another-request-too", Scenario::SequentialCalls, |edit| {
        let Some(event) = last_response(edit.trace(), "cheapest") else { return };
        edit.last(|exchange| exchange.label == "tool").body(|body| format!("data: {event}\n\n{body}"));
    }),
    mutant("response-goes-to-another-request-only", Scenario::SequentialCalls, |edit| {
        let Some(event) = last_response(edit.trace(), "cheapest") else { return };
        edit.last(|exchange| exchange.label == "tool").body(|body| format!("data: {event}\n\n{body}"));
        edit.last(|exchange| exchange.label == "cheapest")
            .answer_with(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    }),
];

#[cfg(test)]
fn last_response(trace: &Trace, label: &str) -> Option<String> {
    let exchange = trace.labelled(label).last()?;
    Some(exchange.response()?.message.value.to_string())
}

#[cfg(test)]
mod tests {
    use crate::checks::proofs::{judged_in, legal};
    use crate::scenario::Scenario;
    use crate::verdict::Verdict;

    const ID: &str = "rpc/exactly-one-response";

    #[test]
    fn a_batch_of_one_response_is_one_response() {
        legal(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| exchange.label == "tool")
                .body(|body| body.replace("data: {", "data: [{").replace("}\n\n", "}]\n\n"));
        });
    }

    #[test]
    fn an_http_error_without_a_message_is_not_a_missing_response() {
        legal(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| exchange.label == "cheapest")
                .answer_with(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        });
    }

    #[test]
    fn a_stream_that_was_not_seen_to_its_end_is_not_examined() {
        legal(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| exchange.label == "tool").body(|_| ": bye\n\n".to_owned()).drop_end();
        });
    }

    #[test]
    fn what_could_not_be_read_may_hold_the_response() {
        legal(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| exchange.label == "tool")
                .body(|body| body.trim_end().to_owned());
        });
    }

    #[test]
    fn a_stream_that_can_be_resumed_and_was_not_is_not_examined_in_the_legacy_revisions() {
        for (revision, verdict) in judged_in(ID, Scenario::SequentialCalls, |edit| {
            edit.last(|exchange| exchange.label == "tool").body(|_| "id: 7\ndata:\n\n".to_owned());
        }) {
            let expected = if revision.is_legacy() { Verdict::Pass } else { Verdict::Fail };
            assert_eq!(verdict, expected, "{revision}");
        }
    }
}
