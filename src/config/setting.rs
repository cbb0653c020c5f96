//! Every setting there is, in one table: what it is called, what it takes, and where it may stand. The reader, the schema,
//! the help and the variables are all made from it.

use super::value::Kind;
use crate::manifest::Role;

/// A setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    Url,
    Cmd,
    Path,
    StartTimeout,
    Header,
    HeaderFile,
    HeaderEnv,
    Tool,
    Command,
    Revision,
    Only,
    Skip,
    Require,
    Timeout,
    Budget,
    StreamEndGrace,
    FailOn,
    Set,
    Baseline,
    Report,
    Name,
    Target,
    Profile,
    Config,
}

/// A table of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// What stands before the first table.
    Top,
    /// `[server.NAME]`
    Server,
    /// `[client.NAME]`
    Client,
    /// `[profile.NAME]`
    Profile,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Top, Self::Server, Self::Client, Self::Profile];

    /// How a sentence calls it.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::Top => "at the top of the file",
            Self::Server => "in a `[server.NAME]` table",
            Self::Client => "in a `[client.NAME]` table",
            Self::Profile => "in a `[profile.NAME]` table",
        }
    }
}

/// What the table says of a setting.
#[derive(Debug)]
pub struct Row {
    /// The setting.
    pub setting: Setting,
    /// Its name: the key in the file, and the long option without its dashes.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Where it may stand in the file.
    pub tables: &'static [Table],
    /// Which runs it is about.
    pub roles: &'static [Role],
    /// Whether there is a variable for it.
    pub has_variable: bool,
    /// What it says, for the schema.
    pub what: &'static str,
}

const SERVER: &[Role] = &[Role::Server];
const BOTH: &[Role] = &[Role::Server, Role::Client];
/// What is true of a target.
const TARGET: &[Table] = &[Table::Top, Table::Server, Table::Client, Table::Profile];
/// What is true of a run, whose targets come into one report.
const RUN: &[Table] = &[Table::Top, Table::Profile];

