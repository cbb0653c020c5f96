//! What the survey found out, and the scenarios stand on.

use super::ask::Call;

/// What the survey found out about a target in one revision.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The cheapest call that it answers with a result.
    pub cheapest: Option<Call>,
    /// A tool that may be called uninvited: a read-only hint and no required arguments.
    pub harmless_tool: Option<Call>,
    /// It has tools.
    pub has_tools: bool,
    /// What it calls itself.
    pub server: Option<String>,
}
