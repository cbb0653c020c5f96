//! Proofs that the checks can pass, can fail, and fail only where they should.
//!
//! The good traces are recorded live from the reference server: every scenario, in every revision.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use rstest::rstest;

use crate::catalogue::{self, Listed};
use crate::drive::{ClientSubject, Experiments, Subject, record, record_client};
use crate::judgement::{judge, outcome};
use crate::manifest::{Crowd, Load, Options, Role};
use crate::reference::{Config, client};
use crate::report::Report;
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::target::client::Client;
use crate::target::{Permission, Target, ToolRoles};
use crate::trace::edit::{Edit, mutant};
use crate::trace::store::Recording;
use crate::trace::{Event, Trace, What};
use crate::verdict::{Outcome, Verdict};
use crate::wire::interrupt::Interrupt;

/// The good recording of a role.
fn good(role: Role) -> &'static Recording {
    match role {
        Role::Server => good_server(),
        Role::Client => good_client(),
    }
}

fn good_client() -> &'static Recording {
    static GOOD: OnceLock<Recording> = OnceLock::new();
    GOOD.get_or_init(|| {
        record_client(&client_subject(None, Revision::ALL.to_vec()), &mut ()).expect("it can be started")
    })
}

/// The embedded reference client as a subject.
pub(super) fn client_subject(fault: Option<client::Fault>, revisions: Vec<Revision>) -> ClientSubject {
    ClientSubject {
        client: Client::Reference(fault),
        revisions,
        options: Options::default(),
        within: Duration::from_secs(30),
        given: String::new(),
        interrupt: Interrupt::default(),
    }
}

pub(crate) fn good_server() -> &'static Recording {
    static GOOD: OnceLock<Recording> = OnceLock::new();
    GOOD.get_or_init(|| {
        let subject = Subject {
            target: Target::Reference(Config::default()),
            revisions: Revision::ALL.to_vec(),
            options: Options { load: LOAD, ..Options::default() },
            roles: ToolRoles::default(),
            experiments: Experiments::Always,
            permission: Permission::default(),
            given: String::new(),
            interrupt: Interrupt::default(),
        };
        let mut recording = record(subject, &mut ()).expect("the reference server comes up");
        for trace in recording.traces.iter_mut().filter(|trace| trace.scenario() == Scenario::Soak) {
            *trace = with_memory(trace);
        }
        recording
    })
}

/// Enough to see every step of the scenarios.
pub(super) const LOAD: Load = Load { soak: Some(300), crowd: Some(Crowd { sessions: 8, streams: 3 }) };

/// What cannot be seen of a server in this process, whose memory is ours too: the memory of one that warms up, and then
/// takes a little more and a little less. `tests/cli/load.rs` looks at a process.
fn with_memory(trace: &Trace) -> Trace {
    let mut events = trace.events.clone();
    let at = events.last().expect("the scenario was played").at;
    for sample in 1..=160_u32 {
        let calls = sample * 250;
        let resident = (9 << 20) + u64::from(calls.min(6_000)) * 40 + u64::from(sample % 7) * (16 << 10);
        events.push(Event { seq: events.len() as u32, at, what: What::PeerMemory { calls, resident } });
    }
    Trace::new(trace.head.clone(), events)
}

fn judged(role: Role) -> Report {
    judge(good(role)).expect("no selection")
}

#[rstest]
fn every_check_passes_on_the_good_traces_of_every_revision_and_examines_something(
    #[values(Role::Server, Role::Client)] role: Role,
) {
    let report = judged(role);
    for check in &report.checks {
        let excused = excused(&check.id, check.revision);
        let fine = match check.verdict {
            Verdict::Pass => check.examined > 0,
            Verdict::NotApplicable => catalogue_entry(&check.id).level(check.revision).is_none(),
            // What the fallback build cannot measure.
            Verdict::NotExercised => excused,
            _ => false,
        };
        assert!(
            fine,
            "{} in {}: {} {:?}\n{:#?}",
            check.id, check.revision, check.verdict, check.reason, check.findings
        );
    }
}

/// The fallback build withholds no acknowledgements, and has no clock but ours.
fn excused(id: &str, _revision: Revision) -> bool {
    good_server().manifest.instruments.lack_for(id)
}

