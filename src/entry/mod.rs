//! How a program tests a target: what `cargo test` enters by, and the command line in part.
//!
//! Here the two halves of the line meet: what is recorded is judged, and a client in which something was found is
//! recorded again.

mod client;
mod replay;

use std::fs;
use std::future::{Future, IntoFuture};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

pub use self::client::check_client;
#[cfg(any(feature = "cli", feature = "cargo-test"))]
pub(crate) use self::client::{WITHIN, record_client_confirmed};
use self::replay::Replay;
use crate::baseline::Baseline;
use crate::catalogue;
use crate::conversation::{self, Snapshot};
use crate::drive::{self, Experiments, RunError, Subject};
use crate::judgement;
use crate::manifest::{Load, Options, Role, Selecting};
use crate::narrowing::Narrowing;
use crate::report::Report;
use crate::spec::Revision;
use crate::target::{Permission, Target, ToolRoles};
use crate::trace::store::{self, Recording};
use crate::verdict::Level;
use crate::wire::interrupt::Interrupt;

/// Tests a server: a run that begins when it is awaited, and comes to a [`Report`].
///
/// In every revision that the server speaks, with every check, unless the run is told otherwise. The target runs on the
/// caller's runtime; all that blocks is on threads of mcpwire's own. Whoever drops the future, in a time-out say, ends
/// the run and the target.
///
/// ```
/// # async fn my_app(listener: tokio::net::TcpListener) {}
/// # async fn example() -> Result<(), mcpwire::RunError> {
/// let server = mcpwire::InProcess::new("my server", "/mcp", my_app);
/// mcpwire::check(server).await?.assert_conformant();
/// # Ok(()) }
/// ```
///
/// What cannot be tested is an error that says why:
///
/// ```
/// # #[cfg(feature = "tower")]
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let nothing_there = mcpwire::InProcess::service("my server", "/mcp", axum::Router::new());
/// let error = mcpwire::check(nothing_there).await.expect_err("no server");
/// assert!(error.to_string().starts_with("my server answers every request with 404: is the path right?"));
/// # }
/// # #[cfg(not(feature = "tower"))] fn main() {}
/// ```
///
/// A program is a target too, and so is a server that runs already:
///
/// ```no_run
/// use mcpwire::{Command, Endpoint, Revision};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let program = Command::new("python3 server.py --port {port}", "/mcp")?;
/// mcpwire::check(program).only("sse/*").revision(Revision::R20251125).await?.assert_conformant();
/// mcpwire::check(Endpoint::from_url("http://127.0.0.1:8000", "/mcp")?).await?.assert_conformant();
/// # Ok(()) }
/// ```
pub fn check(target: impl Into<Target>) -> Run<Target> {
    Run::of(target.into(), Options::default())
}

/// The conversations with a server, as texts for snapshots: one for each revision and scenario that comes out alike in
/// every run. In all revisions, with the default options; [`Run::snapshots`] has the others.
///
/// mcpwire hands out the texts; asserting them is your own insta's. A change of one message of the server changes one
/// place in one of them, and what differs from run to run is not in them: names like `<session-1>` and `<id>` stand for
/// it.
///
/// ```
/// # async fn app(listener: tokio::net::TcpListener) {}
/// # async fn example() -> Result<(), mcpwire::RunError> {
/// let server = mcpwire::InProcess::new("my server", "/mcp", |listener| app(listener));
/// for conversation in mcpwire::snapshots(server).await? {
///     insta::assert_snapshot!(conversation.name, conversation.text);
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// As [`check`], and where the run ended before its last scenario: some snapshots would be missing, and nobody would see.
pub async fn snapshots(target: impl Into<Target>) -> Result<Vec<Snapshot>, RunError> {
    check(target).snapshots().await
}

/// A run of mcpwire against a server ([`check`]) or a client ([`check_client`]): what it does can be said before it is
/// awaited.
///
/// ```
/// use std::time::Duration;
/// use mcpwire::{Level, Revision};
///
/// # async fn example(server: mcpwire::InProcess) -> Result<(), mcpwire::RunError> {
/// let report = mcpwire::check(server)
///     .revisions([Revision::R20250618, Revision::R20251125])
///     .only("sse/*")
///     .tool(r#"slow=sleep:{"ms":300}"#)
///     .budget(Duration::from_millis(20))
///     .fail_on(Level::Should)
///     .await?;
/// report.assert_conformant();
/// # Ok(()) }
/// ```
///
/// What a pattern, a mapping or a file has wrong is an error of the run.
///
/// The environment can make a run smaller, which is how the `replay` line of a failure works: `MCPWIRE_REVISION` and
/// `MCPWIRE_ONLY` (with commas between several) leave of what the code selects what they name as well; where that is
/// nothing, the run is an error. `MCPWIRE_RECORD=DIR` keeps the recording in a folder of its own below `DIR`, where
/// `mcpwire judge` and `mcpwire show` find it.
#[derive(Debug)]
#[must_use = "nothing is tested before it is awaited"]
pub struct Run<T = Target> {
    tested: T,
    options: Options,
    revisions: Vec<Revision>,
    tools: Vec<String>,
    allowed: Vec<String>,
    baseline: Option<PathBuf>,
    name: Option<String>,
    record: Option<PathBuf>,
    /// The test that makes it, where it is one.
    test: Option<String>,
}

