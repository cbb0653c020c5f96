//! A `tower` service as a server: an accept loop, and hyper on each connection.

use std::error::Error;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower_service::Service;

use super::InProcess;
use super::life::{Life, caught};

/// How long to wait where the system has no socket for the next connection.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(20);

type BoxError = Box<dyn Error + Send + Sync>;

impl InProcess {
    /// A `tower` service: an axum `Router`, rmcp's `StreamableHttpService`, or anything else that answers requests.
    ///
    /// hyper serves it with HTTP/1.1 on connections with `TCP_NODELAY`, each on a task of its own that ends with the
    /// run. What comes of how a *program* accepts connections is therefore not seen: that is tested by
    /// [`InProcess::new`] with the program's own loop, or by starting the program ([`Command`](crate::Command)).
    ///
    /// ```
    /// use axum::{Router, routing::post};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let app = Router::new().route("/mcp", post(async || "an answer"));
    /// let server = mcpwire::InProcess::service("my server", "/mcp", app);
    /// # assert_eq!(server.name(), "my server");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn service<S, B>(name: &str, path: &str, service: S) -> Self
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        Self::with_life(name, path, move |listener, life| serve(listener, life, service))
    }
}

/// Accepts connections until it is dropped, and ends them with itself.
async fn serve<S, B>(listener: TcpListener, life: Life, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, life.clone(), service.clone()));
            }
            Err(error) => {
                life.suffers(format!("no connection can be accepted: {error}"));
                // The runtime may be one without timers.
                let _ = tokio::task::spawn_blocking(|| std::thread::sleep(OUT_OF_SOCKETS)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection<S, B>(stream: TcpStream, life: Life, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    // Without it, an answer in several pieces would be held back, and that would be our fault and not the service's.
    let _: io::Result<()> = stream.set_nodelay(true);
    let ready = Ready { service, life: life.clone() };
    // Held beyond its end: the connection is closed when it was said why.
    let mut serving = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), ready));
    // How a connection ends is seen from the other side.
    if let Err(words) = caught(serving.as_mut()).await {
        life.suffers(format!("a handler panicked: {words}"));
    }
}

/// A service that is asked whether it is ready before each request, as `tower` wants it.
struct Ready<S> {
    service: S,
    life: Life,
}

impl<S, B> hyper::service::Service<Request<Incoming>> for Ready<S>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Send + 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (mut service, life) = (self.service.clone(), self.life.clone());
        Box::pin(async move {
            if let Err(error) = poll_fn(|context| service.poll_ready(context)).await {
                let error: BoxError = error.into();
                life.suffers(format!("the service is not ready: {error}"));
                return Err(error);
            }
            service.call(request).await.map_err(|error| {
                let error: BoxError = error.into();
                life.suffers(format!("the service failed: {error}"));
                error
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Duration;

    use super::*;

    #[test]
    fn connections_end_with_the_server() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let entered = runtime.enter();
        let service = InProcess::service("a service", "/mcp", axum::Router::new());
        drop(entered);
        let running = service.start().expect("it starts");
        let mut stream = std::net::TcpStream::connect(running.address()).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("an option");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("it listens");
        let mut start = [0; 12];
        stream.read_exact(&mut start).expect("an answer");
        assert_eq!(&start, b"HTTP/1.1 404");
        drop(running);
        // An idle connection would stay open for as long as we do.
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("the connection ends");
    }
}
