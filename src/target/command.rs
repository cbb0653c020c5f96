//! A program that is started for the run: its process group, its port, its readiness, its last words.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStderr, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use crate::trace::Span;
use crate::wire::interrupt::Interrupt;
use crate::wire::os;

/// What stands for the port in a command line.
const PLACEHOLDER: &str = "{port}";

/// How many lines of standard error are kept, and how long each may be.
const KEPT_LINES: usize = 40;
const KEPT_LENGTH: usize = 400;

/// How long a program may take until it answers HTTP, unless set: interpreters with cold caches need seconds.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often a port that was lost in a race is replaced.
const TRIES: u32 = 3;

/// How long a process group may take to end when it is asked to.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// A program that is started for the run.
#[derive(Clone, Debug)]
pub struct Command {
    line: String,
    words: Vec<String>,
    path: String,
    fields: Vec<(String, String)>,
    ready_within: Duration,
    /// Where it listens, if it chooses its port itself.
    fixed: Option<Endpoint>,
}

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    group: Group,
    endpoint: Endpoint,
    output: Output,
}

/// Why a program does not come up.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The line cannot be split into words.
    #[error("the command `{0}` cannot be split into words: a quote is not closed")]
    Words(String),
    /// There are no words.
    #[error("the command is empty")]
    Empty,
    /// There is no port.
    #[error("the command `{0}` has no {{port}} in it (a program with a fixed port needs --url beside --cmd)")]
    NoPort(String),
    /// It cannot be started.
    #[error("cannot start `{program}`: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// The system's words.
        source: io::Error,
    },
    /// It ended.
    #[error("`{line}` ended ({status}) before it answered on {address}{output}")]
    Exited {
        /// The command.
        line: String,
        /// Its exit status.
        status: String,
        /// Where it should have answered.
        address: String,
        /// Its last words.
        output: String,
    },
    /// It does not answer.
    #[error("`{line}` did not answer HTTP on {address} within {}: {what}{output}", Span(*within))]
    NotReady {
        /// The command.
        line: String,
        /// Where it should have answered.
        address: String,
        /// How long was waited.
        within: Duration,
        /// What was seen instead.
        what: &'static str,
        /// Its last words.
        output: String,
    },
    /// Somebody else answers.
    #[error("{address} is served by another process than `{line}`")]
    NotOurs {
        /// The command.
        line: String,
        /// The address.
        address: String,
    },
    /// Somebody interrupted.
    #[error("interrupted while `{0}` was coming up")]
    Interrupted(String),
    /// No port could be had.
    #[error("cannot find a free port: {0}")]
    NoFreePort(io::Error),
}

impl Command {
    /// A program whose command line has `{port}` in it; it is split into words without a shell.
    ///
    /// # Errors
    ///
    /// Where the line cannot be split, or has no port in it.
    pub fn new(line: &str, path: &str) -> Result<Self, CommandError> {
        let command = Self::split(line, path)?;
        match command.words.iter().any(|word| word.contains(PLACEHOLDER)) {
            true => Ok(command),
            false => Err(CommandError::NoPort(line.to_owned())),
        }
    }

    /// A program that listens at a place of its own.
    ///
    /// # Errors
    ///
    /// Where the line cannot be split.
    pub fn at(line: &str, endpoint: Endpoint) -> Result<Self, CommandError> {
        Ok(Self { fixed: Some(endpoint), ..Self::split(line, "")? })
    }

    fn split(line: &str, path: &str) -> Result<Self, CommandError> {
        let words = shell_words::split(line).map_err(|_| CommandError::Words(line.to_owned()))?;
        if words.is_empty() {
            return Err(CommandError::Empty);
        }
        Ok(Self {
            line: line.to_owned(),
            words,
            path: path.to_owned(),
            fields: Vec::new(),
            ready_within: READY_WITHIN,
            fixed: None,
        })
    }

    /// With header fields for every request.
    pub fn with_fields(mut self, fields: Vec<(String, String)>) -> Self {
        self.fields = fields;
        self
    }

