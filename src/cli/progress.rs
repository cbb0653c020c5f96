//! What a run shows while it goes on: a bar on a terminal, plain lines elsewhere. Always on standard error.

use std::io::{IsTerminal, Write, stderr};

use indicatif::{ProgressBar, ProgressStyle};

use super::visible;
use crate::drive::{Observer, Progress};

/// The observer that fits standard error.
pub fn observer() -> Box<dyn Observer> {
    match stderr().is_terminal() && std::env::var_os("CI").is_none() {
        true => Box::new(Bar(ProgressBar::new_spinner())),
        false => Box::new(Lines),
    }
}

struct Bar(ProgressBar);

impl Observer for Bar {
    fn progress(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Starting => self.0.set_message("starting the target"),
            Progress::Surveying(revision) => self.0.set_message(format!("asking for {revision}")),
            Progress::Playing { revision, scenario, done, of } => {
                self.0.set_length(of as u64);
                if done == 0
                    && let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}")
                {
                    self.0.set_style(style);
                }
                self.0.set_position(done as u64);
                self.0.set_message(format!("{revision} {scenario}"));
            }
            Progress::Again(_) | Progress::Stopped { .. } => {}
        }
        self.0.tick();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

struct Lines;

impl Observer for Lines {
    fn progress(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Starting => {}
            Progress::Surveying(revision) => line(&format!("asking for {revision}")),
            Progress::Playing { revision, scenario, done, of } => {
                line(&format!("[{}/{of}] {revision} {scenario}", done + 1));
            }
            Progress::Again(count) => line(&format!("{count} scenarios again, to see twice what was found in them")),
            Progress::Stopped { scenario, why } => line(&format!("  {scenario} stopped: {}", visible(why))),
        }
    }
}

/// One line; that nobody reads standard error any more is no reason to end.
fn line(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
