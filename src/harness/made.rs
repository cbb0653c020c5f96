//! What a test binary's author writes to make a target.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::target::{Command, Endpoint, InProcess, Target};

/// A target that was made, or the sentence that says why it could not be.
#[derive(Debug)]
pub struct Made(Result<Target, String>);

impl Made {
    pub(super) fn target(self) -> Result<Target, String> {
        self.0
    }
}

impl From<Target> for Made {
    fn from(target: Target) -> Self {
        Self(Ok(target))
    }
}

impl From<InProcess> for Made {
    fn from(server: InProcess) -> Self {
        Self(Ok(Target::InProcess(server)))
    }
}

impl From<Command> for Made {
    fn from(command: Command) -> Self {
        Self(Ok(Target::Command(command)))
    }
}

impl From<Endpoint> for Made {
    fn from(endpoint: Endpoint) -> Self {
        Self(Ok(Target::Url(endpoint)))
    }
}

impl<T: Into<Self>, E: fmt::Display> From<Result<T, E>> for Made {
    fn from(made: Result<T, E>) -> Self {
        match made {
            Ok(target) => target.into(),
            Err(error) => Self(Err(error.to_string())),
        }
    }
}

/// The future that makes it; it stays on the thread where it was made.
pub(super) type MakingOf = Pin<Box<dyn Future<Output = Made>>>;

/// How a target is made, once. Targets that are clients will be another kind of it.
pub(super) enum Making {
    Server(Box<dyn FnOnce() -> MakingOf + Send>),
}

impl Making {
    pub(super) fn server<F, Fut>(make: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Into<Made>,
    {
        // Not before it is asked for: not even the user's function runs when tests are listed.
        Self::Server(Box::new(move || Box::pin(async move { make().await.into() })))
    }
}

impl fmt::Debug for Making {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Making")
    }
}
