//! What a test binary's author writes to make a target.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use crate::manifest::Role;
use crate::target::client::Client;
use crate::target::{Command, Endpoint, InProcess, Target};

/// A server (or a [`Client`]) that was made, or the sentence that says why it could not be.
#[derive(Debug)]
pub struct Made<T = Target>(Result<T, String>);

impl From<Target> for Made {
    fn from(target: Target) -> Self {
        Self(Ok(target))
    }
}

impl From<InProcess> for Made {
    fn from(server: InProcess) -> Self {
        Self(Ok(server.into()))
    }
}

impl From<Command> for Made {
    fn from(command: Command) -> Self {
        Self(Ok(command.into()))
    }
}

impl From<Endpoint> for Made {
    fn from(endpoint: Endpoint) -> Self {
        Self(Ok(endpoint.into()))
    }
}

impl From<Client> for Made<Client> {
    fn from(client: Client) -> Self {
        Self(Ok(client))
    }
}

impl<S, T: Into<Made<S>>, E: fmt::Display> From<Result<T, E>> for Made<S> {
    fn from(made: Result<T, E>) -> Self {
        match made {
            Ok(target) => target.into(),
            Err(error) => Self(Err(error.to_string())),
        }
    }
}

/// What is tested.
#[derive(Debug)]
pub(super) enum Tested {
    Server(Target),
    Client(Client),
}

/// The future that makes it; it stays on the thread where it was made.
type MakingOf = Pin<Box<dyn Future<Output = Result<Tested, String>>>>;

/// How a target is made, once.
pub(super) struct Making {
    pub role: Role,
    pub make: Box<dyn FnOnce() -> MakingOf + Send>,
}

impl Making {
    pub(super) fn server<F, Fut>(make: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Into<Made>,
    {
        Self::of(Role::Server, make, Tested::Server)
    }

    pub(super) fn client<F, Fut>(make: F) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Into<Made<Client>>,
    {
        Self::of(Role::Client, make, Tested::Client)
    }

    fn of<F, Fut, T: 'static>(role: Role, make: F, tested: fn(T) -> Tested) -> Self
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Into<Made<T>>,
    {
        // Not before it is asked for: not even the user's function runs when tests are listed.
        let make = move || -> MakingOf { Box::pin(async move { make().await.into().0.map(tested) }) };
        Self { role, make: Box::new(make) }
    }
}

#[cfg(test)]
impl<T> Made<T> {
    pub(super) fn target(self) -> Result<T, String> {
        self.0
    }
}

impl fmt::Debug for Making {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Making")
    }
}
