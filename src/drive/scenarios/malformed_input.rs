//! Bytes that are no message, each with a request before and behind it: the control, and the proof that the
//! target goes on answering others.

use crate::drive::ask::{Ask, Call};
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::spec::Revision;
use crate::trace::Part;

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(call) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor server/discover nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    for (label, body) in inputs(stage.revision, call, &session) {
        session.probe(Part::Control, |session| session.request(label, call, &session.next_id()))?;
        session.probe(Part::Probe, |session| session.dressed(Ask::post(label, body.as_str()), call).damaged())?;
        let after = format!("after-{label}");
        session.call(&after, call)?;
    }
    session.close();
    Ok(())
}

fn inputs(revision: Revision, call: &Call, session: &Session<'_>) -> Vec<(&'static str, String)> {
    let good = || call.message(revision, Some(&session.next_id()));
    let mut cut_off = good();
    cut_off.truncate(cut_off.len() - 1);
    let mut inputs = vec![
        ("not-json", cut_off),
        ("not-json-at-all", "mcpwire says hello".to_owned()),
        ("no-message-object", r#"{"greeting":"mcpwire says hello"}"#.to_owned()),
        ("no-message-string", r#""ping""#.to_owned()),
        ("no-message-number", "42".to_owned()),
        ("wrong-version", good().replacen(r#""2.0""#, r#""1.0""#, 1)),
        ("null-id", call.message(revision, Some("null"))),
    ];
    // Only the first revision says anything about arrays.
    if revision == Revision::R20250326 {
        inputs.push(("empty-array", "[]".to_owned()));
    }
    inputs
}
