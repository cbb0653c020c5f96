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

use crate::manifest::Load;
use crate::spec::{Level, Revision};
use crate::target::client::Client;

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
///
/// # Several targets
///
/// Each has its name, and what is set on the harness holds for all of them; what has settings of its own comes from a
/// harness of its own:
///
/// ```no_run
/// # use mcpwire::{Command, Harness};
/// # fn main() -> std::process::ExitCode {
/// let python = || async { Command::new("python3 server.py {port}", "/mcp") };
/// let node = || async { Command::new("node server.mjs {port}", "/mcp") };
/// Harness::new().server("python", python).and(Harness::new().tool("slow=wait").server("node", node)).main()
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is tested before `main`"]
pub struct Harness {
    settings: Settings,
    targets: Vec<(String, Making)>,
    others: Vec<Self>,
    problem: Option<SettingsError>,
}

impl Default for Harness {
    fn default() -> Self {
        Self::new()
    }
}

impl Harness {
    /// Without a target yet.
    pub fn new() -> Self {
        Self { settings: Settings::default(), targets: Vec::new(), others: Vec::new(), problem: None }
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
        self.targets.push((name.to_owned(), Making::server(make)));
        self
    }

    /// Adds a client, in the same way: a [`Client`](crate::Client), or a `Result` of one. Its checks are those of
    /// `client/*`; scenarios in which something is found are played a second time.
    ///
    /// ```no_run
    /// # async fn connect(url: &str) -> std::io::Result<()> { Ok(()) }
    /// use mcpwire::{Client, Harness};
    ///
    /// fn main() -> std::process::ExitCode {
    ///     let mine = || async {
    ///         Client::in_process("mine", |scenario| async move { Ok(connect(scenario.url()).await?) })
    ///     };
    ///     Harness::new().client("mine", mine).client("theirs", || async { Client::command("python3 client.py") }).main()
    /// }
    /// ```
    pub fn client<F, Fut>(mut self, name: &str, make: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Into<Made<Client>>,
    {
        self.targets.push((name.to_owned(), Making::client(make)));
        self
    }

    /// Adds the targets of another harness, which keep what is set on that one.
    pub fn and(mut self, other: Self) -> Self {
        self.others.push(other);
        self
    }

    /// Tests in these revisions only.
    pub fn revisions(mut self, revisions: impl IntoIterator<Item = Revision>) -> Self {
        self.settings.revisions = revisions.into_iter().collect();
        self
    }

    /// Makes tests only of the checks that match: an id, or a pattern such as `sse/*`. May be said more than once.
    pub fn only(mut self, pattern: impl Into<String>) -> Self {
        self.settings.options.only.push(pattern.into());
        self
    }

    /// Makes no tests of the checks that match. May be said more than once.
    pub fn skip(mut self, pattern: impl Into<String>) -> Self {
        self.settings.options.skip.push(pattern.into());
        self
    }

    /// What a repeated call may take, over what this machine takes anyway: 10 ms unless set.
    pub fn budget(mut self, budget: Duration) -> Self {
        (self.settings.options.budget, self.settings.options.budget_is_set) = (budget, true);
        self
    }

    /// How long a server's answer is waited for (10 s unless set), and how long a client may take for one scenario (30 s).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = Some(timeout);
        self
    }

    /// How long a stream may stay open after its response: 2 s unless set.
    pub fn stream_end_grace(mut self, grace: Duration) -> Self {
        self.settings.options.stream_end_grace = grace;
        self
    }

    /// Fails on findings of this level and above: on all but advice, unless set.
    pub fn fail_on(mut self, level: Level) -> Self {
        self.settings.options.fail_on = level;
        self
    }

    /// Gates on the checks and levels that were published on this date (`2026-11-21`): checks that were added later have
    /// tests, which pass.
    pub fn set(mut self, date: impl Into<String>) -> Self {
        self.settings.options.set = Some(date.into());
        self
    }

    /// Does more to the targets than an ordinary run, on this machine.
    pub fn load(mut self, load: Load) -> Self {
        self.settings.options.load = load;
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

    /// Keeps the lists of what is exercised in this folder instead of `tests/mcpwire`; a path is seen from the package's
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
        let subjects = self.subjects()?;
        let mut trials = Vec::new();
        for (index, subject) in subjects.iter().enumerate() {
            settings::is_target_name(subject.name(), subjects[..index].iter().map(|other| other.name()))?;
            trials.extend(trial::of(subject)?);
        }
        match subjects.is_empty() {
            true => Err(SettingsError::NoTarget),
            false => Ok(trials),
        }
    }

