//! The four revisions of MCP that have Streamable HTTP.

/// A revision, in the order of their dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Revision {
    /// 2025-03-26: batches, no version header.
    March2025,
    /// 2025-06-18: the version header.
    June2025,
    /// 2025-11-25: priming events, polling.
    November2025,
    /// 2026-07-28: no handshake and no sessions; the metadata travels with each request.
    July2026,
}

impl Revision {
    /// The revisions that begin with `initialize`.
    pub(super) const LEGACY: [Revision; 3] = [Revision::November2025, Revision::June2025, Revision::March2025];

    /// The date that names the revision.
    pub(super) fn date(self) -> &'static str {
        match self {
            Revision::March2025 => "2025-03-26",
            Revision::June2025 => "2025-06-18",
            Revision::November2025 => "2025-11-25",
            Revision::July2026 => "2026-07-28",
        }
    }

    /// The legacy revision of this date.
    pub(super) fn legacy(date: &str) -> Option<Revision> {
        Revision::LEGACY.into_iter().find(|revision| revision.date() == date)
    }
}
