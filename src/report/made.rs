//! Reports made up for tests.

use super::{CheckReport, FindingReport, Report};
use crate::catalogue;
use crate::manifest::{FORMAT, Instruments, Manifest, Options, RevisionRun, Role, Selecting, TOOL, TargetFacts};
use crate::spec::Revision;
use crate::trace::Distance;
use crate::verdict::{Level, Verdict};

/// A check with this verdict; where it fails, with one finding of this level in the scenario `sequential-calls`.
pub fn check(id: &str, revision: Revision, verdict: Verdict, level: Level) -> CheckReport {
    let listed = catalogue::find(id).expect("a check");
    let reason = if verdict == Verdict::Pass { "" } else { "as it is" };
    let mut check = CheckReport::without_findings(listed, revision, level, verdict, reason.to_owned());
    if matches!(verdict, Verdict::Pass | Verdict::Fail) {
        check.examined = 3;
        check.seen_in = vec!["ids".to_owned(), "sequential-calls".to_owned()];
    }
    if verdict == Verdict::Fail {
        check.findings.push(finding(revision, "sequential-calls", level));
    }
    check
}

/// A finding in a scenario.
pub fn finding(revision: Revision, scenario: &str, level: Level) -> FindingReport {
    FindingReport {
        requirement: None,
        summary: None,
        link: None,
        level,
        expected: "what is right".to_owned(),
        observed: "what is wrong".to_owned(),
        scenario: format!("{revision}/{scenario}"),
        events: vec![1],
        cause: None,
        exchange: Vec::new(),
        said: Vec::new(),
        replay: "mcpwire server".to_owned(),
        baselined: false,
    }
}

/// A whole run of a server with these checks, on 2026-11-21.
pub fn report(checks: Vec<CheckReport>) -> Report {
    let how = String::new();
    let spoken = |revision| RevisionRun { revision, spoken: true, how: how.clone() };
    let manifest = Manifest {
        format: FORMAT,
        tool: TOOL.to_owned(),
        recorded: "2026-11-21T12:00:00Z".to_owned(),
        target: TargetFacts {
            kind: "url".to_owned(),
            name: "a server".to_owned(),
            server: None,
            distance: Distance::Loopback,
        },
        role: Role::Server,
        revisions: Revision::ALL.into_iter().map(spoken).collect(),
        options: Options::default(),
        floor: None,
        instruments: Instruments { kernel_times: true, withheld_ack: true },
        incomplete: None,
        faults: None,
        command: "mcpwire server".to_owned(),
        command_tail: String::new(),
        selecting: Selecting::default(),
        target_output: Vec::new(),
        traces: Vec::new(),
    };
    Report::new(&manifest, checks, Vec::new(), None)
}
