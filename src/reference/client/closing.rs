//! The end: of the session, and of every connection.

use std::sync::Arc;
use std::time::Duration;

use super::Fault;
use super::connection::Connection;
use super::request::Request;
use super::shared::Client;
use super::wait::Wait;

/// How long the answer to DELETE is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

impl Client {
    /// Ends the session, if there is one, and lets go of the connections that are idle.
    pub(super) fn say_goodbye(self: &Arc<Self>) {
        self.begin_to_close();
        let request = self.dressed(Request::delete());
        if request.session.is_some()
            && !self.has(Fault::NoDelete)
            && let Ok(exchange) = self.send(&request, &Wait::of(self, GOODBYE))
        {
            self.release(exchange);
        }
        if self.has(Fault::OpensUnusedConnections) {
            let opened: Vec<_> = (0..3).map(|_| Connection::open(self.url.origin())).collect();
            opened.into_iter().flatten().for_each(|connection| self.close(connection));
        }
        self.close_idle();
    }

    /// Waits for what is under way, and lets go of all connections.
    pub(super) fn end(self: &Arc<Self>) {
        self.begin_to_close();
        self.join();
        self.close_idle();
        // What is still unread lies there unread, as it does when a process ends.
        self.pool.take_held().into_iter().for_each(drop);
        self.join();
    }

    fn close_idle(self: &Arc<Self>) {
        for connection in self.pool.take_idle() {
            match self.has(Fault::ResetsAtExit) {
                true => connection.reset(),
                false => self.close(connection),
            }
        }
    }
}
