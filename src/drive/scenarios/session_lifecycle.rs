//! Requests with and without the session's id, before and after its end.

use std::time::{Duration, Instant};

use crate::drive::ask::Ask;
use crate::drive::session::Session;
use crate::drive::stage::{Stage, Stop, Until};
use crate::trace::{Exchange, Part};

/// How long a session may take to end, and how often we look where 202 said that the end is still to come.
const A_MOMENT: Duration = Duration::from_millis(50);
const LOOKS: u32 = 40;

/// How long a stream is read once its head is there.
const A_LOOK: Duration = Duration::from_millis(20);

/// How long the first event of a stream is waited for that should not be there: it tells whether the transport of
/// 2024-11-05 lives at the same address.
const FIRST_EVENT: Duration = Duration::from_millis(500);

/// How long the head of a stream is waited for that only says what GET meets otherwise: some servers send it with the
/// first event.
const HELD_BACK: Duration = Duration::from_millis(1_500);

/// The field that the pairs differ in.
const SESSION_ID: &str = "Mcp-Session-Id";

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let Some(call) = &stage.facts.cheapest else {
        return Err(Stop::Lacks("the target answers neither ping nor tools/list".to_owned()));
    };
    let mut session = Session::open(stage)?;
    if session.id().is_none() {
        stage.learned("session", "none granted");
        return Ok(());
    }
    let post = |session: &Session<'_>, label: &str| session.request(label, call, &session.next_id());

    session.probe(Part::Control, |session| post(session, "post-without-session"))?;
    session.probe(Part::Probe, |session| post(session, "post-without-session").without_field(SESSION_ID).damaged())?;

    let unknown = session.id().map(resembling).unwrap_or_default();
    session.probe(Part::Control, |session| post(session, "post-with-unknown-session"))?;
    session.probe(Part::Probe, |session| {
        post(session, "post-with-unknown-session").without_field(SESSION_ID).field(SESSION_ID, &unknown).damaged()
    })?;

    // One GET per session: several servers refuse a second one.
    let get = |session: &Session<'_>, label: &str| session.with_session(Ask::get(label));
    let probe = get(&session, "get-without-session").without_field(SESSION_ID).damaged().part(Part::Probe);
    only_the_head(stage, &probe, stage.options.timeout, FIRST_EVENT)?;
    let control = get(&session, "get-without-session").part(Part::Control);
    only_the_head(stage, &control, HELD_BACK.min(stage.options.timeout), A_LOOK)?;

    let delete = |session: &Session<'_>, label: &str| session.with_session(Ask::bare("DELETE", label));
    session
        .probe(Part::Probe, |session| delete(session, "delete-without-session").without_field(SESSION_ID).damaged())?;
    session.probe(Part::Control, |session| post(session, "post-after-delete"))?;
    let deleted = session.probe(Part::Control, |session| delete(session, "delete"))?;

    for _ in 0..LOOKS {
        stage.pause(A_MOMENT)?;
        let reply = session.probe(Part::Probe, |session| post(session, "post-after-delete").damaged())?;
        if deleted.status != Some(202) || reply.result().is_none() {
            break;
        }
    }
    let probe = get(&session, "get-after-delete").damaged().part(Part::Probe);
    only_the_head(stage, &probe, stage.options.timeout, A_LOOK)?;
    session.probe(Part::Probe, |session| delete(session, "delete").damaged())?;
    Ok(())
}

/// An id that has the form of this one and was never granted: the last third of its letters and digits are others.
/// What a form may want to see at the beginning stays.
fn resembling(id: &str) -> String {
    let kept = id.chars().count() * 2 / 3;
    let other = |letter: char| match letter {
        '9' => '0',
        'f' => 'a',
        'F' => 'A',
        'z' => 'g',
        'Z' => 'G',
        '0'..='8' | 'a'..='y' | 'A'..='Y' => char::from(letter as u8 + 1),
        other => other,
    };
    id.chars().enumerate().map(|(nth, letter)| if nth < kept { letter } else { other(letter) }).collect()
}

/// A GET may open a stream that stays: its head is the answer that counts.
fn only_the_head(stage: &Stage, ask: &Ask, patience: Duration, look: Duration) -> Result<(), Stop> {
    let mut connection = stage.connect()?;
    stage.ask(&mut connection, ask);
    stage.settle(&mut connection, Until::HeadWithin(patience))?;
    let has_event = |exchange: &Exchange| {
        exchange.answer.iter().filter_map(|answer| answer.stream.as_ref()).any(|stream| !stream.events.is_empty())
    };
    stage.settle_unless(&mut connection, Until::EndWithin(look), Instant::now(), has_event)?;
    connection.close();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_id_has_the_form_of_the_one_that_was_granted() {
        let form = |id: &str| id.chars().map(|c| (c.is_ascii_digit(), c.is_ascii_hexdigit(), c)).collect::<Vec<_>>();
        for id in ["0ea6c5d2-94c5-4f7d-9a0f-9f3fbd1f09fa", "session-ABCXYZ.09fFzZ", "x", ""] {
            let other = resembling(id);
            assert_eq!(other == id, id.is_empty(), "{id}");
            for ((digit, hex, was), (digit_now, hex_now, now)) in form(id).into_iter().zip(form(&other)) {
                assert_eq!(
                    (digit, hex, was.is_ascii_alphanumeric()),
                    (digit_now, hex_now, now.is_ascii_alphanumeric())
                );
            }
        }
    }
}
