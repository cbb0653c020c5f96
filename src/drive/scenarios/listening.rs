//! The stream that a GET opens, attended to while something else goes on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::drive::ask::Ask;
use crate::drive::session::{Session, requests_in};
use crate::drive::stage::{Stage, Stop, Until};
use crate::trace::Ending;
use crate::wire::connection::{Connection, Wait};

/// Opens the GET stream; `None` where the target offers none.
pub fn listen(stage: &Stage, session: &Session<'_>, label: &str) -> Result<Option<Connection>, Stop> {
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, &session.with_session(Ask::get(label)));
    // A head that waits for the first event must not hold up the rest.
    stage.settle(&mut connection, Until::For(Duration::from_millis(20)))?;
    match connection.exchanges().last() {
        Some(exchange) if matches!(exchange.ending, Ending::Open { .. }) => Ok(Some(connection)),
        _ => {
            connection.close();
            Ok(None)
        }
    }
}

/// Reads what comes, and answers what the target asks there, until it is over.
pub fn attend(mut listener: Connection, mut beside: Session<'_>, over: &AtomicBool) {
    let mut answered = 0;
    while !over.load(Ordering::Relaxed) {
        // A call may wait for what the target asks of us here.
        let asked = listener.exchanges().last().and_then(|last| requests_in(last).nth(answered).cloned());
        if let Some(request) = asked {
            answered += 1;
            if beside.answer(&request).is_err() {
                break;
            }
            continue;
        }
        match listener.wait(Instant::now() + Duration::from_millis(20)) {
            Wait::Bytes | Wait::Nothing => {}
            Wait::Ended(_) | Wait::Interrupted => break,
        }
    }
    listener.close();
}
