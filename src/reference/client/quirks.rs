//! Bugs that take more than a condition: what a naive reader would do to the bytes, and to the order of answers.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use serde_json::Value;

use super::Fault;
use super::failure::Failure;
use super::shared::lock;
use super::wait::Wait;

/// What a faulty reader of event streams hands to the parser at the beginning of a stream.
pub(super) fn prelude(fault: Option<Fault>) -> &'static [u8] {
    match fault {
        // A byte order mark counts as one only at the very beginning.
        Some(Fault::KeepsByteOrderMark) => b"\n",
        _ => b"",
    }
}

/// What a faulty reader of event streams makes of the bytes of one read.
pub(super) fn misread(bytes: &[u8], fault: Option<Fault>) -> Cow<'_, [u8]> {
    match fault {
        // A character that ends no line and can be in no JSON text, as CR is to a reader that knows only LF.
        Some(Fault::LfOnly) => bytes.iter().map(|&byte| if byte == b'\r' { 0x01 } else { byte }).collect(),
        Some(Fault::DecodesEachRead) => String::from_utf8_lossy(bytes).into_owned().into_bytes().into(),
        _ => bytes.into(),
    }
}

/// What a faulty reader of event streams adds at the end of a stream.
pub(super) fn postlude(fault: Option<Fault>) -> &'static [u8] {
    match fault {
        Some(Fault::DispatchesIncompleteEvent) => b"\n\n",
        _ => b"",
    }
}

type Outcome = Result<Value, Failure>;

/// Calls in the order in which they were made, for a client that hands answers out in the order in which they come.
#[derive(Default)]
pub(super) struct Order {
    waiting: Mutex<VecDeque<Sender<Outcome>>>,
}

/// The place of a call in the order.
pub(super) struct Place(Receiver<Outcome>);

impl Order {
    /// A call is made.
    pub(super) fn enter(&self) -> Place {
        let (sender, receiver) = mpsc::channel();
        lock(&self.waiting).push_back(sender);
        Place(receiver)
    }

    /// An outcome has come, of whichever call.
    pub(super) fn deliver(&self, outcome: Outcome) {
        if let Some(first) = lock(&self.waiting).pop_front() {
            let _ = first.send(outcome);
        }
    }
}

impl Place {
    /// Waits for the outcome that is handed out to this call.
    pub(super) fn outcome(self, wait: &Wait<'_>) -> Outcome {
        loop {
            match self.0.recv_timeout(Duration::from_millis(10)) {
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Timeout) => wait.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Stopped),
            }
        }
    }
}
