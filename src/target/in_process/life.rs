//! How a server in this process fares: whether it still serves, and what went wrong in it.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;

use crate::target::output::Output;

/// What is known of it; clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::target) struct Life(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    output: Output,
    ended: OnceLock<String>,
    trouble: OnceLock<String>,
}

impl Life {
    /// Runs the future that serves, and remembers how it ended.
    pub(super) async fn watch(self, serving: impl Future<Output = ()>) {
        let unless_dropped = Dropped(&self);
        let how = match caught(serving).await {
            Ok(()) => "its future ended: nobody serves the listener any more".to_owned(),
            Err(words) => {
                let how = format!("its task panicked: {words}");
                self.0.output.say(&how);
                how
            }
        };
        unless_dropped.0.end(how);
    }

    /// Something went wrong, as a lowercase fragment, and it serves on.
    #[cfg_attr(not(feature = "tower"), expect(dead_code, reason = "only the loop of ours sees that"))]
    pub(super) fn suffers(&self, what: String) {
        self.0.output.say(&what);
        // The first one tells the most.
        let _ = self.0.trouble.set(what);
    }

    fn end(&self, how: String) {
        // The first one is the right one.
        let _ = self.0.ended.set(how);
    }

    pub(super) fn output(&self) -> &Output {
        &self.0.output
    }

    /// How its future ended, if it has. It may have left a task behind that goes on serving.
    pub(super) fn ended(&self) -> Option<String> {
        self.0.ended.get().cloned()
    }

    /// The first thing that it suffered.
    pub(super) fn trouble(&self) -> Option<String> {
        self.0.trouble.get().cloned()
    }
}

/// The task may go down with its runtime.
struct Dropped<'l>(&'l Life);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        if self.0.ended().is_none() {
            self.0.end("its tokio runtime was shut down".to_owned());
        }
    }
}

/// Runs a future to its end, or to its panic, whose words are given.
pub(in crate::target) async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(move |context| {
        // Whoever panicked is not polled again.
        match panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(words(panic.as_ref()))),
        }
    })
    .await
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words").to_owned()
}
