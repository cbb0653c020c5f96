//! A run against a client: one start of it for every scenario and revision, scenarios side by side where their
//! evidence allows it.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::client_scenarios;
use super::peer::{Peer, Scene};
use super::run::{Observer, Plan, Progress, RunError, empty, signal_name, switch_stamps_on};
use super::said::with_said;
use crate::catalogue;
use crate::latency;
use crate::manifest::{Floor, Options, RevisionRun, Role, TargetFacts};
use crate::plan;
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::target::client::{Client, Ended, Orders};
use crate::trace::redact::Redactor;
use crate::trace::said::shown;
use crate::trace::store::Recording;
use crate::trace::{Distance, Event, Trace, TraceHead, Vantage, What};
use crate::wire::interrupt::Interrupt;
use crate::wire::tap::Tap;

/// So many scenarios go on at once: most of the time they wait.
const SIDE_BY_SIDE: usize = 4;

/// How long the last segments of a client that has ended may be on their way.
const LAST_SEGMENTS: Duration = Duration::from_millis(300);

/// So many scenarios that the client did not get through, and it is given up: each costs the whole time-out. The survey
/// is the simplest of all, so that two revisions of it say enough.
const STUCK_AFTER: usize = 6;
const STUCK_IN_SURVEY: usize = 2;

/// What a run keeps of all that is sent to a client, over all traces: it stays in memory until it is judged.
const KEPT: usize = 160 << 20;

/// What is tested, and how.
#[derive(Debug)]
pub struct ClientSubject {
    /// The client.
    pub client: Client,
    /// The revisions to offer; those that it declines are reported so.
    pub revisions: Vec<Revision>,
    /// The options that the judgement depends on.
    pub options: Options,
    /// How long one scenario may take.
    pub within: Duration,
    /// The other options of the run as they would be typed again, each behind a blank.
    pub given: String,
    /// Set to stop.
    pub interrupt: Interrupt,
}

/// Tests a client and hands over the recording, without its secrets.
///
/// # Errors
///
/// Where the client cannot be started or makes no request.
pub fn record_client(subject: &ClientSubject, observer: &mut dyn Observer) -> Result<Recording, RunError> {
    let selected = catalogue::of_run(Role::Client, &subject.options)?;
    record_planned(subject, &|revision| plan::scenarios(&selected, revision), observer)
}

/// Plays these scenarios with a client, whatever the checks need, and hands over the recording, without its secrets.
///
/// # Errors
///
/// As [`record_client`].
pub fn record_client_scenarios(
    subject: &ClientSubject,
    wanted: &[Scenario],
    observer: &mut dyn Observer,
) -> Result<Recording, RunError> {
    let in_revision = |revision: Revision| {
        wanted.iter().copied().filter(|scenario| scenario.revisions().contains(&revision)).collect()
    };
    record_planned(subject, &in_revision, observer)
}

fn record_planned(
    subject: &ClientSubject,
    plan: &Plan<'_>,
    observer: &mut dyn Observer,
) -> Result<Recording, RunError> {
    switch_stamps_on();
    observer.progress(Progress::Starting);
    let (kind, name) = subject.client.name();
    let (before, behind) = subject.client.replay();
    let facts = TargetFacts { kind: kind.to_owned(), name, server: None, distance: Distance::Loopback };
    let command = format!("mcpwire client{before}{}", subject.given);
    let mut recording = empty(Role::Client, facts, subject.options.clone(), command);
    recording.manifest.command_tail = behind;
    let mut run = Run::of(subject, recording, observer);
    run.survey()?;
    if !run.is_given_up(STUCK_IN_SURVEY) {
        run.play(plan);
    }
    // Nobody shall take what there is for the whole.
    run.is_interrupted(None);
    if let Some(first) = run.unfinished.take() {
        run.cut_short(format!("the client did not get through {first}"));
    }
    Ok(run.recording)
}

/// Plays these scenarios a second time, into the same recording.
pub fn record_again(
    subject: &ClientSubject,
    recording: Recording,
    again: &[(Revision, Scenario)],
    observer: &mut dyn Observer,
) -> Recording {
    let parts = again.iter().map(|(revision, scenario)| Part { attempt: 2, ..Part::first(*revision, *scenario) });
    let parts = parts.collect();
    observer.progress(Progress::Again(again.len()));
    let mut run = Run::of(subject, recording, observer);
    run.perform(parts);
    run.is_interrupted(None);
    run.recording
}

