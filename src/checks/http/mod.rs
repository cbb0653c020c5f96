//! How answers travel in HTTP: framing, reuse of connections, statuses and types.

checks! {
    body_complete,
    connection_reusable,
    accepted_has_no_body,
    content_type,
    get_is_stream_or_405,
    get_head_at_once,
    segmentation_is_transparent,
}

use crate::trace::{Moment, Trace};

/// Whether this came when the session had been deleted by us.
fn is_after_the_session(trace: &Trace, moment: &Moment) -> bool {
    trace.labelled("goodbye").last().is_some_and(|goodbye| moment.best() > goodbye.asked.best())
}
