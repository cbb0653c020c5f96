//! What holds for a target of a harness.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::baseline::{Baseline, BaselineError};
use crate::catalogue::NoMatch;
use crate::entry::WITHIN;
use crate::manifest::{Options, Role};
use crate::spec::Revision;
use crate::target::{RoleError, ToolRoles};

/// A target may have to be compiled, or its container fetched.
const MADE_WITHIN: Duration = Duration::from_secs(120);

/// What holds for a target.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// But for the limit that differs from role to role.
    pub options: Options,
    /// How long an answer is waited for, or a client may take for a scenario.
    pub timeout: Option<Duration>,
    pub revisions: Vec<Revision>,
    pub roles: ToolRoles,
    /// The same as they were typed, for a replay.
    pub tools: Vec<String>,
    pub baseline: Option<Baseline>,
    /// Where the lists of what is exercised are.
    pub lists: PathBuf,
    pub made_within: Duration,
}

/// What is wrong with a harness.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    #[error("the harness has no target (add one: `Harness::new().server(\"name\", || async {{ … }})`)")]
    NoTarget,
    #[error("`{0}` cannot be the name of a target: it takes letters, digits, `-`, `_` and `.`")]
    Name(String),
    #[error("two targets of the harness are called `{0}`")]
    Twice(String),
    #[error("no revision is asked for (known revisions: {})", known_revisions())]
    NoRevision,
    #[error(transparent)]
    Selection(#[from] NoMatch),
    #[error(transparent)]
    Tool(#[from] RoleError),
    #[error("cannot read the baseline {path}: {source}")]
    Baseline { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    BaselineText(#[from] BaselineError),
}

fn known_revisions() -> String {
    Revision::ALL.map(|revision| revision.date()).join(", ")
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            options: Options::default(),
            timeout: None,
            revisions: Revision::ALL.to_vec(),
            roles: ToolRoles::default(),
            tools: Vec::new(),
            baseline: None,
            lists: PathBuf::from("tests/mcpwire"),
            made_within: MADE_WITHIN,
        }
    }
}

impl Settings {
    pub(super) fn tool(&mut self, mapping: &str) -> Result<(), SettingsError> {
        self.roles.map(mapping)?;
        self.tools.push(mapping.to_owned());
        Ok(())
    }

    pub(super) fn baseline(&mut self, path: &Path) -> Result<(), SettingsError> {
        let text = fs::read_to_string(in_package(path))
            .map_err(|source| SettingsError::Baseline { path: path.to_owned(), source })?;
        self.baseline = Some(Baseline::read(&path.display().to_string(), &text)?);
        Ok(())
    }

    /// The options of a run of this role.
    pub(super) fn options(&self, role: Role) -> Options {
        let ordinary = match role {
            Role::Server => Options::TIMEOUT,
            Role::Client => WITHIN,
        };
        Options { timeout: self.timeout.unwrap_or(ordinary), ..self.options.clone() }
    }

    /// The options of a replay by the binary beside the target and the selection, each behind a blank.
    pub(super) fn given(&self, role: Role) -> String {
        let (options, ordinary) = (&self.options, Options::default());
        let set = |value: Duration, ordinary: Duration| (value != ordinary).then_some(value);
        let limits = [
            ("--timeout", self.timeout),
            ("--budget", set(options.budget, ordinary.budget)),
            ("--stream-end-grace", set(options.stream_end_grace, ordinary.stream_end_grace)),
        ];
        let typed = |(name, value): (&str, Option<Duration>)| Some(format!(" {name} {}us", value?.as_micros().max(1)));
        let tools = self.tools.iter().filter(|_| role == Role::Server);
        let tools = tools.map(|tool| format!(" --tool {}", shell_words::quote(tool)));
        tools.chain(limits.into_iter().filter_map(typed)).collect()
    }
}

/// A path as it is seen from the package's folder, wherever the test runs.
pub(super) fn in_package(path: &Path) -> PathBuf {
    match env::var_os("CARGO_MANIFEST_DIR") {
        Some(package) => Path::new(&package).join(path),
        None => path.to_owned(),
    }
}

/// Whether a name can begin the names of tests, name a file, stand in a filter without quotes, and is nobody else's.
pub(super) fn is_target_name<'a>(name: &str, mut others: impl Iterator<Item = &'a str>) -> Result<(), SettingsError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.chars().all(fits) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(SettingsError::Name(name.to_owned()));
    }
    // On some systems names of files that differ in case only are the same.
    match others.any(|other| other.eq_ignore_ascii_case(name)) {
        true => Err(SettingsError::Twice(name.to_owned())),
        false => Ok(()),
    }
}
