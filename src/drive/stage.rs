//! The stage: what every scenario has at hand, and how an answer is waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::ask::Ask;
use super::facts::Facts;
use crate::manifest::Options;
use crate::spec::Revision;
use crate::target::{Endpoint, Holdings, ToolRole, ToolRoles};
use crate::trace::{Ending, Exchange, What};
use crate::wire::connection::{ConnectError, Connection, Wait};
use crate::wire::interrupt::Interrupt;
use crate::wire::os;
use crate::wire::tap::Tap;

/// How long a connection may take to be established on this machine; a dead peer refuses at once.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// How long the end of a stream is waited for where that is not the question.
const BRIEFLY: Duration = Duration::from_millis(100);

/// What a scenario plays on.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Where it is written down.
    pub tap: Tap,
    /// Where the target is.
    pub endpoint: Endpoint,
    /// The revision that is spoken.
    pub revision: Revision,
    /// The options of the run.
    pub options: Options,
    /// The target's own tools, by role.
    pub roles: ToolRoles,
    /// What the survey found out.
    pub facts: Facts,
    /// Set when somebody asks us to stop.
    pub interrupt: Interrupt,
    /// The target's process, where it runs on this machine and is not ours.
    pub peer: Option<u32>,
    /// Where to count what the target holds.
    pub holdings: Holdings,
    /// The requests that were waited for in vain.
    pub unanswered: Unanswered,
    /// When experiments are made that tell what makes a call slow.
    pub experiments: Experiments,
}

/// When experiments are made that tell what makes a call slow. They cost the target some dozen calls more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Experiments {
    /// Where calls seem slow.
    WhereSlow,
    /// In any case.
    Always,
}

/// The requests of a run that were waited for in vain; clones count together. Each costs the whole time-out, so
/// that a run which never gave up could take the better part of an hour.
#[derive(Clone, Debug, Default)]
pub struct Unanswered(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: AtomicU32,
    in_a_row: AtomicU32,
}

impl Unanswered {
    /// One more.
    pub fn count(&self) {
        self.0.all.fetch_add(1, Ordering::Relaxed);
        self.0.in_a_row.fetch_add(1, Ordering::Relaxed);
    }

    /// A request was answered.
    pub fn answered(&self) {
        self.0.in_a_row.store(0, Ordering::Relaxed);
    }

    /// How many there were in all.
    pub fn all(&self) -> u32 {
        self.0.all.load(Ordering::Relaxed)
    }

    /// How many there were since the last answer.
    pub fn in_a_row(&self) -> u32 {
        self.0.in_a_row.load(Ordering::Relaxed)
    }
}

/// Why a scenario cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
    /// No connection.
    #[error(transparent)]
    Unreachable(#[from] ConnectError),
    /// A request that later steps stand on was not answered as they need it.
    #[error("{0}")]
    Answer(String),
    /// The target, or this platform, lacks what the scenario needs; a fresh try would not change that.
    #[error("{0}")]
    Lacks(String),
    /// Too many streams were left open: each costs the whole grace.
    #[error("{0} streams were left open")]
    LeftOpen(u32),
    /// Too many requests were waited for in vain: each costs the whole time-out.
    #[error("{0} requests were not answered")]
    Unanswered(u32),
}

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Its head, but no longer than this.
    HeadWithin(Duration),
    /// Its end; after the response, for the grace.
    End(Patience),
    /// Its end, but no longer than that.
    EndWithin(Duration),
    /// A fixed time, whatever comes.
    For(Duration),
}

/// How long the end of a stream is waited for after its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As long as the grace: the end is the question.
    Full,
    /// Briefly.
    Brief,
}

impl Stage {
    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// Where no address of the endpoint can be reached.
    pub fn connect(&self) -> Result<Connection, Stop> {
        self.connect_with(None)
    }

