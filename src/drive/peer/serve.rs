//! One connection of the client's: requests are read whole and answered in order.

use std::time::{Duration, Instant};

use super::reply::{Act, Reply, head};
use super::scene::Ask;
use super::{Shared, protocol};
use crate::trace::Conduct;
use crate::wire::connection::{Connection, Wait};

/// How long one look lasts before the rest of the world is looked at again.
const LOOK: Duration = Duration::from_millis(20);

/// The same where something else is waited for as well.
const GLANCE: Duration = Duration::from_millis(1);

/// How long a client may take to close what we have ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// What becomes of the connection after an answer.
enum After {
    Next,
    Gone,
}

/// Serves a connection to its end.
pub(super) fn serve(mut connection: Connection, shared: &Shared, elsewhere: bool) {
    for nth in 0.. {
        if !has_request(&mut connection, nth, shared) {
            break;
        }
        let reply = shared.reply(&Ask::of(&connection.exchanges()[nth], elsewhere));
        shared.note_client_waited(&reply.label);
        connection.answering(&reply.label, reply.ours);
        match perform(reply, connection, shared) {
            (Some(same), After::Next) => connection = same,
            (Some(same), After::Gone) => {
                connection = same;
                break;
            }
            (None, _) => return,
        }
    }
    if connection.ended().is_none() {
        connection.watched();
    }
    connection.close();
}

/// Waits for the next whole request; `false` when there will be none.
fn has_request(connection: &mut Connection, nth: usize, shared: &Shared) -> bool {
    loop {
        if connection.exchanges().get(nth).is_some_and(|exchange| exchange.written.is_some()) {
            return true;
        }
        if connection.is_unreadable() {
            connection.answering("unreadable", Conduct::Conforming);
            connection.write(&head(400, &[("Content-Length", "0"), ("Connection", "close")]));
            connection.finish();
            linger(connection, shared);
            return false;
        }
        if protocol::expects_continue(connection.exchanges().get(nth)) {
            connection.write(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        match connection.wait_quietly(Instant::now() + LOOK) {
            Wait::Ended(_) | Wait::Interrupted => return false,
            // Also where bytes come without end.
            Wait::Nothing | Wait::Bytes if shared.is_over() => return false,
            Wait::Nothing | Wait::Bytes => {}
        }
    }
}

fn perform(reply: Reply, mut connection: Connection, shared: &Shared) -> (Option<Connection>, After) {
    for act in reply.acts {
        let goes_on = match act {
            Act::Write(bytes) => {
                connection.write(&bytes);
                true
            }
            Act::Wait(duration) => watch(&mut connection, shared, duration, |_| false),
            Act::Until(happened, most) => {
                let happened = |shared: &Shared| happened(&shared.state());
                watch(&mut connection, shared, most, happened)
            }
            Act::State => {
                connection.note_state();
                true
            }
            Act::Change(change) => {
                change(&mut shared.state());
                true
            }
            Act::Fin => {
                connection.finish();
                linger(&mut connection, shared);
                false
            }
            Act::Reset => {
                connection.reset();
                return (None, After::Gone);
            }
            Act::Hold => watch(&mut connection, shared, Duration::MAX, |_| false),
        };
        if !goes_on || shared.is_over() {
            return (Some(connection), After::Gone);
        }
    }
    (Some(connection), After::Next)
}

/// Watches the client for a while; `false` once it has ended the connection.
fn watch(connection: &mut Connection, shared: &Shared, most: Duration, happened: impl Fn(&Shared) -> bool) -> bool {
    let began = Instant::now();
    loop {
        let left = most.saturating_sub(began.elapsed());
        if left.is_zero() || happened(shared) {
            return true;
        }
        // Short, since what we wait for may happen on another connection.
        let look = if most == Duration::MAX { LOOK } else { GLANCE.min(left) };
        match connection.wait_quietly(Instant::now() + look) {
            Wait::Ended(_) | Wait::Interrupted => return false,
            Wait::Nothing | Wait::Bytes if shared.is_over() => return true,
            Wait::Nothing | Wait::Bytes => {}
        }
    }
}

/// Reads on until the client closes what we have ended.
fn linger(connection: &mut Connection, shared: &Shared) {
    watch(connection, shared, FAREWELL, |_| false);
}
