//! A stream that is not ended with its response: whoever drains the answer waits for its end.
//!
//! That the end waits for our acknowledgement instead has to be excluded, by counts.

use super::{Calls, LatePart, Trials};

pub(super) fn evidence(calls: &Calls<'_>) -> Option<String> {
    let end_is_late = calls.late_part() == Some(LatePart::End);
    (end_is_late && calls.trials.as_ref().is_some_and(Trials::exclude_it)).then(|| {
        format!(
            "the response was there in time in most of {} calls, and the end of its answer came {} behind it in the \
             median, whether or not we had acknowledged the response",
            calls.samples.len(),
            calls.lateness(LatePart::End)
        )
    })
}