#[test]
fn every_check_has_a_mutant_and_fails_on_each_of_its_own() {
    for listed in catalogue::all() {
        let id = listed.id();
        let good = good(listed.check.kind.role());
        assert!(!listed.check.mutants.is_empty(), "{id} has no mutant");
        for mutant in listed.check.mutants {
            let mut applied = 0;
            for trace in good.traces.iter().filter(|trace| trace.scenario() == mutant.scenario) {
                if listed.level(trace.revision()).is_none() || excused(&id, trace.revision()) {
                    continue;
                }
                let Some(damaged) = mutant.apply(trace) else { continue };
                applied += 1;
                let outcome = outcome(listed, &[&damaged], &good.manifest).expect("no panic");
                let name = mutant.name;
                assert_eq!(outcome.verdict(), Verdict::Fail, "{id} survives {name} in {}", trace.name());
                for finding in &outcome.findings {
                    assert!(!finding.events.is_empty(), "{id} cites no event for {name}");
                    let level = finding.cite.level(trace.revision());
                    assert!(level.is_some(), "{id} cites {:?}, which {} does not have", finding.cite, trace.revision());
                    assert!(listed.check.cites.contains(&finding.cite), "{id} does not declare {:?}", finding.cite);
                }
            }
            assert!(applied > 0 || excused(&id, Revision::R20251125), "{id}: {} found nothing to damage", mutant.name);
        }
    }
}

/// A mutant that trips a neighbour is seen here: whoever changes this matrix says why in the review.
#[test]
fn the_kill_matrix_is_as_reviewed() {
    if !good_server().manifest.instruments.withheld_ack {
        crate::skipped("linux", "the matrix is that of a platform that can observe everything");
        return;
    }
    let mut matrix = String::new();
    for owner in catalogue::all() {
        for mutant in owner.check.mutants {
            let mut killers: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
            let good = good(mutant.scenario.role());
            for trace in good.traces.iter().filter(|trace| trace.scenario() == mutant.scenario) {
                let Some(damaged) = mutant.apply(trace) else { continue };
                for id in failing_on(&damaged) {
                    killers.entry(id).or_default().insert(&trace.revision().date()[2..7]);
                }
            }
            let killers: Vec<String> = killers
                .into_iter()
                .map(|(id, revisions)| format!("{id} ({})", revisions.into_iter().collect::<Vec<_>>().join(" ")))
                .collect();
            matrix.push_str(&format!("{} {}\n    {}\n", owner.id(), mutant.name, killers.join("\n    ")));
        }
    }
    snapshot("kill-matrix", &matrix);
}

fn failing_on(trace: &Trace) -> Vec<String> {
    catalogue::all()
        .iter()
        .filter(|listed| listed.level(trace.revision()).is_some() && listed.check.kind.reads(trace.scenario()))
        .filter(|listed| {
            let good = good(trace.scenario().role());
            outcome(listed, &[trace], &good.manifest).is_ok_and(|outcome| outcome.verdict() == Verdict::Fail)
        })
        .map(Listed::id)
        .collect()
}

