//! # A finding against a client is seen twice
//!
//! A client is started anew for every scenario, on a machine that may be busy with other things: one call that ran out
//! of its time shows nothing. Scenarios in which something was found are played a second time, and what was found in
//! one of the two plays only is inconclusive. Pure: the recording holds both.

use std::collections::BTreeSet;

use crate::manifest::Role;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
use crate::trace::store::Recording;
use crate::verdict::{Finding, Outcome};

/// The scenarios of a client that have to be played again, in the order of the recording.
pub fn doubtful(recording: &Recording, report: &Report) -> Vec<(Revision, Scenario)> {
    if recording.manifest.role != Role::Client {
        return Vec::new();
    }
    let named: BTreeSet<&str> =
        report.checks.iter().flat_map(|check| &check.findings).map(|finding| finding.scenario.as_str()).collect();
    let found = |trace: &&Trace| named.contains(trace.name().as_str());
    recording.traces.iter().filter(found).map(|trace| (trace.revision(), trace.scenario())).collect()
}

/// Of what was found first, what was found again; `replayed` are the traces of the second plays.
pub fn confirmed(first: Outcome, again: &Outcome, replayed: &[&Trace]) -> Outcome {
    let second_of = |finding: &Finding| {
        let is_second = |second: &String| second.rsplit_once('-').is_some_and(|(first, _)| first == finding.trace);
        replayed.iter().map(|trace| trace.name()).find(is_second)
    };
    let is_confirmed = |finding: &Finding| match second_of(finding) {
        Some(second) => again.findings.iter().any(|other| other.trace == second && is_same(finding, other)),
        None => true,
    };
    let (findings, once): (Vec<Finding>, Vec<Finding>) = first.findings.into_iter().partition(is_confirmed);
    let seen_once = |finding: &Finding| format!("seen in one of two plays only: {}", finding.observed);
    let inconclusive = once.first().map(seen_once).or(first.inconclusive);
    Outcome { findings, inconclusive, ..first }
}

/// Whether two findings are of the same rule: numbers, such as those of requests, may differ.
fn is_same(one: &Finding, other: &Finding) -> bool {
    let words = |finding: &Finding| finding.expected.replace(|c: char| c.is_ascii_digit(), "");
    one.cite == other.cite && words(one) == words(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Distance, TraceHead, Vantage};
    use crate::verdict::{Cite, Verdict};

    fn played(scenario: Scenario, attempt: u32) -> Trace {
        let (revision, vantage, distance) = (Revision::R20251125, Vantage::Server, Distance::Loopback);
        Trace::new(TraceHead { scenario, revision, attempt, vantage, distance }, Vec::new())
    }

    fn found(expected: &str, trace: &Trace) -> Outcome {
        let finding = Finding {
            cite: Cite::Advice,
            expected: expected.to_owned(),
            observed: "something else".to_owned(),
            trace: trace.name(),
            events: Vec::new(),
            cause: None,
            exchange: Vec::new(),
        };
        Outcome { examined: 1, findings: vec![finding], ..Outcome::default() }
    }

    #[test]
    fn what_is_found_again_stands() {
        let (first, second) = (played(Scenario::ClientCancel, 1), played(Scenario::ClientCancel, 2));
        let again = found("the answer to request 14", &second);
        let outcome = confirmed(found("the answer to request 4", &first), &again, &[&second]);
        assert_eq!(outcome.verdict(), Verdict::Fail);
    }

    #[test]
    fn what_is_found_once_is_inconclusive() {
        let (first, second) = (played(Scenario::ClientCancel, 1), played(Scenario::ClientCancel, 2));
        for again in [Outcome::default(), found("another rule", &second)] {
            let outcome = confirmed(found("a rule", &first), &again, &[&second]);
            assert_eq!(outcome.verdict(), Verdict::Inconclusive);
            assert_eq!(outcome.reason(), Some("seen in one of two plays only: something else"));
        }
    }

    #[test]
    fn what_was_not_played_again_stands() {
        let (first, second) = (played(Scenario::ClientErrors, 1), played(Scenario::ClientCancel, 2));
        let outcome = confirmed(found("a rule", &first), &Outcome::default(), &[&second]);
        assert_eq!(outcome.verdict(), Verdict::Fail);
    }
}
