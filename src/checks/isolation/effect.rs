//! What became of the work of calls whose connection was dropped, as a tool tells that shows its effect.

use std::time::Duration;

use serde_json::Value;

use crate::checks::question::Question;
use crate::trace::{Exchange, Moment, Part, Trace};
use crate::verdict::Judge;

/// In which ways connections are dropped.
pub(super) const WAYS: [(&str, &str); 2] = [("in-order", "closed in order (FIN)"), ("by-reset", "reset (RST)")];

/// A call whose connection was dropped while the work was under way.
pub(super) struct Trial<'a> {
    /// The call.
    pub call: &'a Exchange,
    /// How it was dropped, in words.
    pub how: &'static str,
    /// The last look at the effect.
    pub look: (&'a Exchange, Moment),
    /// The work has come to its end since.
    pub done: bool,
    /// How long after the call the last look was.
    pub after: Duration,
}

/// What the trace tells of it.
pub(super) struct Seen<'a> {
    /// How long the work takes with nobody disturbing it.
    pub takes: Duration,
    /// What was tried.
    pub trials: Vec<Trial<'a>>,
}

/// The trials of a trace in which the stream of the answer had begun when it was dropped, and the work was under way.
/// Says why, where there can be none.
pub(super) fn seen<'a>(trace: &'a Trace, judge: &mut Judge<'_>) -> Option<Seen<'a>> {
    let one = |label: &str| labelled(trace, label).pop();
    let work = Question::of(trace, trace.part("work", Part::Control)?);
    let readings = ["effect-at-first", "effect-unchanged", "effect-of-work"]
        .map(|label| one(label).and_then(|at| told(trace, at)));
    let [Some(first), Some(unchanged), Some(of_work)] = readings else {
        judge.not_exercised("needs a tool that tells of the effect: it was not answered with a result");
        return None;
    };
    if !work.has_result() {
        judge.not_exercised(format!("needs a tool that works: undisturbed, it was answered with {}", work.came()));
        return None;
    }
    if first != unchanged {
        judge.not_exercised(
            "needs an effect that stays as it is while nobody works: what the tool tells of it changes by itself",
        );
        return None;
    }
    if unchanged == of_work {
        judge.not_exercised(
            "needs an effect that can be seen: what the tool tells of it is the same after the work as before",
        );
        return None;
    }
    let takes = work.response()?.1.moment.best().since(work.exchange.written?.0);
    let mut trials = Vec::new();
    for (way, how) in WAYS {
        let calls: Vec<&Exchange> = labelled(trace, &format!("dropped-{way}"));
        for (nth, call) in calls.iter().enumerate() {
            let next = calls.get(nth + 1).map_or(u32::MAX, |next| next.asked.seq);
            trials.extend(trial(trace, call, way, how, next));
        }
    }
    Some(Seen { takes, trials })
}

fn trial<'a>(trace: &'a Trace, call: &'a Exchange, way: &str, how: &'static str, next: u32) -> Option<Trial<'a>> {
    let closed = trace.connection(call.conn)?.closed?;
    let before =
        labelled(trace, &format!("effect-before-{way}")).into_iter().rfind(|look| look.asked.seq < call.asked.seq)?;
    let looks = labelled(trace, &format!("effect-at-drop-{way}"));
    let at_drop = looks.into_iter().find(|look| look.asked.seq > closed.seq)?;
    let before = told(trace, before)?;
    let began = call.is_streamed() && call.response().is_none();
    // Done already: it was dropped too late.
    if !began || told(trace, at_drop)? != before {
        return None;
    }
    let later = labelled(trace, &format!("effect-after-{way}"));
    let later = later.into_iter().filter(|look| look.asked.seq > closed.seq && look.asked.seq < next);
    let told: Vec<(&Exchange, Value)> = later.filter_map(|look| Some((look, told(trace, look)?))).collect();
    let shown = told.iter().find(|(_, now)| *now != before).or(told.last())?;
    let (look, now) = shown;
    let response = Question::of(trace, look).response()?.1.moment;
    let after = look.asked.at.since(call.written?.0);
    Some(Trial { call, how, look: (look, response), done: *now != before, after })
}

fn labelled<'a>(trace: &'a Trace, label: &str) -> Vec<&'a Exchange> {
    trace.exchanges().filter(|exchange| exchange.label == label).collect()
}

/// What a tool told, without what may differ from answer to answer.
fn told(trace: &Trace, exchange: &Exchange) -> Option<Value> {
    let question = Question::of(trace, exchange);
    if !question.has_result() {
        return None;
    }
    let mut result = question.response()?.1.message.value.get("result")?.clone();
    result.as_object_mut()?.remove("_meta");
    Some(result)
}

/// Whether enough trials came out wrong: two at least, and all of one way. `None` where it cannot be told.
pub(super) fn is_certain(trials: &[Trial<'_>], wrong: impl Fn(&Trial<'_>) -> bool) -> Option<bool> {
    let count = trials.iter().filter(|trial| wrong(trial)).count();
    if count == 0 {
        return Some(false);
    }
    let all_of_a_way = WAYS.iter().any(|(_, how)| {
        let mut of_way = trials.iter().filter(|trial| trial.how == *how).peekable();
        of_way.peek().is_some() && of_way.all(&wrong)
    });
    (count >= 2 && all_of_a_way).then_some(true)
}

/// What the reference server's counter says.
#[cfg(test)]
fn count(trace: &Trace, exchange: &Exchange) -> Option<u32> {
    told(trace, exchange)?["content"][0]["text"].as_str()?.parse().ok()
}

/// Makes the last look after each dropped call show this, of the count before it.
#[cfg(test)]
fn show(edit: &mut crate::trace::edit::Edit, shown: fn(u32) -> u32) {
    for (way, _) in WAYS {
        let trace = edit.trace().clone();
        let last = |label: &str| labelled(&trace, &format!("{label}-{way}")).pop();
        let (Some(before), Some(look)) = (last("effect-before"), last("effect-after")) else { continue };
        let (Some(before), Some(now)) = (count(&trace, before), count(&trace, look)) else { continue };
        let (from, to) = (format!(r#""text":"{now}""#), format!(r#""text":"{}""#, shown(before)));
        edit.last(|exchange| exchange.asked.seq == look.asked.seq).body(|body| body.replace(&from, &to));
    }
}

/// The effect never comes about, however long it is waited for.
#[cfg(test)]
pub(super) fn leave_undone(edit: &mut crate::trace::edit::Edit) {
    show(edit, |before| before);
    for (way, _) in WAYS {
        if let Some(seq) = labelled(edit.trace(), &format!("effect-after-{way}")).last().map(|look| look.asked.seq) {
            edit.postpone_from(seq, Duration::from_secs(5));
        }
    }
}

/// The effect comes about.
#[cfg(test)]
pub(super) fn complete(edit: &mut crate::trace::edit::Edit) {
    show(edit, |before| before + 1);
}
