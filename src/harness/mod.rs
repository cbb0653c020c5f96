//! One test for each check: a test binary of its own (`harness = false`) whose tests come from the catalogue.
//!
//! ```text
//! main ─▶ trials ─▶ libtest-mimic ─▶ a trial ─▶ subject: recorded once ═▶ judged ─▶ passes, or the report on its check
//! ```
//!
//! Listing needs nothing but the catalogue. The first trial that runs makes the recording of its target; the others
//! wait, and judge it. Under nextest, where each trial is a process, they share it by way of a folder.

mod exercised;
mod made;
mod recorder;
mod settings;
mod shared;
mod signals;
mod subject;
mod trial;

use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};

use crate::manifest::Options;
use crate::spec::Revision;

pub use self::made::Made;
use self::made::Making;
use self::settings::{Settings, SettingsError};
use self::subject::Subject;

/// Tests targets with one test for each check, in a test binary of its own.
///
/// In `Cargo.toml`:
///
/// ```toml
/// [[test]]
/// name = "mcp"
/// harness = false
/// ```
///
/// And in `tests/mcp.rs`:
///
/// ```no_run
/// # mod my_server { pub async fn serve(_: tokio::net::TcpListener) {} }
/// fn main() -> std::process::ExitCode {
///     mcpwire::Harness::new().server("axum", || async { mcpwire::InProcess::new("axum", "/mcp", my_server::serve) }).main()
/// }
/// ```
///
/// That makes a test `axum::sse::well-formed` and one for every other check, with the arguments that `cargo test` and
/// `cargo nextest` know. A test is about its check in all revisions of the target, and says which of them it fails in: a
/// name stays what it is when a revision is added, and a rule that is broken in three revisions is one thing to repair.
///
/// A check that cannot apply, because no revision that is asked for has its rule, or because it needs load that was not
/// asked for, is an ignored test. One that could apply and for which the target gave no occasion passes, and is not
/// among what `axum::exercised` finds: that test compares what was really examined with the reviewed list in
/// `tests/mcpwire/axum.exercised` (`MCPWIRE_UPDATE=1 cargo test` writes it).
///
/// # Environment
///
/// - `MCPWIRE_UPDATE=1`: the lists of what is exercised are written anew.
/// - `MCPWIRE_RECORDING=DIR`: this recording (or the one in its folder of the target's name) is judged, and no target is
///   made.
#[derive(Debug)]
#[must_use = "nothing is tested before `main`"]
pub struct Harness {
    settings: Settings,
    subjects: Vec<Arc<Subject>>,
    problem: Option<SettingsError>,
}

impl Default for Harness {
    fn default() -> Self {
        Self::new()
    }
}

impl Harness {
    /// Without a target yet. What is set on it (options, revisions, …) holds for the targets that are added after it.
    pub fn new() -> Self {
        Self { settings: Settings::default(), subjects: Vec::new(), problem: None }
    }

    /// Adds a server: what the function makes is tested, an [`InProcess`](crate::InProcess), a
    /// [`Command`](crate::Command), an [`Endpoint`](crate::Endpoint), or a `Result` of one of them. The name begins the
    /// names of its tests.
    ///
    /// The function is called when the first test of this target runs, on a multi-threaded tokio runtime that lives as
    /// long as the target does.
    pub fn server<F, Fut>(mut self, name: &str, make: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Into<Made>,
    {
        let known = || self.subjects.iter().map(|subject| subject.name());
        match settings::target_name(name, known()) {
            Ok(name) => {
                let making = Making::server(make);
                self.subjects.push(Arc::new(Subject::new(name, making, self.settings.clone())));
                self
            }
            Err(problem) => self.wrong(problem),
        }
    }

    /// Tests in these revisions only.
    pub fn revisions(mut self, revisions: impl IntoIterator<Item = Revision>) -> Self {
        self.settings.revisions = revisions.into_iter().collect();
        self
    }

    /// Tests with these options. Checks that the selection leaves out have no tests.
    pub fn options(mut self, options: Options) -> Self {
        self.settings.options = options;
        self
    }

    /// Uses one of the target's tools for a role, as `ROLE=NAME` or `ROLE=NAME:JSON` (see `mcpwire server --help`).
    pub fn tool(mut self, mapping: &str) -> Self {
        match self.settings.tool(mapping) {
            Ok(()) => self,
            Err(problem) => self.wrong(problem),
        }
    }

    /// Excuses what this baseline expects to fail; a path is seen from the package's folder. One more test,
    /// `TARGET::baseline`, fails where an entry is stale.
    pub fn baseline(mut self, path: impl AsRef<Path>) -> Self {
        match self.settings.baseline(path.as_ref()) {
            Ok(()) => self,
            Err(problem) => self.wrong(problem),
        }
    }

    /// Keeps the list of what is exercised in this folder instead of `tests/mcpwire`; a path is seen from the package's
    /// folder.
    pub fn lists(mut self, folder: impl AsRef<Path>) -> Self {
        self.settings.lists = folder.as_ref().to_owned();
        self
    }

    /// Waits this long for a target to be made [default: 2 minutes].
    pub fn made_within(mut self, patience: Duration) -> Self {
        self.settings.made_within = patience;
        self
    }

    /// Runs the tests that the command line asks for.
    ///
    /// The code is that of every Rust test binary: 0 where all passed, 101 where one failed; 2 where the harness itself
    /// is wrong (a name twice, a pattern that matches no check, a baseline that cannot be read).
    pub fn main(self) -> ExitCode {
        let arguments = Arguments::from_args();
        match self.trials() {
            Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
            Err(problem) => {
                eprintln!("mcpwire: {problem}");
                ExitCode::from(2)
            }
        }
    }

    fn trials(self) -> Result<Vec<Trial>, SettingsError> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        if self.subjects.is_empty() {
            return Err(SettingsError::NoTarget);
        }
        let mut trials = Vec::new();
        for subject in &self.subjects {
            trials.extend(trial::of(subject)?);
        }
        Ok(trials)
    }

    /// The first thing that is wrong is what is told.
    fn wrong(mut self, problem: SettingsError) -> Self {
        self.problem.get_or_insert(problem);
        self
    }
}
