//! Requests with and without the header field that resumed a stream in the earlier revisions.

use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop};
use crate::target::ToolRole;
use crate::trace::Part;

/// The field that the pair differs in, and an id that looks like one, where the target has given none.
const LAST_EVENT_ID: &str = "Last-Event-ID";
const NEVER_GIVEN: &str = "0-0";

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let call = stage.tool(ToolRole::Progress).or_else(|| stage.facts.harmless_tool.clone());
    let Some(call) = call.or_else(|| stage.facts.cheapest.clone()) else {
        return Err(Stop::Lacks("the target answers neither server/discover nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    let request = |session: &Session<'_>, token: &str| {
        session.request("last-event-id", &call.clone().with_progress(token), &session.next_id())
    };
    // The stream that there would be to replay, if there were any.
    let first = request(&session, "mcpwire-without-last-event-id").part(Part::Control);
    let mut connection = session.take_connection()?;
    stage.ask(&mut connection, &first);
    session.settle(&mut connection, crate::drive::stage::Patience::Brief)?;
    let given = connection.exchanges().last().and_then(|exchange| exchange.event_ids().next().map(str::to_owned));
    session.keep(connection, &first)?;
    let id = given.unwrap_or_else(|| NEVER_GIVEN.to_owned());
    session.probe(Part::Probe, |session| {
        request(session, "mcpwire-with-last-event-id").field(LAST_EVENT_ID, &id).damaged()
    })?;
    session.close();
    Ok(())
}
