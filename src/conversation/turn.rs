//! An exchange as what the two sides said: heads, messages and events, and how it ended.
//!
//! How the bytes were cut into segments and chunks is not in it, nor are comments in an event stream, whose number is a
//! matter of time, nor the end of a connection over which nothing was open any more.

use serde_json::Value;

use super::content::{self, Content, Side};
use super::digest::{bounded, digest, shortened, visible};
use super::fields::Head;
use super::normal::{self, Names};
use crate::codec::http1::{Fields, Framing};
use crate::codec::sse::{Event, SseEvent, SseFault};
use crate::scenario::Scenario;
use crate::trace::decode::Answer;
use crate::trace::{
    Conduct, ConnectionId, Ending, Exchange, Message, MessageKind, Part, PeerEnd, Trace, Vantage, What,
};

/// How many events of one stream are shown.
const EVENTS: usize = 60;

/// One exchange, without what differs from run to run.
#[derive(Clone, Debug)]
pub struct Turn {
    /// What the scenario calls it, and its part.
    pub label: String,
    /// The same, and which one of that name.
    pub place: String,
    /// The line above it.
    pub heading: String,
    /// What the client said.
    pub asked: Vec<Item>,
    /// What the server said.
    pub answered: Vec<Item>,
}

/// A part of what one side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A line as it is.
    Line(String),
    /// The fields of a head.
    Head(Head),
    /// A message, behind these words.
    Content(String, Content),
}

impl Item {
    /// What tells it from others.
    fn said(&self) -> &str {
        match self {
            Self::Line(line) => line,
            Self::Head(head) => &head.kind,
            Self::Content(words, content) => content.key.as_deref().unwrap_or(words),
        }
    }
}

/// Two turns are the same if all that is said is; which one of its name it is does not count.
impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.heading == other.heading && self.asked == other.asked && self.answered == other.answered
    }
}

impl Turn {
    /// Whether both sides say the same in both, whatever the scenario calls them and on whatever connection.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.asked == other.asked && self.answered == other.answered
    }
}

/// The turns of a trace, whose exchanges are in canonical order.
pub fn turns(trace: &Trace, exchanges: &[&Exchange], names: &mut Names) -> Vec<Turn> {
    let mut connections = Vec::new();
    let mut turns: Vec<Turn> = Vec::new();
    let usual = exchanges.first().and_then(|exchange| exchange.request.as_ref()).map(|head| head.target.as_str());
    for (index, exchange) in exchanges.iter().enumerate() {
        names.enter(index);
        let name = shortened(&visible(normal::label(exchange).as_bytes()), 60);
        let label = if exchange.part == Part::Probe { format!("{name} probe") } else { name.clone() };
        let earlier = turns.iter().filter(|turn| turn.label == label).count();
        let place = if earlier == 0 { label.clone() } else { format!("{label} ({})", earlier + 1) };
        let (asked, key) = asked(exchange, usual, names);
        let answered = answered(trace, exchange, &key, names);
        // A client takes another connection where the last answer is not quite over: when that is, is chance.
        let number = match trace.head.vantage {
            Vantage::Client => format!("#{} ", number_of(exchange.conn, &mut connections)),
            Vantage::Server => String::new(),
        };
        let heading = format!("{number}{name}{}", remark(exchange));
        let turn = Turn { label, place, heading, asked, answered };
        // How often a client opens a stream anew that we end, or that is refused, is chance.
        if !(is_beside(trace, exchange) && turns.contains(&turn)) {
            turns.push(turn);
        }
    }
    turns
}

/// What is to be said behind the last turn.
pub fn closing(trace: &Trace, names: &mut Names) -> Vec<String> {
    let mut lines = Vec::new();
    let unreadable = trace.connections().filter_map(|connection| connection.unreadable.as_ref());
    lines.extend(unreadable.map(|(fault, _)| format!("! on a connection came what is no request: {}", fault.kind)));
    if let Some(why) = trace.stopped() {
        // What the server said stands above.
        lines.push(match trace.exchanges().next() {
            Some(_) => "(The scenario could not be played any further.)".to_owned(),
            None => format!("(Not played: {}.)", shortened(&visible(names.text(why).as_bytes()), 300)),
        });
    }
    lines
}

/// The number of a connection on the page.
fn number_of(conn: ConnectionId, known: &mut Vec<ConnectionId>) -> usize {
    let at = known.iter().position(|other| *other == conn).unwrap_or_else(|| {
        known.push(conn);
        known.len() - 1
    });
    at + 1
}

