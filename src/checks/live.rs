//! Proof that the checks fail live: the whole suite against the reference server, one switch at a time, and against the
//! reference client.
//!
//! The runs go side by side and with short patience, so that each matrix takes a minute or two.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::proofs::{LOAD, client_subject, snapshot};
use crate::catalogue;
use crate::drive::{ClientSubject, Experiments, Subject, record, record_client};
use crate::judgement::judge;
use crate::manifest::{Load, Options, Role};
use crate::reference::{Config, Fault, Variant, client};
use crate::report::Report;
use crate::spec::Revision;
use crate::target::{Permission, Target, ToolRoles};
use crate::verdict::{Level, Verdict};
use crate::wire::interrupt::Interrupt;

/// So many runs at once: most of their time they wait.
const SIDE_BY_SIDE: usize = 5;

/// So often is a run made again, with nothing beside it, that comes out otherwise than reviewed.
const TRIES_ALONE: usize = 2;

/// What the fallback build, which has no clock but ours, cannot measure.
const OF_KERNEL_CLOCK: [&str; 5] = [
    "isolation/bystanders-are-served",
    "latency/no-held-back-segment",
    "latency/repeated-calls-within-budget",
    "latency/calls-beside-others-within-budget",
    "http/get-head-at-once",
];

/// What only a process of its own can show: `tests/cli/load.rs` starts one.
const OF_A_PROCESS: [&str; 1] = ["cleanup/memory"];

/// What a fault fails besides in some runs only, as the threads of the client or its last segments come: left out.
const BY_CHANCE: [(&str, &str); 6] = [
    ("holds-body", "client/orderly-close"),
    ("answers-by-order", "client/server-requests"),
    // Whether all have their answers in time where each waits for all others.
    ("one-at-a-time", "isolation/answers-reach-their-caller"),
    // Whether another stream was there to report on while one was resumed.
    ("reports-on-any-stream", "resumption/nothing-of-other-streams"),
    // Whether a caller had had its answer by then; in 2025-11-25 it may resume it.
    ("hangs-up-on-all", "isolation/survives-a-dropped-connection"),
    ("hangs-up-on-all", "http/body-complete"),
];

#[test]
fn every_fault_fails_the_checks_that_it_violates_and_the_rest_is_as_reviewed() {
    let with = |fault: &Fault| {
        // Only what shows under load is worth the time that it takes.
        let load = if fault.violates().iter().any(|id| is_judged_under_load(id)) { LOAD } else { Load::default() };
        let played = |revisions| run(Config { fault: Some(*fault), ..Config::default() }, revisions, load);
        // One revision of each era, and all where neither of them shows it.
        let report = played(&[Revision::R20251125, Revision::R20260728]);
        match missing((fault.name(), fault.violates()), &report).is_empty() {
            true => report,
            false => played(&Revision::ALL),
        }
    };
    let named = |fault: &Fault| (fault.name(), fault.violates());
    as_reviewed("live-matrix", Fault::ALL, named, with);
}

#[test]
fn every_fault_of_a_client_fails_the_checks_that_it_violates_and_the_rest_is_as_reviewed() {
    let named = |fault: &client::Fault| (fault.name(), fault.violates());
    as_reviewed("client-live-matrix", client::Fault::ALL, named, |fault| run_client(*fault));
}

fn is_judged_under_load(id: &str) -> bool {
    catalogue::all().iter().any(|listed| listed.id() == id && listed.lacks(&Load::default()).is_some())
}

/// What a switch is called, and which checks it violates.
type Named = (&'static str, &'static [&'static str]);

/// Each fault fails the checks that it violates, in one revision at least; all that fails is in the snapshot. A run that
/// comes out otherwise than reviewed is made again, with nothing beside it: a busy machine adds rows.
fn as_reviewed<F: Sync>(name: &str, faults: &[F], named: impl Fn(&F) -> Named, run: impl Fn(&F) -> Report + Sync) {
    let reviewed = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("snapshots/{name}.snap")));
    let reviewed = reviewed.unwrap_or_default();
    let mut matrix = String::new();
    let mut missed = Vec::new();
    let is_as_reviewed = |lacking: &[String], rows: &str| {
        let lines = format!("\n{rows}");
        let rest = reviewed.find(&lines).map(|at| &reviewed[at + lines.len()..]);
        lacking.is_empty() && rest.is_some_and(|rest| !rest.starts_with(' '))
    };
    for (fault, report) in faults.iter().zip(side_by_side(faults, &run)) {
        let seen = |report: &Report| (missing(named(fault), report), rows(named(fault).0, report));
        let mut now = seen(&report);
        for _ in 0..TRIES_ALONE {
            if is_as_reviewed(&now.0, &now.1) {
                break;
            }
            now = seen(&run(fault));
        }
        missed.extend(now.0);
        matrix.push_str(&now.1);
    }
    assert!(missed.is_empty(), "{}\n\n{matrix}", missed.join("\n"));
    if cfg!(all(target_os = "linux", not(mcpwire_portable))) {
        snapshot(name, &matrix);
    } else {
        crate::skipped("linux", "the matrix is that of a platform that can observe everything");
    }
}

