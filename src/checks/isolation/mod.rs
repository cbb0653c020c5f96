//! What one caller does to another.

checks! {
    crowd_is_served,
}
