//! Conversations as text: what passed between a client and a server, so that two runs can be laid side by side.
//!
//! One page for each revision and scenario, the client's words on the left and the server's on the right. What differs
//! from run to run although nothing changed has a name instead ([`normal`]); a message that was on a page already is
//! not written again ([`fold`]), so that a change of one message shows in one place; what comes again and again is
//! written once ([`repeat`]). All of it is pure: the same recording gives the same pages.

mod choice;
mod content;
mod digest;
mod fields;
mod fold;
mod json;
mod normal;
mod order;
mod page;
mod repeat;
mod turn;

#[cfg(test)]
mod proofs;

use fold::Fold;
use normal::Names;
#[cfg(test)]
pub use order::TOGETHER;

use crate::manifest::Role;
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::Trace;
use crate::trace::store::Recording;

/// One conversation as text: a scenario in a revision.
///
/// The text has what the two sides said and how, and nothing that differs from run to run. It is at most 100 columns
/// wide, the client on the left and the server on the right:
///
/// ```text
/// #1 tool
///   → POST tools/call <id>
///       arguments: {}
///       name: "greet"
///                                         ← 200 text/event-stream
///                                           event id=<event-1>: empty data
///                                           event id=<event-2>: response <id> as sequential-calls/tool
///                                           end of the stream
/// ```
///
/// - `#1` is the connection, `tool` what the scenario calls the exchange. (What a client sends has no connections: which
///   one is free when the next call comes is a matter of time.)
/// - Header fields stand where they are first seen or differ; `Date`, `Content-Length` and the like are left out.
/// - Names in angle brackets stand for what differs from run to run. `<id>` is the id of the request on this exchange,
///   so that a response to another one is seen; `<event-2>` the second id of its stream; `<session-1>` the first session
///   of the page. Where others speak of them, they say whose they are: `<event-2 of tool>`.
/// - `as sequential-calls/tool` says that the message is, in every other respect, the one that stands there: each is
///   written once, in the first scenario and revision that has it. Members are sorted by name.
/// - Not in it: times, segments and chunks, comments in event streams, and the end of idle connections.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The revision and the scenario, such as `2025-11-25-survey`: fit for the name of a file.
    pub name: String,
    /// The conversation.
    pub text: String,
}

/// The scenarios that come out alike in every run, in the order of playing: those that follow the survey.
pub fn steady_scenarios(role: Role) -> Vec<Scenario> {
    let is_survey = |scenario: &Scenario| matches!(scenario, Scenario::Survey | Scenario::ClientCalls);
    let is_wanted =
        |scenario: &Scenario| scenario.role() == role && scenario.varies().is_none() && !is_survey(scenario);
    Scenario::ALL.iter().copied().filter(is_wanted).collect()
}

/// Why pages are missing in a recording of the steady scenarios, if they are.
pub fn lacks(recording: &Recording) -> Option<String> {
    let manifest = &recording.manifest;
    let is_played = |revision, scenario| {
        recording.traces.iter().any(|trace| (trace.revision(), trace.scenario()) == (revision, scenario))
    };
    let spoken = manifest.revisions.iter().filter(|run| run.spoken).map(|run| run.revision);
    let missing = spoken
        .flat_map(|revision| steady_scenarios(manifest.role).into_iter().map(move |scenario| (revision, scenario)))
        .find(|(revision, scenario)| scenario.revisions().contains(revision) && !is_played(*revision, *scenario));
    missing.map(|(revision, scenario)| match &manifest.incomplete {
        Some(why) => why.clone(),
        None => format!("{scenario} ({revision}) is missing"),
    })
}

/// The conversations in a recording that come out alike in every run.
pub fn steady(recording: &Recording) -> Vec<Snapshot> {
    pages(recording, |_, scenario| scenario.varies().is_none())
}

/// The conversations in a recording for which that holds, by revision, and in each in the order of playing. They are
/// one book: a message that is on an earlier page is not written again.
pub fn pages(recording: &Recording, wanted: impl Fn(Revision, Scenario) -> bool) -> Vec<Snapshot> {
    let mut traces: Vec<&Trace> =
        recording.traces.iter().filter(|trace| wanted(trace.revision(), trace.scenario())).collect();
    traces.sort_by_key(|trace| (trace.revision(), trace.scenario(), trace.head.attempt));
    // Of a scenario that was played again, because it had to stop or what was found had to be confirmed, the last.
    let is_last = |index: usize| {
        let part = |trace: &Trace| (trace.revision(), trace.scenario());
        traces.get(index + 1).is_none_or(|next| part(next) != part(traces[index]))
    };
    let mut fold = Fold::default();
    let last = (0..traces.len()).filter(|index| is_last(*index));
    last.map(|index| page_of(traces[index], &mut fold)).collect()
}

fn page_of(trace: &Trace, fold: &mut Fold) -> Snapshot {
    let exchanges = order::canonical(trace);
    let mut names = Names::of(trace, &exchanges);
    let turns = turn::turns(trace, &exchanges, &mut names);
    let runs = repeat::runs(&turns);
    let closing = turn::closing(trace, &mut names);
    Snapshot {
        name: format!("{}-{}", trace.revision(), trace.scenario()),
        text: page::write(trace, &turns, &runs, &closing, fold),
    }
}