/// The violated checks that do not fail.
fn missing((fault, violates): Named, report: &Report) -> Vec<String> {
    let is_missing = |id: &&&str| {
        let failed = Revision::ALL.iter().any(|revision| report.ids(Verdict::Fail, *revision).contains(id));
        let unseen = || report.ids(Verdict::NotExercised, Revision::R20251125).contains(id);
        let excused = OF_KERNEL_CLOCK.contains(id) || OF_A_PROCESS.contains(id);
        let is_excused = excused && unseen();
        !failed && !is_excused
    };
    violates.iter().filter(is_missing).map(|id| format!("{fault} does not fail {id}")).collect()
}

/// All that fails, one line for each check, below the name of the fault.
fn rows(fault: &str, report: &Report) -> String {
    let mut rows = format!("{fault}\n");
    for verdict in [Verdict::Fault, Verdict::Fail] {
        for (id, revisions) in by_id(report, verdict) {
            if !BY_CHANCE.contains(&(fault, id)) {
                rows.push_str(&format!("    {verdict} {id} ({})\n", revisions.join(" ")));
            }
        }
    }
    rows
}

#[test]
fn every_check_has_a_fault_that_fails_it_live() {
    for listed in catalogue::all() {
        let id = listed.id();
        let is_violated = match listed.check.kind.role() {
            Role::Server => Fault::ALL.iter().any(|fault| fault.violates().contains(&id.as_str())),
            Role::Client => client::Fault::ALL.iter().any(|fault| fault.violates().contains(&id.as_str())),
        };
        assert!(is_violated, "no fault violates {id}");
    }
}

#[test]
fn no_legal_variant_trips_a_check() {
    let reports = side_by_side(Variant::ALL, |variant| {
        run(Config { variants: vec![*variant], ..Config::default() }, &Revision::ALL, LOAD)
    });
    for (variant, report) in Variant::ALL.iter().zip(&reports) {
        for check in &report.checks {
            let wrong = match check.verdict {
                Verdict::Fail | Verdict::Fault => true,
                // A budget may be hard to judge with so much going on at once.
                Verdict::Inconclusive => check.level >= Level::Should,
                _ => false,
            };
            let (name, why) = (variant.name(), &check.reason);
            assert!(
                !wrong,
                "{name}: {} in {}: {} {why:?}\n{:#?}",
                check.id, check.revision, check.verdict, check.findings
            );
        }
    }
}

fn by_id(report: &Report, verdict: Verdict) -> BTreeMap<&str, Vec<&'static str>> {
    let mut ids: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    for revision in Revision::ALL {
        for id in report.ids(verdict, revision) {
            ids.entry(id).or_default().push(&revision.date()[2..7]);
        }
    }
    ids
}

fn side_by_side<T: Sync>(switches: &[T], run: impl Fn(&T) -> Report + Sync) -> Vec<Report> {
    let next = Mutex::new(0..switches.len());
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                loop {
                    let Some(index) = next.lock().expect("no panic under the lock").next() else { return };
                    let report = run(&switches[index]);
                    done.lock().expect("no panic under the lock").insert(index, report);
                }
            });
        }
    });
    done.into_inner().expect("no panic under the lock").into_values().collect()
}

fn run(config: Config, revisions: &[Revision], load: Load) -> Report {
    let subject = Subject {
        target: Target::Reference(config),
        revisions: revisions.to_vec(),
        options: Options {
            timeout: Duration::from_millis(800),
            stream_end_grace: Duration::from_millis(400),
            load,
            ..Options::default()
        },
        experiments: Experiments::WhereSlow,
        roles: ToolRoles::default(),
        permission: Permission::default(),
        given: String::new(),
        interrupt: Interrupt::default(),
    };
    judge(&record(subject, &mut ()).expect("the reference server comes up")).expect("no selection")
}

/// The client has one revision of each era to speak, and another one where only that shows the fault.
fn run_client(fault: client::Fault) -> Report {
    let revisions = vec![Revision::R20251125, Revision::R20260728];
    let subject = ClientSubject { within: Duration::from_secs(12), ..client_subject(Some(fault), revisions) };
    judge(&record_client(&subject, &mut ()).expect("the reference client comes up")).expect("no selection")
}
