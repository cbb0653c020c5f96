//! # Every caller in a crowd gets its own answer
//!
//! Many clients at once are what a server is for. What works for one stream can fail for hundreds: ids of one session
//! that are looked up in another, a table that overflows, a pool that is waited for by whoever holds its last place.
//!
//! `--crowd` opens many streams in many sessions and holds them all at once. Each call has a progress token of its own:
//! a report under another one went to the wrong caller. A call that is not answered while others are, which were made
//! later, has been forgotten. A server may refuse what is too much for it (503, a closed connection, a session that had
//! to go): then the crowd was too large to tell, and a smaller one does.
//!
//! ## How to fix it
//! Key whatever leads from a message to its stream by session and request, and let no request wait for another one
//! that waits itself. Where there is a limit, refuse beyond it at once, with 503.

use serde_json::Value;

use crate::catalogue::{Check, Kind};
use crate::checks::progress::{reported_under, token_of};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, Span, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Crowd),
    cites: &[OWN_STREAM, Cite::Advice],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a slow tool (`--tool slow=NAME:ARGUMENTS`), slow enough that all calls are under way at once",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

const OWN_STREAM: Cite = Cite::Clause("http.post.sse.related-only");

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    let calls: Vec<&Exchange> = trace.labelled("crowd-call").collect();
    if calls.is_empty() {
        return;
    }
    for call in &calls {
        report_strays(call, judge);
    }
    let refused: Vec<&&Exchange> = calls.iter().filter(|call| is_refused(call)).collect();
    if let Some(first) = refused.first() {
        let with = first.status().map_or_else(|| "a closed connection".to_owned(), |status| format!("HTTP {status}"));
        judge.not_exercised(format!(
            "the target refused {} of {} calls, the first with {with}: fewer may do (--crowd=SESSIONSxSTREAMS)",
            refused.len(),
            calls.len()
        ));
        return;
    }
    if calls.iter().any(|call| call.response().is_none() && matches!(call.ending, Ending::NotKept(_))) {
        judge.inconclusive("more bytes came than a recording keeps");
        return;
    }
    let answered: Vec<&&Exchange> = calls.iter().filter(|call| call.response().is_some()).collect();
    for _ in &answered {
        judge.examined();
    }
    // Those behind which a later one was answered: time was not what they lacked.
    let last = answered.iter().map(|call| call.asked.seq).max().unwrap_or_default();
    let is_forgotten = |call: &&&Exchange| {
        let waits = call.response().is_none() && matches!(call.ending, Ending::Open { watched: Some(_) });
        waits && call.asked.seq < last
    };
    let forgotten: Vec<&&Exchange> = calls.iter().filter(is_forgotten).collect();
    if let Some(first) = forgotten.first() {
        let patience = Span(judge.manifest().options.timeout);
        let finding = judge.finding(
            Cite::Advice,
            "each of many calls at once is answered",
            format!(
                "{} of {} calls were not answered within {patience}, and {} were, some of them made later",
                forgotten.len(),
                calls.len(),
                answered.len()
            ),
        );
        finding.shown_by(first);
    } else if let Some(held) = trace.learned("held") {
        judge.remark(format!("{held} streams were held at once"));
    }
}

/// Progress under a token that this call did not bring.
fn report_strays(call: &Exchange, judge: &mut Judge<'_>) {
    let Some(own) = token_of(call) else { return };
    let stray = call.messages().iter().find_map(|received| {
        let token = reported_under(&received.message)?;
        let of_the_crowd = token.as_str().is_some_and(|token| token.starts_with("crowd-"));
        (of_the_crowd && *token != own).then(|| (token.clone(), received.moment))
    });
    if let Some((token, moment)) = stray {
        let shown = |token: &Value| token.as_str().unwrap_or_default().to_owned();
        let observed = format!("progress of `{}` came on the stream of `{}`", shown(&token), shown(&own));
        judge.finding(OWN_STREAM, "a stream carries messages of its own request only", observed).shown_at(call, moment);
    }
}

/// A server may say that it has enough, also by forgetting the oldest of many sessions.
fn is_refused(call: &Exchange) -> bool {
    match call.status() {
        Some(status) => !(200..300).contains(&status),
        None => matches!(call.ending, Ending::Cut(..)),
    }
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("one-is-forgotten", Scenario::Crowd, |edit| {
        let patience = crate::manifest::Options::TIMEOUT;
        edit.first(|call| call.label == "crowd-call").drop_answer().watched_for(patience);
    }),
    mutant("reports-go-astray", Scenario::Crowd, |edit| {
        let own = |call: &Exchange| token_of(call).and_then(|token| Some(token.as_str()?.to_owned()));
        let first = edit.trace().labelled("crowd-call").find_map(own);
        let Some(first) = first else { return };
        edit.last(|call| call.label == "crowd-call" && call.is_streamed()).body(|body| {
            let stray = format!(
                r#"data: {{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":"{first}","progress":1}}}}"#
            );
            format!("{stray}\n\n{body}")
        });
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::edited;
    use crate::verdict::Verdict;

    const ID: &str = "isolation/crowd-is-served";

    #[test]
    fn a_server_may_have_enough() {
        let refused = edited(ID, Scenario::Crowd, |edit| {
            edit.first(|call| call.label == "crowd-call").status("503 Service Unavailable");
        });
        assert!(!refused.is_empty());
        assert!(refused.iter().all(|(_, outcome)| outcome.verdict() == Verdict::NotExercised), "{refused:?}");
    }

    #[test]
    fn who_came_last_may_still_wait() {
        crate::checks::proofs::tolerates(ID, Scenario::Crowd, |edit| {
            let patience = crate::manifest::Options::TIMEOUT;
            edit.last(|call| call.label == "crowd-call").drop_answer().watched_for(patience);
        });
    }
}
