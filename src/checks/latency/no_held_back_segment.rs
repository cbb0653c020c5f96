//! # No segment is held back
//!
//! A server that writes an answer in several small pieces, on a socket without `TCP_NODELAY`, has its second
//! piece held back by Nagle's algorithm until the client's kernel acknowledges the first one. Clients delay
//! that acknowledgement on a reused connection: every call but the first takes some 40 ms on Linux.
//!
//! The test does not measure times. Our acknowledgement is withheld; when part of an answer has come and the
//! rest is missing, it is let go, and a segment that was held back arrives within that system call. Slow
//! servers cannot be mistaken for it. An answer that always comes in one piece passes: nothing can be held
//! back, and the report says so.
//!
//! ## How to fix it
//! Set TCP_NODELAY on accepted connections (axum: `listener.tap_io(|tcp| { let _ = tcp.set_nodelay(true); })`;
//! hyper: `stream.set_nodelay(true)`), or write each answer with one system call.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::decode::Release;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::WithheldAck),
    cites: &[Cite::Budget],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a platform on which acknowledgements can be withheld, and a call that may be repeated",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// So few valid trials prove nothing. Four of five by chance: below 10^-11 (one in a thousand per trial, measured).
const ENOUGH: usize = 5;

/// This share of the valid trials must have been released for a finding: measured 1000 of 1000 where a segment is
/// held back, at most 1 of 1000 where not.
const RELEASED_SHARE: f64 = 0.8;

/// This share of the trials that tell something must have shown the rest coming by itself for a pass: 926 of 1000
/// at the least, measured.
const BY_ITSELF_SHARE: f64 = 0.8;

/// So many trials that tell something are needed for a pass.
const ENOUGH_BY_ITSELF: usize = 16;

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if !judge.manifest().instruments.withheld_ack {
        return judge.not_exercised("acknowledgements cannot be withheld on this platform");
    }
    // One kind of call is enough: the one that was tried last, whose answers came in pieces if any did.
    let Some(label) = trace.conforming().filter(|e| e.label.starts_with("trial-")).last().map(|e| e.label.clone())
    else {
        return;
    };
    let trials: Vec<&Exchange> = trace.labelled(&label).filter(|exchange| exchange.response().is_some()).collect();
    if trials.len() < ENOUGH {
        return judge.inconclusive(format!("only {} trials got an answer", trials.len()));
    }
    let releases: Vec<(&Exchange, Release)> =
        trials.iter().filter_map(|exchange| Some((*exchange, *exchange.releases.first()?))).collect();
    let valid: Vec<&(&Exchange, Release)> = releases.iter().filter(|(_, release)| is_valid(release)).collect();
    let released: Vec<&&(&Exchange, Release)> = valid.iter().filter(|(_, release)| release.queued.1 > 0).collect();
    let by_itself = trials.len() - releases.len() + releases.iter().filter(|(_, r)| r.queued.0 > 0).count();

    let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
    if valid.len() >= ENOUGH && share(released.len(), valid.len()) >= RELEASED_SHARE {
        for _ in &trials {
            judge.examined();
        }
        let evidence = format!(
            "{} of {} missing parts arrived within the very system call that let our acknowledgement go: the \
             server has no TCP_NODELAY and writes its answer in several small pieces",
            released.len(),
            valid.len()
        );
        let (exchange, release) = released[released.len() / 2];
        judge
            .finding(
                Cite::Budget,
                "every part of an answer is sent as soon as it is written",
                format!("{} of {} answers were held back until we acknowledged their first part", released.len(), trials.len()),
            )
            .shown_at(exchange, release.moment)
            .because("held-back-segment", evidence);
    } else if whole_enough(&releases, by_itself) && share(by_itself, by_itself + released.len()) >= BY_ITSELF_SHARE {
        for _ in &trials {
            judge.examined();
        }
        if releases.is_empty() {
            judge.remark("every answer came in one piece: nothing can be held back");
        }
    } else {
        judge.inconclusive(format!(
            "{} of {} answers came by themselves, and {} of {} missing parts upon our acknowledgement: too slow or \
             too mixed to tell",
            by_itself,
            trials.len(),
            released.len(),
            valid.len()
        ));
    }
}

/// Where nothing ever came in pieces, the scenario stops early.
fn whole_enough(releases: &[(&Exchange, Release)], by_itself: usize) -> bool {
    by_itself >= if releases.is_empty() { ENOUGH } else { ENOUGH_BY_ITSELF }
}

/// Part of the answer had been read, the rest was missing, and nothing had left us meanwhile.
fn is_valid(release: &Release) -> bool {
    release.received_before > 0 && release.queued.0 == 0 && !release.acked_before
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[mutant("the-rest-comes-upon-our-acknowledgement", Scenario::WithheldAck, |edit| {
    edit.each(
        |exchange| exchange.label.starts_with("trial-"),
        |trial| {
            trial.hold_back_until_acknowledged();
        },
    );
})];
