//! A run: surveys which revisions are spoken, plays what the plan wants, and hands over the recording.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use super::embedded;
use super::facts::Facts;
use super::said::with_said;
use super::scenarios::{self, survey};
use super::stage::{Experiments, Stage, Stop, Unanswered, what_came};
use crate::catalogue::{self, NoMatch};
use crate::latency;
use crate::manifest::{FORMAT, Floor, Instruments, Manifest, Options, RevisionRun, Role, Selecting, TOOL, TargetFacts};
use crate::narrowing::EnvironmentError;
use crate::plan;
use crate::reference;
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::target::{Endpoint, NotAllowed, Permission, RoleError, Running, StartError, Target, ToolRoles};
use crate::trace::redact::Redactor;
use crate::trace::said::shown;
use crate::trace::store::{Recording, WriteError};
use crate::trace::{Distance, Ending, Exchange, Span, Trace, TraceHead, Vantage, What};
use crate::wire::interrupt::Interrupt;
use crate::wire::os;
use crate::wire::tap::{Kept, Tap};

/// How often a scenario is played that had to stop.
const ATTEMPTS: u32 = 2;

/// So many scenarios in a row without a connection, and the target is given up.
const GONE_AFTER: u32 = 2;

/// So many requests in a row without an answer, and the target is given up; so many in all, and it is, too.
const SILENT_AFTER: u32 = 4;
const IDLE_AFTER: u32 = 12;

/// So many revisions asked for without any answer, and there is no server.
const NOBODY_AFTER: u32 = 2;

/// What a run keeps of all that a target sends, over all traces: what is recorded and decoded stays in memory
/// until it is judged.
const KEPT: Kept = Kept { bytes: 48 << 20, parts: 2_000_000 };

/// Web frameworks do this to `/mcp` where the application is mounted at `/mcp/`, and the other way round.
const REDIRECTED: &str = "redirects are not followed; is a slash at the end of the path missing, or one too many?";

/// What is tested, and how.
#[derive(Debug)]
pub struct Subject {
    /// The target.
    pub target: Target,
    /// The revisions to test; those that it does not speak are reported so.
    pub revisions: Vec<Revision>,
    /// The options that the judgement depends on.
    pub options: Options,
    /// The target's own tools, by role.
    pub roles: ToolRoles,
    /// When experiments are made that tell what makes a call slow.
    pub experiments: Experiments,
    /// Who may be put under load.
    pub permission: Permission,
    /// The other options of the run as they would be typed again, each behind a blank.
    pub given: String,
    /// Set to stop.
    pub interrupt: Interrupt,
}

/// How a signal is called.
pub(super) fn signal_name(interrupt: &Interrupt) -> &'static str {
    match interrupt.signal() {
        Some(15) => "SIGTERM",
        _ => "SIGINT",
    }
}

/// What a run tells while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// The target is being brought up.
    Starting,
    /// A revision is tried.
    Surveying(Revision),
    /// A scenario begins.
    Playing {
        /// The revision.
        revision: Revision,
        /// The scenario.
        scenario: Scenario,
        /// How many are behind us.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// So many scenarios are played a second time, since something was found in them.
    Again(usize),
    /// A scenario had to stop.
    Stopped {
        /// The scenario.
        scenario: Scenario,
        /// Why, without secrets.
        why: &'a str,
    },
}

