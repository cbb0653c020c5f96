//! # No thread is left behind
//!
//! A thread that goes on waiting for something that will never come holds its stack and whatever it has locked. One
//! for each call or session is a leak that ends with the limit of the process or of the machine.
//!
//! Counted and judged as the descriptors are (`mcpwire explain cleanup/descriptors`): growth by half a thread or more
//! for each round of work, in both steps. It is advice, since pools may grow with the work for a while.
//!
//! ## How to fix it
//! Let whatever a thread waits for end with its request, its connection or its session: close the channel, cancel the
//! wait, or give it a time-out.

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
    cites: &[Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a target whose threads can be counted",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    growth::find(trace, judge, Cite::Advice, "thread", counted);
}

fn counted(held: &What) -> Option<u32> {
    match held {
        What::PeerHeld { threads, .. } => *threads,
        _ => None,
    }
}

#[cfg(test)]
fn threads(held: &mut What, more: u32) {
    if let What::PeerHeld { threads, .. } = held {
        *threads = threads.map(|held| held + more);
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] =
    &[mutant("a-thread-for-each-round", Scenario::Churn, |edit| growth::grow(edit, [2, 2], threads))];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    const ID: &str = "cleanup/threads";

    #[test]
    fn a_pool_may_grow_to_its_size() {
        tolerates(ID, Scenario::Churn, |edit| growth::grow(edit, [2, 0], threads));
    }
}
