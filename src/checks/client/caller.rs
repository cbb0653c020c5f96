//! What the caller of a client under test got, and what that says about the answer's spelling.

use crate::trace::{Exchange, Told, Trace, What};
use crate::verdict::{Cite, Judge};

/// What the caller of a call got.
#[derive(Clone, Debug, PartialEq)]
pub enum Got {
    /// The content of our response.
    Right,
    /// Another result.
    Wrong(Told),
    /// An error.
    Error(Told),
    /// Nothing, although the client tells what its caller gets.
    Nothing,
    /// Nobody knows: the client does not tell.
    Untold,
}

/// What the caller of this call got.
pub fn got(trace: &Trace, exchange: &Exchange) -> Got {
    match trace.told(&exchange.label) {
        None if trace.all_told().next().is_none() => Got::Untold,
        None => Got::Nothing,
        Some(told) if told.outcome.is_err() => Got::Error(told),
        Some(_) if trace.caller_got(exchange) => Got::Right,
        Some(told) => Got::Wrong(told),
    }
}

/// How the client ended, as a lowercase fragment.
pub fn how_it_ended(trace: &Trace) -> Option<(String, u32)> {
    trace.events.iter().rev().find_map(|event| match &event.what {
        What::ClientEnded { how, .. } => Some((how.clone(), event.seq)),
        _ => None,
    })
}

/// How the client was made to end, where it did not by itself.
pub fn was_ended(trace: &Trace) -> Option<(String, u32)> {
    trace.events.iter().find_map(|event| match &event.what {
        What::ClientEnded { how, forced: true } => Some((how.clone(), event.seq)),
        _ => None,
    })
}

/// The rule of all checks on the spelling of an answer: the caller of each call whose label begins so gets what stands
/// in the answer. The call `control`, answered in the plainest way, shows that it would have.
pub fn gets_the_answer(trace: &Trace, judge: &mut Judge<'_>, prefix: &str, control: &str, cite: Cite, spelt: &str) {
    let calls: Vec<&Exchange> = super::calls_like(trace, prefix).collect();
    if calls.is_empty() {
        return;
    }
    let Some(plain) = super::calls(trace).find(|exchange| exchange.label == control) else {
        return judge.not_exercised("the client did not make the plain call that everything is compared with");
    };
    match got(trace, plain) {
        Got::Right => {}
        Got::Untold => {
            return judge.not_exercised("the client does not tell what its caller gets (fixtures/clients/README.md)");
        }
        _ => return judge.not_exercised("the caller did not get the plain answer that everything is compared with"),
    }
    // Who asked twice and got the answer to one of them, got it.
    let is_right = |asked: &&Exchange| calls.iter().any(|call| call.label == asked.label && trace.caller_got(call));
    for exchange in &calls {
        if is_right(exchange) {
            judge.examined();
            continue;
        }
        let (observed, seq) = match got(trace, exchange) {
            Got::Right | Got::Untold => continue,
            Got::Wrong(told) => ("the caller got another result".to_owned(), told.moment.seq),
            Got::Error(told) => (format!("the caller got an error: {}", words(&told)), told.moment.seq),
            Got::Nothing => {
                let (how, seq) = how_it_ended(trace).unwrap_or_default();
                (format!("the caller never got anything; the client: {how}"), seq)
            }
        };
        judge.examined();
        judge
            .finding(cite, format!("the caller gets the result of an answer {spelt}"), observed)
            .shown_by(exchange)
            .event(seq);
    }
}

/// The words of the error that the caller got, shortened.
pub fn words(told: &Told) -> String {
    let message = told.outcome.as_ref().err().map(|error| error.message.as_str()).unwrap_or_default();
    let words: String = message.chars().take(120).collect();
    if words.is_empty() { "without a word".to_owned() } else { words }
}
