//! The peer is a server: the suite for servers shows that it conforms.

use std::time::Duration;

use rstest::rstest;

use super::{Act, Ask, Peer, Reply, Scene, Shared};
use crate::drive::stage::Experiments;
use crate::drive::{Subject, record};
use crate::judgement::judge;
use crate::manifest::Options;
use crate::spec::Revision;
use crate::target::{Endpoint, Permission, Target, ToolRoles};
use crate::verdict::{Level, Verdict};
use crate::wire::interrupt::Interrupt;
use crate::wire::tap::Tap;

#[rstest]
fn it_conforms(
    #[values(Revision::R20250326, Revision::R20250618, Revision::R20251125, Revision::R20260728)] revision: Revision,
) {
    let interrupt = Interrupt::default();
    let tap = Tap::start();
    let scene = Scene::calls(Vec::new()).reacting(one_is_slow);
    let peer = Peer::start(scene, revision, &tap, &interrupt).expect("a free port");
    let mut roles = ToolRoles::default();
    roles.map("slow=test_reconnection").expect("a mapping");
    let subject = Subject {
        target: Target::Url(Endpoint::from_url(&peer.url(), "/").expect("its own URL")),
        revisions: vec![revision],
        options: Options::default(),
        experiments: Experiments::WhereSlow,
        roles,
        permission: Permission::default(),
        given: String::new(),
        interrupt,
    };
    let recording = record(subject, &mut ()).expect("it is there");
    let instruments = recording.manifest.instruments;
    let report = judge(&recording).expect("no selection");
    // It has no tool that reports progress or does anything lasting, its events have no ids, and its descriptors are
    // those of this process.
    let unexercised = [
        "isolation/nothing-crosses-sessions",
        "isolation/disconnect-is-no-cancellation",
        "isolation/disconnect-is-cancellation",
        "resumption/",
        "cleanup/",
    ];
    for check in &report.checks {
        let (id, why) = (&check.id, &check.reason);
        let fine = match check.verdict {
            Verdict::Pass | Verdict::NotApplicable => true,
            Verdict::NotExercised if unexercised.iter().any(|start| id.starts_with(start)) => true,
            // What the fallback build cannot measure.
            Verdict::NotExercised => !instruments.kernel_times || !instruments.withheld_ack,
            // A budget may be hard to judge with so much going on at once.
            Verdict::Inconclusive => check.level < Level::Should,
            _ => false,
        };
        assert!(fine, "{id}: {} {why:?}\n{:#?}", check.verdict, check.findings);
    }
    let passed = report.ids(Verdict::Pass, revision);
    let judged =
        ["sse/well-formed", "sse/stream-ends-after-error", "rpc/ids-differ-by-type", "http/connection-reusable"];
    assert!(judged.iter().all(|id| passed.contains(id)), "{passed:?}");
    let of_sessions = ["session/required", "session/gone-after-delete", "http/get-is-stream-or-405"];
    assert!(of_sessions.iter().all(|id| passed.contains(id) == revision.is_legacy()), "{passed:?}");
}

/// A tool that takes its time, which a suite for servers wants to see; everything else is as plain as can be.
fn one_is_slow(ask: &Ask<'_>, shared: &Shared) -> Option<Reply> {
    let mut reply = shared.conforming(ask);
    if ask.params()["name"] == "test_reconnection" {
        reply.acts.insert(0, Act::Wait(Duration::from_millis(150)));
    }
    Some(reply)
}
