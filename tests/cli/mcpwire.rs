//! Runs the binary, and gives its end together with all that it said.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The binary.
pub const BINARY: &str = env!("CARGO_BIN_EXE_mcpwire");

/// No run of these tests takes as long; one that does is ended, and its test fails.
const LIMIT: Duration = Duration::from_secs(120);

/// A run that is over.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
    /// The processor time that it had, where the system tells: on a busy machine, `took` is mostly waiting.
    pub worked: Option<Duration>,
    /// The most memory that it had at any time, where the system tells.
    pub peak_mib: Option<u64>,
}

/// A run that goes on.
pub struct Running {
    child: Child,
    began: Instant,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

/// Runs it with these arguments to its end.
pub fn run<S: AsRef<str>>(arguments: &[S]) -> Ended {
    start(arguments).end()
}

/// Starts it with these arguments.
pub fn start<S: AsRef<str>>(arguments: &[S]) -> Running {
    start_with(arguments, |_| {})
}

/// Starts it with these arguments, in a changed environment.
pub fn start_with<S: AsRef<str>>(arguments: &[S], change: impl FnOnce(&mut Command)) -> Running {
    let mut command = Command::new(BINARY);
    command.args(arguments.iter().map(AsRef::as_ref));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    change(&mut command);
    let mut child = command.spawn().expect("the binary starts");
    let stdout = read(child.stdout.take().expect("a pipe"));
    let stderr = read(child.stderr.take().expect("a pipe"));
    Running { child, began: Instant::now(), stdout, stderr }
}

fn read(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Running {
    #[cfg(unix)]
    pub fn signal(&self, number: i32) {
        // SAFETY: kill has no memory to get wrong, and the child is not reaped before `end`.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, number) }, 0);
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let (mut peak_mib, mut worked) = (None, None);
        let status = loop {
            // Both grow only, so that the last look counts.
            peak_mib = peak_memory(self.child.id()).max(peak_mib);
            worked = processor_time(self.child.id()).max(worked);
            match self.child.try_wait().expect("a child of ours") {
                Some(status) => break status,
                None if self.began.elapsed() > LIMIT => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    panic!("still running after {LIMIT:?}; standard error:\n{}", self.stderr.join().expect("no panic"));
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        let ended = Ended {
            code: code(status),
            took: self.began.elapsed(),
            stdout: self.stdout.join().expect("no panic"),
            stderr: self.stderr.join().expect("no panic"),
            worked,
            peak_mib,
        };
        assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
        ended
    }
}

#[cfg(unix)]
fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| panic!("ended by signal {:?}", status.signal()))
}

#[cfg(not(unix))]
fn code(status: ExitStatus) -> i32 {
    status.code().expect("an exit code")
}

fn processor_time(pid: u32) -> Option<Duration> {
    /// USER_HZ, which is 100 on every Linux.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything, so count from the last one.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(TICK * (ticks()? + ticks()?))
}

fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()? / 1024)
}

impl Ended {
    /// The sentences for the user, without the progress of the run.
    pub fn said(&self) -> String {
        let mut lines =
            self.stderr.lines().skip_while(|line| !line.starts_with("mcpwire: ") && !line.starts_with("error: "));
        let first = lines.next().unwrap_or_default().to_owned();
        lines.fold(first, |said, line| said + "\n" + line)
    }

    /// Ended with this code, and with a sentence that has these words in it.
    #[track_caller]
    pub fn assert_says(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, code, "standard error:\n{}\nstandard output:\n{}", self.stderr, self.stdout);
        let said = self.said();
        for word in words {
            assert!(said.contains(word), "`{word}` is not in: {said}");
        }
        self
    }

    /// The JSON report on standard output.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}:\n{}\n{}", self.stdout, self.stderr))
    }
}

/// A folder that is empty now, below the one that cargo keeps for tests.
pub fn folder(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let unique = format!("{name}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(unique);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder");
    path
}

/// A path as an argument.
pub fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}