/// The table.
const ROWS: &[Row] = &[
    row(Setting::Url, "url", Kind::Text, &[Table::Server], SERVER, "The server's URL."),
    row(
        Setting::Cmd,
        "cmd",
        Kind::Text,
        &[Table::Server],
        SERVER,
        "A command that starts the server, with {port} where the port goes; no shell is involved. With url, a program that \
         listens there by itself.",
    ),
    row(
        Setting::Path,
        "path",
        Kind::Text,
        &[Table::Server],
        SERVER,
        "The path of the endpoint, where the URL has none. Default: /mcp",
    ),
    row(
        Setting::StartTimeout,
        "start-timeout",
        Kind::Duration,
        &[Table::Server],
        SERVER,
        "How long the command may take until it answers HTTP. Default: 30s",
    ),
    row(Setting::Header, "header", Kind::Fields, &[], SERVER, "A header field for every request, as `Name: value`."),
    row(
        Setting::HeaderFile,
        "header-file",
        Kind::Paths,
        &[Table::Server],
        SERVER,
        "Files of header fields for every request, one a line as `Name: value`; a value never reaches a report.",
    ),
    row(
        Setting::HeaderEnv,
        "header-env",
        Kind::Variables,
        &[Table::Server],
        SERVER,
        "Environment variables that hold a header field for every request, as `Name: value`; a value never reaches a \
         report.",
    ),
    row(
        Setting::Tool,
        "tool",
        Kind::Tools,
        &[Table::Top, Table::Server, Table::Profile],
        SERVER,
        "The server's tools, by role: a name, or a table with name and arguments. In texts of the arguments, {mark} stands \
         for a text that differs from call to call.",
    ),
    Row {
        has_variable: false,
        ..row(
            Setting::Command,
            "command",
            Kind::Words,
            &[Table::Client],
            &[Role::Client],
            "The client and its arguments; the URL is appended. No shell is involved.",
        )
    },
    row(Setting::Revision, "revision", Kind::Revisions, TARGET, BOTH, "The revisions to test. Default: auto"),
    row(Setting::Only, "only", Kind::Patterns, TARGET, BOTH, "Judge only the checks that match."),
    row(Setting::Skip, "skip", Kind::Patterns, TARGET, BOTH, "Leave out the checks that match."),
    // MCPWIRE_REQUIRE is taken: our own tests are told with it what they must not skip.
    Row {
        has_variable: false,
        ..row(
            Setting::Require,
            "require",
            Kind::Patterns,
            TARGET,
            BOTH,
            "Fail where a check that matches was not exercised.",
        )
    },
    row(
        Setting::Timeout,
        "timeout",
        Kind::Duration,
        TARGET,
        BOTH,
        "How long an answer of a server is waited for (default: 10s), and how long a client may take for a scenario \
         (default: 30s).",
    ),
    row(
        Setting::Budget,
        "budget",
        Kind::Duration,
        TARGET,
        BOTH,
        "What a repeated call may take, over what this machine takes anyway. Default: 10ms",
    ),
    row(
        Setting::StreamEndGrace,
        "stream-end-grace",
        Kind::Duration,
        TARGET,
        BOTH,
        "How long a stream may stay open after its response. Default: 2s",
    ),
    row(
        Setting::FailOn,
        "fail-on",
        Kind::Level,
        RUN,
        BOTH,
        "Fail on findings of this level and above. Default: budget",
    ),
    row(
        Setting::Set,
        "set",
        Kind::Set,
        RUN,
        BOTH,
        "Gate on the checks and levels that were published on this date; what came later is reported apart.",
    ),
    row(
        Setting::Baseline,
        "baseline",
        Kind::Path,
        RUN,
        BOTH,
        "A YAML file of failures that are expected, each with its reason.",
    ),
    row(
        Setting::Report,
        "report",
        Kind::Reports,
        RUN,
        BOTH,
        "The reports to write, as FORMAT or FORMAT=PATH: text, json, junit or github.",
    ),
    row(Setting::Name, "name", Kind::Text, &[], BOTH, "What the target is called in reports and in the baseline."),
    row(Setting::Target, "target", Kind::Names, &[], BOTH, "The targets of the file to test."),
    row(Setting::Profile, "profile", Kind::Text, &[], BOTH, "The profile of the file to use."),
    row(Setting::Config, "config", Kind::Text, &[], BOTH, "The file to read."),
];

const fn row(
    setting: Setting,
    name: &'static str,
    kind: Kind,
    tables: &'static [Table],
    roles: &'static [Role],
    what: &'static str,
) -> Row {
    Row { setting, name, kind, tables, roles, has_variable: true, what }
}

impl Setting {
    /// All of them.
    pub fn all() -> impl Iterator<Item = &'static Row> {
        ROWS.iter()
    }

    /// What the table says of it.
    pub fn row(self) -> &'static Row {
        // In the order of the enumeration: a test says so.
        &ROWS[self as usize]
    }

    /// The keys of a table of the file.
    pub fn of_table(table: Table) -> impl Iterator<Item = &'static Row> {
        ROWS.iter().filter(move |row| row.tables.contains(&table))
    }
}

impl Row {
    /// The environment variable that says the same.
    pub fn variable(&self) -> String {
        format!("MCPWIRE_{}", self.name.to_uppercase().replace('-', "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_settings() {
        for (index, row) in ROWS.iter().enumerate() {
            assert_eq!(row.setting as usize, index, "{}", row.name);
        }
        assert_eq!(Setting::Config as usize, ROWS.len() - 1, "the last one is in the table");
    }

    #[test]
    fn no_variable_is_one_that_means_something_else() {
        const TAKEN: &[&str] = &["REQUIRE", "SCENARIO", "SCRIPT", "RECORDING", "SOAK", "CACHE", "CONVERSATIONS"];
        for row in ROWS.iter().filter(|row| row.has_variable) {
            assert!(!TAKEN.iter().any(|taken| row.variable() == format!("MCPWIRE_{taken}")), "{}", row.variable());
        }
    }
}
