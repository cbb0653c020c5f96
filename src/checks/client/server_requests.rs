//! # What the server asks for is answered
//!
//! Servers ask as well: whether the client is still there (`ping`), for a sample of its model, for a form to be filled
//! in. A call that waits for such an answer never ends where none comes, and a server that gets no answer to its pings
//! takes the client for dead. In the legacy revisions the requests come on the streams, and the answers are posted. In
//! 2026-07-28 the result of a call says what is required, and the call is made once more with it: under a new id, with
//! the request state as it was. A server without a memory of its own finds in that state all that it knows.
//!
//! Asked is only for what the client declared. That it hands a request for input to its caller, or gives the call up, is
//! legal, and reported as advice where the script has the answers.
//!
//! ## How to fix it
//! Answer every request that comes on a stream of a POST or GET, also while a call is under way: `ping` with an empty
//! result, others by their handler, and what has none with the error -32601; the id goes back as it came. Keep the
//! request state as the string that it is.

use serde_json::Value;

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::{Era, Revision};
#[cfg(test)]
use crate::trace::edit::{Edit, ExchangeEdit, Mutant, mutant};
use crate::trace::{Ending, Exchange, Id, Message, MessageKind, Received, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientServerRequests),
    cites: &[PING, SAME_ID, INPUTS, STATE, NO_STATE, NEW_ID, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that reads requests on its streams, or results that require input",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const PING: Cite = Cite::Clause("ping.respond");
const SAME_ID: Cite = Cite::Clause("jsonrpc.response.same-id");
const INPUTS: Cite = Cite::Clause("mrtr.client.construct-inputs");
const STATE: Cite = Cite::Clause("mrtr.client.echo-state");
const NO_STATE: Cite = Cite::Clause("mrtr.client.no-state-if-absent");
const NEW_ID: Cite = Cite::Clause("mrtr.client.new-id");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    match trace.revision().era() {
        Era::Legacy => asked_on_streams(trace, judge),
        Era::Modern => asked_in_results(trace, judge),
    }
}

/// What our streams asked for was answered, and nothing else.
fn asked_on_streams(trace: &Trace, judge: &mut Judge<'_>) {
    if !super::reads_answers(trace, judge) {
        return;
    }
    let answers: Vec<(&Exchange, Message)> = trace
        .exchanges()
        .flat_map(|exchange| exchange.sent().into_iter().map(move |message| (exchange, message)))
        .filter(|(_, message)| message.is_response())
        .collect();
    let asked: Vec<(&Exchange, &Received)> = trace
        .exchanges()
        .flat_map(|exchange| exchange.messages().iter().map(move |received| (exchange, received)))
        .filter(|(_, received)| received.message.kind == MessageKind::Request)
        .collect();
    for (exchange, request) in &asked {
        if !was_waited_for(trace, exchange, request) {
            continue;
        }
        judge.examined();
        let method = request.message.method().unwrap_or_default();
        let answer = answers.iter().find(|(_, message)| message.id.same_as(&request.message.id));
        let wrong = match answer {
            None => Some("the client never answered".to_owned()),
            Some((_, message)) if method == "ping" && !message.value["result"].is_object() => {
                Some(format!("the client answered {}", message.value))
            }
            Some(_) => None,
        };
        if let Some(observed) = wrong {
            let cite = if method == "ping" { PING } else { Cite::Advice };
            judge.finding(cite, format!("`{method}` is answered"), observed).shown_at(exchange, request.moment);
        }
    }
    for (exchange, message) in &answers {
        let is_known = asked.iter().any(|(_, request)| request.message.id.same_as(&message.id));
        // An error without an id is for what could not be read.
        if !is_known && message.id != Id::Null {
            let observed = format!("the client answered {}, which is the id of no request of ours", message.id);
            judge.finding(SAME_ID, "an answer carries the id of its request", observed).shown_by(exchange);
        }
    }
    the_call_goes_on(trace, judge, |exchange| exchange.label.starts_with("asks-"));
}

/// Whether there was time for an answer: the response to a call was held back for it, or the client left the stream.
fn was_waited_for(trace: &Trace, exchange: &Exchange, request: &Received) -> bool {
    if exchange.http_method() == "GET" {
        let patient = super::calls(trace).find(|call| call.label == "patient" && call.asked.seq > request.moment.seq);
        return patient.is_some_and(|call| call.response().is_some());
    }
    exchange.response().is_some() || matches!(exchange.ending, Ending::Cut(..))
}

