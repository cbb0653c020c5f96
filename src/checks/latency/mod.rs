//! How long calls take, and what holds them up.

checks! {
    repeated_calls_within_budget,
    calls_beside_others_within_budget,
    no_held_back_segment,
}