impl<T> Run<T> {
    fn of(tested: T, options: Options) -> Self {
        Self {
            tested,
            options,
            revisions: Revision::ALL.to_vec(),
            tools: Vec::new(),
            allowed: Vec::new(),
            baseline: None,
            name: None,
            record: None,
            test: replay::test_name(),
        }
    }

    /// Judges only the checks that match, and plays only what they need: an id, or a pattern such as `sse/*`. May be said
    /// more than once.
    ///
    /// A run in which none of them examined anything does not conform.
    pub fn only(mut self, pattern: impl Into<String>) -> Self {
        self.options.only.push(pattern.into());
        self
    }

    /// Leaves out the checks that match. May be said more than once.
    pub fn skip(mut self, pattern: impl Into<String>) -> Self {
        self.options.skip.push(pattern.into());
        self
    }

    /// Requires that the checks that match be really exercised, in every revision that the target speaks: one that is
    /// not makes the run fail. May be said more than once.
    pub fn require(mut self, pattern: impl Into<String>) -> Self {
        self.options.require.push(pattern.into());
        self
    }

    /// Tests this revision and no other.
    pub fn revision(self, revision: Revision) -> Self {
        self.revisions([revision])
    }

    /// Tests these revisions and no others. Those that the target does not speak are reported so.
    pub fn revisions(mut self, revisions: impl IntoIterator<Item = Revision>) -> Self {
        self.revisions = revisions.into_iter().collect();
        self
    }

    /// What a repeated call may take, over what this machine takes anyway: 10 ms unless set.
    pub fn budget(mut self, budget: Duration) -> Self {
        (self.options.budget, self.options.budget_is_set) = (budget, true);
        self
    }

    /// How long a server's answer is waited for (10 s unless set), and how long a client may take for one scenario (30 s).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = timeout;
        self
    }

    /// How long a stream may stay open after its response: 2 s unless set.
    pub fn stream_end_grace(mut self, grace: Duration) -> Self {
        self.options.stream_end_grace = grace;
        self
    }

    /// Fails on findings of this level and above: on all but advice, unless set.
    pub fn fail_on(mut self, level: Level) -> Self {
        self.options.fail_on = level;
        self
    }

    /// Gates on the checks and levels that were published on this date (`2026-11-21`), so that a newer mcpwire does not
    /// turn the test red: checks that were added later run, and are reported apart.
    pub fn set(mut self, date: impl Into<String>) -> Self {
        self.options.set = Some(date.into());
        self
    }

    /// A YAML file of failures that are expected, each with its reason. A path that is not absolute is seen from where
    /// the program runs: in `cargo test`, from the folder of the package.
    pub fn baseline(mut self, file: impl Into<PathBuf>) -> Self {
        self.baseline = Some(file.into());
        self
    }

    /// What the target is called in the report and in the baseline.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Keeps the recording in this folder, which is made, or holds an earlier recording. (`MCPWIRE_RECORD` puts it
    /// elsewhere.)
    pub fn record(mut self, folder: impl Into<PathBuf>) -> Self {
        self.record = Some(folder.into());
        self
    }

    /// What the environment leaves of it.
    fn narrowed(&mut self, role: Role) -> Result<(), RunError> {
        let selected = catalogue::of_run(role, &self.options)?;
        let narrowing = Narrowing::of(|name| std::env::var(name).ok())?;
        narrowing.narrow(role, &selected, &mut self.options, &mut self.revisions)?;
        if let Some(folder) = narrowing.record {
            self.record = Some(folder.join(replay::folder_name(self.test.as_deref())));
        }
        if let Some(folder) = &self.record {
            // Before a run is spent on what could not be kept.
            store::may_write(folder)?;
        }
        Ok(())
    }

    /// What becomes of the recording: the report.
    fn finish(
        mut recording: Recording,
        name: Option<String>,
        replay: Option<Replay>,
        record: Option<&Path>,
        baseline: Option<&Baseline>,
    ) -> Result<Report, RunError> {
        let manifest = &mut recording.manifest;
        if let Some(name) = name {
            manifest.target.name = name;
        }
        if let Some(replay) = replay {
            manifest.selecting = Selecting::ByEnvironment;
            (manifest.command, manifest.command_tail) = (replay.command(), String::new());
        }
        if let Some(folder) = record {
            recording.write(folder)?;
        }
        let mut report = judgement::judge(&recording)?;
        if let Some(baseline) = baseline {
            baseline.apply(&mut report);
        }
        Ok(report)
    }
}

