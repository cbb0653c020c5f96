//! Several callers at once: each gets what is his, whatever another one does.

checks! {
    answers_reach_their_caller,
    nothing_crosses_sessions,
    bystanders_are_served,
    survives_a_dropped_connection,
    disconnect_is_no_cancellation,
    disconnect_is_cancellation,
    crowd_is_served,
}

mod callers;
mod effect;
