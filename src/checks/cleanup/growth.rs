//! Growth in proportion to the work: what the target held, and how that rose from count to count.

use crate::trace::{Trace, What};
use crate::verdict::{Cite, Judge};

/// Growth by so many for each round of work, in both steps. What is opened once, however late, grows in one of them at
/// the most, and what leaks for each connection, request or session grows by one or more in both: a round has at least
/// one of each. The claim holds for everything between.
const LEAST: f64 = 0.5;

/// One count: the event, the rounds behind it, and what was counted.
#[derive(Clone, Copy, Debug)]
struct Count {
    seq: u32,
    rounds: u32,
    count: u32,
    /// How many of the descriptors are sockets in CLOSE_WAIT, where that is known.
    close_wait: Option<u32>,
}

/// The counts of a trace, the warm-up left out.
fn counts(trace: &Trace, of: fn(&What) -> Option<u32>) -> Vec<Count> {
    let counts = trace.events.iter().filter_map(|event| match event.what {
        What::PeerHeld { rounds, close_wait, .. } if rounds > 0 => {
            Some(Count { seq: event.seq, rounds, count: of(&event.what)?, close_wait })
        }
        _ => None,
    });
    counts.collect()
}

/// Finds growth of what this counts. The third count is taken only where the second has grown.
pub(super) fn find(trace: &Trace, judge: &mut Judge<'_>, cite: Cite, thing: &str, of: fn(&What) -> Option<u32>) {
    let counts = counts(trace, of);
    let things = match thing.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{thing}s"),
    };
    let [_, _, ..] = counts[..] else { return };
    let per_round = |pair: &[Count]| {
        (f64::from(pair[1].count) - f64::from(pair[0].count)) / f64::from((pair[1].rounds - pair[0].rounds).max(1))
    };
    let steps: Vec<f64> = counts.windows(2).map(per_round).collect();
    if steps.iter().any(|step| *step < LEAST) {
        judge.examined();
        return;
    }
    if steps.len() < 2 {
        judge.inconclusive(format!("there were more {things} after the work than before, and it was not repeated"));
        return;
    }
    judge.examined();
    let (first, last) = (&counts[0], &counts[counts.len() - 1]);
    let told: Vec<String> = counts.iter().map(|count| format!("{} after {}", count.count, count.rounds)).collect();
    let share = (f64::from(last.count) - f64::from(first.count)) / f64::from((last.rounds - first.rounds).max(1));
    let mut finding = judge.finding(
        cite,
        format!("a round of work leaves nothing behind: less than half a {thing} for each round"),
        format!("{things} grow by {share:.1} for each round of work: {} rounds", told.join(", ")),
    );
    for count in &counts {
        finding = finding.event(count.seq);
    }
    if thing == "descriptor"
        && let (Some(from), Some(to)) = (first.close_wait, last.close_wait)
        && f64::from(to.saturating_sub(from)) >= f64::from(last.count - first.count) / 2.0
    {
        let evidence = format!(
            "{} of the {} that were added are sockets in CLOSE_WAIT: the client has closed, the server has not",
            to - from,
            last.count - first.count
        );
        finding.because("sockets left in CLOSE_WAIT", evidence);
    }
}

/// Makes what this picks grow by so many for each round, from what it was at the first count; a third count is added
/// where the trace has only two.
#[cfg(test)]
pub(super) fn grow(edit: &mut crate::trace::edit::Edit, by: [u32; 2], damage: fn(&mut What, u32)) {
    let mut events = edit.trace().events.clone();
    let is_count = |what: &What| matches!(what, What::PeerHeld { rounds: 1.., .. });
    let mut places: Vec<usize> = (0..events.len()).filter(|at| is_count(&events[*at].what)).collect();
    let [first, second, rest @ ..] = &places[..] else { return };
    if rest.is_empty() {
        let mut third = events[*second].clone();
        if let What::PeerHeld { rounds, .. } = &mut third.what {
            *rounds *= 2;
        }
        events.insert(second + 1, third);
        places = vec![*first, *second, second + 1];
    }
    let rounds = |at: usize| match events[at].what {
        What::PeerHeld { rounds, .. } => rounds,
        _ => 0,
    };
    let per_round = [rounds(places[1]) - rounds(places[0]), rounds(places[2]) - rounds(places[1])];
    let first = events[places[0]].what.clone();
    let mut more = 0;
    for (nth, at) in places[1..3].iter().enumerate() {
        more += per_round[nth] * by[nth] / 2;
        let at_rounds = rounds_of(&events[*at].what);
        events[*at].what = first.clone();
        if let What::PeerHeld { rounds, .. } = &mut events[*at].what {
            *rounds = at_rounds;
        }
        damage(&mut events[*at].what, more);
    }
    edit.replace(events);
}

#[cfg(test)]
fn rounds_of(what: &What) -> u32 {
    match what {
        What::PeerHeld { rounds, .. } => *rounds,
        _ => 0,
    }
}
