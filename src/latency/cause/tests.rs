//! Each cause from an edited good trace, what takes it away again, and what leaves it open.

use std::time::Duration;

use crate::checks::proofs::edited;
use crate::scenario::Scenario;
use crate::spec::{Era, Revision};
use crate::trace::edit::Edit;
use crate::trace::{Event, Exchange, PeerEnd, What};
use crate::verdict::{Outcome, Verdict};

const LATE: Duration = Duration::from_millis(40);

const REPEATED: &str = "latency/repeated-calls-within-budget";
const BESIDE: &str = "latency/calls-beside-others-within-budget";

/// The kernel's clock and withheld acknowledgements are what the causes stand on.
fn observes() -> bool {
    let observes = crate::wire::os::stamp_sentinel().is_some();
    if !observes {
        crate::skipped("linux", "causes are told apart by what only Linux can observe");
    }
    observes
}

fn repeated(exchange: &Exchange) -> bool {
    exchange.label == "repeated-call"
}

fn trial(exchange: &Exchange) -> bool {
    exchange.label.starts_with("trial-")
}

fn all_late(edit: &mut Edit) {
    edit.each(repeated, |call| {
        call.delay_answer(LATE);
    });
}

fn end_late(edit: &mut Edit) {
    edit.each(repeated, |call| {
        call.delay_last_bytes(5, LATE);
    });
}

fn response_late(edit: &mut Edit) {
    edit.each(repeated, |call| {
        call.delay_last_bytes(30, LATE);
    });
}

fn held_back(edit: &mut Edit) {
    edit.each(trial, |trial| {
        trial.hold_back_until_acknowledged();
    });
}

/// As if all the events of each answer had come in one segment.
fn together(edit: &mut Edit) {
    edit.events(|event| match &mut event.what {
        What::Read { segments: Some(segments), .. } => {
            *segments = 1;
            true
        }
        _ => false,
    });
}

/// As if that experiment had not been made.
fn without(edit: &mut Edit, experiment: &str) {
    edit.events(|event| match &mut event.what {
        What::Asked { label, .. } if label.starts_with(experiment) => {
            "something-else".clone_into(label);
            true
        }
        _ => false,
    });
}

fn each_reconnects(edit: &mut Edit) {
    edit.each(repeated, |call| {
        call.then_ends_and_we_reconnect(PeerEnd::Fin);
    });
    edit.each(repeated, |call| {
        call.delay_answer_alone(LATE);
    });
}

/// The causes of the findings in the edited traces of an era, one for each revision; `-` where none is named.
fn causes(id: &str, scenario: Scenario, era: Era, edit: fn(&mut Edit)) -> Vec<String> {
    let of_era = |(revision, _): &(Revision, Outcome)| revision.era() == era;
    let outcomes = edited(id, scenario, edit).into_iter().filter(of_era);
    let named = |(_, outcome): (Revision, Outcome)| match outcome.findings.first() {
        Some(finding) => finding.cause.as_ref().map_or("-".to_owned(), |cause| cause.name.clone()),
        None => outcome.verdict().to_string(),
    };
    outcomes.map(named).collect()
}

#[track_caller]
fn assert_legacy(wanted: &str, edit: fn(&mut Edit)) {
    assert_eq!(causes(REPEATED, Scenario::RepeatedCalls, Era::Legacy, edit), [wanted; 3]);
}

#[track_caller]
fn assert_modern(wanted: &str, edit: fn(&mut Edit)) {
    assert_eq!(causes(REPEATED, Scenario::RepeatedCalls, Era::Modern, edit), [wanted]);
}

#[test]
fn a_late_first_byte_of_a_server_that_flushes_is_thinking_time() {
    if observes() {
        assert_legacy("thinking-time", all_late);
        // One JSON text: there is nothing to flush.
        assert_modern("thinking-time", all_late);
    }
}

#[test]
fn a_late_first_byte_of_a_server_whose_events_come_together_is_a_missing_flush() {
    if observes() {
        assert_legacy("flush-missing", |edit| {
            all_late(edit);
            together(edit);
        });
    }
}

#[test]
fn a_late_rest_that_comes_upon_our_acknowledgement_is_held_back() {
    if observes() {
        assert_legacy("held-back-segment", |edit| {
            end_late(edit);
            held_back(edit);
        });
        assert_legacy("held-back-segment", |edit| {
            response_late(edit);
            held_back(edit);
        });
        assert_modern("held-back-segment", |edit| {
            response_late(edit);
            held_back(edit);
        });
    }
}

#[test]
fn a_late_end_that_does_not_wait_for_us_is_a_stream_that_was_not_ended() {
    if observes() {
        assert_legacy("stream-not-ended", end_late);
    }
}

