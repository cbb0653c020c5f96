//! # An event's type is its own
//!
//! A type holds for one event: without an `event` field, or with an empty one, it is `message`, whatever the event
//! before was; of two `event` fields in an event the last one counts. A client that carries a type over loses the response
//! behind a ping, and one that takes a field for an error loses all that follows.
//!
//! What becomes of other types MCP does not say. In a browser they go to nobody who listens for messages, and so it is
//! best here: a client that reads them as messages hands its caller what was never sent as one. That is advice.
//!
//! ## How to fix it
//! Reset the type at every blank line, take a missing or empty type for `message`, and pass over events of any other
//! type.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientSseGrammar),
    cites: &[TYPE, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a client that tells what its caller gets",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const TYPE: Cite = Cite::Clause("sse.parse.event-type");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    super::read(trace, judge, "type-", TYPE, "in an event of type `message`, which is the default");
    super::read(trace, judge, "types-twice", TYPE, "in an event with two `event` fields, of which the last one counts");
    super::read(trace, judge, "other-type-", Cite::Advice, "behind an event of another type, which is no message");
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("the-type-is-carried-over", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "type-reset", None);
    }),
    mutant("two-types-are-an-error", Scenario::ClientSseGrammar, |edit| {
        edit.told_error(|step| step == "types-twice", None);
    }),
    mutant("another-type-is-a-message", Scenario::ClientSseGrammar, |edit| {
        edit.told_text("other-type-response", super::POISON);
    }),
];
