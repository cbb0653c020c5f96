//! Two requests in flight at once whose ids differ in their JSON type only, like `1` and `"1"`, and before them the
//! same request alone.

use std::thread;
use std::time::Duration;

use crate::drive::session::Session;
use crate::drive::stage::{Patience, Stage, Stop, Until};
use crate::target::ToolRole;
use crate::trace::Part;

/// How far apart the two are begun: the first must be at work when the second comes.
const APART: Duration = Duration::from_millis(30);

/// Ids that nothing else in the session has.
const IDS: [(&str, &str); 2] = [("number", "4711"), ("string", r#""4711""#)];

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(call) = stage.tool(ToolRole::Slow) else {
        return Err(Stop::Lacks("no slow tool is known (`--tool slow=NAME` maps one)".to_owned()));
    };
    let mut session = Session::open(stage)?;
    session.probe(Part::Control, |session| session.request("alone", &call, &session.next_id()))?;
    session.use_a_fresh_connection();
    let mut flights = Vec::new();
    for (label, id) in IDS {
        let mut connection = stage.connect()?;
        stage.ask(&mut connection, &session.request(label, &call, id));
        flights.push(connection);
        stage.pause(APART)?;
    }
    let settled: Vec<Result<(), Stop>> = thread::scope(|scope| {
        let waits: Vec<_> = flights
            .iter_mut()
            .map(|connection| scope.spawn(|| stage.settle(connection, Until::End(Patience::Brief))))
            .collect();
        waits.into_iter().map(|wait| wait.join().unwrap_or(Ok(()))).collect()
    });
    settled.into_iter().collect::<Result<(), Stop>>()?;
    session.close();
    Ok(())
}
