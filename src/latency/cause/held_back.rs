//! A held-back segment: Nagle's algorithm without TCP_NODELAY on the server, delayed acknowledgements on our side.
//!
//! What proves it are trials in which our acknowledgement was withheld and let go: a segment that was held back comes
//! within the releasing system call.

use super::{Calls, LatePart};
use crate::trace::decode::Release;
use crate::trace::{Exchange, Trace};

/// So few valid trials prove nothing. Four of five by chance: below 10^-11 (one in a thousand per trial, measured).
const ENOUGH: usize = 5;

/// This share of the valid trials must have been released for a finding: measured 1000 of 1000 where a segment is
/// held back, at most 1 of 1000 where not.
const RELEASED_SHARE: f64 = 0.8;

/// At most this share is released by chance where nothing is held back.
const CHANCE_SHARE: f64 = 0.2;

/// The trials of one kind of call.
#[derive(Debug)]
pub struct Trials<'t> {
    /// All that got an answer.
    pub all: Vec<&'t Exchange>,
    /// Those in which part of the answer was read and the rest was missing for a while.
    pub in_parts: Vec<(&'t Exchange, Release)>,
    /// How many of them had the rest missing when the acknowledgement went.
    pub valid: usize,
    /// Those of them in which the rest came within that system call.
    pub released: Vec<(&'t Exchange, Release)>,
    /// How many answers came whole or without our acknowledgement.
    pub by_itself: usize,
}

impl<'t> Trials<'t> {
    /// The trials of a trace. One kind of call is enough: the one that was tried last, whose answers came in pieces if
    /// any did. `None` where there was no trial.
    pub fn of(trace: &'t Trace) -> Option<Self> {
        let label = trace.conforming().filter(|e| e.label.starts_with("trial-")).last().map(|e| e.label.clone())?;
        let is_trial = |exchange: &&Exchange| exchange.label == label && exchange.response().is_some();
        let all: Vec<&Exchange> = trace.exchanges().filter(is_trial).collect();
        let in_parts: Vec<(&Exchange, Release)> =
            all.iter().filter_map(|exchange| Some((*exchange, *exchange.releases.first()?))).collect();
        let valid: Vec<(&Exchange, Release)> = in_parts.iter().filter(|(_, r)| is_valid(r)).copied().collect();
        let released = valid.iter().filter(|(_, release)| release.queued.1 > 0).copied().collect();
        let by_itself = all.len() - in_parts.len() + in_parts.iter().filter(|(_, r)| r.queued.0 > 0).count();
        Some(Self { all, in_parts, valid: valid.len(), released, by_itself })
    }

    /// Whether the rest came upon our acknowledgement, and not by chance.
    pub fn show_it(&self) -> bool {
        self.valid >= ENOUGH && share(self.released.len(), self.valid) >= RELEASED_SHARE
    }

    /// Whether our acknowledgement had nothing to do with when the rest came.
    pub(super) fn exclude_it(&self) -> bool {
        self.all.len() >= ENOUGH && self.released.len() as f64 <= CHANCE_SHARE * self.all.len() as f64
    }

    /// What proves it.
    pub fn evidence(&self) -> String {
        format!(
            "{} of {} missing parts arrived within the very system call that let our acknowledgement go: the \
             server has no TCP_NODELAY and writes its answer in several small pieces",
            self.released.len(),
            self.valid
        )
    }
}

/// A part of a whole.
pub fn share(part: usize, of: usize) -> f64 {
    part as f64 / of.max(1) as f64
}

/// Part of the answer had been read, the rest was missing, and nothing had left us meanwhile.
fn is_valid(release: &Release) -> bool {
    release.received_before > 0 && release.queued.0 == 0 && !release.acked_before
}

/// The rule: what is late is a later part of the answer, and such parts wait for our acknowledgement.
pub(super) fn evidence(calls: &Calls<'_>) -> Option<String> {
    let trials = calls.trials.as_ref().filter(|trials| trials.show_it())?;
    let is_a_later_part = matches!(calls.late_part(), Some(LatePart::Response | LatePart::End));
    is_a_later_part.then(|| trials.evidence())
}
