//! Which revision is spoken, and what is offered.

use serde_json::{Value, json};

use crate::drive::ask::Call;
use crate::drive::facts::Facts;
use crate::drive::session::{Reply, Session};
use crate::drive::stage::{Stage, Stop};
use crate::spec::Era;
use crate::target::ToolRole;

/// Plays it, and says what it found out. Errs where the revision is not spoken.
pub fn play(stage: &Stage) -> Result<Facts, Stop> {
    let mut session = Session::unopened(stage);
    let mut facts = match stage.revision.era() {
        Era::Legacy => legacy(&mut session)?,
        Era::Modern => modern(&mut session)?,
    };
    if facts.has_tools {
        // What it answers depends on what others did before: every call of it would say something else.
        let effect = stage.roles.get(ToolRole::Effect).map(|tool| tool.name.as_str());
        facts.harmless_tool = harmless_tool(&mut session, effect)?;
    }
    if facts.cheapest.is_none() && facts.has_tools {
        facts.cheapest = Some(Call::bare("tools/list"));
    }
    if let Some(call) = &facts.cheapest {
        stage.learned("cheapest-call", call.method.as_str());
    }
    session.close();
    Ok(facts)
}

fn legacy(session: &mut Session<'_>) -> Result<Facts, Stop> {
    let opened = session.handshake()?;
    let result = opened.result().cloned().unwrap_or_default();
    let ping = Call::bare("ping");
    let answers_ping = session.call("ping", &ping)?.result().is_some();
    Ok(Facts {
        cheapest: answers_ping.then_some(ping),
        has_tools: result["capabilities"].get("tools").is_some(),
        server: name_of(&result["serverInfo"]),
        harmless_tool: None,
    })
}

fn modern(session: &mut Session<'_>) -> Result<Facts, Stop> {
    let revision = session.stage().revision.date();
    let discover = Call::bare("server/discover");
    let reply = session.call("discover", &discover)?;
    let Some(result) = reply.result() else { return Err(not_spoken("server/discover", &reply)) };
    let versions = result["supportedVersions"].as_array().cloned().unwrap_or_default();
    if !versions.contains(&Value::from(revision)) {
        return Err(Stop::Answer(format!("`server/discover` does not list {revision}")));
    }
    Ok(Facts {
        cheapest: Some(discover),
        has_tools: result["capabilities"].get("tools").is_some(),
        server: name_of(&result["_meta"]["io.modelcontextprotocol/serverInfo"]),
        harmless_tool: None,
    })
}

fn not_spoken(method: &str, reply: &Reply) -> Stop {
    Stop::Answer(format!("`{method}` was answered with {}", reply.outcome()))
}

/// The first tool with a read-only hint and no required arguments, on the first pages of the list; not this one.
fn harmless_tool(session: &mut Session<'_>, effect: Option<&str>) -> Result<Option<Call>, Stop> {
    const PAGES: u32 = 5;
    let mut cursor: Option<String> = None;
    for _ in 0..PAGES {
        let call = match &cursor {
            None => Call::bare("tools/list"),
            Some(cursor) => Call::with("tools/list", json!({"cursor": cursor})),
        };
        let reply = session.call("tools-list", &call)?;
        let Some(result) = reply.result() else { return Ok(None) };
        let tools = result["tools"].as_array().map_or(&[][..], Vec::as_slice);
        // Not one whose name says that it takes its time: it would be called many times.
        let quick =
            |tool: &&Value| !tool["name"].as_str().is_some_and(|name| name.contains("slow") || Some(name) == effect);
        if let Some(tool) = tools.iter().filter(|tool| is_harmless(tool)).find(quick) {
            return Ok(tool["name"].as_str().map(|name| Call::tool(name, None)));
        }
        match result["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(None),
        }
    }
    Ok(None)
}

fn is_harmless(tool: &Value) -> bool {
    let required = tool["inputSchema"]["required"].as_array().is_some_and(|required| !required.is_empty());
    tool["annotations"]["readOnlyHint"] == Value::Bool(true) && !required
}

fn name_of(info: &Value) -> Option<String> {
    /// Names and versions are words, not texts.
    const SHOWN: usize = 60;
    let word = |member: &str| Some(info[member].as_str()?.chars().take(SHOWN).collect::<String>());
    let name = word("name")?;
    match word("version") {
        Some(version) if !version.is_empty() => Some(format!("{name} {version}")),
        _ => Some(name),
    }
}
