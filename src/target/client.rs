//! A client under test: started once for every scenario, followed on its standard output, ended with all that it
//! started.

use std::io::{self, BufRead, BufReader, Read};
use std::process::{ChildStdout, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::group::Group;
use super::output::Output;
use crate::trace::{Moment, Nanos, Told, What};
use crate::wire::interrupt::Interrupt;
use crate::wire::tap::Tap;

/// The longest line of standard output that is read whole: a result of some megabytes has to fit.
const LONGEST_LINE: u64 = 6 << 20;

/// So much of what a client tells is kept in one scenario.
const KEPT_TOLD: usize = 12 << 20;

/// How often it is asked whether it has ended.
const LOOK: Duration = Duration::from_millis(2);

/// How long its last words may be on their way once it has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A client under test.
#[derive(Clone, Debug)]
pub enum Client {
    /// A program, by its words; the URL is appended.
    Command(Vec<String>),
    /// The embedded reference client.
    Reference(Option<crate::reference::client::Fault>),
}

/// What a client is told beside the URL.
#[derive(Clone, Debug)]
pub struct Orders {
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
    /// The last lines that it wrote to standard error.
    pub output: Vec<String>,
}

impl Client {
    /// What the report calls it, and how its kind is called.
    pub fn name(&self) -> (&'static str, String) {
        match self {
            Self::Command(words) => ("command", shell_words::join(words)),
            Self::Reference(None) => ("reference", "the embedded reference client".to_owned()),
            Self::Reference(Some(fault)) => ("reference", format!("the embedded reference client --fault {fault}")),
        }
    }

    /// The options of `mcpwire client` that stand before the selection, and what stands behind it.
    pub fn replay(&self) -> (String, String) {
        match self {
            Self::Command(words) => (String::new(), format!(" -- {}", shell_words::join(words))),
            Self::Reference(None) => Default::default(),
            Self::Reference(Some(fault)) => (format!(" --fault {fault}"), String::new()),
        }
    }

    /// Starts it, and writes down what it tells, until it ends, the time is up or somebody interrupts.
    ///
    /// # Errors
    ///
    /// Where the program cannot be started.
    pub fn run(&self, orders: &Orders, within: Duration, tap: &Tap, interrupt: &Interrupt) -> io::Result<Ended> {
        let ended = match self {
            Self::Command(words) => run_command(words, orders, within, tap, interrupt)?,
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
    let teller = group.stdout().map(|stdout| follow(stdout, tap));
    let deadline = Instant::now() + within;
    let mut ended = loop {
        if let Some(how) = group.exited() {
            break Ended { how, forced: false, output: Vec::new() };
        }
        if interrupt.is_set() || Instant::now() > deadline {
            let how = match interrupt.is_set() {
                true => "interrupted".to_owned(),
                false => format!("still running after {} s", within.as_secs()),
            };
            break Ended { how, forced: true, output: Vec::new() };
        }
        thread::sleep(LOOK);
    };
    // What it started may live on, and hold its standard output open.
    let lingers = teller.is_some_and(|teller| !finishes(&teller, LAST_WORDS));
    drop(group);
    if lingers && !ended.forced {
        ended.how.push_str(", and left a process behind that was ended");
    }
    ended.output = output.lines();
    Ok(ended)
}

fn finishes(thread: &JoinHandle<()>, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    while !thread.is_finished() && Instant::now() < deadline {
        thread::sleep(LOOK);
    }
    thread.is_finished()
}

/// Writes down what a program tells. It ends with the last process that holds the other end.
fn follow(stdout: ChildStdout, tap: &Tap) -> JoinHandle<()> {
    let tap = tap.clone();
    thread::spawn(move || {
        let teller = Teller::new(&tap);
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
struct Teller<'t> {
    tap: &'t Tap,
    kept: Mutex<usize>,
}

impl<'t> Teller<'t> {
    fn new(tap: &'t Tap) -> Self {
        Self { tap, kept: Mutex::new(0) }
    }

    fn tell(&self, line: &str) {
        let nowhere = Moment { at: Nanos(0), kernel: None, seq: 0 };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept + line.len() <= KEPT_TOLD && Told::read(line, nowhere).is_some() {
            *kept += line.len();
            self.tap.note(What::Told { line: line.to_owned() });
        }
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
    while !running.is_finished() && !interrupt.is_set() && Instant::now() < deadline {
        thread::sleep(LOOK);
    }
    let forced = !running.is_finished();
    stopped.store(true, Ordering::SeqCst);
    let how = match running.join() {
        Ok(Ok(())) if !forced => "it ended".to_owned(),
        Ok(Err(error)) if !forced => error.to_string(),
        Err(_) => "it panicked".to_owned(),
        _ => format!("still running after {} s", within.as_secs()),
    };
    Ended { how, forced, output: Vec::new() }
}
