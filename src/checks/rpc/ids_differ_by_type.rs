//! # Ids that differ in their JSON type are two ids
//!
//! `4711` and `"4711"` are different ids, so that two requests that carry them may be in flight at once. A
//! server that finds its requests by the text of the id sends both responses to one of them, and the other
//! waits until it times out.
//!
//! The two are sent to a slow tool, so that the first is at work when the second comes.
//!
//! ## How to fix it
//! Use the JSON value of the id as the key of the table of requests in flight, not its text; where keys must be
//! text, take the JSON text, with the quotes.

use crate::catalogue::{Check, Kind};
use crate::checks::question::{Question, came, hung_up, is_readable, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Id, Moment, Part, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::IdsInFlight),
    cites: &[CLAUSE],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a tool that takes its time (`--tool slow=NAME`), and two calls of it in flight at once",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("jsonrpc2.response.id-exact");

/// What became of one of the two.
enum Fate {
    /// It got its response.
    Answered,
    /// Its stream carried the response to the other one.
    Swapped(Moment),
    /// It got no response, though there was time.
    Unanswered(Moment),
    /// It was refused: the two were not worked on together.
    Refused,
    /// It was not seen to its end.
    NotSeen,
}

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let flight = |label| Some(Question::of(trace, trace.part(label, Part::Plain)?));
    let (Some(number), Some(string)) = (flight("number"), flight("string")) else { return };
    let Some(alone) = trace.part("alone", Part::Control).map(|exchange| Question::of(trace, exchange)) else { return };
    if !alone.has_result() {
        let came = alone.came();
        match alone.response() {
            // There is no such tool, or it wants other arguments.
            Some(_) => judge.not_exercised(format!("needs a slow tool that works: called alone, it was answered with {came}")),
            None => judge.inconclusive(format!("the slow tool, called alone, was answered with {came}")),
        }
        return;
    }
    let (Some((_, began)), Some((_, ended))) = (number.exchange.written, string.exchange.written) else { return };
    if let Some((_, response)) = number.response()
        && response.moment.best() < ended.at
    {
        let after = Span(response.moment.best().since(began.at));
        judge.not_exercised(format!("needs a slower tool: the first call was answered {after} after it was sent, before the second was"));
        return;
    }
    if !alone.resumed.is_empty() || number.goes_on() || string.goes_on() {
        judge.not_exercised("the answers come in parts that are fetched by resumption, and this is not tried with two at once");
        return;
    }
    let timeout = judge.manifest().options.timeout;
    let fates = [(&number, &string), (&string, &number)].map(|(own, other)| fate(own, other, timeout));
    if fates.iter().any(|fate| matches!(fate, Fate::Refused)) {
        let refused = if matches!(fates[0], Fate::Refused) { &number } else { &string };
        judge.not_exercised(format!("one of the two was refused while the other was at work: {}", refused.came()));
        return;
    }
    if fates.iter().any(|fate| matches!(fate, Fate::NotSeen)) {
        judge.inconclusive("the answers to the two were not seen to their end");
        return;
    }
    if fates.iter().all(|fate| matches!(fate, Fate::Unanswered(_))) {
        judge.inconclusive("neither of the two was answered, though the same call alone was");
        return;
    }
    judge.examined();
    for ((own, other), fate) in [(&number, &string), (&string, &number)].into_iter().zip(fates) {
        let ids = [own, other].map(|question| question.exchange.request_id().unwrap_or(Id::Absent).to_string());
        let expected = format!("the request with the id {} gets its own response, on its own stream", ids[0]);
        match fate {
            Fate::Swapped(moment) => {
                let observed = format!("its stream carried the response with the id {}", ids[1]);
                judge.finding(CLAUSE, expected, observed).shown_at(own.exchange, moment);
            }
            Fate::Unanswered(moment) => {
                let observed =
                    format!("while {} was in flight, it was answered with {}", ids[1], came(own.exchange));
                judge.finding(CLAUSE, expected, observed).shown_at(own.exchange, moment);
            }
            Fate::Answered | Fate::Refused | Fate::NotSeen => {}
        }
    }
}

fn fate(own: &Question<'_>, other: &Question<'_>, timeout: std::time::Duration) -> Fate {
    let exchange = own.exchange;
    let carries = |question: &Question<'_>| {
        let id = question.exchange.request_id()?;
        own.responses().find(|(_, received)| received.message.id.same_as(&id)).map(|(_, received)| received.moment)
    };
    if let Some(moment) = carries(other) {
        return Fate::Swapped(moment);
    }
    if carries(own).is_some() {
        return Fate::Answered;
    }
    if own.response().is_some() || exchange.status().is_some_and(|_| !exchange.succeeded()) {
        return Fate::Refused;
    }
    if let Some(moment) = own.in_vain(timeout).or(hung_up(exchange)) {
        return Fate::Unanswered(moment);
    }
    // A stream that ends without the response, in whatever way.
    match exchange.ending {
        crate::trace::Ending::Complete(_) | crate::trace::Ending::Cut(..) if is_readable(exchange) => {
            Fate::Unanswered(telling(exchange))
        }
        _ => Fate::NotSeen,
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("both-responses-go-to-the-second", Scenario::IdsInFlight, |edit| {
        let Some(stray) = response(edit.trace(), "number") else { return };
        edit.part("number", Part::Plain).drop_answer().watched_for(std::time::Duration::from_secs(60));
        edit.part("string", Part::Plain).body(|body| format!("data: {stray}\n\n{body}"));
    }),
    mutant("the-first-is-never-answered", Scenario::IdsInFlight, |edit| {
        edit.part("number", Part::Plain).drop_answer().watched_for(std::time::Duration::from_secs(60));
    }),
    mutant("the-second-ends-without-its-response", Scenario::IdsInFlight, |edit| {
        edit.part("string", Part::Plain).body(|_| ": bye\n\n".to_owned());
    }),
];

#[cfg(test)]
fn response(trace: &Trace, label: &str) -> Option<String> {
    Some(trace.part(label, Part::Plain)?.response()?.message.value.to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::checks::proofs::{judged_in, legal};
    use crate::trace::{MessageKind, What};
    use crate::verdict::Verdict;

    const ID: &str = "rpc/ids-differ-by-type";

    #[test]
    fn a_server_that_works_on_one_call_at_a_time_may_refuse_the_second() {
        legal(ID, Scenario::IdsInFlight, |edit| {
            edit.part("string", Part::Plain)
                .answer_with(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
        });
    }

    #[test]
    fn nothing_is_said_where_the_first_was_answered_before_the_second_was_sent() {
        let verdicts = judged_in(ID, Scenario::IdsInFlight, |edit| {
            let trace = edit.trace();
            let Some(response) = trace.part("number", Part::Plain).and_then(|e| e.response()) else { return };
            assert_eq!(response.message.kind, MessageKind::Result);
            let string = trace.part("string", Part::Plain).map(|exchange| (exchange.conn, exchange.asked.seq));
            let Some((conn, asked)) = string else { return };
            edit.events(|event| {
                let later = event.seq > asked && event.what.conn() == Some(conn);
                if later {
                    event.at = event.at + Duration::from_secs(30);
                    if let What::Read { kernel: Some(kernel), .. } = &mut event.what {
                        *kernel = *kernel + Duration::from_secs(30);
                    }
                }
                later
            });
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }

    #[test]
    fn without_an_answer_to_the_control_there_is_no_verdict() {
        let verdicts = judged_in(ID, Scenario::IdsInFlight, |edit| {
            edit.part("alone", Part::Control).body(|_| ": bye\n\n".to_owned());
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }
}