    fn subjects(self) -> Result<Vec<Arc<Subject>>, SettingsError> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let subject = |(name, making)| Arc::new(Subject::new(name, making, self.settings.clone()));
        let mut subjects: Vec<Arc<Subject>> = self.targets.into_iter().map(subject).collect();
        for other in self.others {
            subjects.extend(other.subjects()?);
        }
        Ok(subjects)
    }

    /// The first thing that is wrong is what is told.
    fn wrong(mut self, problem: SettingsError) -> Self {
        self.problem.get_or_insert(problem);
        self
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::target::{InProcess, Target};
    use crate::verdict::Verdict;

    async fn never() -> Target {
        unreachable!("nothing is made to list tests")
    }

    fn of(harness: Harness) -> String {
        harness.trials().expect_err("it is wrong").to_string()
    }

    #[rstest]
    #[case::none(Harness::new(), "the harness has no target")]
    #[case::an_odd_name(Harness::new().server("a b", never), "`a b` cannot be the name of a target")]
    #[case::a_path(Harness::new().server("../a", never), "`../a` cannot be the name of a target")]
    #[case::twice(Harness::new().server("a", never).and(Harness::new().server("A", never)), "two targets of the harness are called `A`")]
    #[case::a_pattern(Harness::new().server("a", never).only("sse/wel"), "no check matches `sse/wel`")]
    #[case::load(Harness::new().only("cleanup/memory").server("a", never), "`cleanup/memory` is judged under load only")]
    #[case::a_role(Harness::new().server("a", never).tool("fast=run"), "tool role `fast` is not known")]
    #[case::no_revision(Harness::new().revisions([]).server("a", never), "no revision is asked for (known revisions: 2025-03-26")]
    #[case::a_set(Harness::new().set("2020-01-01").server("a", never), "there is no set `2020-01-01`")]
    #[case::a_baseline(Harness::new().server("a", never).baseline("no/such.yaml"), "cannot read the baseline no/such.yaml")]
    fn a_harness_that_is_wrong_says_so(#[case] harness: Harness, #[case] expected: &str) {
        let problem = of(harness);
        assert!(problem.starts_with(expected), "{problem}");
    }

    #[test]
    fn settings_hold_for_all_targets_of_a_harness_and_for_those_of_no_other() {
        let other = Harness::new().server("c", never).only("sse/*");
        let harness = Harness::new().server("a", never).only("latency/*").server("b", never).and(other);
        let trials = harness.trials().expect("it is right");
        let names: Vec<&str> = trials.iter().map(Trial::name).filter(|name| !name.ends_with("exercised")).collect();
        let in_area = |target: &str, area: &str| {
            names
                .iter()
                .filter(|name| name.starts_with(target))
                .all(|name| name.starts_with(&format!("{target}{area}")))
        };
        assert!(in_area("a::", "latency::") && in_area("b::", "latency::") && in_area("c::", "sse::"), "{names:?}");
        assert!(trials.iter().any(|trial| trial.name() == "c::exercised"));
    }

    #[test]
    fn what_exists_in_no_asked_revision_is_ignored() {
        let ignored = |revisions: &[Revision]| {
            let harness = Harness::new().revisions(revisions.iter().copied()).server("a", never);
            let trials = harness.trials().expect("it is right");
            let is_ignored = |name: &str| trials.iter().find(|trial| trial.name() == name).map(Trial::has_ignored_flag);
            [
                is_ignored("a::session::required"),
                is_ignored("a::resumption::header-ignored"),
                is_ignored("a::cleanup::memory"),
            ]
        };
        assert_eq!(ignored(&[Revision::R20251125]), [Some(false), Some(true), Some(true)]);
        assert_eq!(ignored(&[Revision::R20260728]), [Some(true), Some(false), Some(true)]);
        assert_eq!(ignored(&Revision::ALL), [Some(false), Some(false), Some(true)]);
    }

    #[rstest]
    #[case::conforms(None, &["client/body-drained"], &[])]
    #[case::does_not(Some("drops-body"), &[], &["client/body-drained"])]
    fn a_client_is_recorded_and_judged_as_a_server_is(
        #[case] fault: Option<&str>,
        #[case] passes: &[&str],
        #[case] fails: &[&str],
    ) {
        let fault = fault.map(|name| name.parse().expect("a fault of the reference client"));
        let harness = Harness::new().revisions([Revision::R20251125]).only("client/body-drained");
        let harness = harness.client("mine", move || async move { Client::Reference(fault) });
        let subjects = harness.subjects().expect("it is right");
        let names: Vec<String> =
            trial::of(&subjects[0]).expect("it is right").iter().map(|trial| trial.name().to_owned()).collect();
        assert_eq!(names, ["mine::client::body-drained", "mine::exercised"]);
        let report = &subjects[0].judged(None).expect("it can be tested").report;
        assert_eq!(report.ids(Verdict::Pass, Revision::R20251125), passes);
        assert_eq!(report.ids(Verdict::Fail, Revision::R20251125), fails);
    }

    #[test]
    fn a_target_can_be_made_of_whatever_leads_to_one() {
        let made: [Made; 3] = [
            crate::Endpoint::from_url("http://127.0.0.1:9/mcp", "/mcp").into(),
            crate::Command::new("server", "/mcp").into(),
            Err::<InProcess, _>("the image cannot be fetched").into(),
        ];
        let [url, command, absent] = made.map(Made::target);
        assert!(matches!(url, Ok(Target::Url(_))));
        assert!(command.is_err_and(|why| why.contains("has no {port} in it")));
        assert!(absent.is_err_and(|why| why == "the image cannot be fetched"));
    }
}