    /// With this long to come up, until it answers HTTP.
    pub fn ready_within(mut self, patience: Duration) -> Self {
        self.ready_within = patience;
        self
    }

    /// The command line.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The run that tests it.
    pub(super) fn replay(&self) -> String {
        let line = shell_words::quote(&self.line);
        match &self.fixed {
            Some(endpoint) => format!("mcpwire server --cmd {line} --url {}", shell_words::quote(&endpoint.shown())),
            None if self.path == "/mcp" => format!("mcpwire server --cmd {line}"),
            None => format!("mcpwire server --cmd {line} --path {}", shell_words::quote(&self.path)),
        }
    }

    pub(super) fn start(self, interrupt: &Interrupt) -> Result<Running, CommandError> {
        for attempt in 1.. {
            let endpoint = match &self.fixed {
                Some(endpoint) => endpoint.clone(),
                None => Endpoint::loopback(free_port().map_err(CommandError::NoFreePort)?, &self.path)
                    .with_fields(self.fields.clone()),
            };
            match self.start_at(endpoint, interrupt) {
                // Between our look and its bind, somebody else may have taken the port.
                Err(CommandError::Exited { .. } | CommandError::NotOurs { .. })
                    if attempt < TRIES && self.fixed.is_none() => {}
                outcome => return outcome,
            }
        }
        Err(CommandError::Empty)
    }

    fn start_at(&self, endpoint: Endpoint, interrupt: &Interrupt) -> Result<Running, CommandError> {
        let port = endpoint.addresses().first().map_or(0, SocketAddr::port).to_string();
        let words: Vec<String> = self.words.iter().map(|word| word.replace(PLACEHOLDER, &port)).collect();
        let mut group = Group::spawn(&words)?;
        let output = Output::follow(group.stderr());
        let running = Running { group, endpoint, output };
        running.ready(&self.line, self.ready_within, interrupt)
    }
}

impl Running {
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(super) fn process(&self) -> u32 {
        self.group.leader()
    }

    pub(super) fn output(&self) -> Vec<String> {
        self.output.lines()
    }

