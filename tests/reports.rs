//! Several reports of one target side by side: what `ci/run` and `ci/soak` ask of them.
//!
//! Each test reads reports that somebody else made, named by an environment variable; without it there is
//! nothing to compare, and it says so.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// A check in a revision.
type Key = (String, String);

fn verdicts(path: &PathBuf) -> BTreeMap<Key, String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(report["incomplete"].is_null(), "{}: {}", path.display(), report["incomplete"]);
    let word = |check: &Value, member: &str| check[member].as_str().expect("a string").to_owned();
    let checks = report["checks"].as_array().expect("checks").iter();
    checks.map(|check| ((word(check, "id"), word(check, "revision")), word(check, "verdict"))).collect()
}

fn named(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    if path.is_none() {
        eprintln!("SKIPPED: {variable} names nothing to compare (ci/run and ci/soak set it)");
    }
    path
}

/// `MCPWIRE_REPORT_A` is what this platform sees, `MCPWIRE_REPORT_B` what a build sees that cannot observe as much.
#[test]
fn a_platform_that_sees_less_says_the_same_or_that_it_cannot_see() {
    let (Some(a), Some(b)) = (named("MCPWIRE_REPORT_A"), named("MCPWIRE_REPORT_B")) else { return };
    let (whole, less) = (verdicts(&a), verdicts(&b));
    assert!(whole.keys().eq(less.keys()), "the same checks in the same revisions");
    let mut unseen = 0;
    for (key, verdict) in &whole {
        let other = &less[key];
        assert!(other == verdict || other == "not-exercised", "{key:?}: {verdict} here, {other} there");
        unseen += usize::from(other != verdict);
    }
    println!("{} verdicts, {unseen} of them not exercised where less can be observed", whole.len());
}

/// `MCPWIRE_SOAK` is a folder with one JSON report for each run against the reference server or client.
#[test]
fn on_a_busy_machine_no_verdict_flips_and_hardly_any_is_inconclusive() {
    let Some(folder) = named("MCPWIRE_SOAK") else { return };
    let entries = fs::read_dir(&folder).expect("the folder of the soak").flatten().map(|entry| entry.path());
    let runs: Vec<_> = entries.filter(|path| path.extension().is_some_and(|kind| kind == "json")).collect();
    assert!(!runs.is_empty(), "{} holds no report", folder.display());

    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen: BTreeMap<Key, BTreeMap<String, usize>> = BTreeMap::new();
    for (key, verdict) in runs.iter().flat_map(verdicts) {
        *counts.entry(verdict.clone()).or_default() += 1;
        *seen.entry(key).or_default().entry(verdict).or_default() += 1;
    }
    println!("{} runs: {counts:?}", runs.len());
    let steady: Vec<&str> = vec!["not-applicable", "pass"];
    for (key, verdicts) in seen.iter().filter(|(_, verdicts)| !verdicts.keys().all(|v| steady.contains(&v.as_str()))) {
        println!("{key:?}: {verdicts:?}");
    }
    let of = |verdict: &str| counts.get(verdict).copied().unwrap_or(0);
    assert_eq!((of("fail"), of("fault")), (0, 0), "the reference server and client conform, on a busy machine as well");
    let all: usize = counts.values().sum();
    assert!(
        of("inconclusive") * 100 <= all,
        "{} of {all} verdicts are inconclusive: more than 1 %",
        of("inconclusive")
    );
}
