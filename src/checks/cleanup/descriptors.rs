//! # No descriptor is left behind
//!
//! Whatever a call, an error, a refused request, a dropped connection or a session opens is closed when it is over. A
//! server that leaves a socket or a file behind each time runs into its limit of descriptors, often 1024, and then
//! accepts no connection any more: after weeks, or as soon as somebody's client drops connections in a loop.
//!
//! After a warm-up, the descriptors of the server's processes are counted three times, with twice as much work behind
//! each. Growth by half a descriptor or more for each round, in both steps, is a finding; a number that is merely
//! large, or that rises once, is not. Before growth counts, the server gets the time to close what it still may be
//! closing. A round has two calls, an error, a refused request, a reset, a connection closed with its answer under
//! way, another in the middle of its request, another unused, and in the legacy revisions a session with its stream,
//! which is deleted in the end.
//!
//! ## How to fix it
//! Close the socket when the peer has closed (a read of zero bytes, or an error), whatever the request is at; let the
//! task of a connection own the socket, so that it goes with the task. Sockets in CLOSE_WAIT are those where the peer
//! has closed and the server has not: `ss -tp state close-wait` lists them.

use super::growth;
use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::{Trace, What};
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Churn),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a target whose descriptors can be counted",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    growth::find(trace, judge, Cite::Budget, "descriptor", counted);
}

fn counted(held: &What) -> Option<u32> {
    match held {
        What::PeerHeld { descriptors, .. } => *descriptors,
        _ => None,
    }
}

#[cfg(test)]
fn descriptors(held: &mut What, more: u32) {
    if let What::PeerHeld { descriptors, .. } = held {
        *descriptors = descriptors.map(|held| held + more);
    }
}

#[cfg(test)]
fn in_close_wait(held: &mut What, more: u32) {
    descriptors(held, more);
    if let What::PeerHeld { close_wait, .. } = held {
        *close_wait = close_wait.map(|left| left + more);
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("half-a-descriptor-for-each-round", Scenario::Churn, |edit| growth::grow(edit, [1, 1], descriptors)),
    mutant("a-socket-in-close-wait-for-each-round", Scenario::Churn, |edit| growth::grow(edit, [2, 2], in_close_wait)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{edited, judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "cleanup/descriptors";

    #[test]
    fn growth_in_one_step_is_a_pool_that_was_opened_late() {
        tolerates(ID, Scenario::Churn, |edit| growth::grow(edit, [20, 0], descriptors));
        tolerates(ID, Scenario::Churn, |edit| growth::grow(edit, [0, 20], descriptors));
    }

    #[test]
    fn a_large_number_is_no_growth() {
        tolerates(ID, Scenario::Churn, |edit| {
            edit.events(|event| {
                descriptors(&mut event.what, 900);
                matches!(event.what, What::PeerHeld { .. })
            });
        });
    }

    #[test]
    fn growth_that_was_seen_once_only_says_nothing() {
        let verdicts = judged_in(ID, Scenario::Churn, |edit| {
            growth::grow(edit, [2, 2], descriptors);
            let mut events = edit.trace().events.clone();
            let last = events.iter().rposition(|event| matches!(event.what, What::PeerHeld { .. }));
            events.remove(last.expect("a count"));
            edit.replace(events);
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }

    #[test]
    fn where_nothing_was_counted_nothing_is_said() {
        let verdicts = judged_in(ID, Scenario::Churn, |edit| {
            let mut events = edit.trace().events.clone();
            events.retain(|event| !matches!(event.what, What::PeerHeld { .. }));
            edit.replace(events);
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }

    #[test]
    fn sockets_in_close_wait_are_named_as_the_cause() {
        for (revision, outcome) in edited(ID, Scenario::Churn, |edit| growth::grow(edit, [2, 2], in_close_wait)) {
            let cause = outcome.findings[0].cause.as_ref().map(|cause| cause.name.as_str());
            let known = cfg!(all(target_os = "linux", not(mcpwire_portable)));
            assert_eq!(cause, known.then_some("sockets left in CLOSE_WAIT"), "{revision}");
        }
        for (revision, outcome) in edited(ID, Scenario::Churn, |edit| growth::grow(edit, [2, 2], descriptors)) {
            assert_eq!(outcome.findings[0].cause, None, "{revision}");
        }
    }
}
