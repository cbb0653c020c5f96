//! The strict readers of what goes over a connection: bytes in, events out.
//!
//! Nothing here knows of sockets or clocks, so that the driver, the judge and, some day, a TLS session in between
//! read through the same code.

pub mod http1;
pub mod sse;
