//! The wire: sockets of our own, what they see, and the strict readers of what went over them.

pub mod clock;
pub mod connection;
pub mod http1;
pub mod interrupt;
pub mod os;
pub mod sse;
pub mod tap;