/// A stream that a client opens beside everything else: when it comes, and what we answer then, is chance.
fn is_beside(trace: &Trace, exchange: &Exchange) -> bool {
    let resumes = || exchange.request.as_ref().is_some_and(|head| head.fields.get("last-event-id").is_some());
    trace.head.vantage == Vantage::Server && exchange.http_method() == "GET" && !resumes()
}

/// A stream of which a scenario wants to see the head, and closes it then: what else has come is chance.
fn shows_its_head_only(trace: &Trace, exchange: &Exchange) -> bool {
    trace.scenario() == Scenario::SessionLifecycle
        && exchange.http_method() == "GET"
        && matches!(exchange.ending, Ending::Open { .. })
}

fn remark(exchange: &Exchange) -> String {
    let part = match exchange.part {
        Part::Plain => None,
        Part::Probe => Some("probe"),
        Part::Control => Some("control"),
    };
    let ours = (exchange.ours == Conduct::Damaged).then_some("against the rules on purpose");
    let words: Vec<&str> = part.into_iter().chain(ours).collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(", ")) }
}

/// What the client said, and what the answers to it have in their keys.
fn asked(exchange: &Exchange, usual: Option<&str>, names: &mut Names) -> (Vec<Item>, String) {
    let Some(head) = &exchange.request else {
        return (vec![Item::Line("(no request could be read)".to_owned())], String::new());
    };
    let mut verb = shortened(&visible(head.method.as_bytes()), 40);
    if usual.is_some_and(|usual| usual != head.target) {
        verb = format!("{verb} {}", shortened(&visible(names.text(&head.target).as_bytes()), 120));
    }
    let sent = exchange.sent();
    let mut contents = Vec::new();
    let mut items = Vec::new();
    match &sent[..] {
        [] if exchange.request_body.is_empty() => items.push(Item::Line(verb.clone())),
        [] => contents.push((format!("{verb} "), Content::raw("with no JSON", &exchange.request_body, "", names))),
        [message] => contents.push((format!("{verb} "), Content::of(message, Side::Client, "", names))),
        messages => {
            items.push(Item::Line(format!("{verb} with an array")));
            contents.extend(
                messages.iter().map(|message| ("- ".to_owned(), Content::of(message, Side::Client, "", names))),
            );
        }
    }
    let key = match contents.is_empty() {
        true => verb,
        false => contents.iter().map(|(_, content)| names.unowned(content.as_asked())).collect::<Vec<_>>().join("\n"),
    };
    items.extend(contents.into_iter().map(|(words, content)| Item::Content(words, content)));
    let kind = format!("{} {}", head.method, if is_handshake(&sent) { "initialize" } else { "" });
    let fields = fields(&head.fields, &of_request(&sent), names);
    // Behind the first line.
    items.insert(1, Item::Head(Head { kind, fields }));
    if let [message] = &sent[..]
        && message.kind == MessageKind::Request
    {
        let fields = content::of_every_message(message, "params", names);
        items.insert(2, Item::Head(Head { kind: "request".to_owned(), fields }));
    }
    if exchange.write_failed {
        items.push(Item::Line("(it could not be written to its end)".to_owned()));
    }
    (items, key)
}

fn is_handshake(sent: &[Message]) -> bool {
    matches!(sent, [message] if message.method() == Some("initialize"))
}

/// What header fields repeat of a message: the value, and the words for it.
fn of_request(sent: &[Message]) -> Vec<(String, &'static str)> {
    let [message] = sent else { return Vec::new() };
    let params = &message.value["params"];
    let name = params["name"].as_str().or(params["uri"].as_str());
    let method = message.method().map(|method| (method.to_owned(), "(the method)"));
    method.into_iter().chain(name.map(|name| (name.to_owned(), "(the name)"))).collect()
}

