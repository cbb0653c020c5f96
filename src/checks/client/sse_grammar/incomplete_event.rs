//! # An event that the end of the stream cuts off is none
//!
//! Where the blank line is missing, nobody knows what else was to come: the data may be half of it. A client that hands
//! it out all the same turns an answer that was cut off into one that is wrong.
//!
//! ## How to fix it
//! Dispatch an event at its blank line only. What has none at the end of the stream is discarded, and the call has come
//! to nothing: resume the stream, or give the caller an error.

use crate::catalogue::{Check, Kind};
use crate::checks::client::caller::{self, Got};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::{Exchange, Trace};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[DISCARDED],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const DISCARDED: Cite = Cite::Clause("sse.parse.eof-discards");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let plain = trace.labelled(super::PLAIN).next();
    if !plain.is_some_and(|plain| caller::got(trace, plain) == Got::Right) {
        return judge.not_exercised("the caller did not tell the plain answer that everything is compared with");
    }
    for exchange in super::super::calls_like(trace, "incomplete-") {
        judge.examined();
        if let Got::Wrong(told) = caller::got(trace, exchange)
            && told.text().is_some_and(|text| !text.is_empty() && cut_off(exchange).contains(text))
        {
            judge
                .finding(
                    DISCARDED,
                    "an event without its blank line is discarded when the stream ends",
                    "the caller got what stood in it",
                )
                .shown_by(exchange)
                .event(told.moment.seq);
        }
    }
}

/// All that our answer says.
fn cut_off(exchange: &Exchange) -> String {
    exchange.answer.as_ref().map(|answer| String::from_utf8_lossy(&answer.body).into_owned()).unwrap_or_default()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("what-was-cut-off-is-dispatched", Scenario::ClientSseGrammar, |edit| {
        edit.told_text("incomplete-event", super::POISON);
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    #[test]
    fn an_error_and_no_answer_at_all_are_fine() {
        let id = "client/sse-grammar/incomplete-event";
        tolerates(id, Scenario::ClientSseGrammar, |edit| edit.told_nothing(|step| step == "incomplete-event"));
        tolerates(id, Scenario::ClientSseGrammar, |edit| edit.told_error(|step| step == "incomplete-line", Some(-1)));
    }
}