#[test]
fn what_is_held_back_does_not_explain_a_late_first_byte() {
    if observes() {
        assert_legacy("thinking-time", |edit| {
            all_late(edit);
            held_back(edit);
        });
    }
}

#[test]
fn calls_that_are_slow_on_new_connections_only_are_slow_for_want_of_reuse() {
    if observes() {
        assert_legacy("connection-not-reusable", each_reconnects);
        assert_modern("connection-not-reusable", each_reconnects);
        // Where a connection that was there for a while is no faster, it is not the connecting.
        assert_modern("thinking-time", |edit| {
            each_reconnects(edit);
            edit.each(
                |exchange| exchange.label == "prepared-call",
                |call| {
                    call.delay_answer_alone(LATE);
                },
            );
        });
        // Without that control nobody is judged by calls that need a connection each.
        assert_modern("not-exercised", |edit| {
            each_reconnects(edit);
            without(edit, "prepared-call");
        });
    }
}

#[test]
fn without_the_experiment_no_cause_is_named() {
    if observes() {
        assert_legacy("-", |edit| {
            end_late(edit);
            without(edit, "trial-");
        });
        assert_legacy("-", |edit| {
            response_late(edit);
            without(edit, "trial-");
        });
    }
}

#[test]
fn two_late_parts_have_no_single_cause() {
    if observes() {
        assert_legacy("-", |edit| {
            all_late(edit);
            end_late(edit);
        });
    }
}

#[test]
fn first_calls_that_are_slow_alone_are_a_cold_start_and_no_finding() {
    if observes() {
        let cold = edited(REPEATED, Scenario::RepeatedCalls, |edit| {
            edit.each(
                |exchange| exchange.label == "first-call",
                |call| {
                    call.delay_answer(LATE);
                },
            );
        });
        for (revision, outcome) in cold {
            assert_eq!(outcome.verdict(), Verdict::Pass, "{revision}");
            assert!(outcome.reason().is_some_and(|why| why.starts_with("cold-start: 5 of 5")), "{outcome:?}");
        }
    }
}

#[test]
fn where_the_threads_of_the_server_waited_for_a_processor_nothing_is_told() {
    if observes() {
        let busy = |edit: &mut Edit| {
            all_late(edit);
            let (mut events, mut total): (Vec<Event>, u64) = (Vec::new(), 0);
            for event in edit.trace().events.clone() {
                if matches!(event.what, What::Asked { .. }) {
                    total += u64::try_from(LATE.as_nanos()).unwrap_or(u64::MAX);
                    events.push(Event { what: What::PeerWaited { total }, ..event.clone() });
                }
                events.push(event);
            }
            edit.replace(events);
        };
        assert_legacy("inconclusive", busy);
        assert_modern("inconclusive", busy);
    }
}

#[test]
fn calls_that_are_answered_behind_another_wait_for_it() {
    if observes() {
        for era in [Era::Legacy, Era::Modern] {
            let behind_call = causes(BESIDE, Scenario::CallsBeside, era, |edit| behind(edit, "beside-slow-call", 1));
            assert!(behind_call.iter().all(|cause| cause == "head-of-line-blocking"), "{behind_call:?}");
            let behind_body = causes(BESIDE, Scenario::CallsBeside, era, |edit| behind(edit, "beside-slow-body", 1));
            assert!(behind_body.iter().all(|cause| cause == "lock-over-body"), "{behind_body:?}");
        }
    }
}

#[test]
fn calls_that_wait_for_another_now_and_then_tell_nothing() {
    if observes() {
        for label in ["beside-slow-call", "beside-slow-body"] {
            let now_and_then = match label {
                "beside-slow-call" => |edit: &mut Edit| behind(edit, "beside-slow-call", 2),
                _ => |edit: &mut Edit| behind(edit, "beside-slow-body", 2),
            };
            let verdicts = causes(BESIDE, Scenario::CallsBeside, Era::Legacy, now_and_then);
            assert_eq!(verdicts, ["inconclusive"; 3], "{label}");
        }
    }
}

/// Every so many of the calls beside come far behind all else.
fn behind(edit: &mut Edit, label: &str, every: usize) {
    let asked: Vec<u32> = edit.trace().labelled(label).map(|exchange| exchange.asked.seq).collect();
    // Of the calls of a round the first counts.
    let per_round = asked.len() / 5;
    let chosen: Vec<u32> = asked.iter().step_by(per_round * every).copied().collect();
    edit.each(
        |exchange| chosen.contains(&exchange.asked.seq),
        |call| {
            call.delay_answer_alone(Duration::from_millis(400));
        },
    );
}
