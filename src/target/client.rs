//! A client under test: started once for every scenario, followed on its standard output, ended with all that it
//! started.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{ChildStdout, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::client_closure::Closure;
use super::command::CommandError;
use super::group::Group;
use super::output::{Output, Said};
use crate::spec::Revision;
use crate::trace::{Moment, Nanos, Span, Told, What};
use crate::wire::interrupt::Interrupt;
use crate::wire::tap::{self, Tap};

/// The longest line of standard output that is read whole: a result of some megabytes has to fit.
const LONGEST_LINE: u64 = 6 << 20;

/// So much of what a client tells is kept in one scenario: bytes, lines, and parts of JSON in them.
const KEPT_TOLD: usize = 12 << 20;
const KEPT_LINES: usize = 1_000;
const KEPT_PARTS: u64 = 200_000;

/// How often it is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(2);

/// How long its last words may be on their way once it has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// The last step of every script.
const LAST_STEP: &str = "close";

/// How long it may go on once it has told that it has closed.
const AFTER_CLOSE: Duration = Duration::from_secs(5);

/// A client under test: a program ([`Client::command`]) or a closure in this process ([`Client::in_process`]).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Client {
    /// A program, by its words; the URL is appended.
    Command(Vec<String>),
    /// A closure in this process.
    #[non_exhaustive]
    InProcess(Closure),
    /// The embedded reference client.
    #[doc(hidden)]
    Reference(Option<crate::reference::client::Fault>),
}

/// What a client is told beside the URL.
#[derive(Clone, Debug)]
pub struct Orders {
    /// The revision of the peer.
    pub revision: Revision,
    /// The URL of the peer.
    pub url: String,
    /// The environment.
    pub environment: Vec<(&'static str, String)>,
    /// The script.
    pub script: String,
    /// Where the number of its process goes, where it is one.
    pub process: Arc<AtomicU32>,
}

/// How a client ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// As a lowercase fragment.
    pub how: String,
    /// It was made to end.
    pub forced: bool,
    /// It was made to end before it had come to the end of its script.
    pub unfinished: bool,
    /// The last lines that it wrote to standard error, or to its log.
    pub output: Said,
}

impl Client {
    /// A program and its arguments, split into words without a shell; the URL is appended. It is started once for each
    /// scenario, and finds in its environment what `fixtures/clients/README.md` says.
    ///
    /// ```
    /// let client = mcpwire::Client::command("python3 client.py --verbose")?;
    /// # Ok::<(), mcpwire::CommandError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the line cannot be split, or is empty.
    pub fn command(line: &str) -> Result<Self, CommandError> {
        let words = shell_words::split(line).map_err(|_| CommandError::Words(line.to_owned()))?;
        match words.first() {
            Some(program) if !program.is_empty() => Ok(Self::Command(words)),
            _ => Err(CommandError::Empty),
        }
    }

    /// What the report calls it, and how its kind is called.
    pub fn name(&self) -> (&'static str, String) {
        match self {
            Self::Command(words) => ("command", shell_words::join(words)),
            Self::InProcess(closure) => ("in-process", closure.name().to_owned()),
            Self::Reference(None) => ("reference", "the embedded reference client".to_owned()),
            Self::Reference(Some(fault)) => ("reference", format!("the embedded reference client --fault {fault}")),
        }
    }

    /// The options of `mcpwire client` that stand before the selection, and what stands behind it.
    pub fn replay(&self) -> (String, String) {
        match self {
            Self::Command(words) => (String::new(), format!(" -- {}", shell_words::join(words))),
            Self::InProcess(_) => Default::default(),
            Self::Reference(None) => Default::default(),
            Self::Reference(Some(fault)) => (format!(" --fault {fault}"), String::new()),
        }
    }

    /// Starts it, and writes down what it tells, until it ends, the time is up or somebody interrupts.
    ///
    /// # Errors
    ///
    /// Where the program cannot be started.
    pub(crate) fn run(&self, orders: &Orders, within: Duration, tap: &Tap, interrupt: &Interrupt) -> io::Result<Ended> {
        let ended = match self {
            Self::Command(words) => run_command(words, orders, within, tap, interrupt)?,
            Self::InProcess(closure) => run_closure(closure, orders, within, tap, interrupt),
            Self::Reference(fault) => run_reference(*fault, orders, within, tap, interrupt),
        };
        tap.note(What::ClientEnded { how: ended.how.clone(), forced: ended.forced });
        Ok(ended)
    }
}

fn run_command(
    words: &[String],
    orders: &Orders,
    within: Duration,
    tap: &Tap,
    interrupt: &Interrupt,
) -> io::Result<Ended> {
    let words: Vec<String> = words.iter().chain([&orders.url]).cloned().collect();
    let mut environment = orders.environment.clone();
    environment.push(("MCPWIRE_SCRIPT", orders.script.clone()));
    tap.note(What::ClientStarted);
    let mut group = Group::spawn(&words, &environment, Stdio::piped())?;
    orders.process.store(group.leader(), Ordering::Relaxed);
    let output = Output::follow(group.stderr());
    let teller = Arc::new(Teller::new(tap));
    let telling = group.stdout().map(|stdout| follow(stdout, Arc::clone(&teller)));
    let deadline = Instant::now() + within;
    let mut ended = loop {
        if let Some(how) = group.exited() {
            break Ended { how, forced: false, unfinished: false, output: Said::default() };
        }
        if let Some(ended) = time_is_up(&teller, deadline, within, tap, interrupt) {
            break ended;
        }
        thread::sleep(LOOK);
    };
    // What it started may live on, and hold its standard output open.
    let lingers = telling.is_some_and(|telling| !finishes(&telling, LAST_WORDS));
    drop(group);
    if lingers && !ended.forced {
        ended.how.push_str(", and left a process behind that was ended");
    }
    ended.output = output.take();
    Ok(ended)
}

