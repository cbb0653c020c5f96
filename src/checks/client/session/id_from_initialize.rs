//! # The id of the session comes from `initialize`
//!
//! A session is named once, in the answer to `initialize`. Where another answer names another one, by mistake of a
//! proxy, of a cache, or of a server that mixes its callers up, a client that takes that id over goes on in the session
//! of somebody else, or in none.
//!
//! ## How to fix it
//! Read the header field in the answer to `initialize` only, and pass over it in all others.

use super::FIELD;
use crate::catalogue::{Check, Kind};
use crate::checks::client::requests::{self, Wrong, look_at};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::Trace;
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::ClientRedirect),
    cites: &[CLAUSE],
    revisions: Revision::LEGACY,
    elsewhere: super::ELSEWHERE,
    needs: "requests after an answer that names another session",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const CLAUSE: Cite = Cite::Clause("session.client.echo-header");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let Some(misleading) = trace.labelled("other-id").next() else { return };
    let later = requests::to_endpoint(trace)
        .filter(|request| request.asked.seq > misleading.asked.seq && request.request_field(FIELD).is_some());
    look_at(trace, judge, later, |request| {
        (!trace.in_session(request)).then(|| {
            let observed = format!("{} went out with an id from elsewhere", requests::name(request));
            Wrong::new(CLAUSE, "the client goes on with the id that the answer to `initialize` named", observed)
        })
    });
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("adopts-the-other-id", Scenario::ClientRedirect, |edit| {
    let named = |exchange: &crate::trace::Exchange| {
        exchange.answer.as_ref().and_then(|answer| answer.head.fields.text(FIELD).map(|id| id.into_owned()))
    };
    let other = edit.trace().labelled("other-id").find_map(named).unwrap_or_default();
    edit.first(|exchange| exchange.label == "after-other-id").request_field(FIELD, &other);
})];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::legal;

    #[test]
    fn a_client_that_ends_there_has_adopted_nothing() {
        legal("client/session/id-from-initialize", Scenario::ClientRedirect, |edit| {
            let end = edit.trace().labelled("other-id").next().map_or(0, |misleading| misleading.asked.seq);
            let later = edit.trace().exchanges().filter(|exchange| exchange.asked.seq > end).count();
            for _ in 0..later {
                edit.last(|exchange| exchange.asked.seq > end).never_asked();
            }
        });
    }
}
