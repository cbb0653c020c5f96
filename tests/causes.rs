//! Which cause is named for which switch of the reference server: every cause is recognised, and none is taken for
//! another, on an idle machine and on a busy one.
//!
//! The reference server runs in a process of its own, as the servers of users do, so that what its threads wait for a
//! processor is known. This is a binary of its own, so that no other test runs meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_mcpwire");

/// The switches, and the cause that each brings about.
const SWITCHES: [(&str, &str); 9] = [
    ("", "none"),
    ("--fault nagle", "held-back-segment"),
    ("--fault stream-ended-by-timer", "stream-not-ended"),
    ("--fault accepts-by-timer", "connection-not-reusable"),
    ("--fault slow-calls", "thinking-time"),
    ("--fault flushed-by-timer", "flush-missing"),
    ("--fault one-at-a-time", "head-of-line-blocking"),
    ("--fault lock-over-body", "lock-over-body"),
    ("--variant cold-start", "cold-start"),
];

/// What a machine may do to each of them.
const TOO_BUSY: &str = "too-busy";

/// A finding without a cause.
const UNCLEAR: &str = "unclear";

/// How often a run is made afresh that was inconclusive: the machine is shared.
const TRIES: u32 = 4;

/// How many threads keep the processors busy.
const SPINNERS: usize = 8;

/// One test at a time: the busy one would be the other's noise.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn every_cause_is_recognised_and_none_is_taken_for_another() {
    if !can_tell() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut matrix = String::new();
    for (switch, cause) in SWITCHES {
        let mut seen = causes(switch, "auto");
        for _ in 1..TRIES {
            if !seen.contains_key(TOO_BUSY) {
                break;
            }
            seen = causes(switch, "auto");
        }
        matrix.push_str(&format!("{}\n", if switch.is_empty() { "no switch" } else { switch }));
        for (name, revisions) in &seen {
            matrix.push_str(&format!("    {name} ({})\n", revisions.iter().cloned().collect::<Vec<_>>().join(" ")));
        }
        assert!(seen.keys().all(|name| name == cause || name == "none"), "{switch}: {seen:?}");
        assert!(seen.contains_key(cause), "{switch}: {seen:?}");
    }
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("causes", matrix));
}

#[test]
fn on_a_busy_machine_a_cause_is_recognised_or_none_is_named() {
    if !can_tell() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..SPINNERS {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let _end = SetOnDrop(&over);
        for (switch, cause) in SWITCHES {
            let seen = causes(switch, "2025-11-25");
            eprintln!("{switch}: {seen:?}");
            let fine = |name: &String| [cause, "none", UNCLEAR, TOO_BUSY].contains(&name.as_str());
            assert!(seen.keys().all(fine), "{switch}: {seen:?}");
        }
    });
}

/// Ends the threads however the test ends.
struct SetOnDrop<'f>(&'f AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn can_tell() -> bool {
    let can = cfg!(all(target_os = "linux", not(mcpwire_portable)));
    if !can {
        mcpwire::skipped("linux", "causes are told apart by what only Linux can observe");
    }
    can
}

/// The causes that are named, and in which revisions: those of findings and remarks, and where no check names any,
/// `none`, or that the machine was too busy.
fn causes(switch: &str, revision: &str) -> BTreeMap<String, BTreeSet<String>> {
    let server = format!("{BINARY} reference --port {{port}} {switch}");
    let output = Command::new(BINARY)
        .args(["server", "--cmd", &server, "--revision", revision, "--only", "latency/*", "--report", "json"])
        .args(["--tool", r#"slow=slow:{"ms":150}"#, "--tool", "progress=progress"])
        .output()
        .expect("mcpwire runs");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut by_revision: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for check in report["checks"].as_array().into_iter().flatten() {
        let named = by_revision.entry(check["revision"].as_str().unwrap_or_default()[2..7].to_owned()).or_default();
        for finding in check["findings"].as_array().into_iter().flatten() {
            named.insert(finding["cause"]["name"].as_str().unwrap_or(UNCLEAR).to_owned());
        }
        let reason = check["reason"].as_str().unwrap_or_default();
        if reason.starts_with("cold-start: ") {
            named.insert("cold-start".to_owned());
        }
        if check["verdict"] == "inconclusive" {
            named.insert(TOO_BUSY.to_owned());
        }
    }
    let mut by_cause: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (revision, named) in by_revision {
        let named = if named.is_empty() { BTreeSet::from(["none".to_owned()]) } else { named };
        for cause in named {
            by_cause.entry(cause).or_default().insert(revision.clone());
        }
    }
    by_cause
}
