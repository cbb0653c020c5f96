//! # No router entry is left behind
//!
//! A server keeps tables: sessions by their id, channels of requests, entries that lead from a request id or a progress
//! token to a channel. What goes in with a request must go out with it, however it ends: with a result, with an error,
//! because it was cancelled, or because its client has gone. What stays is memory that nobody gives back, and a way to
//! a channel that nobody reads.
//!
//! On the wire that cannot be seen, unless an id or a token is used again (the other checks of this area do that). A
//! server in the same process can say what it holds (`InProcess::with_inventory`): it is asked between rounds of work,
//! and growth is judged as that of descriptors is (`mcpwire explain cleanup/descriptors`): by half an entry or more for
//! each round, in both steps.
//!
//! ## How to fix it
//! Tie the entry to a value that is dropped when the request ends, in whichever way: a guard, a `finally`, a `defer`.
//! Taking it out where the response is written forgets the requests that get none.

use super::growth;
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Trace, What};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Churn),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a server in the same process that says what it holds (`InProcess::with_inventory`)",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    growth::find(trace, judge, Cite::Budget, "session", sessions);
    growth::find(trace, judge, Cite::Budget, "request channel", channels);
    growth::find(trace, judge, Cite::Budget, "router entry", routes);
}

fn sessions(held: &What) -> Option<u32> {
    match held {
        What::PeerHeld { sessions, .. } => *sessions,
        _ => None,
    }
}

fn channels(held: &What) -> Option<u32> {
    match held {
        What::PeerHeld { channels, .. } => *channels,
        _ => None,
    }
}

fn routes(held: &What) -> Option<u32> {
    match held {
        What::PeerHeld { routes, .. } => *routes,
        _ => None,
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("a-session-for-each-round", Scenario::Churn, |edit| {
        growth::grow(edit, [2, 2], |held, more| {
            if let What::PeerHeld { sessions, .. } = held {
                *sessions = sessions.map(|held| held + more);
            }
        });
    }),
    mutant("a-channel-for-each-round", Scenario::Churn, |edit| {
        growth::grow(edit, [2, 2], |held, more| {
            if let What::PeerHeld { channels, .. } = held {
                *channels = channels.map(|held| held + more);
            }
        });
    }),
    mutant("half-an-entry-for-each-round", Scenario::Churn, |edit| {
        growth::grow(edit, [1, 1], |held, more| {
            if let What::PeerHeld { routes, .. } = held {
                *routes = routes.map(|held| held + more);
            }
        });
    }),
];