/// What our results required was brought.
fn asked_in_results(trace: &Trace, judge: &mut Judge<'_>) {
    let mut required = false;
    for exchange in super::calls(trace) {
        let Some(wanted) = exchange.response().filter(|response| requires_input(&response.message)) else { continue };
        required = true;
        let wanted = &wanted.message.value["result"];
        let Some(retry) = retry(trace, exchange, wanted) else {
            // Without a request for input there may be a reason to stop; with one there is only none to say nothing.
            if wanted.get("inputRequests").is_some() && trace.told(&exchange.label).is_some() {
                judge.examined();
                let expected = "a client that declared what it can be asked for brings it";
                judge.finding(Cite::Advice, expected, "the client did not retry the call").shown_by(exchange);
            }
            continue;
        };
        judge.examined();
        for (cite, expected, observed) in wrong_with(exchange, wanted, retry) {
            judge.finding(cite, expected, observed).shown_by(retry).event(exchange.asked.seq);
        }
    }
    if !required {
        judge.not_exercised("the client made no call that could be answered with a request for input");
    }
    let answered = |exchange: &Exchange| exchange.response().is_some_and(|response| !requires_input(&response.message));
    the_call_goes_on(trace, judge, |exchange| exchange.label != "warm-up" && is_retry(exchange) && answered(exchange));
}

fn requires_input(message: &Message) -> bool {
    message.value["result"]["resultType"] == "input_required"
}

fn params(exchange: &Exchange) -> Value {
    exchange.sent().first().map(|message| message.value["params"].clone()).unwrap_or_default()
}

fn is_retry(exchange: &Exchange) -> bool {
    let params = params(exchange);
    params.get("inputResponses").is_some() || params.get("requestState").is_some()
}

/// The call that repeats this one: the first one behind it that brings its state, or else any that looks like it.
fn retry<'t>(trace: &'t Trace, exchange: &Exchange, wanted: &Value) -> Option<&'t Exchange> {
    let original = params(exchange);
    // What a script calls twice is repeated; what follows no script may call the same thing twice.
    let is_unique = original["arguments"]["b"] == 1000;
    let repeats = |other: &&Exchange| {
        let params = params(other);
        // A swift retry on another connection may be read before it is written down that our answer has gone out.
        other.asked.seq > exchange.asked.seq
            && (params["name"] == original["name"] && params["arguments"] == original["arguments"])
            && (is_unique || is_retry(other))
    };
    let brings = |other: &&Exchange| params(other).get("requestState") == wanted.get("requestState");
    let mut candidates = super::calls(trace).filter(repeats);
    let first = candidates.next()?;
    Some(std::iter::once(first).chain(candidates).find(brings).unwrap_or(first))
}

/// What is wrong with a retry.
fn wrong_with(exchange: &Exchange, wanted: &Value, retry: &Exchange) -> Vec<(Cite, &'static str, String)> {
    let mut wrong = Vec::new();
    let brought = params(retry);
    match (wanted.get("requestState"), brought.get("requestState")) {
        (Some(state), Some(echoed)) if state == echoed => {}
        (Some(state), Some(echoed)) => {
            wrong.push((STATE, "the request state comes back as it was", format!("it was {state} and came as {echoed}")));
        }
        (Some(_), None) => wrong.push((STATE, "the request state comes back", "the retry has none".to_owned())),
        (None, Some(echoed)) => {
            wrong.push((NO_STATE, "where there was no request state, none comes", format!("the retry has {echoed}")));
        }
        (None, None) => {}
    }
    for (key, request) in wanted["inputRequests"].as_object().into_iter().flatten() {
        let input = &brought["inputResponses"][key];
        let is_input = match request["method"].as_str() {
            Some("elicitation/create") => input["action"].is_string(),
            _ => input["role"].is_string() && input.get("content").is_some(),
        };
        if !is_input {
            wrong.push((INPUTS, "the retry has the inputs that were required", format!("for `{key}` it has {input}")));
        }
    }
    if let (Some(before), Some(now)) = (exchange.request_id(), retry.request_id())
        && before.same_as(&now)
    {
        wrong.push((NEW_ID, "the retry has an id of its own", format!("both have {now}")));
    }
    wrong
}