struct Run<'r> {
    subject: &'r ClientSubject,
    recording: Recording,
    redactor: Redactor,
    /// How many scenarios the client did not get through.
    stuck: usize,
    /// The first of them, and what became of it.
    unfinished: Option<String>,
    /// How many bytes were sent to it.
    sent: usize,
    observer: &'r mut dyn Observer,
}

/// A scenario in a revision.
#[derive(Clone, Copy, Debug)]
struct Part {
    revision: Revision,
    scenario: Scenario,
    attempt: u32,
}

impl Part {
    fn first(revision: Revision, scenario: Scenario) -> Self {
        Self { revision, scenario, attempt: 1 }
    }
}

/// What became of it.
struct Played {
    part: Part,
    trace: Trace,
    ended: Ended,
}

impl<'r> Run<'r> {
    fn of(subject: &'r ClientSubject, recording: Recording, observer: &'r mut dyn Observer) -> Self {
        let sent = recording.traces.iter().map(sent).sum();
        Self { subject, recording, redactor: Redactor::default(), stuck: 0, unfinished: None, sent, observer }
    }

    /// Finds out which revisions the client goes along with.
    fn survey(&mut self) -> Result<(), RunError> {
        for revision in &self.subject.revisions {
            self.observer.progress(Progress::Surveying(*revision));
            let part = Part::first(*revision, Scenario::ClientCalls);
            let played = play(self.subject, part)?;
            let spoken = played.trace.spoken();
            if self.subject.interrupt.is_set() && !spoken {
                break;
            }
            let how = match spoken {
                true => "it asked for this revision and went on with it".to_owned(),
                false => declined(&played.trace, &played.ended),
            };
            self.recording.manifest.revisions.push(RevisionRun { revision: *revision, spoken, how });
            let unfinished = played.ended.unfinished;
            self.keep(played);
            // Who hangs before the first request does so in every revision, and each costs the whole time-out.
            if unfinished && !self.has_come() || self.stuck >= STUCK_IN_SURVEY {
                break;
            }
        }
        if !self.has_come() {
            if self.subject.interrupt.is_set() {
                return Err(RunError::Interrupted);
            }
            let output = &self.recording.manifest.target_output;
            let quoted = match output.is_empty() {
                true => "; it wrote nothing to standard error".to_owned(),
                false => format!("; its last words:\n    {}", output.join("\n    ")),
            };
            let client = self.recording.manifest.target.name.clone();
            return Err(RunError::NeverCame { client, how: self.first_end(), output: quoted });
        }
        self.recording.manifest.target.server = client_name(&self.recording.traces);
        Ok(())
    }

    /// Whether the client has made a request.
    fn has_come(&self) -> bool {
        self.recording.traces.iter().flat_map(Trace::exchanges).next().is_some()
    }

    /// What came instead of a request, and how the client ended, where it was started first.
    fn first_end(&self) -> String {
        let Some(trace) = self.recording.traces.first() else { return String::new() };
        let how = trace.events.iter().find_map(|event| match &event.what {
            What::ClientEnded { how, .. } => Some(how.as_str()),
            _ => None,
        });
        format!("{} ({})", nothing_came(trace), how.unwrap_or("it did not end"))
    }

    /// Whether it makes no sense to go on, which is written down.
    fn is_given_up(&mut self, stuck: usize) -> bool {
        let why = if self.stuck >= stuck {
            let first = self.unfinished.as_deref().unwrap_or_default();
            format!("the client was given up: it did not get through {} scenarios, the first one {first}", self.stuck)
        } else if self.sent > KEPT {
            format!("the client was given up: it had itself sent more than {} MiB", KEPT >> 20)
        } else {
            return false;
        };
        self.cut_short(why);
        true
    }

    /// Whether a signal came, which is written down.
    fn is_interrupted(&mut self, during: Option<Scenario>) -> bool {
        if self.subject.interrupt.is_set() {
            let during = during.map_or_else(String::new, |scenario| format!(" during {scenario}"));
            self.cut_short(format!("interrupted by {}{during}", signal_name(&self.subject.interrupt)));
        }
        self.subject.interrupt.is_set()
    }

    fn cut_short(&mut self, why: String) {
        self.recording.manifest.incomplete.get_or_insert(why);
    }

