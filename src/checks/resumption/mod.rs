//! Streams that are resumed with `Last-Event-ID`.

checks! {
    ids_unique_in_session,
    replays_what_was_missed,
    nothing_twice,
    nothing_of_other_streams,
    finished_stream_can_be_fetched,
    header_ignored,
}

mod streams;

use self::streams::Streams;
use crate::trace::{Exchange, Trace};
use crate::verdict::Judge;

/// What all of them but one say of 2026-07-28.
const ELSEWHERE: &str = "streams cannot be resumed in this revision";

/// What is needed to see anything.
const NEEDS: &str = "a stream whose events have ids, and a server that replays them (`--tool progress=NAME`)";

/// The field that resumes a stream.
const LAST_EVENT_ID: &str = "last-event-id";

/// The GETs that asked for the rest of a stream, in the order of asking, without those whose id leads nowhere.
fn asked_for_the_rest(trace: &Trace) -> impl Iterator<Item = &Exchange> {
    const NOWHERE: [&str; 3] = ["never-given", "of-another-session", "rest-of-listen"];
    let resumes =
        |exchange: &&Exchange| exchange.http_method() == "GET" && exchange.request_field(LAST_EVENT_ID).is_some();
    trace.exchanges().filter(resumes).filter(|exchange| !NOWHERE.contains(&exchange.label.as_str()))
}

/// Says why nothing could be seen, where the target offers no ids or does not want to replay anything.
fn is_not_offered(trace: &Trace, streams: &Streams<'_>, judge: &mut Judge<'_>) -> bool {
    if trace.learned("event-ids").is_some() {
        judge.not_exercised("the events of this server have no ids, and need none: no stream can be resumed");
        return true;
    }
    if streams.ambiguous && streams.resumptions().next().is_none() {
        judge.not_exercised("events on several streams have the same id: nobody can tell what it stands for");
        return true;
    }
    let refused = |get: &Exchange| get.status().filter(|_| !get.is_streamed());
    let mut gets = asked_for_the_rest(trace).peekable();
    let Some(status) = gets.peek().and_then(|get| refused(get)) else { return false };
    if !gets.all(|get| get.status().is_none() || refused(get).is_some()) {
        return false;
    }
    judge.not_exercised(format!("a GET with `Last-Event-ID` is answered with HTTP {status}: nobody has to replay"));
    true
}