    /// Waits until it answers HTTP, and proves that it is the one who does.
    fn ready(mut self, line: &str, within: Duration, interrupt: &Interrupt) -> Result<Self, CommandError> {
        let line = line.to_owned();
        let address = self.endpoint.shown();
        let deadline = Instant::now() + within;
        let mut what = "nobody listens there";
        loop {
            if interrupt.is_set() {
                return Err(CommandError::Interrupted(line));
            }
            if let Some(status) = self.group.exited() {
                // Its last words may still be on their way.
                std::thread::sleep(Duration::from_millis(50));
                return Err(CommandError::Exited { line, status, address, output: self.output.quoted() });
            }
            for candidate in self.endpoint.addresses() {
                match answers_http(candidate, &self.endpoint) {
                    Look::Answers => {
                        self.endpoint.prefer(candidate);
                        return match self.is_the_listener(candidate.port()) {
                            false => Err(CommandError::NotOurs { line, address }),
                            true => Ok(self),
                        };
                    }
                    Look::Silent => what = "somebody listens there and does not answer",
                    Look::Refused => {}
                }
            }
            if Instant::now() > deadline {
                return Err(CommandError::NotReady { line, address, within, what, output: self.output.quoted() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether the port's listener belongs to the group; taken for granted where this system cannot tell.
    fn is_the_listener(&self, port: u16) -> bool {
        match (os::listeners(port), os::sockets_of_group(self.group.leader())) {
            (Some(listeners), Some(ours)) => listeners.iter().any(|inode| ours.contains(inode)),
            _ => true,
        }
    }
}

enum Look {
    Answers,
    Silent,
    Refused,
}

/// OPTIONS is harmless, and any status line is an answer.
fn answers_http(address: SocketAddr, endpoint: &Endpoint) -> Look {
    const PATIENCE: Duration = Duration::from_millis(1_000);
    let Ok(mut stream) = TcpStream::connect_timeout(&address, PATIENCE) else { return Look::Refused };
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let request = format!(
        "OPTIONS {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        endpoint.target(),
        endpoint.authority()
    );
    let mut start = [0; 5];
    match stream.write_all(request.as_bytes()).and_then(|()| stream.read_exact(&mut start)) {
        Ok(()) if &start == b"HTTP/" => Look::Answers,
        _ => Look::Silent,
    }
}

fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

/// The last lines that a program wrote to standard error.
#[derive(Clone, Debug, Default)]
struct Output(Arc<Mutex<VecDeque<String>>>);

impl Output {
    fn follow(stderr: Option<ChildStderr>) -> Self {
        let output = Self::default();
        if let Some(stderr) = stderr {
            let lines = output.clone();
            // Ends with the last process that holds the other end.
            std::thread::spawn(move || lines.read(stderr));
        }
        output
    }

    fn read(&self, stderr: ChildStderr) {
        let mut reader = BufReader::new(stderr);
        let mut line = Vec::new();
        loop {
            line.clear();
            // Bounded: a program may write gigabytes without a line end.
            match reader.by_ref().take(16 << 10).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let text: String = String::from_utf8_lossy(&line).trim_end().chars().take(KEPT_LENGTH).collect();
            let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(text);
        }
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn quoted(&self) -> String {
        let lines = self.lines();
        match lines.is_empty() {
            true => "; it wrote nothing to standard error".to_owned(),
            false => format!("; its last words:\n    {}", lines.join("\n    ")),
        }
    }
}

/// A child with a process group of its own. Dropping it ends the whole group.
#[derive(Debug)]
struct Group {
    child: Child,
}

impl Group {
    fn spawn(words: &[String]) -> Result<Self, CommandError> {
        let mut command = std::process::Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // Held over the start, so that whoever ends all groups at once sees this one as well.
        let mut groups = groups();
        let child = command.spawn().map_err(|source| CommandError::Spawn { program: words[0].clone(), source })?;
        groups.push(child.id());
        Ok(Self { child })
    }

    fn leader(&self) -> u32 {
        self.child.id()
    }

    fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// How the leader ended, if it has; it is not reaped, so that its number stays ours.
    #[cfg(unix)]
    fn exited(&mut self) -> Option<String> {
        // SAFETY: an all-zero siginfo_t is valid, and waitid fills it.
        let (status, info) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            (libc::waitid(libc::P_PID, self.child.id() as libc::id_t, &mut info, flags), info)
        };
        // SAFETY: si_pid and si_status are valid after a successful waitid.
        let (pid, code) = unsafe { (info.si_pid(), info.si_status()) };
        if status != 0 || pid == 0 {
            return None;
        }
        Some(match info.si_code {
            libc::CLD_EXITED => format!("exit code {code}"),
            _ => format!("signal {code}"),
        })
    }

    #[cfg(not(unix))]
    fn exited(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }

    /// Asks the whole group to end, and after a while makes it.
    #[cfg(unix)]
    fn end(&mut self) {
        let group = self.child.id() as libc::pid_t;
        let signal = |number| {
            // SAFETY: kill has no memory to get wrong. The leader is not reaped yet, so that the number of the
            // group cannot have been given to anybody else.
            unsafe { libc::kill(-group, number) }
        };
        signal(libc::SIGTERM);
        let deadline = Instant::now() + ENDS_WITHIN;
        while self.exited().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        signal(libc::SIGKILL);
        // Before it is reaped: from then on its number may be given to somebody else.
        groups().retain(|leader| *leader != self.leader());
        let _ = self.child.wait();
    }

    #[cfg(not(unix))]
    fn end(&mut self) {
        groups().retain(|leader| *leader != self.leader());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// The leaders of the groups that run now.
fn groups() -> MutexGuard<'static, Vec<u32>> {
    static GROUPS: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends every program that was started, without asking: for a process that is about to end itself.
#[cfg(all(unix, feature = "cli"))]
pub(crate) fn end_all_at_once() {
    for leader in groups().iter() {
        // SAFETY: kill has no memory to get wrong, and a group leaves the list before its leader is reaped.
        unsafe { libc::kill(-(*leader as libc::pid_t), libc::SIGKILL) };
    }
}
