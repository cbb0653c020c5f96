//! What comes again and again is written once.

use super::turn::Turn;

/// So many turns may make up what is repeated.
const LONGEST: usize = 16;

/// Turns in a row, and how often they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first turn.
    pub start: usize,
    /// How many turns.
    pub turns: usize,
    /// How often they come in a row.
    pub times: usize,
}

/// The turns, in runs. Where several runs could begin at a turn, the one that covers most.
pub fn runs(turns: &[Turn]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < turns.len() {
        let best = (1..=LONGEST.min((turns.len() - start) / 2))
            .map(|length| Run { start, turns: length, times: times(&turns[start..], length) })
            .filter(|run| run.times > 1)
            // Of equal ones, the shortest period.
            .max_by_key(|run| (run.turns * run.times, std::cmp::Reverse(run.turns)));
        let run = best.unwrap_or(Run { start, turns: 1, times: 1 });
        start += run.turns * run.times;
        runs.push(run);
    }
    runs
}

fn times(turns: &[Turn], length: usize) -> usize {
    let first = &turns[..length];
    1 + turns[length..].chunks_exact(length).take_while(|next| first.iter().eq(next.iter())).count()
}
