//! Requests with ids of every kind that the revisions allow: integers and strings.

use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};

/// Raw JSON. 2^53 − 1 is the largest integer that every JSON implementation keeps (RFC 8259, section 6); the one
/// beyond it comes last of the integers, since what a target makes of it is its own affair.
const IDS: [&str; 11] = [
    "0",
    "-1",
    "4294967296",
    "9007199254740991",
    "9007199254740993",
    r#""a-string""#,
    r#""1001""#,
    r#""007""#,
    r#""4.50""#,
    r#""spaces, \"quotes\" and ünïcödé""#,
    r#""0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789""#,
];

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(call) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    for id in IDS {
        session.call_with_id("id", call, id)?;
    }
    session.close();
    Ok(())
}
