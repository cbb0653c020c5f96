//! The server's own time: it had the request and nothing kept its answer but itself.
//!
//! All that could have kept the answer on its way has to be excluded: a segment that is held back, and events that are
//! written but not flushed.

use super::calls::an_event_came_first;
use super::{Calls, LatePart, Trials, connection_not_reusable, mostly};

pub(super) fn evidence(calls: &Calls<'_>) -> Option<String> {
    let part = calls.late_part()?;
    let is_its_own = match part {
        LatePart::FirstByte => true,
        LatePart::Response => calls.trials.as_ref().is_some_and(Trials::exclude_it),
        LatePart::End => false,
    };
    let how = leaves_at_once(calls)?;
    let what = if part == LatePart::FirstByte { "the first byte" } else { "the response, behind the first byte," };
    (is_its_own && connection_not_reusable::is_excluded(calls))
        .then(|| format!("{what} was late by {} in the median, and the rest came with it; {how}", calls.lateness(part)))
}

/// What shows that the server sends what it has written.
fn leaves_at_once(calls: &Calls<'_>) -> Option<String> {
    let all = calls.samples.len();
    if mostly(calls.in_one_text(), all) {
        return Some("the answers are single JSON texts, of which nothing could come earlier".to_owned());
    }
    if calls.leaving.is_together() {
        return None;
    }
    let first = calls.samples.iter().filter(|sample| an_event_came_first(sample.exchange)).count();
    if mostly(first, all) {
        return Some(format!("in {first} of {all} calls an event came before the response, so that events do leave"));
    }
    calls.leaving.is_apart().then(|| {
        let (apart, answers) = (calls.leaving.apart, calls.leaving.answers);
        format!("{apart} of {answers} answers with several events came in a segment for each, so that events do leave")
    })
}
