//! # The reference client
//!
//! A blocking Streamable HTTP client that conforms, in all four revisions, with one switch for every way not to. It
//! follows a script (fixtures/clients/README.md), and mcpwire turns each [`Fault`] on to prove that the check for it
//! can fail live.
//!
//! ```text
//! script ──▶ run ──▶ legacy │ modern ──▶ call ──▶ transport ──▶ pool ──▶ connection
//!                    handshake  headers   JSON     redirects    idle      one write
//!                    GET stream _meta     events   draining                  │
//!                                           ▲      ◀────── exchange ◀────────┘
//!                                           └────── body
//! ```
//!
//! A caller has its outcome with the response event; the rest of the body is read behind its back. A fault is asked
//! for (`client.has`) at the one place where a real client would have the bug; what takes more than a condition is in
//! `quirks`.

mod call;
mod closing;
mod connection;
mod events;
mod exchange;
mod failure;
mod fault;
mod legacy;
mod mirror;
mod modern;
mod pool;
mod quirks;
mod request;
mod run;
mod script;
mod shared;
mod transport;
mod url;
mod wait;

pub use self::fault::Fault;
pub use self::run::{ClientError, run};