#[test]
fn every_file_in_an_area_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/checks");
    let listed: BTreeSet<String> = catalogue::all().iter().map(Listed::path).collect();
    let folders = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let mut pending = folders(&root);
    let mut files = BTreeSet::new();
    while let Some(area) = pending.pop() {
        pending.extend(folders(&area));
        for path in fs::read_dir(&area).expect("an area").flatten().map(|entry| entry.path()) {
            // What the checks of an area share stands in a file without a check.
            let is_check = |text: String| text.contains("const CHECK: Check");
            if path.is_file() && is_check(fs::read_to_string(&path).expect("a source file")) {
                let below = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).expect("a file of this package");
                files.insert(below.to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(files, listed);
}

#[test]
fn every_check_explains_itself_and_says_how_to_fix_what_it_finds() {
    for listed in catalogue::all() {
        let id = listed.id();
        let text = listed.explanation();
        assert!(!text.contains("TODO") && !listed.check.needs.contains("TODO"), "{id} is not filled in yet");
        assert!(text.starts_with("# "), "{id} has no heading");
        assert!(text.lines().nth(2).is_some_and(|line| line.len() > 30), "{id} does not say why it matters");
        assert!(listed.fix().len() > 30, "{id} does not say how to fix what it finds");
        assert!(!listed.check.needs.is_empty() && !listed.check.cites.is_empty(), "{id}");
        let everywhere = Revision::ALL.iter().all(|revision| listed.level(*revision).is_some());
        assert!(
            everywhere || !listed.check.elsewhere.is_empty(),
            "{id} does not say why it is not applicable elsewhere"
        );
    }
}

/// What a target says beside the wire stands with a finding, and decides nothing.
#[rstest]
fn no_check_reads_what_a_target_says_beside_the_wire(#[values(Role::Server, Role::Client)] role: Role) {
    let mut recording = good(role).clone();
    for trace in &mut recording.traces {
        let mut events = trace.events.clone();
        let at = events.last().expect("the scenario was played").at;
        for line in
            ["ERROR the session is lost", "HTTP/1.1 500 Internal Server Error", "{\"mcpwire\": 1, \"step\": \"close\"}"]
        {
            events.push(Event { seq: events.len() as u32, at, what: What::Said { line: line.to_owned() } });
        }
        *trace = Trace::new(trace.head.clone(), events);
    }
    let mut with = judge(&recording).expect("no selection");
    for finding in with.checks.iter_mut().flat_map(|check| &mut check.findings) {
        finding.said.clear();
    }
    assert_eq!(with, judged(role));
}

/// Right of the trace, nothing may touch the world.
#[test]
fn what_judges_is_pure() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders = ["baseline", "checks", "codec", "conversation", "latency", "report", "spec", "trace"];
    let mut pending: Vec<_> = folders.map(|name| source.join(name)).to_vec();
    let files =
        ["verdict.rs", "judgement.rs", "gate.rs", "sets.rs", "plan.rs", "catalogue.rs", "pattern.rs", "narrowing.rs"];
    pending.extend(files.map(|name| source.join(name)));
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(&path).expect("a folder").flatten().map(|entry| entry.path()));
            continue;
        }
        // The store reads and writes files, and the proofs record what they judge.
        let proofs = ["checks/proofs.rs", "checks/live.rs", "conversation/proofs.rs"];
        if path.ends_with("trace/store.rs") || proofs.iter().any(|proof| path.ends_with(proof)) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        let product = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for forbidden in
            ["tokio", "std::net", "Instant", "SystemTime", "std::env", "std::fs", "crate::drive", "crate::target"]
        {
            assert!(!product.contains(forbidden), "{} uses {forbidden}", path.display());
        }
    }
}

/// What a check says of the good traces of a scenario that could be edited so, revision by revision.
pub(crate) fn edited(id: &str, scenario: Scenario, edit: fn(&mut Edit)) -> Vec<(Revision, Outcome)> {
    let edit = mutant("an edit", scenario, edit);
    let listed = catalogue_entry(id);
    let good = good(scenario.role());
    let outcomes: Vec<(Revision, Outcome)> = good
        .traces
        .iter()
        .filter(|trace| trace.scenario() == scenario && listed.level(trace.revision()).is_some())
        .filter_map(|trace| Some((trace.revision(), edit.apply(trace)?)))
        .map(|(revision, edited)| (revision, outcome(listed, &[&edited], &good.manifest).expect("no panic")))
        .collect();
    assert!(!outcomes.is_empty(), "{id}: nothing to edit");
    outcomes
}

/// The verdicts alone.
pub(crate) fn judged_in(id: &str, scenario: Scenario, edit: fn(&mut Edit)) -> Vec<(Revision, Verdict)> {
    edited(id, scenario, edit).into_iter().map(|(revision, outcome)| (revision, outcome.verdict())).collect()
}

/// A check passes on the good traces of a scenario that could be edited so.
pub(crate) fn tolerates(id: &str, scenario: Scenario, edit: fn(&mut Edit)) {
    for (revision, outcome) in edited(id, scenario, edit) {
        assert_eq!(outcome.verdict(), Verdict::Pass, "{id} in {revision}: {outcome:#?}");
    }
}

/// What is legal trips no check, even where it leaves nothing to examine.
pub(crate) fn legal(id: &str, scenario: Scenario, change: fn(&mut Edit)) {
    for (revision, verdict) in judged_in(id, scenario, change) {
        assert!(!matches!(verdict, Verdict::Fail | Verdict::Inconclusive), "{id} in {revision}: {verdict}");
    }
}

pub(crate) fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn catalogue_entry(id: &str) -> &'static Listed {
    catalogue::all().iter().find(|listed| listed.id() == id).expect("a listed check")
}
