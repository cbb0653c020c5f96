//! Events that arrive with the end only: nothing that a call writes leaves the server before its answer is over.
//!
//! It shows in calls with several events, by the number of segments, which no busy machine changes. What a server does
//! while it holds everything back cannot be seen, so that this comes before its thinking time.

use super::{Calls, LatePart, Trials, connection_not_reusable};

pub(super) fn evidence(calls: &Calls<'_>) -> Option<String> {
    let is_late = matches!(calls.late_part(), Some(LatePart::FirstByte | LatePart::Response));
    // A server without TCP_NODELAY sends several events together as well.
    let is_held_back = calls.trials.as_ref().is_none_or(Trials::show_it);
    let may_be = is_late && !is_held_back && connection_not_reusable::is_excluded(calls);
    (may_be && calls.leaving.is_together() && calls.in_one_text() == 0).then(|| {
        format!(
            "{} of {} answers with several events came in fewer segments than they have events: nothing leaves the \
             server before the end of an answer",
            calls.leaving.together, calls.leaving.answers
        )
    })
}
