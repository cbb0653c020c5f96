//! What each switch changes, and that it changes nothing else: the same conversation is held with a conforming server
//! and with one that has the switch, and the steps whose bytes differ are compared with `snapshots/reference-matrix.txt`, which is reviewed
//! by eye. `UPDATE=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::thread;
use std::time::Duration;

use crate::common::{ALL, Answer, Ask, Client, PATIENCE, Wire, start};
use mcpwire::reference::{Fault, Reference, Variant};

/// The steps of the conversation, and what came of each: the bytes, and what they mean.
type Conversation = BTreeMap<&'static str, (String, String)>;

/// Changes with some runs only: whether the server has seen by then that its GET stream was left.
const BY_CHANCE: [(&str, &str); 1] = [("response-on-get-stream", "with Last-Event-ID")];

#[test]
fn each_switch_changes_what_it_should_and_nothing_else() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/reference-matrix.txt");
    let reviewed = std::fs::read_to_string(path).unwrap();
    let compare = |revision| {
        let reviewed = reviewed.clone();
        thread::spawn(move || compare(revision, &reviewed))
    };
    let parts: Vec<_> = ALL.into_iter().map(compare).collect();
    let report: String = parts.into_iter().map(|part| part.join().unwrap()).collect();

    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(path, &report).unwrap();
    }
    for (seen, reviewed) in report.lines().zip(reviewed.lines()) {
        assert_eq!(seen, reviewed);
    }
    assert_eq!(report, reviewed);
}

fn compare(revision: &'static str, reviewed: &str) -> String {
    let mut report = format!("# {revision}\n\n");
    let good = converse(&start(None, &[]), revision);
    assert_eq!(good, converse(&start(None, &[]), revision), "the conversation can be repeated");
    let of_revision = reviewed.split("# ").find(|part| part.starts_with(revision)).unwrap_or_default();
    let line = |write: &dyn Fn() -> String| {
        // On a busy machine, something may come too late for its step: what comes out otherwise is tried again.
        let is_reviewed = |line: &String| of_revision.lines().any(|reviewed| reviewed == line);
        (0..2).map(|_| write()).find(is_reviewed).unwrap_or_else(write)
    };
    for fault in Fault::ALL {
        let write = || {
            let other = converse(&start(Some(*fault), &[]), revision);
            let mut changes = changes(&good, &other, |(bytes, _)| bytes);
            changes.retain(|step| !BY_CHANCE.contains(&(fault.name(), step)));
            format!("{fault} [{}]: {}", fault.violates().join(", "), list(&changes))
        };
        writeln!(report, "{}", line(&write)).unwrap();
    }
    for variant in Variant::ALL {
        let write = || {
            let other = converse(&start(None, &[*variant]), revision);
            let bytes = changes(&good, &other, |(bytes, _)| bytes);
            let meaning = changes(&good, &other, |(_, meaning)| meaning);
            let others = if bytes.len() > 8 { format!("{} steps", bytes.len()) } else { list(&bytes) };
            format!("({variant}): bytes of {others}; meaning of {}", list(&meaning))
        };
        writeln!(report, "{}", line(&write)).unwrap();
    }
    report + "\n"
}

fn list(changes: &[&str]) -> String {
    if changes.is_empty() { "nothing".into() } else { changes.join(", ") }
}

fn changes(good: &Conversation, other: &Conversation, side: fn(&(String, String)) -> &String) -> Vec<&'static str> {
    let look = |conversation: &Conversation, step: &str| conversation.get(step).map(|looks| side(looks).clone());
    let differs = |step: &&'static str| look(good, step) != look(other, step);
    if std::env::var_os("SHOW").is_some() {
        for step in good.keys().copied().filter(differs) {
            eprintln!("{step}:\n  - {:?}\n  + {:?}", look(good, step), look(other, step));
        }
    }
    good.keys().copied().filter(differs).collect()
}

