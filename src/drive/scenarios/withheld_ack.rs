//! The withheld-ACK test: does the target hold back a last small segment until we acknowledge the one before
//! (Nagle's algorithm without TCP_NODELAY)?
//!
//! Our acknowledgements are delayed as long as the kernel allows. When part of an answer has come and the rest
//! is missing, we wait a little and let the acknowledgement go: a segment that was held back comes within that
//! system call. What counts is how often, not how long.

use std::time::{Duration, Instant};

use crate::drive::ask::Call;
use crate::drive::session::Session;
use crate::drive::stage::{Patience, Stage, Stop};
use crate::target::ToolRole;
use crate::trace::Ending;
use crate::wire::connection::{Missing, Wait};

/// How many trials one kind of call gets that tell something.
const TELLING_TRIALS: usize = 20;

/// How long all trials of one kind may take: a slow target is not called for minutes.
pub(super) const TRIED_FOR: Duration = Duration::from_secs(10);

/// Once a part was held back, how many such trials are wanted: some servers write an answer in one piece or in two
/// as chance will have it.
const HELD_BACK_TRIALS: usize = 10;

/// How many trials there are at the most.
const TRIALS: usize = 60;

/// So many answers in one piece, and the next kind of call is tried.
const ENOUGH_IN_ONE_PIECE: usize = 6;

/// How long the rest may take before the acknowledgement goes. A trial in which nothing came by then told nothing,
/// and the next one waits longer; the last is still below the 40 ms after which the kernel acknowledges by itself.
const WAITS: [Duration; 5] = [
    Duration::from_millis(1),
    Duration::from_millis(3),
    Duration::from_millis(7),
    Duration::from_millis(15),
    Duration::from_millis(30),
];

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let mut session = Session::open(stage)?;
    let progress = stage.tool(ToolRole::Progress);
    let mut played = false;
    for (name, call) in
        [("cheapest", &stage.facts.cheapest), ("tool", &stage.facts.harmless_tool), ("progress", &progress)]
    {
        let Some(call) = call else { continue };
        played = true;
        if trials(stage, &mut session, name, call, TELLING_TRIALS)? {
            break;
        }
    }
    session.close();
    match played {
        true => Ok(()),
        false => Err(Stop::Lacks("the target offers no call that could be repeated".to_owned())),
    }
}

/// Makes trials until so many told something. Whether answers to this call came in more than one piece.
pub(super) fn trials(
    stage: &Stage,
    session: &mut Session<'_>,
    name: &str,
    call: &Call,
    enough: usize,
) -> Result<bool, Stop> {
    let deadline = Instant::now() + TRIED_FOR;
    let (mut in_pieces, mut telling, mut held_back) = (0, 0, 0);
    for nth in 0..TRIALS {
        if nth >= ENOUGH_IN_ONE_PIECE && in_pieces == 0 {
            return Ok(false);
        }
        let hopeless = nth >= enough && telling < nth / 2;
        let settled = held_back == 0 || held_back >= HELD_BACK_TRIALS;
        if telling >= enough && settled || hopeless || Instant::now() > deadline {
            break;
        }
        let mut connection = session.take_connection()?;
        if connection.delay_acknowledgements().is_none() {
            return Err(Stop::Lacks("acknowledgements cannot be withheld on this system".to_owned()));
        }
        let id = session.next_id();
        let call = match name {
            "progress" => call.clone().with_progress(&format!("withheld-ack-{id}")),
            _ => call.clone(),
        };
        let ask = session.request(&format!("trial-{name}"), &call, &id);
        stage.ask(&mut connection, &ask);
        let waited = connection.wait(Instant::now() + stage.options.timeout);
        let part = connection.exchanges().last().is_some_and(|last| matches!(last.ending, Ending::Open { .. }));
        let mut told = waited == Wait::Bytes;
        if told && part {
            in_pieces += 1;
            let patience = WAITS[(nth - telling).min(WAITS.len() - 1)];
            let missing = connection.release_acknowledgement(patience);
            told = matches!(missing, Some(Missing::CameByItself | Missing::CameUponRelease));
            held_back += usize::from(missing == Some(Missing::CameUponRelease));
        }
        telling += usize::from(told);
        session.settle(&mut connection, Patience::Brief)?;
        session.keep(connection, &ask)?;
    }
    Ok(true)
}
