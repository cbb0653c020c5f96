//! The last words of a program.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::ChildStderr;
use std::sync::{Arc, Mutex, PoisonError};

/// How many lines of standard error are kept, and how long each may be.
const KEPT_LINES: usize = 40;
const KEPT_LENGTH: usize = 400;

/// The last lines that a program wrote to standard error.
#[derive(Clone, Debug, Default)]
pub(super) struct Output(Arc<Mutex<VecDeque<String>>>);

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

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(super) fn quoted(&self) -> String {
        let lines = self.lines();
        match lines.is_empty() {
            true => "; it wrote nothing to standard error".to_owned(),
            false => format!("; its last words:\n    {}", lines.join("\n    ")),
        }
    }
}
