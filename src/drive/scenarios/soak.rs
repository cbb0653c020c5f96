//! The cheapest tool, or the cheapest call, thousands of times, and the target's memory in between.
//!
//! The first calls are recorded. The others are like them, and only their counts are written down: the recording, and
//! what a call costs us, stay the same however many there are.

use std::time::{Duration, Instant};

use crate::drive::ask::Call;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::trace::What;
use crate::wire::tap::Tap;

/// So many calls lie between two looks at the memory (facts: 250 calls a sample separate leaks from noise). They go
/// over one connection.
const BLOCK: u32 = 250;

/// 40,000 calls take a healthy server 3 to 20 s.
const LONGEST: Duration = Duration::from_secs(180);

const LABEL: &str = "soak-call";

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(calls) = stage.options.load.soak else { return Ok(()) };
    let call = stage.facts.harmless_tool.as_ref().or(stage.facts.cheapest.as_ref());
    let Some(call) = call else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let began = Instant::now();
    let mut session = Session::open(stage)?.acknowledging_at_once();
    let mut done = 0;
    while done < calls {
        let block = BLOCK.min(calls - done);
        match done {
            0 => drop(make(&mut session, call, block)?),
            _ => {
                let quiet = Stage { tap: Tap::start(), ..stage.clone() };
                let mut beside = session.beside_on(&quiet);
                let answered = make(&mut beside, call, block)?;
                drop(beside);
                stage.tap.note(abridged(&quiet.tap, block, answered));
            }
        }
        done += block;
        // What cannot be measured is said once, at the end: the calls tell something all the same.
        if let Ok(resident) = stage.holdings.resident() {
            stage.tap.note(What::PeerMemory { calls: done, resident });
        }
        if began.elapsed() > LONGEST && done < calls {
            return Err(Stop::Lacks(format!("{done} of {calls} calls took {} s already", began.elapsed().as_secs())));
        }
    }
    session.close();
    match stage.holdings.resident() {
        Ok(_) => Ok(()),
        Err(needed) => Err(Stop::Lacks(format!("this needs {needed}"))),
    }
}

/// Makes calls one after another, and says how many were answered with a response.
fn make(session: &mut Session<'_>, call: &Call, count: u32) -> Result<u32, Stop> {
    let mut answered = 0;
    for _ in 0..count {
        let reply = session.call(LABEL, call)?;
        answered += u32::from(reply.response.is_some());
    }
    session.use_a_fresh_connection();
    Ok(answered)
}

fn abridged(tap: &Tap, exchanges: u32, answered: u32) -> What {
    let (mut written, mut received) = (0, 0);
    for event in tap.events() {
        match event.what {
            What::Wrote { bytes, .. } => written += bytes.0.len() as u64,
            What::Read { bytes, dropped, .. } => received += bytes.0.len() as u64 + dropped,
            _ => {}
        }
    }
    What::Abridged { label: LABEL.to_owned(), exchanges, answered, written, received }
}