/// Why a client has to be ended by now, if it has.
fn time_is_up(teller: &Teller, deadline: Instant, within: Duration, tap: &Tap, interrupt: &Interrupt) -> Option<Ended> {
    let closed = teller.closed().is_some_and(|closed| closed.elapsed() > AFTER_CLOSE);
    let how = match tap.overflow() {
        _ if interrupt.is_set() => "interrupted".to_owned(),
        Some(overflow) => format!("{overflow}, and was ended"),
        None if closed => format!("still running {} s after it had closed", AFTER_CLOSE.as_secs()),
        None if Instant::now() > deadline => still_running(within),
        None => return None,
    };
    Some(Ended { how, forced: true, unfinished: !closed, output: Said::default() })
}

fn run_closure(closure: &Closure, orders: &Orders, within: Duration, tap: &Tap, interrupt: &Interrupt) -> Ended {
    tap.note(What::ClientStarted);
    let teller = Arc::new(Teller::new(tap));
    let mut running = closure.start(orders, &teller);
    let deadline = Instant::now() + within;
    let ended = loop {
        if let Some(how) = running.ended() {
            break Ended { how, forced: false, unfinished: false, output: Said::default() };
        }
        if let Some(ended) = time_is_up(&teller, deadline, within, tap, interrupt) {
            running.end(LAST_WORDS);
            break ended;
        }
        thread::sleep(LOOK);
    };
    Ended { output: running.said(), ..ended }
}

fn still_running(within: Duration) -> String {
    format!("still running after {}", Span(within))
}

fn finishes(thread: &JoinHandle<()>, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    while !thread.is_finished() && Instant::now() < deadline {
        thread::sleep(LOOK);
    }
    thread.is_finished()
}

/// Writes down what a program tells. It ends with the last process that holds the other end.
fn follow(stdout: ChildStdout, teller: Arc<Teller>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        loop {
            line.clear();
            // Bounded: a program may write gigabytes without a line end.
            match reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => teller.tell(String::from_utf8_lossy(&line).trim()),
            }
        }
    })
}

/// Writes down the lines that mean something, as far as there is room.
#[derive(Debug)]
pub(super) struct Teller {
    tap: Tap,
    kept: Mutex<KeptLines>,
}

#[derive(Debug, Default)]
struct KeptLines {
    bytes: usize,
    lines: usize,
    parts: u64,
    closed: Option<Instant>,
}

impl Teller {
    fn new(tap: &Tap) -> Self {
        Self { tap: tap.clone(), kept: Mutex::default() }
    }

    pub(super) fn tell(&self, line: &str) {
        let nowhere = Moment { at: Nanos(0), kernel: None, seq: 0 };
        let mut kept = self.kept();
        let parts = tap::parts(line.as_bytes());
        if kept.bytes + line.len() > KEPT_TOLD || kept.lines >= KEPT_LINES || kept.parts + parts > KEPT_PARTS {
            return;
        }
        let Some(told) = Told::read(line, nowhere) else { return };
        kept.bytes += line.len();
        kept.lines += 1;
        kept.parts += parts;
        if told.step == LAST_STEP {
            kept.closed.get_or_insert_with(Instant::now);
        }
        self.tap.note(What::Told { line: line.to_owned() });
    }

    /// When it told that it has closed.
    fn closed(&self) -> Option<Instant> {
        self.kept().closed
    }

    fn kept(&self) -> MutexGuard<'_, KeptLines> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn run_reference(
    fault: Option<crate::reference::client::Fault>,
    orders: &Orders,
    within: Duration,
    tap: &Tap,
    interrupt: &Interrupt,
) -> Ended {
    let stopped = Arc::new(AtomicBool::new(false));
    tap.note(What::ClientStarted);
    let running = {
        let (orders, tap, stopped) = (orders.clone(), tap.clone(), Arc::clone(&stopped));
        thread::spawn(move || {
            let teller = Teller::new(&tap);
            let tell = |line: &str| teller.tell(line);
            let stop = || stopped.load(Ordering::SeqCst);
            crate::reference::client::run(&orders.url, &orders.script, fault, &tell, &stop)
        })
    };
    let deadline = Instant::now() + within;
    while !running.is_finished() && !interrupt.is_set() && tap.overflow().is_none() && Instant::now() < deadline {
        thread::sleep(LOOK);
    }
    let forced = !running.is_finished();
    stopped.store(true, Ordering::SeqCst);
    let how = match running.join() {
        Ok(Ok(())) if !forced => "it ended".to_owned(),
        Ok(Err(error)) if !forced => error.to_string(),
        Err(_) => "it panicked".to_owned(),
        _ if interrupt.is_set() => "interrupted".to_owned(),
        _ => tap.overflow().unwrap_or_else(|| still_running(within)),
    };
    Ended { how, forced, unfinished: forced, output: Said::default() }
}
