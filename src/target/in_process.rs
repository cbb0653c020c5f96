//! A server in this process: anything that serves a listener.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::holdings::Inventory;

type Serve = Box<dyn FnOnce(tokio::net::TcpListener) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A server in this process. It runs on the runtime of whoever made this value.
pub struct InProcess {
    name: String,
    path: String,
    runtime: Handle,
    serve: Serve,
    inventory: Option<Arc<dyn Inventory>>,
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Running {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl InProcess {
    /// A server that this function runs on the listener that it is given.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn new<F, Fut>(name: &str, path: &str, serve: F) -> Self
    where
        F: FnOnce(tokio::net::TcpListener) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
    {
        let serve: Serve = Box::new(move |listener| {
            let serving = serve(listener);
            Box::pin(async move {
                serving.await;
            })
        });
        Self { name: name.to_owned(), path: path.to_owned(), runtime: Handle::current(), serve, inventory: None }
    }

    /// With its own account of what it holds.
    pub fn with_inventory(mut self, inventory: impl Inventory + 'static) -> Self {
        self.inventory = Some(Arc::new(inventory));
        self
    }

    /// Its own account of what it holds.
    pub fn inventory(&self) -> Option<Arc<dyn Inventory>> {
        self.inventory.clone()
    }

    /// What the report calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path of its endpoint.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn start(self) -> io::Result<Running> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let entered = self.runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        drop(entered);
        let task = self.runtime.spawn((self.serve)(listener));
        Ok(Running { address, task })
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("name", &self.name).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Running {
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