/// Reads a baseline before a run is spent on what could not be judged.
fn read_baseline(path: Option<&Path>) -> Result<Option<Baseline>, RunError> {
    let Some(path) = path else { return Ok(None) };
    let unreadable = |error| RunError::Baseline(format!("cannot read the baseline {}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let baseline = Baseline::read(&path.display().to_string(), &text);
    baseline.map(Some).map_err(|error| RunError::Baseline(error.to_string()))
}

impl Run<Target> {
    /// One of the target's tools for a role, as `ROLE=NAME` or `ROLE=NAME:JSON` with the arguments. Deeper checks need
    /// them; the roles are `slow`, `progress`, `error`, `large`, `server-request`, `echo`, `side-effect` and `effect`,
    /// and `{mark}` in the texts of the JSON stands for a text that differs from call to call.
    pub fn tool(mut self, mapping: impl Into<String>) -> Self {
        self.tools.push(mapping.into());
        self
    }

    /// Does more to the target than an ordinary run: on this machine, or where [`Self::allow_load`] allows it.
    pub fn load(mut self, load: Load) -> Self {
        self.options.load = load;
        self
    }

    /// Allows load on this host too.
    pub fn allow_load(mut self, host: impl Into<String>) -> Self {
        self.allowed.push(host.into());
        self
    }

    /// The conversations instead of a report, as [`snapshots`]: in the revisions of this run, with its tools and limits.
    /// Neither its selection of checks nor the environment is of any account.
    ///
    /// # Errors
    ///
    /// As [`snapshots`].
    pub async fn snapshots(self) -> Result<Vec<Snapshot>, RunError> {
        let interrupt = Interrupt::default();
        let subject = self.subject(interrupt.clone())?;
        on_a_thread(interrupt, move || {
            let recording = drive::record_scenarios(subject, &conversation::steady_scenarios(Role::Server))?;
            match conversation::lacks(&recording) {
                Some(why) => Err(RunError::Incomplete { target: recording.manifest.target.name, why }),
                None => Ok(conversation::steady(&recording)),
            }
        })
        .await
    }

    fn subject(self, interrupt: Interrupt) -> Result<Subject, RunError> {
        let mut roles = ToolRoles::default();
        for mapping in &self.tools {
            roles.map(mapping)?;
        }
        Ok(Subject {
            target: self.tested,
            revisions: self.revisions,
            options: self.options,
            roles,
            experiments: Experiments::WhereSlow,
            permission: Permission::of(self.allowed),
            given: String::new(),
            interrupt,
        })
    }

    fn report(mut self, interrupt: Interrupt) -> Result<Report, RunError> {
        self.narrowed(Role::Server)?;
        let baseline = read_baseline(self.baseline.as_deref())?;
        let (name, record) = (self.name.take(), self.record.take());
        let replay = Replay::of(self.test.as_deref(), matches!(self.tested, Target::InProcess(_)));
        let recording = drive::record(self.subject(interrupt)?, &mut ())?;
        Self::finish(recording, name, replay, record.as_deref(), baseline.as_ref())
    }
}

impl IntoFuture for Run<Target> {
    type Output = Result<Report, RunError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let interrupt = Interrupt::default();
        Box::pin(on_a_thread(interrupt.clone(), move || self.report(interrupt)))
    }
}

/// Does what blocks on a thread of its own.
async fn on_a_thread<T: Send + 'static>(
    interrupt: Interrupt,
    work: impl FnOnce() -> Result<T, RunError> + Send + 'static,
) -> Result<T, RunError> {
    // Whoever drops the future, in a timeout say, stops the run.
    let stop = StopOnDrop(interrupt);
    let (done, outcome) = tokio::sync::oneshot::channel();
    let thread = std::thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = done.send(work());
    });
    let outcome = outcome.await;
    drop(stop);
    match outcome {
        Ok(outcome) => outcome,
        // It has ended without a word: it panics here, as it did there.
        Err(_) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => Err(RunError::Interrupted),
        },
    }
}

struct StopOnDrop(Interrupt);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.set(1);
    }
}
