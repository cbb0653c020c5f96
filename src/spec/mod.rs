//! The specification: its revisions, and the requirements that checks cite.

mod requirement;
mod revision;

pub use requirement::{Requirement, requirement};
pub use revision::{Era, Revision, UnknownRevision};
