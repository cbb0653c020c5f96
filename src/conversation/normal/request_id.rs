//! Ids of requests: `<id>` is that of the request whose exchange this is, on either side; `"<id>"` where it is a string.
//!
//! So an id that comes back as another one shows at once, and a request more or less changes no id elsewhere. Where ids
//! are what a scenario is about, they stand as they were sent.

use super::{Kind, Names};
use crate::conversation::digest::{shortened, visible};
use crate::scenario::Scenario;
use crate::trace::{Exchange, Id, MessageKind};

/// The ids of the requests that an exchange carries.
pub fn of_requests(exchange: &Exchange) -> Vec<Id> {
    let sent = exchange.sent();
    sent.into_iter().filter(|message| message.kind == MessageKind::Request).map(|message| message.id).collect()
}

/// The id of a message of the client's: a request, or the answer to a request of the server's.
pub fn of_client(names: &mut Names, id: &Id, is_request: bool) -> String {
    match is_request {
        true => own_name(names, id).unwrap_or_else(|| as_sent(id)),
        false => of_the_server(names, id),
    }
}

/// The id of a message of the server's: a request of its own, or an answer.
pub fn of_server(names: &mut Names, id: &Id, is_request: bool) -> String {
    match is_request {
        true => of_the_server(names, id),
        false => own_name(names, id).unwrap_or_else(|| as_sent(id)),
    }
}

/// The id of a request of the client's, seen from the current exchange.
fn own_name(names: &Names, id: &Id) -> Option<String> {
    let are_the_point = matches!(names.scenario, Scenario::Ids | Scenario::IdsInFlight | Scenario::ReusedIds);
    let at = |exchange: usize| names.asked.get(exchange)?.iter().position(|other| other.same_as(id));
    let name = match (at(names.current), are_the_point || !matches!(id, Id::Text(_))) {
        (_, true) => return None,
        (Some(0), _) => "<id>".to_owned(),
        (Some(nth), _) => format!("<id-{}>", nth + 1),
        (None, _) => {
            let elsewhere = (0..names.asked.len()).find(|exchange| at(*exchange).is_some())?;
            format!("<id of {}>", names.labels[elsewhere])
        }
    };
    Some(like(id, name))
}

fn of_the_server(names: &mut Names, id: &Id) -> String {
    match id {
        Id::Text(text) => like(id, names.name(Kind::ServerId, text)),
        _ => as_sent(id),
    }
}

/// The name of a string stands in quotes.
fn like(id: &Id, name: String) -> String {
    match id {
        Id::Text(text) if text.starts_with('"') => format!("\"{name}\""),
        _ => name,
    }
}

/// Bytes that may be part of a message: the id of the request that they answer has its name.
pub fn in_raw(names: &Names, bytes: &[u8]) -> Vec<u8> {
    let own = names.asked.get(names.current).and_then(|ids| ids.first());
    let (Some(id @ Id::Text(text)), Ok(raw)) = (own, str::from_utf8(bytes)) else { return bytes.to_vec() };
    let Some(name) = own_name(names, id) else { return bytes.to_vec() };
    let written = [format!(r#""id":{text},"#), format!(r#""id": {text},"#)];
    written.iter().fold(raw.to_owned(), |raw, id| raw.replace(id, &format!(r#""id":{name},"#))).into_bytes()
}

fn as_sent(id: &Id) -> String {
    shortened(&visible(id.to_string().as_bytes()), 120)
}
