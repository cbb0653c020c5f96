//! A program in a process group of its own: whatever it starts ends with it.

use std::io;
use std::process::{Child, ChildStderr, ChildStdout, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a process group may take to end when it is asked to.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// A child with a process group of its own. Dropping it ends the whole group.
#[derive(Debug)]
pub(super) struct Group {
    child: Child,
}

impl Group {
    /// Starts a program with this environment beside our own, and its standard output where it should go.
    ///
    /// # Errors
    ///
    /// The system's words.
    pub(super) fn spawn(words: &[String], environment: &[(&str, String)], stdout: Stdio) -> io::Result<Self> {
        let mut command = std::process::Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped());
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // Held over the start, so that whoever ends all groups at once sees this one as well.
        let mut groups = groups();
        let child = command.spawn()?;
        groups.push(child.id());
        Ok(Self { child })
    }

    pub(super) fn leader(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// What it writes to standard output, where that is piped to us.
    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// How the leader ended, if it has; it is not reaped, so that its number stays ours.
    #[cfg(unix)]
    pub(super) fn exited(&mut self) -> Option<String> {
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
    pub(super) fn exited(&mut self) -> Option<String> {
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
#[cfg(all(unix, any(feature = "cli", feature = "cargo-test")))]
pub(crate) fn end_all_at_once() {
    for leader in groups().iter() {
        // SAFETY: kill has no memory to get wrong, and a group leaves the list before its leader is reaped.
        unsafe { libc::kill(-(*leader as libc::pid_t), libc::SIGKILL) };
    }
}
