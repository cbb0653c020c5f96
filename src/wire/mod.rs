//! The wire: sockets of our own, and what they see.

pub mod clock;
pub mod connection;
pub mod fault;
pub mod interrupt;
pub mod listener;
pub mod os;
pub mod tap;
