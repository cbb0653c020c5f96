//! A client in this process: a closure that gets a URL, called once for every scenario.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::client::{Client, Orders, Teller};
use super::in_process::caught;
use super::output::{Output, Said};
use crate::spec::Revision;

/// How often it is asked whether a task has gone.
const LOOK: Duration = Duration::from_millis(2);

type BoxError = Box<dyn Error + Send + Sync>;
type Ending = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// A closure that is a client.
#[derive(Clone)]
pub struct Closure {
    name: String,
    runtime: Handle,
    call: Arc<dyn Fn(Assignment) -> Ending + Send + Sync>,
}

/// What a client in this process has to do in one scenario, and whom it tells how that went.
///
/// The same is told to a client that is a program; `fixtures/clients/README.md` says how the script reads.
#[derive(Clone, Debug)]
pub struct Assignment {
    orders: Orders,
    teller: Arc<Teller>,
}

impl Client {
    /// A client in this process: a closure that is called with a URL for every scenario, and whose future is over when
    /// the client is closed. The futures run on the runtime of whoever made this value.
    ///
    /// Up to four scenarios go on at once, as with programs, but for those whose times count: each call is to make a
    /// client of its own. A future that does not end is aborted when the time of its scenario is up
    /// ([`Run::timeout`](crate::Run::timeout)). How it ends, with an error or a panic, is told and not judged; what its
    /// caller gets is judged where the closure tells it ([`Assignment::result`], [`Assignment::error`]).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let client = mcpwire::Client::in_process("my client", |scenario| async move {
    ///     let session = connect(scenario.url()).await?;
    ///     session.call_tool("add_numbers").await?;
    ///     Ok(())
    /// });
    /// # let _ = client;
    /// # }
    /// # struct Session;
    /// # async fn connect(url: &str) -> std::io::Result<Session> { Ok(Session) }
    /// # impl Session { async fn call_tool(&self, name: &str) -> std::io::Result<()> { Ok(()) } }
    /// ```
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn in_process<F, Fut>(name: &str, call: F) -> Self
    where
        F: Fn(Assignment) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        let call = Arc::new(move |assignment| -> Ending { Box::pin(call(assignment)) });
        Self::InProcess(Closure { name: name.to_owned(), runtime: Handle::current(), call })
    }
}

impl Assignment {
    /// Where to connect: the URL of a scripted server.
    pub fn url(&self) -> &str {
        &self.orders.url
    }

    /// mcpwire's name of the scenario, such as `client-calls`.
    pub fn scenario(&self) -> &str {
        self.variable("MCPWIRE_SCENARIO")
    }

    /// The scenario of the official conformance suite whose conduct fits.
    pub fn official_scenario(&self) -> &str {
        self.variable("MCP_CONFORMANCE_SCENARIO")
    }

    /// The revision that the server speaks.
    pub fn revision(&self) -> Revision {
        self.orders.revision
    }

    /// What to do, step by step: a JSON object.
    pub fn script(&self) -> &str {
        &self.orders.script
    }

    /// Tells that a step of the script came to this result, as the JSON of the protocol; `{}` for `connect`, `wait` and
    /// `close`. To be told in the moment in which the caller has it.
    pub fn result(&self, step: &str, result: impl Serialize) {
        let result = serde_json::to_value(result).unwrap_or(Value::Null);
        self.teller.tell(&json!({"mcpwire": 1, "step": step, "result": result}).to_string());
    }

    /// Tells that a step of the script came to an error, with the code of a JSON-RPC error where the server sent one.
    pub fn error(&self, step: &str, code: Option<i64>, message: impl fmt::Display) {
        let mut error = json!({"message": message.to_string()});
        if let Some(code) = code {
            error["code"] = code.into();
        }
        self.teller.tell(&json!({"mcpwire": 1, "step": step, "error": error}).to_string());
    }

    fn variable(&self, wanted: &str) -> &str {
        let found = self.orders.environment.iter().find(|(name, _)| *name == wanted);
        found.map_or("", |(_, value)| value)
    }
}

impl Closure {
    /// What the report calls it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn start(&self, orders: &Orders, teller: &Arc<Teller>) -> Running {
        let assignment = Assignment { orders: orders.clone(), teller: Arc::clone(teller) };
        let call = Arc::clone(&self.call);
        let (sender, outcome) = channel();
        let output = Output::default();
        #[cfg(feature = "tracing")]
        let _captured = super::tracing::Captured::call(self.runtime.id(), &output);
        let calling = async move { call(assignment).await };
        #[cfg(feature = "tracing")]
        let calling = super::tracing::in_call(output.clone(), calling);
        // Called there as well: it may want to spawn, and it may panic.
        let task = self.runtime.spawn(async move {
            let how = match caught(calling).await {
                Ok(Ok(())) => "it ended".to_owned(),
                Ok(Err(error)) => format!("it ended with an error: {error}"),
                Err(words) => format!("it panicked: {words}"),
            };
            // Whoever gave it up listens no more.
            let _ = sender.send(how);
        });
        Running {
            task,
            outcome,
            output,
            #[cfg(feature = "tracing")]
            _captured,
        }
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closure").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A call of the closure. Dropping it aborts its future.
#[derive(Debug)]
pub(super) struct Running {
    task: JoinHandle<()>,
    outcome: Receiver<String>,
    output: Output,
    #[cfg(feature = "tracing")]
    _captured: super::tracing::Captured,
}

impl Running {
    /// How it ended, if it has, as a lowercase fragment.
    pub(super) fn ended(&mut self) -> Option<String> {
        match self.outcome.try_recv() {
            Ok(how) => Some(how),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some("its tokio runtime was shut down".to_owned()),
        }
    }

    /// What it logged.
    pub(super) fn said(&self) -> Said {
        self.output.take()
    }

    /// Ends it, and waits for so long until it has let go of its sockets.
    pub(super) fn end(&self, within: Duration) {
        self.task.abort();
        let deadline = Instant::now() + within;
        while !self.task.is_finished() && Instant::now() < deadline {
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
