//! How long calls take, and what holds them up.

checks! {
    no_held_back_segment,
}
