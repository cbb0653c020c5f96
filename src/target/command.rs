//! A program that is started for the run: its port and its readiness.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::group::Group;
use super::output::Output;
use crate::trace::Span;
use crate::wire::interrupt::Interrupt;
use crate::wire::os;

/// What stands for the port in a command line.
const PLACEHOLDER: &str = "{port}";

/// How long a program may take until it answers HTTP, unless set: interpreters with cold caches need seconds.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// How often a port that was lost in a race is replaced.
const TRIES: u32 = 3;

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

    /// What nobody should read.
    #[cfg(feature = "cargo-test")]
    pub(super) fn secrets(&self) -> Vec<String> {
        let fixed = self.fixed.iter().flat_map(Endpoint::secrets);
        fixed.chain(super::endpoint::field_secrets(&self.fields)).filter(|secret| !secret.is_empty()).collect()
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
        let mut group = Group::spawn(&words, &[], Stdio::null())
            .map_err(|source| CommandError::Spawn { program: words[0].clone(), source })?;
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

    pub(super) fn output(&self) -> &Output {
        &self.output
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
