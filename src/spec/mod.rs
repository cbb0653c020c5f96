//! The specification: its revisions, and the requirements that checks cite.

mod level;
mod requirement;
mod revision;

pub use level::Level;
pub use requirement::{Requirement, requirement};
pub use revision::{Era, Revision};
