//! The cheapest call, many times on one connection. Where that takes long, experiments follow that tell why.

use std::time::{Duration, Instant};

use super::experiments;
use crate::drive::session::Session;
use crate::drive::stage::{Experiments, Stage, Stop};
use crate::latency::median;

/// The first call is apart: it may warm things up.
const CALLS: u32 = 26;

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(call) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    let mut took = Vec::new();
    let mut all_complete = true;
    for nth in 0..CALLS {
        stage.note_peer_waited();
        let asked = Instant::now();
        let reply = session.call(if nth == 0 { "first-call" } else { "repeated-call" }, call)?;
        took.push(asked.elapsed());
        all_complete &= reply.complete && reply.response.is_some();
    }
    stage.note_peer_waited();
    // By our own clock, which is enough to ask why; what comes of it is judged by better ones.
    let is_long = |took: Duration| took > stage.options.budget;
    let suspects = experiments::Suspects {
        first: is_long(took[0]),
        repeated: median(took[1..].iter().copied()).is_some_and(is_long),
    };
    let wanted = suspects.any() || stage.experiments == Experiments::Always;
    // A target that leaves streams open has its cause named already, and would make each experiment wait.
    if wanted && all_complete {
        match experiments::play(stage, &mut session, call, suspects) {
            Err(Stop::Interrupted) => return Err(Stop::Interrupted),
            // The calls themselves are there to be judged.
            Err(stop) => stage.learned("experiments-stopped", stop.to_string()),
            Ok(()) => {}
        }
    }
    session.close();
    Ok(())
}