/// The fields that say something: not those of the framing, and not what is sure to differ.
fn fields(fields: &Fields, repeated: &[(String, &'static str)], names: &mut Names) -> Vec<(String, String)> {
    // An entity tag is a sum over the content.
    const LEFT_OUT: [&str; 5] = ["date", "host", "content-length", "transfer-encoding", "etag"];
    let mut shown = Vec::new();
    for field in fields.iter().filter(|field| !LEFT_OUT.iter().any(|name| field.is(name))) {
        let text = field.text();
        let repeats =
            repeated.iter().find(|(value, _)| field.name.to_ascii_lowercase().starts_with("mcp-") && *value == text);
        let value = match repeats {
            Some((_, words)) => (*words).to_owned(),
            None => shortened(&visible(names.field(&field.name, &text).as_bytes()), 200),
        };
        shown.push((shortened(&visible(field.name.as_bytes()), 60), value));
    }
    shown.sort_by_key(|(name, _)| name.to_ascii_lowercase());
    shown
}

/// What the server said.
fn answered(trace: &Trace, exchange: &Exchange, asked: &str, names: &mut Names) -> Vec<Item> {
    names.answers();
    // Whether the answer to a goodbye is waited for long enough is chance.
    if trace.head.vantage == Vantage::Client && exchange.label == "goodbye" {
        return Vec::new();
    }
    let mut items: Vec<Item> =
        exchange.interim.iter().map(|interim| Item::Line(format!("{} (interim)", interim.status))).collect();
    // Some clients take an interim answer for the end: whether we have written the other one by then is chance.
    if trace.head.vantage == Vantage::Server && !exchange.interim.is_empty() {
        return items;
    }
    if let Some(answer) = &exchange.answer {
        if !is_beside(trace, exchange) {
            head(answer, exchange, &mut items, names);
        }
        match &answer.stream {
            stream if is_beside(trace, exchange) && (stream.is_none() || exchange.messages().is_empty()) => {
                return items;
            }
            _ if shows_its_head_only(trace, exchange) => {}
            Some(_) => events(answer, exchange, asked, &mut items, names),
            None => body(answer, asked, &mut items, names),
        }
    }
    let faults: Vec<String> = exchange.faults.iter().map(|(fault, _)| format!("! {}", fault.kind)).collect();
    items.extend(bounded(faults, 8).into_iter().map(Item::Line));
    items.extend(ending(trace, exchange).map(Item::Line));
    if !exchange.surplus.is_empty() {
        items.push(Item::Line("! bytes behind the end of the answer".to_owned()));
    }
    items
}

fn head(answer: &Answer, exchange: &Exchange, items: &mut Vec<Item>, names: &mut Names) {
    let head = &answer.head;
    let media_type = head.fields.text("content-type").map(|text| shortened(&visible(text.as_bytes()), 120));
    let is_stream = answer.stream.is_some();
    let framing = match answer.framing {
        Framing::Bodyless | Framing::Length(0) => Some("no body"),
        Framing::Length(_) if is_stream => Some("with a length"),
        Framing::Chunked if !is_stream => Some("chunked"),
        Framing::UntilClose => Some("until the connection closes"),
        Framing::Length(_) | Framing::Chunked => None,
    };
    let version = (head.version != (1, 1)).then(|| format!("HTTP/{}.{}", head.version.0, head.version.1));
    let words = [media_type.clone(), framing.map(str::to_owned), version, line_ends(answer)];
    let words: Vec<String> = words.into_iter().flatten().collect();
    let status = head.status;
    let comma = if media_type.is_none() && !words.is_empty() { ", " } else { " " };
    items.push(Item::Line(format!("{status}{comma}{}", words.join(", ")).trim_end().to_owned()));
    let mut fields = fields(&head.fields, &[], names);
    fields.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    let handshake = if is_handshake(&exchange.sent()) { "initialize" } else { "" };
    let kind = format!("{status} {} {handshake}", media_type.unwrap_or_default());
    items.push(Item::Head(Head { kind, fields }));
    let result = exchange.response().filter(|received| received.message.kind == MessageKind::Result);
    if let Some(received) = result {
        let fields = content::of_every_message(&received.message, "result", names);
        items.push(Item::Head(Head { kind: "result".to_owned(), fields }));
    }
}

/// How the lines of an event stream end, where that is not LF.
fn line_ends(answer: &Answer) -> Option<String> {
    let ends = answer.stream.as_ref()?.line_endings();
    let kinds = [(ends.lf, "LF"), (ends.crlf, "CRLF"), (ends.cr, "CR")];
    let used: Vec<&str> = kinds.iter().filter(|(count, _)| *count > 0).map(|(_, name)| *name).collect();
    (!used.is_empty() && used != ["LF"]).then(|| format!("lines end in {}", used.join(" and ")))
}

fn body(answer: &Answer, asked: &str, items: &mut Vec<Item>, names: &mut Names) {
    let messages: Vec<&Message> = answer.messages.iter().map(|received| &received.message).collect();
    match &messages[..] {
        [] if answer.body.is_empty() => {}
        [] => items.push(Item::Content(String::new(), Content::raw("no JSON", &answer.body, asked, names))),
        [message] => items.push(Item::Content(String::new(), Content::of(message, Side::Server, asked, names))),
        messages => {
            items.push(Item::Line("an array".to_owned()));
            let content = |message: &&Message| Content::of(message, Side::Server, asked, names);
            items.extend(messages.iter().map(content).map(|content| Item::Content("- ".to_owned(), content)));
        }
    }
}

fn events(answer: &Answer, exchange: &Exchange, asked: &str, items: &mut Vec<Item>, names: &mut Names) {
    let Some(stream) = &answer.stream else { return };
    let from = items.len();
    for (index, (event, _)) in stream.events.iter().enumerate() {
        match event {
            SseEvent::Comment(_) => {}
            SseEvent::Fault(fault) => items.push(Item::Line(format!("! {}", words_of(fault)))),
            SseEvent::NoData(event) => items.push(Item::Line(format!("{}no data", line_of(event, names)))),
            SseEvent::Dispatch(event) => {
                let line = line_of(event, names);
                let carried = exchange.carried_by(index);
                for received in carried {
                    items.push(Item::Content(line.clone(), Content::of(&received.message, Side::Server, asked, names)));
                }
                if carried.is_empty() && event.data.is_empty() {
                    items.push(Item::Line(format!("{line}empty data")));
                } else if carried.is_empty() {
                    items.push(Item::Content(line, Content::raw("no message", event.data.as_bytes(), asked, names)));
                }
            }
        }
    }
    if items.len() > from + EVENTS {
        let rest = items.split_off(from + EVENTS - 1);
        let said: Vec<&str> = rest.iter().map(Item::said).collect();
        let words = format!("… {} more events, digest {}", rest.len(), digest(said.join("\n").as_bytes()));
        items.push(Item::Line(words));
    }
}

fn words_of(fault: &SseFault) -> String {
    visible(fault.kind.to_string().as_bytes())
}

/// The fields of an event beside its data.
fn line_of(event: &Event, names: &mut Names) -> String {
    let mut words = vec!["event".to_owned()];
    words.extend(event.id.as_ref().map(|id| format!("id={}", names.event(id))));
    words.extend(event.retry.map(|retry| format!("retry={retry}")));
    let kind = event.kind.as_ref().map(|kind| Value::from(shortened(&visible(kind.as_bytes()), 60)));
    words.extend(kind.map(|kind| format!("event={}", kind.as_str().unwrap_or_default())));
    words.extend((event.data_lines > 1).then(|| format!("data-lines={}", event.data_lines)));
    format!("{}: ", words.join(" "))
}

/// How an answer ended, where that is not how an answer of its kind ends.
fn ending(trace: &Trace, exchange: &Exchange) -> Option<String> {
    let is_stream = exchange.is_streamed();
    let is_get = exchange.http_method() == "GET";
    let words = match (exchange.ending, trace.head.vantage) {
        (Ending::Complete(_), _) if is_stream => "end of the stream",
        (Ending::Complete(_), _) => return None,
        (Ending::Unreadable(_), _) => "! the rest cannot be read as HTTP/1.1",
        (Ending::NotKept(_), _) => "… more than a recording keeps",
        // We are the client: what the server does counts, and when we close does not.
        (Ending::Cut(PeerEnd::Fin, _), Vantage::Client) => "! the server ends the connection (FIN)",
        (Ending::Cut(PeerEnd::Reset, _), Vantage::Client) => "! the server resets the connection (RST)",
        (Ending::Open { .. }, Vantage::Client) if exchange.answer.is_none() => "(no answer while it was waited for)",
        (Ending::Open { .. }, Vantage::Client) if is_stream => "(left open)",
        (Ending::Open { .. }, Vantage::Client) => "(not complete while it was waited for)",
        // We are the server: what we cut off is cut off, and a stream of ours that is open ends with the client.
        (ending, Vantage::Server) => match our_end(trace, exchange, ending) {
            Some(OurEnd::Fin) => "! the server ends the connection (FIN)",
            Some(OurEnd::Reset) => "! the server resets the connection (RST)",
            None if is_get || is_stream && matches!(ending, Ending::Open { .. }) => "(left open)",
            None if matches!(ending, Ending::Cut(..)) => "(the client ends the connection)",
            None => "(left open)",
        },
    };
    Some(words.to_owned())
}

enum OurEnd {
    Fin,
    Reset,
}

/// How we ended the connection, where we did so before the client did.
fn our_end(trace: &Trace, exchange: &Exchange, ending: Ending) -> Option<OurEnd> {
    let until = match ending {
        Ending::Cut(_, moment) => moment.seq,
        _ => u32::MAX,
    };
    // Our half of a connection is closed as soon as the client has ended its own.
    let client_ended = trace.connection(exchange.conn).and_then(|facts| facts.ended).map(|(_, moment)| moment.seq);
    let until = client_ended.map_or(until, |ended| ended.min(until));
    trace.events.iter().take_while(|event| event.seq < until).find_map(|event| match &event.what {
        What::Finished { conn } if *conn == exchange.conn => Some(OurEnd::Fin),
        What::Closed { conn, abruptly: true } if *conn == exchange.conn => Some(OurEnd::Reset),
        What::Closed { conn, abruptly: false } if *conn == exchange.conn => Some(OurEnd::Fin),
        _ => None,
    })
}