    /// Plays what is planned.
    fn play(&mut self, plan: &Plan<'_>) {
        let spoken = self.recording.manifest.revisions.iter().filter(|run| run.spoken).map(|run| run.revision);
        let plan: Vec<Part> = spoken
            .flat_map(|revision| plan(revision).into_iter().map(move |scenario| Part::first(revision, scenario)))
            .collect();
        self.perform(plan);
    }

    /// Plays these parts, those whose times count one after the other.
    fn perform(&mut self, plan: Vec<Part>) {
        let (alone, together): (Vec<Part>, Vec<Part>) = plan.iter().partition(|part| part.scenario.is_timed());
        let of = plan.len();
        let mut done = 0;
        if !alone.is_empty() && self.recording.manifest.floor.is_none() {
            self.recording.manifest.floor = floor(self.subject);
        }
        for (parts, width) in [(alone, 1), (together, SIDE_BY_SIDE)] {
            let subject = self.subject;
            let queue = Mutex::new(parts.into_iter());
            let (sender, receiver) = channel();
            thread::scope(|scope| {
                for _ in 0..width {
                    let (queue, sender) = (&queue, sender.clone());
                    scope.spawn(move || work(subject, queue, &sender));
                }
                drop(sender);
                self.collect(&receiver, &queue, &mut done, of);
            });
        }
        let order = |trace: &Trace| (trace.revision(), trace.scenario(), trace.head.attempt);
        self.recording.sort_by_key(order);
    }

    /// Takes in what the workers bring; gives up where it makes no sense to go on.
    fn collect(
        &mut self,
        receiver: &Receiver<Result<Played, RunError>>,
        queue: &Mutex<std::vec::IntoIter<Part>>,
        done: &mut usize,
        of: usize,
    ) {
        let mut last = None;
        for played in receiver {
            let cannot_start = match played {
                Ok(played) => {
                    let Part { revision, scenario, .. } = played.part;
                    self.observer.progress(Progress::Playing { revision, scenario, done: *done, of });
                    *done += 1;
                    last = Some(scenario);
                    if played.trace.exchanges().next().is_none() {
                        // It made requests before: whatever kept it from that here, it is no reason to be content.
                        let how = format!("{} ({})", nothing_came(&played.trace), played.ended.how);
                        self.did_not_get_through(played.part, &how);
                    }
                    self.keep(played);
                    None
                }
                Err(error) => Some(error.to_string()),
            };
            if self.is_interrupted(last) || self.is_given_up(STUCK_AFTER) || cannot_start.is_some() {
                cannot_start.into_iter().for_each(|why| self.cut_short(why));
                // Nobody panics under this lock.
                if let Ok(mut queue) = queue.lock() {
                    queue.by_ref().for_each(drop);
                }
            }
        }
    }

    fn did_not_get_through(&mut self, part: Part, how: &str) {
        if !self.subject.interrupt.is_set() {
            self.unfinished.get_or_insert_with(|| format!("{} ({}): {how}", part.scenario, part.revision));
        }
    }

    fn keep(&mut self, played: Played) {
        let Played { part, trace, ended } = played;
        if ended.unfinished && !self.subject.interrupt.is_set() {
            self.stuck += 1;
            self.did_not_get_through(part, &ended.how);
        }
        self.sent += sent(&trace);
        let output: Vec<String> = said(&trace).map(str::to_owned).collect();
        let trace = self.redactor.redact(&trace);
        self.recording.push(trace);
        if !output.is_empty() {
            let lines = output.iter().map(|line| shown(&self.redactor.redact_text(line)));
            self.recording.manifest.target_output = lines.collect();
        }
    }
}

impl Scenario {
    /// Whether nothing else may go on beside it.
    fn is_timed(self) -> bool {
        matches!(self, Self::ClientRepeatedCalls | Self::ClientHeldBack)
    }
}

fn work(subject: &ClientSubject, queue: &Mutex<std::vec::IntoIter<Part>>, sender: &Sender<Result<Played, RunError>>) {
    loop {
        let next = queue.lock().ok().and_then(|mut queue| queue.next());
        let Some(part) = next.filter(|_| !subject.interrupt.is_set()) else { return };
        if sender.send(play(subject, part)).is_err() {
            return;
        }
    }
}

