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
use crate::latency::cause::{Cause, Trials, share};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::Trace;
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

/// So few trials say nothing.
const ENOUGH: usize = 5;

/// This share of the trials that tell something must have shown the rest coming by itself for a pass: 926 of 1000
/// at the least, measured.
const BY_ITSELF_SHARE: f64 = 0.8;

/// So many trials that tell something are needed for a pass.
const ENOUGH_BY_ITSELF: usize = 16;

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    if !judge.manifest().instruments.withheld_ack {
        return judge.not_exercised("acknowledgements cannot be withheld on this platform");
    }
    let Some(trials) = Trials::of(trace) else { return };
    if trials.all.len() < ENOUGH {
        return judge.inconclusive(format!("only {} trials got an answer", trials.all.len()));
    }
    let Trials { all, in_parts, valid, released, by_itself } = &trials;
    if trials.show_it() {
        for _ in all {
            judge.examined();
        }
        let (exchange, release) = released[released.len() / 2];
        judge
            .finding(
                Cite::Budget,
                "every part of an answer is sent as soon as it is written",
                format!(
                    "{} of {} answers were held back until we acknowledged their first part",
                    released.len(),
                    all.len()
                ),
            )
            .shown_at(exchange, release.moment)
            .because(Cause::HeldBackSegment.name(), trials.evidence());
    } else if whole_enough(&trials) && share(*by_itself, by_itself + released.len()) >= BY_ITSELF_SHARE {
        for _ in all {
            judge.examined();
        }
        if in_parts.is_empty() {
            judge.remark("every answer came in one piece: nothing can be held back");
        }
    } else {
        judge.inconclusive(format!(
            "{} of {} answers came by themselves, and {} of {} missing parts upon our acknowledgement: too slow or \
             too mixed to tell",
            by_itself,
            all.len(),
            released.len(),
            valid
        ));
    }
}

/// Where nothing ever came in pieces, the scenario stops early.
fn whole_enough(trials: &Trials<'_>) -> bool {
    trials.by_itself >= if trials.in_parts.is_empty() { ENOUGH } else { ENOUGH_BY_ITSELF }
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
