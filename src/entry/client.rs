//! The run against a client, and its second look.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use super::replay::Replay;
use super::{Run, on_a_thread, read_baseline};
use crate::confirmation::doubtful;
use crate::drive::{self, ClientSubject, Observer, RunError};
use crate::judgement;
use crate::manifest::{Options, Role};
use crate::report::Report;
use crate::target::client::Client;
use crate::trace::store::Recording;
use crate::wire::interrupt::Interrupt;

/// How long one scenario may take, unless set: the script waits a few seconds at most, and interpreters with cold
/// caches need some to start.
pub const WITHIN: Duration = Duration::from_secs(30);

/// Tests a client: a run that begins when it is awaited, and comes to a [`Report`]. As [`check`](crate::check), for the
/// other side: the client is started once for every scenario, with the URL of a scripted server. Scenarios in which
/// something is found are played a second time, and what shows in one of two plays only is inconclusive.
///
/// ```
/// use mcpwire::Client;
///
/// # async fn connect(url: &str) -> std::io::Result<()> { Ok(()) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mine = Client::in_process("my client", |scenario| async move {
///     connect(scenario.url()).await?;
///     Ok(())
/// });
/// mcpwire::check_client(mine).only("client/*").await?.assert_conformant();
/// mcpwire::check_client(Client::command("python3 client.py")?).await?.assert_conformant();
/// # Ok(()) }
/// ```
///
/// A client that makes no request is an error that says what became of it:
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let lost = mcpwire::Client::in_process("lost", |_| async { Err("no configuration".into()) });
/// let error = mcpwire::check_client(lost).await.expect_err("no client");
/// assert!(error.to_string().contains("it ended with an error: no configuration"), "{error}");
/// # }
/// ```
pub fn check_client(client: Client) -> Run<Client> {
    Run::of(client, Options { timeout: WITHIN, ..Options::default() })
}

/// Tests a client, plays the scenarios in which something was found a second time, and hands over the recording of both,
/// without its secrets.
///
/// # Errors
///
/// Where the client cannot be started or makes no request.
pub fn record_client_confirmed(subject: &ClientSubject, observer: &mut dyn Observer) -> Result<Recording, RunError> {
    let recording = drive::record_client(subject, observer)?;
    let doubtful = doubtful(&recording, &judgement::judge(&recording)?);
    match doubtful.is_empty() || subject.interrupt.is_set() {
        true => Ok(recording),
        false => Ok(drive::record_again(subject, recording, &doubtful, observer)),
    }
}

impl Run<Client> {
    fn report(mut self, interrupt: Interrupt) -> Result<Report, RunError> {
        self.narrowed(Role::Client)?;
        let baseline = read_baseline(self.baseline.as_deref())?;
        let replay = Replay::of(self.test.as_deref(), matches!(self.tested, Client::InProcess(_)));
        let subject = ClientSubject {
            client: self.tested,
            revisions: self.revisions,
            within: self.options.timeout,
            options: self.options,
            given: String::new(),
            interrupt,
        };
        let recording = record_client_confirmed(&subject, &mut ())?;
        Self::finish(recording, self.name, replay, self.record.as_deref(), baseline.as_ref())
    }
}

impl IntoFuture for Run<Client> {
    type Output = Result<Report, RunError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let interrupt = Interrupt::default();
        Box::pin(on_a_thread(interrupt.clone(), move || self.report(interrupt)))
    }
}