/// Who listens to a run.
pub trait Observer {
    /// Something went on.
    fn progress(&mut self, progress: Progress<'_>);
}

/// Nobody listens.
impl Observer for () {
    fn progress(&mut self, _: Progress<'_>) {}
}

/// Why there is no recording, or no report of it.
///
/// `Debug` says it in the same words as `Display`: they are what a test shows that ends with this error.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A pattern matches no check.
    #[error(transparent)]
    Selection(#[from] NoMatch),
    /// The target does not come up.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Load was asked for that may not be put there.
    #[error(transparent)]
    NotAllowed(#[from] NotAllowed),
    /// Nobody listens.
    #[error("{target} cannot be reached: {why}")]
    Unreachable {
        /// The target.
        target: String,
        /// The last error.
        why: String,
    },
    /// Somebody listens, but no HTTP answer comes back.
    #[error("{target} accepts connections but answers no request: {came}")]
    Mute {
        /// The target.
        target: String,
        /// What came instead.
        came: String,
    },
    /// It fails, and knows why.
    #[error("{target} cannot be tested: {how}")]
    Trouble {
        /// The target.
        target: String,
        /// What went wrong in it.
        how: String,
    },
    /// Every request is refused.
    #[error("{target} answers every request with {status}: {hint}")]
    Refused {
        /// The target.
        target: String,
        /// The status.
        status: u16,
        /// What may be wrong.
        hint: &'static str,
    },
    /// The client cannot be started.
    #[error("cannot start `{program}`: {source}")]
    Client {
        /// The program.
        program: String,
        /// The system's words.
        source: std::io::Error,
    },
    /// The client never came.
    #[error("`{client}` made no request: {how}{output}")]
    NeverCame {
        /// The client.
        client: String,
        /// How it ended.
        how: String,
        /// Its last words.
        output: String,
    },
    /// The system refuses a socket.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(std::io::Error),
    /// Not all was played that should have been.
    #[error("{target} was not played with to the end: {why}")]
    Incomplete {
        /// The target.
        target: String,
        /// Why.
        why: String,
    },
    /// A tool is given in another form, or for a role that does not exist.
    #[error(transparent)]
    Tool(#[from] RoleError),
    /// What the environment asks for is none of what the run selects.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    /// The baseline cannot be read.
    #[error("{0}")]
    Baseline(String),
    /// The recording cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A signal came before anything was recorded.
    #[error("interrupted before anything was recorded")]
    Interrupted,
}

impl fmt::Debug for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Tests a target and hands over the recording, without its secrets.
///
/// # Errors
///
/// Where the target cannot be brought up or reached, or refuses everything.
pub fn record(subject: Subject, observer: &mut dyn Observer) -> Result<Recording, RunError> {
    match &subject.target {
        // Under load, what the others do would not be the server's own.
        Target::Reference(config) if subject.revisions.len() > 1 && subject.options.load.is_none() => {
            let config = config.clone();
            embedded::record(subject, &config, observer)
        }
        _ => record_in_turn(subject, observer),
    }
}

/// Plays one revision after the other.
pub(super) fn record_in_turn(subject: Subject, observer: &mut dyn Observer) -> Result<Recording, RunError> {
    let selected = catalogue::of_run(Role::Server, &subject.options)?;
    record_planned(subject, &|revision| plan::scenarios(&selected, revision), observer)
}

/// Plays these scenarios with a target, whatever the checks need, and hands over the recording, without its secrets.
///
/// # Errors
///
/// As [`record`].
pub fn record_scenarios(subject: Subject, wanted: &[Scenario]) -> Result<Recording, RunError> {
    let in_revision = |revision: Revision| {
        wanted.iter().copied().filter(|scenario| scenario.revisions().contains(&revision)).collect()
    };
    record_planned(subject, &in_revision, &mut ())
}

/// What is played in a revision, after the survey.
pub(super) type Plan<'p> = dyn Fn(Revision) -> Vec<Scenario> + 'p;

fn record_planned(subject: Subject, plan: &Plan<'_>, observer: &mut dyn Observer) -> Result<Recording, RunError> {
    switch_stamps_on();
    observer.progress(Progress::Starting);
    let running = subject.target.start(&subject.interrupt)?;
    if let Some(option) = subject.options.load.option() {
        subject.permission.check(option, &running.endpoint)?;
    }
    let mut run = Run {
        running: &running,
        redactor: redactor(&running.endpoint),
        stage: Stage {
            experiments: subject.experiments,
            ..stage(&running, &subject.options, subject.roles, &subject.interrupt)
        },
        recording: empty(
            Role::Server,
            TargetFacts { server: None, ..running.facts.clone() },
            subject.options,
            format!("{}{}", running.command, subject.given),
        ),
        kept: Kept::default(),
        observer,
    };
    let spoken = run.survey(&subject.revisions).map_err(|error| run.explained(error))?;
    run.play(plan, &spoken);
    let mut recording = run.recording;
    let redactor = run.redactor;
    // A command line may repeat a secret that came as a header field.
    recording.manifest.target.name = redactor.redact_text(&recording.manifest.target.name);
    recording.manifest.command = redactor.redact_text(&recording.manifest.command);
    let last_words = running.output().into_iter().map(|line| shown(&redactor.redact_text(&line)));
    recording.manifest.target_output = last_words.collect();
    Ok(recording)
}

struct Run<'o> {
    running: &'o Running,
    stage: Stage,
    redactor: Redactor,
    recording: Recording,
    /// Over all traces.
    kept: Kept,
    observer: &'o mut dyn Observer,
}

impl Run<'_> {
    /// Finds out which revisions are spoken, and what is offered in each.
    fn survey(&mut self, revisions: &[Revision]) -> Result<Vec<(Revision, Facts)>, RunError> {
        let mut spoken = Vec::new();
        let mut unreachable = None;
        for revision in revisions {
            if self.nobody_answers() || self.stage.interrupt.is_set() || self.overflows() {
                break;
            }
            self.observer.progress(Progress::Surveying(*revision));
            let (trace, outcome) = self.recorded(*revision, Facts::default(), Scenario::Survey, 1, survey::play);
            let how = match &outcome {
                Ok(_) => "it answered in this revision".to_owned(),
                Err(Stop::Interrupted) => break,
                Err(stop) => self.redactor.redact_text(&stop.to_string()),
            };
            self.recording.push(trace);
            if let Err(stop @ Stop::Unreachable(_)) = &outcome {
                unreachable = Some(stop.to_string());
            }
            let run = RevisionRun { revision: *revision, spoken: outcome.is_ok(), how };
            self.recording.manifest.revisions.push(run);
            if let Ok(facts) = outcome {
                let server = &mut self.recording.manifest.target.server;
                *server = server.take().or_else(|| facts.server.as_ref().map(|name| self.redactor.redact_text(name)));
                spoken.push((*revision, facts));
            }
        }
        if spoken.is_empty() && self.stage.interrupt.is_set() {
            return Err(RunError::Interrupted);
        }
        if spoken.is_empty() {
            self.nothing_spoken(unreachable)?;
        }
        self.recording.manifest.incomplete = self.given_up("the survey");
        Ok(spoken)
    }

    /// Whether so far every request of several was in vain: another revision would not change that.
    fn nobody_answers(&self) -> bool {
        let answered = |trace: &Trace| trace.exchanges().any(|exchange| exchange.answer.is_some());
        let asked = u32::try_from(self.recording.traces.len()).unwrap_or(u32::MAX);
        asked >= NOBODY_AFTER && !self.recording.traces.iter().any(answered)
    }

    fn overflows(&self) -> bool {
        let room = self.room();
        self.kept.bytes >= room.bytes || self.kept.parts >= room.parts
    }

    /// What may be kept over all traces: a crowd comes on top, in each revision.
    fn room(&self) -> Kept {
        let crowds = self.stage.options.load.crowd.map_or(0, |crowd| crowd.exchanges());
        let revisions = u32::try_from(self.recording.manifest.revisions.len()).unwrap_or_default();
        KEPT.with_room_for(crowds * revisions)
    }

    /// What the target itself knows of why it cannot be tested, where it knows.
    fn explained(&self, error: RunError) -> RunError {
        match self.running.trouble() {
            Some(how) if !matches!(error, RunError::Interrupted) => {
                let target = self.recording.manifest.target.name.clone();
                RunError::Trouble { target, how: shown(&self.redactor.redact_text(&how)) }
            }
            _ => error,
        }
    }

    /// Why the run ends here, where it does.
    fn given_up(&self, during: &str) -> Option<String> {
        let unanswered = &self.stage.unanswered;
        if let Some(how) = self.running.ended() {
            let how = shown(&self.redactor.redact_text(&how));
            return Some(format!("the target ended during {during}: {how}"));
        }
        if self.stage.interrupt.is_set() {
            return Some(format!("interrupted by {} during {during}", signal_name(&self.stage.interrupt)));
        }
        if unanswered.in_a_row() >= SILENT_AFTER {
            let (count, patience) = (unanswered.in_a_row(), Span(self.stage.options.timeout));
            return Some(format!(
                "the target left {count} requests in a row unanswered for {patience} during {during}"
            ));
        }
        if unanswered.all() >= IDLE_AFTER {
            let (count, patience) = (unanswered.all(), Span(self.stage.options.timeout));
            return Some(format!("the target had left {count} requests unanswered for {patience} by {during}"));
        }
        if self.overflows() {
            let Kept { bytes, parts } = self.room();
            let limits = format!("{} MiB, or {parts} values and lines", bytes >> 20);
            return Some(format!("the target sent more than a run keeps ({limits}) by {during}"));
        }
        None
    }

    /// A target that speaks nothing: is it there at all?
    fn nothing_spoken(&self, unreachable: Option<String>) -> Result<(), RunError> {
        let target = self.recording.manifest.target.name.clone();
        let exchanges = || self.recording.traces.iter().flat_map(Trace::exchanges);
        if exchanges().all(|exchange| exchange.answer.is_none()) {
            let Some(last) = exchanges().last() else {
                return Err(RunError::Unreachable { target, why: unreachable.unwrap_or_default() });
            };
            let came = match last.ending {
                Ending::Open { .. } => {
                    format!("no complete head of an answer within {}", Span(self.stage.options.timeout))
                }
                _ => what_came(last),
            };
            return Err(RunError::Mute { target, came });
        }
        for (status, hint) in [
            (401, "give credentials with --header or --header-file"),
            (403, "give credentials with --header or --header-file"),
            (404, "is the path right? (--path, or a path in --url)"),
            (301, REDIRECTED),
            (302, REDIRECTED),
            (307, REDIRECTED),
            (308, REDIRECTED),
        ] {
            let mut answered = exchanges().filter(|exchange| exchange.answer.is_some()).peekable();
            // A JSON-RPC error behind a 404 is the word of an MCP server, not of a web server without one.
            let refused = |exchange: &Exchange| exchange.status() == Some(status) && exchange.response().is_none();
            if answered.peek().is_some() && answered.all(refused) {
                return Err(RunError::Refused { target, status, hint });
            }
        }
        Ok(())
    }

    /// Plays what is planned, revision by revision.
    fn play(&mut self, plan: &Plan<'_>, spoken: &[(Revision, Facts)]) {
        let plan: Vec<(Revision, &Facts, Scenario)> = spoken
            .iter()
            .flat_map(|(revision, facts)| plan(*revision).into_iter().map(move |scenario| (*revision, facts, scenario)))
            .collect();
        let mut unreachable = 0;
        if self.recording.manifest.incomplete.is_some() {
            return;
        }
        for (done, (revision, facts, scenario)) in plan.iter().enumerate() {
            let progress = Progress::Playing { revision: *revision, scenario: *scenario, done, of: plan.len() };
            self.observer.progress(progress);
            if *scenario == Scenario::RepeatedCalls && self.recording.manifest.floor.is_none() {
                self.recording.manifest.floor = floor(&self.stage);
            }
            let outcome = self.scenario(*revision, facts, *scenario);
            unreachable = if let Err(Stop::Unreachable(_)) = outcome { unreachable + 1 } else { 0 };
            if let Err(stop @ (Stop::Answer(_) | Stop::Unreachable(_) | Stop::Unanswered(_))) = outcome {
                // The target, not the plan, ended it: what was not seen for that reason is no reason to be content.
                let why = self.redactor.redact_text(&stop.to_string());
                let incomplete = &mut self.recording.manifest.incomplete;
                incomplete.get_or_insert_with(|| format!("{scenario} ({revision}) had to stop: {why}"));
            }
            if let Some(why) = self.given_up(&format!("{scenario} ({revision})")) {
                self.recording.manifest.incomplete = Some(why);
                return;
            }
            if unreachable >= GONE_AFTER {
                let incomplete = format!("the target could not be reached any more during {scenario} ({revision})");
                self.recording.manifest.incomplete = Some(incomplete);
                return;
            }
        }
    }

    /// Plays a scenario, and plays it afresh where it had to stop.
    fn scenario(&mut self, revision: Revision, facts: &Facts, scenario: Scenario) -> Result<(), Stop> {
        for attempt in 1.. {
            let play = |stage: &Stage| scenarios::play(scenario, stage);
            let (trace, outcome) = self.recorded(revision, facts.clone(), scenario, attempt, play);
            self.recording.push(trace);
            match outcome {
                Ok(()) => return Ok(()),
                Err(stop) => {
                    let why = self.redactor.redact_text(&stop.to_string());
                    self.observer.progress(Progress::Stopped { scenario, why: &why });
                    let may_change = matches!(stop, Stop::Answer(_) | Stop::Unreachable(_));
                    if !may_change || attempt >= ATTEMPTS || self.given_up(scenario.name()).is_some() {
                        return Err(stop);
                    }
                }
            }
        }
        Ok(())
    }

    /// Plays on a fresh tap, and closes the trace: from here on it has no secrets.
    fn recorded<T>(
        &mut self,
        revision: Revision,
        facts: Facts,
        scenario: Scenario,
        attempt: u32,
        play: impl FnOnce(&Stage) -> Result<T, Stop>,
    ) -> (Trace, Result<T, Stop>) {
        let tap = match (scenario, self.stage.options.load.crowd) {
            (Scenario::Crowd, Some(crowd)) => Tap::of_a_crowd(crowd.exchanges()),
            _ => Tap::start(),
        };
        let stage = Stage { tap, revision, facts, ..self.stage.clone() };
        // What was said before belongs to no scenario.
        self.running.said();
        let outcome = play(&stage);
        if let Err(stop) = &outcome {
            stage.tap.note(What::Stopped { reason: stop.to_string() });
        }
        let distance = self.recording.manifest.target.distance;
        let head = TraceHead { scenario, revision, attempt, vantage: Vantage::Client, distance };
        let kept = stage.tap.kept();
        self.kept.bytes += kept.bytes;
        self.kept.parts += kept.parts;
        let events = with_said(stage.tap.events(), self.running.said(), &stage.tap);
        let trace = self.redactor.redact(&Trace::new(head, events));
        (trace, outcome)
    }
}

/// The cheapest call against the embedded peer: what this machine takes at the least, now.
fn floor(stage: &Stage) -> Option<Floor> {
    let running = Target::Reference(reference::Config::default()).start(&stage.interrupt).ok()?;
    let facts = Facts { cheapest: Some(super::ask::Call::bare("ping")), ..Facts::default() };
    let revision = Revision::R20251125;
    let tap = Tap::start();
    let endpoint = running.endpoint.clone();
    let experiments = Experiments::WhereSlow;
    let stage = Stage { tap: tap.clone(), endpoint, revision, facts, experiments, peer: None, ..stage.clone() };
    scenarios::play(Scenario::RepeatedCalls, &stage).ok()?;
    let distance = Distance::Loopback;
    let head =
        TraceHead { scenario: Scenario::RepeatedCalls, revision, attempt: 1, vantage: Vantage::Client, distance };
    let trace = Trace::new(head, tap.events());
    let repeated = |sample: &latency::Sample<'_>| sample.class == latency::Class::RepeatedCall;
    let totals: Vec<Duration> = latency::samples(&trace).filter(repeated).filter_map(|sample| sample.total()).collect();
    let p50 = latency::median(totals.iter().copied())?;
    Some(Floor { n: totals.len(), p50: u64::try_from(p50.as_nanos()).ok()? })
}

fn stage(running: &Running, options: &Options, roles: ToolRoles, interrupt: &Interrupt) -> Stage {
    Stage {
        tap: Tap::start(),
        endpoint: running.endpoint.clone(),
        revision: Revision::R20251125,
        options: options.clone(),
        roles: roles.over(running.roles.clone()),
        facts: Facts::default(),
        interrupt: interrupt.clone(),
        peer: running.process,
        holdings: running.holdings.clone(),
        unanswered: Unanswered::default(),
        experiments: Experiments::WhereSlow,
    }
}

fn redactor(endpoint: &Endpoint) -> Redactor {
    Redactor::new(endpoint.fields().iter().map(|(name, _)| name.clone()), endpoint.secrets())
}

/// A recording in which nothing has happened yet.
pub(super) fn empty(role: Role, target: TargetFacts, options: Options, command: String) -> Recording {
    let mut now = jiff::Timestamp::now();
    if let Ok(seconds) = jiff::Timestamp::from_second(now.as_second()) {
        now = seconds;
    }
    let manifest = Manifest {
        format: FORMAT,
        tool: TOOL.to_owned(),
        recorded: now.to_string(),
        target,
        role,
        revisions: Vec::new(),
        options,
        floor: None,
        instruments: instruments(),
        incomplete: None,
        command,
        command_tail: String::new(),
        selecting: Selecting::default(),
        faults: None,
        target_output: Vec::new(),
        traces: Vec::new(),
    };
    Recording { manifest, traces: Vec::new() }
}

/// What this platform can observe.
pub fn instruments() -> Instruments {
    let observes = os::stamp_sentinel().is_some();
    Instruments { kernel_times: observes, withheld_ack: observes }
}

/// Keeps the kernel's stamps on for the life of the process; they are reliable a little later.
pub(super) fn switch_stamps_on() {
    static SENTINEL: OnceLock<Option<os::StampSentinel>> = OnceLock::new();
    SENTINEL.get_or_init(|| {
        let sentinel = os::stamp_sentinel();
        if sentinel.is_some() {
            std::thread::sleep(Duration::from_millis(50));
        }
        sentinel
    });
}