/// Plays one scenario: a peer of its own, and one start of the client.
fn play(subject: &ClientSubject, part: Part) -> Result<Played, RunError> {
    let Part { revision, scenario, attempt } = part;
    let tap = Tap::of_a_client();
    let scene = client_scenarios::scene(scenario, revision).unwrap_or_else(|| Scene::calls(Vec::new()));
    let (official, script) = (scene.official.to_owned(), scene.script(revision));
    let peer = Peer::start(scene, revision, &tap, &subject.interrupt).map_err(RunError::Listen)?;
    let environment = vec![
        ("MCP_CONFORMANCE_SCENARIO", official),
        ("MCP_CONFORMANCE_CONTEXT", "{}".to_owned()),
        ("MCP_CONFORMANCE_PROTOCOL_VERSION", revision.date().to_owned()),
        ("MCPWIRE_SCENARIO", scenario.name().to_owned()),
    ];
    let orders = Orders { revision, url: peer.url(), environment, script, process: peer.client() };
    let mut ended = subject.client.run(&orders, subject.within, &tap, &subject.interrupt).map_err(|source| {
        let program = match &subject.client {
            Client::Command(words) => words.first().cloned().unwrap_or_default(),
            Client::InProcess(_) | Client::Reference(_) => subject.client.name().1,
        };
        RunError::Client { program, source }
    })?;
    peer.settle(LAST_SEGMENTS);
    drop(peer);
    let head = TraceHead { scenario, revision, attempt, vantage: Vantage::Server, distance: Distance::Loopback };
    let events = with_said(tap.events_by_cause(), std::mem::take(&mut ended.output), &tap);
    Ok(Played { part, trace: Trace::new(head, events), ended })
}

/// What the embedded reference client takes from a response to its next request, on this machine, now.
fn floor(subject: &ClientSubject) -> Option<Floor> {
    let reference = ClientSubject {
        client: Client::Reference(None),
        revisions: Vec::new(),
        options: subject.options.clone(),
        within: subject.within,
        given: String::new(),
        interrupt: subject.interrupt.clone(),
    };
    let part = Part::first(Revision::R20251125, Scenario::ClientRepeatedCalls);
    let trace = play(&reference, part).ok()?.trace;
    let rounds = latency::rounds(&trace);
    let p50 = latency::median(rounds.iter().map(|round| round.took))?;
    Some(Floor { n: rounds.len(), p50: u64::try_from(p50.as_nanos()).ok()? })
}

/// How many bytes were sent to the client.
fn sent(trace: &Trace) -> usize {
    let written = |event: &Event| if let What::Wrote { bytes, .. } = &event.what { bytes.0.len() } else { 0 };
    trace.events.iter().map(written).sum()
}

/// What the client wrote to standard error.
fn said(trace: &Trace) -> impl Iterator<Item = &str> {
    trace
        .events
        .iter()
        .filter_map(|event| if let What::Said { line } = &event.what { Some(line.as_str()) } else { None })
}

/// How it showed that a client does not go along with a revision.
fn declined(trace: &Trace, ended: &Ended) -> String {
    let last = trace.exchanges().last();
    let asked = last.and_then(|exchange| Some((exchange.rpc_method()?, exchange.status()?)));
    match asked {
        Some((method, status)) => {
            format!("it went no further than `{method}`, answered with HTTP {status} ({})", ended.how)
        }
        None => format!("it made no request: {} ({})", nothing_came(trace), ended.how),
    }
}

/// What came where no request did.
fn nothing_came(trace: &Trace) -> String {
    let mut connections = trace.connections().peekable();
    if connections.peek().is_none() {
        return "it did not connect".to_owned();
    }
    match connections.find_map(|connection| connection.unreadable.as_ref()) {
        Some((fault, _)) => format!("what it sent is no request of HTTP/1.1: {fault}"),
        None => "it connected, and sent no head of a request to its end".to_owned(),
    }
}

/// What the client calls itself.
fn client_name(traces: &[Trace]) -> Option<String> {
    traces.iter().flat_map(Trace::exchanges).find_map(|exchange| {
        let sent = exchange.sent();
        let params = &sent.first()?.value["params"];
        let info = match &params["clientInfo"] {
            serde_json::Value::Null => &params["_meta"]["io.modelcontextprotocol/clientInfo"],
            info => info,
        };
        let (name, version) = (info["name"].as_str()?, info["version"].as_str().unwrap_or_default());
        Some(format!("{name} {version}").trim_end().chars().take(120).collect())
    })
}
