//! What a target in this process logs through `tracing`.
//!
//! A subscriber hears a whole process, and several tests may run in it at once: what is logged on the runtime of a
//! target is the target's. Several calls of a client in this process go on at once on one runtime: what is logged in the
//! future of a call is the call's, and what is logged in a task that it spawned is, too, where no other call goes on.

use std::fmt::{self, Write};
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::{Handle, Id};
use tracing_core::field::{Field, Visit};
use tracing_core::{Event, Level, LevelFilter, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::output::Output;

/// So much of an event is written down, in bytes; the rest would be cut off anyway.
const LONGEST: usize = 8 << 10;

/// A layer that hands on what a target in this process logs, so that a failure is shown with it. For a subscriber of
/// your own; where there is none, [`capture_tracing`] installs one.
///
/// Heard is what is logged on the tokio runtime on which the target was made, at the level of the layer or above it
/// ([`Level::INFO`](tracing_core::Level), unless set). What is logged on threads without a runtime counts where only one
/// target runs in the process. Of a client, several scenarios go on at once: what is logged in a task that it spawned
/// counts where only one does.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let subscriber = tracing_subscriber::registry().with(mcpwire::TracingLayer::default());
/// # let _ = subscriber;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TracingLayer {
    most: LevelFilter,
}

impl TracingLayer {
    /// With what is logged at this level and above.
    pub fn up_to(level: Level) -> Self {
        Self { most: LevelFilter::from_level(level) }
    }
}

impl Default for TracingLayer {
    fn default() -> Self {
        Self::up_to(Level::INFO)
    }
}

/// Captures what targets in this process log, where no subscriber is installed for the whole process; at the level
/// `INFO` and above. Whether it is captured now: a subscriber that others installed is left alone, and can take a
/// [`TracingLayer`].
///
/// To be called once, or at the beginning of each test.
///
/// ```
/// assert!(mcpwire::capture_tracing());
/// // As often as one likes.
/// assert!(mcpwire::capture_tracing());
/// ```
pub fn capture_tracing() -> bool {
    static OURS: Mutex<Option<bool>> = Mutex::new(None);
    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    *ours.get_or_insert_with(|| {
        let subscriber = Registry::default().with(TracingLayer::default());
        tracing_core::dispatcher::set_global_default(subscriber.into()).is_ok()
    })
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TracingLayer {
    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let level = *event.metadata().level();
        if LISTENING.load(Ordering::Relaxed) == 0 || level > self.most {
            return;
        }
        let heard = heard();
        if heard.is_empty() {
            return;
        }
        let mut line = Line::default();
        let _ = write!(line, "{level} {}", event.metadata().target());
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            let _ = write!(line, ":{}", span.name());
        }
        let _ = line.write_char(':');
        event.record(&mut line);
        heard.iter().for_each(|output| output.say(&line.0));
    }
}

/// One event as one line.
#[derive(Default)]
struct Line(String);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // A line is a line.
        for c in text.chars() {
            if self.0.len() >= LONGEST {
                break;
            }
            self.0.push(if c == '\n' || c == '\r' { ' ' } else { c });
        }
        Ok(())
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self, " {value:?}"),
            name => write!(self, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = match field.name() {
            "message" => write!(self, " {value}"),
            name => write!(self, " {name}={value:?}"),
        };
    }
}

/// The targets that run, by their runtime.
static TARGETS: Mutex<Vec<Target>> = Mutex::new(Vec::new());

/// How many they are: most events of a process come while there is none.
static LISTENING: AtomicUsize = AtomicUsize::new(0);

struct Target {
    number: usize,
    runtime: Id,
    output: Output,
    /// Several of them may share a runtime.
    is_call: bool,
}

tokio::task_local! {
    /// The call of a client that the task is.
    static CALL: Output;
}

/// A call of a client: what is logged in it goes there.
pub async fn in_call<F: Future>(output: Output, call: F) -> F::Output {
    CALL.scope(output, call).await
}

fn targets() -> MutexGuard<'static, Vec<Target>> {
    TARGETS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whose event this is.
fn heard() -> Vec<Output> {
    if let Ok(output) = CALL.try_with(Output::clone) {
        return vec![output];
    }
    let targets = targets();
    match (Handle::try_current(), &targets[..]) {
        (Ok(here), targets) => {
            let here = here.id();
            let here = || targets.iter().filter(|target| target.runtime == here);
            let calls = here().filter(|target| target.is_call).count();
            here().filter(|target| !target.is_call || calls == 1).map(|target| target.output.clone()).collect()
        }
        (Err(_), [only]) => vec![only.output.clone()],
        (Err(_), _) => Vec::new(),
    }
}

/// A target is listened to as long as this lives.
#[derive(Debug)]
pub struct Captured {
    number: usize,
}

impl Captured {
    /// A server, from now on.
    pub fn server(runtime: Id, output: &Output) -> Self {
        Self::begin(runtime, output, false)
    }

    /// A call of a client, from now on.
    pub fn call(runtime: Id, output: &Output) -> Self {
        Self::begin(runtime, output, true)
    }

    fn begin(runtime: Id, output: &Output, is_call: bool) -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        targets().push(Target { number, runtime, output: output.clone(), is_call });
        LISTENING.fetch_add(1, Ordering::Relaxed);
        Self { number }
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        LISTENING.fetch_sub(1, Ordering::Relaxed);
        targets().retain(|target| target.number != self.number);
    }
}
