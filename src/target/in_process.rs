//! A server in this process: anything that serves a listener.

mod life;
#[cfg(feature = "tower")]
mod service;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use self::life::Life;
pub(super) use self::life::caught;
use super::holdings::Inventory;
use super::output::Output;

/// How long this machine takes at the most to say that nobody listens, and a task that has lost its listener to say why.
const AT_ONCE: Duration = Duration::from_secs(1);

type Serve = Box<dyn FnOnce(TcpListener, Life) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// A server in this process: a future that serves a listener, or a `tower` service. It runs on the runtime of whoever
/// made this value, from the first request of a run to its last; then its task is aborted.
///
/// Handlers that panic, a future that ends and a service that is not ready are told in the report: the run does not
/// wait for them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app = axum::Router::new();
/// let server = mcpwire::InProcess::new("my server", "/mcp", |listener| async move { axum::serve(listener, app).await });
/// assert_eq!((server.name(), server.path()), ("my server", "/mcp"));
/// # }
/// ```
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
    life: Life,
    #[cfg(feature = "tracing")]
    _captured: crate::target::tracing::Captured,
}

impl InProcess {
    /// A server that this function runs on the listener that it is given. What the program does in production with
    /// a connection that it accepted (`TCP_NODELAY`, say), it has to do here.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn new<F, Fut>(name: &str, path: &str, serve: F) -> Self
    where
        F: FnOnce(TcpListener) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
    {
        Self::with_life(name, path, move |listener, _| {
            let serving = serve(listener);
            async move {
                serving.await;
            }
        })
    }

    fn with_life<F, Fut>(name: &str, path: &str, serve: F) -> Self
    where
        F: FnOnce(TcpListener, Life) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self {
            name: name.to_owned(),
            path: path.to_owned(),
            runtime: Handle::current(),
            serve: Box::new(move |listener, life| Box::pin(serve(listener, life))),
            inventory: None,
        }
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
        let listener = TcpListener::from_std(listener)?;
        drop(entered);
        let life = Life::default();
        #[cfg(feature = "tracing")]
        let _captured = crate::target::tracing::Captured::server(self.runtime.id(), life.output());
        let (serve, lived) = (self.serve, life.clone());
        // Called there as well: it may want to spawn, and it may panic.
        let task = self.runtime.spawn(life.clone().watch(async move { serve(listener, lived).await }));
        Ok(Running {
            address,
            task,
            life,
            #[cfg(feature = "tracing")]
            _captured,
        })
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

    /// What it says beside the wire.
    pub(super) fn output(&self) -> &Output {
        self.life.output()
    }

    /// Why it serves nobody any more, where that is so: a future may end and leave a task behind that serves.
    pub(super) fn ended(&self) -> Option<String> {
        let how = self.life.ended()?;
        self.refuses().then_some(how)
    }

    /// The first thing that went wrong in it, asked where nothing was answered.
    pub(super) fn trouble(&self) -> Option<String> {
        if self.life.trouble().is_none() && self.refuses() {
            // A task that panics lets go of its listener before it says so.
            let deadline = Instant::now() + AT_ONCE;
            while self.life.ended().is_none() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        self.life.trouble().or_else(|| self.ended())
    }

    fn refuses(&self) -> bool {
        std::net::TcpStream::connect_timeout(&self.address, AT_ONCE).is_err()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