/// The callers of these calls get their results in the end.
fn the_call_goes_on(trace: &Trace, judge: &mut Judge<'_>, is_meant: impl Fn(&Exchange) -> bool) {
    for exchange in super::calls(trace).filter(|exchange| is_meant(exchange)) {
        let Some(told) = trace.told(&exchange.label).filter(|_| exchange.response().is_some()) else { continue };
        if !trace.caller_got(exchange) {
            let observed = match &told.outcome {
                Ok(_) => "the caller got another result".to_owned(),
                Err(_) => format!("the caller got an error: {}", super::caller::words(&told)),
            };
            let expected = "the caller gets the result of a call that had to wait for an answer of the client";
            judge.finding(Cite::Advice, expected, observed).shown_by(exchange).event(told.moment.seq);
        }
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("ping-never-answered", Scenario::ClientServerRequests, |edit| {
        answer_to(edit, r#""ping""#).never_asked();
    }),
    mutant("ping-on-get-never-answered", Scenario::ClientServerRequests, |edit| {
        answer_to(edit, "3").never_asked();
    }),
    mutant("ping-refused", Scenario::ClientServerRequests, |edit| {
        answer_to(edit, r#""ping""#).request_message(|answer| {
            *answer = serde_json::json!({"jsonrpc": "2.0", "id": "ping", "error": {"code": -32601, "message": "no"}});
        });
    }),
    mutant("sampling-never-answered", Scenario::ClientServerRequests, |edit| {
        answer_to(edit, "1").never_asked();
    }),
    mutant("an-id-of-another-type", Scenario::ClientServerRequests, |edit| {
        answer_to(edit, "1").request_message(|answer| answer["id"] = "1".into());
    }),
    mutant("state-trimmed", Scenario::ClientServerRequests, |edit| {
        retry_of(edit, "state-only").request_message(|call| {
            let state = call["params"]["requestState"].as_str().unwrap_or_default().trim().to_owned();
            call["params"]["requestState"] = state.into();
        });
    }),
    mutant("state-of-the-round-before", Scenario::ClientServerRequests, |edit| {
        retry_of(edit, "two-rounds").request_message(|call| call["params"]["requestState"] = "one more round".into());
    }),
    mutant("one-input-missing", Scenario::ClientServerRequests, |edit| {
        retry_of(edit, "input-only").request_message(|call| {
            call["params"]["inputResponses"].as_object_mut().map(|inputs| inputs.remove("the name"));
        });
    }),
    mutant("the-same-id-again", Scenario::ClientServerRequests, |edit| {
        let first = edit.trace().labelled("input-only").find_map(|call| Some(call.sent().first()?.value["id"].clone()));
        retry_of(edit, "input-only").request_message(|call| call["id"] = first.clone().unwrap_or_default());
    }),
    mutant("never-retried", Scenario::ClientServerRequests, |edit| {
        retry_of(edit, "input-only").never_asked();
    }),
    mutant("the-caller-gets-what-was-required", Scenario::ClientServerRequests, |edit| {
        edit.told(|step| step == "left" || step == "asks-ping", |mut line| {
            line["result"] = serde_json::json!({"resultType": "input_required"});
            Some(line)
        });
    }),
];

/// The client's answer to our request with this id.
#[cfg(test)]
fn answer_to<'e>(edit: &'e mut Edit, id: &str) -> ExchangeEdit<'e> {
    let id = Id::Text(id.to_owned());
    edit.last(|exchange| exchange.sent().iter().any(|message| message.is_response() && message.id == id))
}

#[cfg(test)]
fn retry_of<'e>(edit: &'e mut Edit, label: &str) -> ExchangeEdit<'e> {
    edit.last(|exchange| exchange.label == label && is_retry(exchange))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{edited, judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "client/server-requests";

    #[test]
    fn a_sample_may_be_refused() {
        tolerates(ID, Scenario::ClientServerRequests, |edit| {
            answer_to(edit, "1").request_message(|answer| {
                *answer = serde_json::json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no"}});
            });
        });
    }

    #[test]
    fn answers_may_come_in_a_batch() {
        tolerates(ID, Scenario::ClientServerRequests, |edit| {
            answer_to(edit, "3").request_message(|answer| *answer = serde_json::json!([answer]));
        });
    }

    #[test]
    fn no_client_has_to_open_a_stream_of_its_own() {
        tolerates(ID, Scenario::ClientServerRequests, |edit| {
            answer_to(edit, "3").never_asked();
            edit.last(|exchange| exchange.http_method() == "GET").never_asked();
        });
    }

    #[test]
    fn a_state_without_a_request_for_input_may_be_the_end() {
        tolerates(ID, Scenario::ClientServerRequests, |edit| {
            retry_of(edit, "state-only").never_asked();
        });
    }

    #[test]
    fn what_follows_no_script_may_call_the_same_thing_twice() {
        let unscripted = |edit: &mut Edit| {
            edit.told_nothing(|_| true);
            retry_of(edit, "input-only").never_asked();
            edit.each(
                |exchange| exchange.rpc_method().as_deref() == Some("tools/call"),
                |call| {
                    call.request_message(|call| call["params"]["arguments"] = serde_json::json!({"a": 2, "b": 2}));
                },
            );
        };
        for (revision, outcome) in edited(ID, Scenario::ClientServerRequests, unscripted) {
            assert_eq!(outcome.verdict(), Verdict::Pass, "{revision}: {outcome:#?}");
        }
    }

    #[test]
    fn a_client_that_calls_nothing_is_asked_nothing() {
        let verdicts = judged_in(ID, Scenario::ClientServerRequests, |edit| {
            let is_input = |exchange: &Exchange| exchange.label != "warm-up" && exchange.http_method() != "GET";
            edit.each(is_input, |call| {
                call.never_asked();
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict != Verdict::Fail), "{verdicts:?}");
    }
}
