//! What a target says beside the wire: the standard error of a program, the log of a server in this process.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::ChildStderr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::trace::said::shown;

/// How many lines are kept as the last words of the whole run.
const KEPT_LINES: usize = 40;

/// How many are kept of the time since somebody asked last.
const KEPT_SINCE: usize = 60;

/// How much of a line is kept, in bytes, until it has no secrets any more and is cut to what is shown.
const KEPT_LENGTH: usize = 8 << 10;

/// The last lines that a target said; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Output(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    last: VecDeque<String>,
    since: VecDeque<(Instant, String)>,
    left_out: u64,
}

/// What a target said since somebody asked last.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The last of it, line by line.
    pub lines: Vec<(Instant, String)>,
    /// How many lines before them are not kept.
    pub left_out: u64,
}

impl Output {
    pub(super) fn follow(stderr: Option<ChildStderr>) -> Self {
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
                Ok(_) => self.say(String::from_utf8_lossy(&line).trim_end()),
            }
        }
    }

    /// One more line, said now.
    pub fn say(&self, line: &str) {
        let line = &line[..line.floor_char_boundary(KEPT_LENGTH)];
        let mut lines = self.of();
        if lines.last.len() == KEPT_LINES {
            lines.last.pop_front();
        }
        lines.last.push_back(line.to_owned());
        if lines.since.len() == KEPT_SINCE {
            lines.since.pop_front();
            lines.left_out += 1;
        }
        lines.since.push_back((Instant::now(), line.to_owned()));
    }

    /// The last words of the whole run; they may have secrets in them, and have to be [cut](shown) behind that.
    pub fn lines(&self) -> Vec<String> {
        self.of().last.iter().cloned().collect()
    }

    /// What was said since this was asked last. The same holds for it.
    pub fn take(&self) -> Said {
        let mut lines = self.of();
        Said { lines: lines.since.drain(..).collect(), left_out: std::mem::take(&mut lines.left_out) }
    }

    pub(super) fn quoted(&self) -> String {
        let lines: Vec<String> = self.lines().iter().map(|line| shown(line)).collect();
        match lines.is_empty() {
            true => "; it wrote nothing to standard error".to_owned(),
            false => format!("; its last words:\n    {}", lines.join("\n    ")),
        }
    }

    fn of(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_counted_and_the_last_of_it_kept() {
        let output = Output::default();
        (0..100).for_each(|number| output.say(&format!("line {number}")));
        let said = output.take();
        assert_eq!((said.lines.len(), said.left_out), (KEPT_SINCE, 40));
        assert_eq!(said.lines.last().map(|(_, line)| line.as_str()), Some("line 99"));
        assert_eq!(output.lines().len(), KEPT_LINES);
    }

    #[test]
    fn what_was_asked_for_is_not_told_again() {
        let output = Output::default();
        output.say("before");
        output.take();
        output.say("after");
        let said = output.take();
        assert_eq!((said.lines.len(), said.left_out), (1, 0));
        assert_eq!(output.lines(), ["before", "after"], "the last words are those of the whole run");
    }

    #[test]
    fn a_line_of_megabytes_is_cut() {
        let output = Output::default();
        output.say(&"ä".repeat(1 << 20));
        let line = &output.lines()[0];
        assert!(line.len() <= KEPT_LENGTH, "{}", line.len());
        assert!(shown(line).chars().count() < line.chars().count());
    }
}