    /// Opens a connection with a receive buffer of so many bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    pub fn connect_narrow(&self, receive_buffer: usize) -> Result<Connection, Stop> {
        self.connect_with(Some(receive_buffer))
    }

    fn connect_with(&self, receive_buffer: Option<usize>) -> Result<Connection, Stop> {
        let timeout = self.options.timeout.min(CONNECT_PATIENCE);
        let mut last = Stop::Answer("the target has no address".to_owned());
        for address in self.endpoint.addresses() {
            match Connection::open_with(address, timeout, receive_buffer, &self.tap, &self.interrupt) {
                Ok(connection) => return Ok(connection),
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }

    /// Writes a request.
    pub fn ask(&self, connection: &mut Connection, ask: &Ask) {
        connection.ask(&ask.label, ask.part, ask.ours, &ask.bytes(&self.endpoint));
    }

    /// Waits for the answer to the last request.
    ///
    /// # Errors
    ///
    /// Only where somebody interrupts: what did not come is in the trace.
    pub fn settle(&self, connection: &mut Connection, until: Until) -> Result<(), Stop> {
        self.settle_unless(connection, until, Instant::now(), |_| false)
    }

    /// Waits for the answer to the last request, which was written at `asked`, unless something in it is due
    /// before.
    ///
    /// # Errors
    ///
    /// As [`Self::settle`].
    pub fn settle_unless(
        &self,
        connection: &mut Connection,
        until: Until,
        asked: Instant,
        is_due: impl Fn(&Exchange) -> bool,
    ) -> Result<(), Stop> {
        let mut responded = None;
        loop {
            let Some(exchange) = connection.exchanges().last() else { return Ok(()) };
            if is_due(exchange) {
                return Ok(());
            }
            if !matches!(exchange.ending, Ending::Open { .. }) && !matches!(until, Until::For(_)) {
                return Ok(());
            }
            if exchange.response().is_some() {
                responded.get_or_insert_with(Instant::now);
            }
            let due = match (until, responded) {
                (Until::HeadWithin(_), _) if exchange.answer.is_some() => return Ok(()),
                (Until::HeadWithin(patience) | Until::For(patience) | Until::EndWithin(patience), _) => {
                    asked + patience
                }
                (Until::End(Patience::Full), Some(at)) => at + self.options.stream_end_grace,
                (Until::End(Patience::Brief), Some(at)) => at + BRIEFLY.min(self.options.stream_end_grace),
                (Until::End(_), _) => asked + self.options.timeout,
            };
            // A peer that keeps sending never lets a wait time out.
            if Instant::now() > due + BRIEFLY {
                return Ok(());
            }
            match connection.wait(due) {
                Wait::Bytes => {}
                Wait::Ended(_) if matches!(until, Until::For(_)) => return Ok(()),
                Wait::Ended(_) => {}
                Wait::Nothing => return Ok(()),
                Wait::Interrupted => return Err(Stop::Interrupted),
            }
        }
    }

    /// Writes down something that later steps stand on.
    pub fn learned(&self, fact: &str, value: impl Into<String>) {
        self.tap.note(What::Learned { fact: fact.to_owned(), value: value.into() });
    }

    /// Writes down how long the target's threads have waited for a processor.
    pub fn note_peer_waited(&self) {
        if let Some(total) = self.peer.and_then(os::run_delay) {
            let total = u64::try_from(total.as_nanos()).unwrap_or(u64::MAX);
            self.tap.note(What::PeerWaited { total });
        }
    }

    /// The target's tool for a role.
    pub fn tool(&self, role: ToolRole) -> Option<super::ask::Call> {
        let mapped = self.roles.get(role).cloned();
        mapped.map(|tool| super::ask::Call::tool(&tool.name, tool.arguments))
    }

    /// Waits without a connection.
    ///
    /// # Errors
    ///
    /// Where somebody interrupts.
    pub fn pause(&self, duration: Duration) -> Result<(), Stop> {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            if self.interrupt.is_set() {
                return Err(Stop::Interrupted);
            }
            std::thread::sleep(until.saturating_duration_since(Instant::now()).min(Duration::from_millis(20)));
        }
        Ok(())
    }
}

/// Why an exchange is no answer, as a lowercase fragment.
pub fn what_came(exchange: &Exchange) -> String {
    match (exchange.status(), &exchange.ending) {
        (_, Ending::Unreadable(_)) => "an answer that cannot be read as HTTP/1.1".to_owned(),
        (_, Ending::NotKept(_)) => "more bytes than a recording keeps".to_owned(),
        (None, Ending::Cut(..)) => "a closed connection".to_owned(),
        (None, _) => "nothing".to_owned(),
        (Some(status), Ending::Cut(..)) => format!("HTTP {status} and a connection closed in mid-answer"),
        (Some(status), _) => format!("HTTP {status}"),
    }
}
