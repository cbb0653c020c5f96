//! One direction of a passage: what has come and was not passed on yet, step by step.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::wire::fault::{Applied, Plan, Step};

/// So much may wait in one direction; beyond it, the sender is not read from.
const ROOM: usize = 1 << 20;

/// Shorter waits are waited out on the spot: a look at a socket takes as long.
const AT_ONCE: Duration = Duration::from_millis(1);

/// What waits in one direction, and what comes of it.
#[derive(Debug)]
pub struct Line {
    /// What is done with the bytes.
    pub plan: Plan,
    acts: VecDeque<Act>,
    /// Bytes in the acts.
    waiting: usize,
    /// Nothing is done before.
    not_before: Instant,
    /// The direction has ended.
    has_ended: bool,
    /// That the sender has to wait was written down, and still holds.
    pub is_jammed: bool,
}

/// One thing that is to be done towards the receiver.
#[derive(Debug)]
pub enum Act {
    /// A message of this name begins.
    Begin(String),
    /// These bytes go out with one system call.
    Write(Vec<u8>),
    /// Nothing before this.
    NotBefore(Instant),
    /// Nothing for so long.
    Pause(Duration),
    /// The direction ends in order.
    Finish,
    /// Both connections are torn down.
    Reset,
    /// This is written down.
    Note(Applied),
    /// The request of this name, whole, is delivered once more.
    Again(String, Vec<u8>),
    /// The sender has ended the direction in order.
    Ended,
}

impl Line {
    /// An empty one.
    pub fn with(plan: Plan) -> Self {
        Self { plan, acts: VecDeque::new(), waiting: 0, not_before: Instant::now(), has_ended: false, is_jammed: false }
    }

    /// Whether more may come.
    pub fn has_room(&self) -> bool {
        self.waiting < ROOM
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.acts.is_empty()
    }

    /// Puts something behind what waits.
    pub fn push(&mut self, act: Act) {
        self.acts.push_back(act);
    }

    /// Bytes have come.
    pub fn pass(&mut self, bytes: &[u8]) {
        let steps = self.plan.pass(bytes.len());
        self.take(bytes, steps);
    }

    /// The end of a chunked answer has come.
    pub fn terminator(&mut self, bytes: &[u8]) {
        let steps = self.plan.terminator(bytes.len());
        self.take(bytes, steps);
    }

    /// A message is over.
    pub fn message_over(&mut self) {
        let steps = self.plan.message_over();
        self.take(&[], steps);
    }

    fn take(&mut self, bytes: &[u8], steps: Vec<Step>) {
        let mut rest = bytes;
        for step in steps {
            let act = match step {
                Step::Write(count) => {
                    let (now, later) = rest.split_at(count);
                    rest = later;
                    self.waiting += count;
                    Act::Write(now.to_vec())
                }
                Step::Drop(count) => {
                    rest = &rest[count..];
                    continue;
                }
                Step::Delay(delay) => Act::NotBefore(Instant::now() + delay),
                Step::Pause(pause) => Act::Pause(pause),
                Step::Finish => Act::Finish,
                Step::Reset => Act::Reset,
                Step::Note(applied) => Act::Note(applied),
            };
            self.acts.push_back(act);
        }
    }

    /// The next thing that is to be done now.
    pub fn next(&mut self) -> Option<Act> {
        loop {
            let left = self.not_before.saturating_duration_since(Instant::now());
            if self.acts.is_empty() || left >= AT_ONCE {
                return None;
            }
            if !left.is_zero() {
                std::thread::sleep(left);
            }
            match self.acts.pop_front()? {
                Act::NotBefore(at) => self.not_before = self.not_before.max(at),
                Act::Pause(pause) => self.not_before = Instant::now() + pause,
                // Where the end of an answer never comes, that of the connection must not tell it.
                Act::Ended if self.plan.is_silent() => {}
                // It ends once.
                Act::Finish | Act::Ended if std::mem::replace(&mut self.has_ended, true) => {}
                act => {
                    if let Act::Write(bytes) = &act {
                        self.waiting -= bytes.len();
                    }
                    return Some(act);
                }
            }
        }
    }

    /// When the next thing is to be done, where something waits.
    pub fn due(&self) -> Option<Instant> {
        (!self.acts.is_empty()).then_some(self.not_before)
    }
}