fn converse(server: &Reference, revision: &'static str) -> Conversation {
    let mut seen = Conversation::new();
    let mut note = |step, answer: &Answer| seen.insert(step, (look(answer), mean(answer)));

    let mut client = Client::connect(server, revision);
    if client.is_modern() {
        note("discover", &client.ask(&client.request("1", "server/discover", "")));
        note("get", &client.ask(&client.get()));
    } else {
        let failing = Ask::post(r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#);
        note("failed initialize", &client.ask(&failing));
        note("initialize", &client.initialize());
    }
    note("notification", &client.notify("notifications/initialized", "{}"));
    note("list", &client.ask(&client.request("1", "tools/list", "")));
    if !client.is_modern() {
        note("ping", &client.ask(&client.request("1", "ping", "")));
    }
    note("call", &client.ask(&client.call("1", "greet", "")));
    note("progress", &client.ask(&client.call("1", "progress", r#""_meta":{"progressToken":"t"}"#)));
    note("error", &client.ask(&client.call("1", "nonesuch", "")));
    note("unknown method", &client.ask(&client.request("1", "no/such", "")));
    note("string id", &client.ask(&client.request("\"x\"", "tools/list", "")));
    note("numeric string id", &client.ask(&client.request("\"1\"", "tools/list", "")));
    note("big id", &client.ask(&client.request("9007199254740993", "tools/list", "")));
    note("refused", &client.ask(&client.dress(Ask::new("PUT"))));

    // 1 and "1" at a time.
    let (mut number, mut string) = (client.again(), client.again());
    number.wire.write("POST", &client.call("1", "slow", r#""arguments":{"ms":40}"#).bytes());
    thread::sleep(Duration::from_millis(15));
    string.wire.write("POST", &client.call("\"1\"", "slow", r#""arguments":{"ms":40}"#).bytes());
    note("id 1 in flight", &number.wire.answer(PATIENCE / 2));
    note("id \"1\" in flight", &string.wire.answer(PATIENCE / 2));
    drop((number, string));

    if !client.is_modern() {
        get_streams(&mut client, &mut note);
    }
    held_up(&client, &mut seen);
    let mut note = |step, answer: &Answer| seen.insert(step, (look(answer), mean(answer)));

    if !client.is_modern() {
        resumptions(&client, &mut note);
    }
    note("with Last-Event-ID", &client.ask(&client.call("1", "greet", "").with("Last-Event-ID", "0-0")));

    // What follows leaves the server worse off, so it comes last.
    note("not JSON", &client.ask(&client.dress(Ask::post("{\"jsonrpc\""))));
    note("not JSON-RPC", &client.ask(&client.dress(Ask::post("{}"))));
    note("after malformed", &client.ask(&client.request("1", "tools/list", "")));
    if !client.is_modern() {
        note("no session", &client.ask(&client.request("1", "tools/list", "").without("mcp-session-id")));
        note("unknown session", &client.ask(&client.request("1", "tools/list", "").replacing("Mcp-Session-Id", "x")));
        note("delete", &client.ask(&client.delete()));
        note("delete again", &client.ask(&client.delete()));
        note("post after delete", &client.ask(&client.request("1", "tools/list", "")));
        note("get after delete", &client.ask(&client.get()));
    }
    seen
}

/// The GET stream: when its head comes, and what is on it while a request is answered elsewhere.
fn get_streams(client: &mut Client, note: &mut impl FnMut(&'static str, &Answer) -> Option<(String, String)>) {
    let mut listener = client.again();
    listener.wire.write("GET", &client.get().bytes());
    let head = listener.wire.read(Duration::from_millis(100), |_| true);
    note("get", &head);
    if head.head.is_none() || !head.is_stream() {
        return;
    }
    note("call beside get", &client.ask(&client.call("1", "greet", "")));
    note("on the get stream", &listener.wire.read(Duration::from_millis(30), |body| body.contains(&b'{')));
}

/// What a stream brings that has ended, asked for from its second event, with another stream behind it.
fn resumptions(client: &Client, note: &mut impl FnMut(&'static str, &Answer) -> Option<(String, String)>) {
    let answer = client.again().ask(&client.call("1", "progress", r#""_meta":{"progressToken":"u"}"#));
    client.again().ask(&client.call("2", "greet", ""));
    let ids = answer.event_ids();
    let [_, second, ..] = &ids[..] else { return };
    let resume = |id: &str| {
        let mut wire = client.again().wire;
        wire.write("GET", &client.get().with("Last-Event-ID", id).bytes());
        wire
    };
    note("resumed", &resume(second).answer(PATIENCE / 4));
    note("resumed from nowhere", &resume("nowhere").read(PATIENCE / 4, |_| true));
}

/// Which part of an answer takes long when calls follow each other at once.
fn held_up(client: &Client, seen: &mut Conversation) {
    let mut wire = Wire::connect(client.address);
    let (mut starts, mut rests) = (Vec::new(), Vec::new());
    for _ in 0..9 {
        let answer = wire.ask(&client.call("1", "greet", ""));
        starts.push(answer.first_byte());
        rests.push(answer.last_byte() - answer.first_byte());
        if !wire.usable || answer.end != crate::common::End::Complete {
            wire = Wire::connect(client.address);
        }
    }
    let is_long = |times: &mut Vec<Duration>| {
        times.sort();
        times[4] > Duration::from_millis(15)
    };
    for (step, times) in [("time to the first byte", &mut starts), ("time from first to last byte", &mut rests)] {
        let look = format!("long: {}", is_long(times));
        seen.insert(step, (look.clone(), look));
    }
}

/// An answer without what differs each time.
fn look(answer: &Answer) -> String {
    let mut text = String::new();
    for line in answer.raw.split_inclusive(|byte| *byte == b'\n') {
        let line = line.escape_ascii().to_string();
        if !line.to_ascii_lowercase().starts_with("date: ") {
            text.push_str(&without_random(&line));
        }
    }
    format!("{text} … {:?}, {:?}, {:?}", answer.end, answer.afterwards, answer.faults)
}

/// What a client makes of an answer.
fn mean(answer: &Answer) -> String {
    let status = if answer.end == crate::common::End::Open { 0 } else { answer.status() };
    format!("{status} {}", without_random(&answer.texts().join("\n")))
}

/// The text with every session id replaced, and all numbers of streams, which depend on what came before.
fn without_random(line: &str) -> String {
    if let Some(id) = line.strip_prefix("id: ") {
        return format!("id: N-{}", id.split_once('-').map_or(id, |(_, event)| event));
    }
    let mut text = String::new();
    let mut run = String::new();
    for character in line.chars().chain(['\n']) {
        if character.is_ascii_hexdigit() && !character.is_ascii_uppercase() {
            run.push(character);
            continue;
        }
        text.push_str(if run.len() == 32 { "<random>" } else { &run });
        run.clear();
        text.push(character);
    }
    text.trim_end_matches('\n').to_owned()
}
