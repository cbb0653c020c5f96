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
