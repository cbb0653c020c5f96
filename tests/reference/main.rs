//! The reference server does what it says: it conforms in all four revisions, each switch changes what it should
//! and nothing else, and nothing that a client does brings it down.
#![allow(missing_docs)]

mod client;
mod common;
mod conforming;
mod matrix;
mod robustness;
mod variants;
