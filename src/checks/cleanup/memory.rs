//! # Calls leave no memory behind
//!
//! A server that keeps something of every call, a task, a buffer, an entry of a map, runs until its memory is full:
//! days after it was deployed, and far from the cause.
//!
//! `--soak` makes some ten thousand calls and looks at the resident memory of all the target's processes every 250
//! calls. Memory is a noisy witness: runtimes grow in steps, collect garbage when they like, and give little back. So
//! the first half is warm-up, and of the second half the slope counts (Theil–Sen, which no single step moves), measured
//! against its own noise: growth by 100 bytes a call or more that rises ten times above what is left of the samples
//! when the slope is taken away. It is advice.
//!
//! ## How to fix it
//! Look for what is registered with a call and not taken out again: tasks that are spawned and never reaped, senders
//! in a map of streams, listeners on a bus. Take it out where the request ends, also when it ends in an error.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Trace, What};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Soak),
    cites: &[Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a target in a process of its own, started with --cmd, on a system that lets us look into it (Linux)",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// Fewer calls do not separate a leak from a runtime's own growth: of 26 runs with a leak and 26 without, on three
/// runtimes, the rule below told all apart with 40,000 calls (facts), and a light runtime without a leak looked like a
/// leak over the calls from 10,000 to 20,000.
const ENOUGH: u32 = 40_000;

/// Bytes a call. Clean servers reach more than this in short windows, but not above their own noise.
const LEAST: f64 = 100.0;

/// How far growth must rise above the noise. Clean runs came to 6.1 at the most, leaking ones to 18.8 at the least.
const CLEAR: f64 = 10.0;

/// Memory comes in pages and arenas: less noise than this is luck.
const LEAST_NOISE: f64 = 64.0 * 1024.0;

/// Calls so far, and bytes.
type Sample = (f64, f64);

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let counted: Vec<(u32, u32, u64)> = trace
        .events
        .iter()
        .filter_map(|event| match event.what {
            What::PeerMemory { calls, resident } => Some((event.seq, calls, resident)),
            _ => None,
        })
        .collect();
    let Some((_, calls, _)) = counted.last().copied() else { return };
    if calls < ENOUGH {
        judge.not_exercised(format!("{calls} calls do not separate a leak from noise: it takes {ENOUGH}"));
        return;
    }
    judge.examined();
    let late: Vec<&(u32, u32, u64)> = counted.iter().filter(|(_, at, _)| *at >= calls / 2).collect();
    let samples: Vec<Sample> = late.iter().map(|(_, at, bytes)| (f64::from(*at), *bytes as f64)).collect();
    let (Some(slope), Some((first, last))) = (slope(&samples), late.first().zip(late.last())) else { return };
    let window = f64::from(last.1 - first.1);
    let clarity = slope * window / noise(&samples, slope).max(LEAST_NOISE);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let grew = format!("{slope:.0} bytes a call ({:.1} MiB after {} calls, {:.1} MiB after {})", mib(first.2), first.1, mib(last.2), last.1);
    if slope >= LEAST && clarity >= CLEAR {
        let observed = format!("memory grows by {grew}, {clarity:.0} times its own noise");
        let finding = judge.finding(Cite::Advice, "calls that have ended leave no memory behind", observed);
        finding.event(first.0).event(last.0);
    } else {
        judge.remark(format!("memory changed by {grew}"));
    }
}

/// The median of the slopes between all pairs (Theil–Sen): no minority of samples moves it.
fn slope(samples: &[Sample]) -> Option<f64> {
    let pairs = samples.iter().enumerate().flat_map(|(nth, from)| samples[nth + 1..].iter().map(move |to| (from, to)));
    median(pairs.map(|(from, to)| (to.1 - from.1) / (to.0 - from.0)).collect())
}

/// What is left of the samples without the slope: the median of the distances from their median.
fn noise(samples: &[Sample], slope: f64) -> f64 {
    let rest: Vec<f64> = samples.iter().map(|(calls, bytes)| bytes - slope * calls).collect();
    let Some(middle) = median(rest.clone()) else { return 0.0 };
    median(rest.iter().map(|rest| (rest - middle).abs()).collect()).unwrap_or_default()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// So much more for each call, up to this many.
#[cfg(test)]
fn grow(edit: &mut crate::trace::edit::Edit, a_call: u64, until: u32) {
    edit.events(|event| match &mut event.what {
        What::PeerMemory { calls, resident } => {
            *resident += a_call * u64::from(until.min(*calls));
            true
        }
        _ => false,
    });
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("something-of-every-call-stays", Scenario::Soak, |edit| grow(edit, 350, u32::MAX))];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::tolerates;

    const ID: &str = "cleanup/memory";

    #[test]
    fn warming_up_is_no_leak() {
        tolerates(ID, Scenario::Soak, |edit| grow(edit, 2_000, ENOUGH / 2));
    }

    #[test]
    fn growth_in_one_step_is_no_leak() {
        tolerates(ID, Scenario::Soak, |edit| {
            edit.events(|event| match &mut event.what {
                What::PeerMemory { calls, resident } if *calls > 31_000 => {
                    *resident += 8 << 20;
                    true
                }
                _ => false,
            });
        });
    }

    #[test]
    fn what_comes_and_goes_is_no_leak() {
        // A collector that lets 6 MiB gather, 1,500 bytes a call, and sweeps them up.
        tolerates(ID, Scenario::Soak, |edit| {
            edit.events(|event| match &mut event.what {
                What::PeerMemory { calls, resident } => {
                    *resident += u64::from(*calls % 4_000) * 1_500;
                    true
                }
                _ => false,
            });
        });
    }

    #[test]
    fn the_slope_is_that_of_most_pairs() {
        let line: Vec<Sample> = (0..9).map(|x| (f64::from(x), f64::from(7 * x))).collect();
        assert_eq!(slope(&line), Some(7.0));
        assert_eq!(noise(&line, 7.0), 0.0);
        assert_eq!(slope(&line[..1]), None);
    }
}
