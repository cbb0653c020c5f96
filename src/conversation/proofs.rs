//! Proofs that the pages are alike in every run, and that what changes shows, once.

use std::collections::BTreeMap;
use std::hint::spin_loop;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use proptest::prelude::*;
use rstest::rstest;

use super::{Snapshot, lacks, pages, steady, steady_scenarios};
use crate::drive::{ClientSubject, Experiments, Subject, record_client_scenarios, record_scenarios};
use crate::manifest::{Options, Role};
use crate::reference::Config;
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::target::client::Client;
use crate::target::{Target, ToolRoles};
use crate::trace::store::Recording;
use crate::trace::{Bytes, Conduct, Distance, Event, Nanos, Part, Trace, TraceHead, Vantage, What};
use crate::wire::interrupt::Interrupt;

/// The embedded reference peer of this role, in the scenarios that come out alike.
fn recorded(role: Role) -> Recording {
    let (options, revisions) = (Options::default(), Revision::ALL.to_vec());
    let (given, interrupt) = (String::new(), Interrupt::default());
    let recording = match role {
        Role::Server => {
            let subject = Subject {
                target: Target::Reference(Config::default()),
                revisions,
                options,
                roles: ToolRoles::default(),
                experiments: Experiments::WhereSlow,
                permission: crate::target::Permission::default(),
                given,
                interrupt,
            };
            record_scenarios(subject, &steady_scenarios(role))
        }
        Role::Client => {
            let within = std::time::Duration::from_secs(60);
            let client = Client::Reference(None);
            let subject = ClientSubject { client, revisions, options, within, given, interrupt };
            record_client_scenarios(&subject, &steady_scenarios(role), &mut ())
        }
    };
    let recording = recording.expect("the reference peer comes up");
    assert_eq!(lacks(&recording), None);
    recording
}

fn server() -> &'static Recording {
    static SERVER: OnceLock<Recording> = OnceLock::new();
    SERVER.get_or_init(|| recorded(Role::Server))
}

fn client() -> &'static Recording {
    static CLIENT: OnceLock<Recording> = OnceLock::new();
    CLIENT.get_or_init(|| recorded(Role::Client))
}

#[rstest]
#[case(server(), "reference-server")]
#[case(client(), "reference-client")]
fn the_conversations_are_as_reviewed(#[case] recording: &Recording, #[case] folder: &str) {
    let mut settings = insta::Settings::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    settings.set_snapshot_path(root.join("snapshots").join("conversations").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for Snapshot { name, text } in steady(recording) {
            insta::assert_snapshot!(name, text);
        }
    });
}

/// How often each is recorded beside busy threads. `ci/soak-conversations` asks for more.
fn runs() -> usize {
    std::env::var("MCPWIRE_CONVERSATIONS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(2)
}

#[rstest]
#[case(Role::Server, server())]
#[case(Role::Client, client())]
fn busy_threads_beside_change_nothing(#[case] role: Role, #[case] quiet: &Recording) {
    let quiet = steady(quiet);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    spin_loop();
                }
            });
        }
        let changes: Vec<String> = (0..runs()).flat_map(|_| changes(&quiet, &steady(&recorded(role)))).collect();
        over.store(true, Ordering::Relaxed);
        assert!(changes.is_empty(), "{}", changes.join("\n\n"));
    });
}

/// What is different: each place, with the name of its page.
fn changes(before: &[Snapshot], after: &[Snapshot]) -> Vec<String> {
    let of = |pages: &[Snapshot]| -> BTreeMap<String, String> {
        pages.iter().map(|page| (page.name.clone(), page.text.clone())).collect()
    };
    let (before, after) = (of(before), of(after));
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let [a, b] = [&before, &after].map(|pages| pages.get(name).map_or("", String::as_str));
        changes.extend(hunks(a, b).into_iter().map(|hunk| format!("{name}:\n{hunk}")));
    }
    changes
}

/// The places in which two texts differ: stretches of lines between lines that both have, in order (the longest common
/// subsequence).
fn hunks(a: &str, b: &str) -> Vec<String> {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    let mut common = vec![vec![0_usize; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] = match a[i] == b[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut hunks, mut hunk, mut i, mut j) = (Vec::new(), String::new(), 0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            hunks.extend((!hunk.is_empty()).then(|| std::mem::take(&mut hunk)));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || i < a.len() && common[i + 1][j] >= common[i][j + 1] {
            hunk.push_str(&format!("- {}\n", a[i]));
            i += 1;
        } else {
            hunk.push_str(&format!("+ {}\n", b[j]));
            j += 1;
        }
    }
    hunks.extend((!hunk.is_empty()).then_some(hunk));
    hunks
}

/// The recording of a server that says this where it said that, in the same number of bytes.
fn saying(recording: &Recording, that: &str, this: &str) -> Recording {
    assert_eq!(that.len(), this.len());
    let mut changed = 0;
    let mut recording = recording.clone();
    for trace in &mut recording.traces {
        let mut events = trace.events.clone();
        for event in &mut events {
            let bytes = match (&mut event.what, trace.head.vantage) {
                (What::Read { bytes, .. }, _) => bytes,
                _ => continue,
            };
            let at: Vec<usize> = bytes
                .0
                .windows(that.len())
                .enumerate()
                .filter(|(_, window)| *window == that.as_bytes())
                .map(|(at, _)| at)
                .collect();
            for at in at {
                bytes.0[at..at + this.len()].copy_from_slice(this.as_bytes());
                changed += 1;
            }
        }
        *trace = Trace::new(trace.head.clone(), events);
    }
    assert!(changed > 0, "it never said {that}");
    recording
}

#[rstest]
// What `initialize` comes to, in three revisions.
#[case(server(), r#"serverInfo":{"name":"mcpwire-reference","#, r#"serverInfo":{"name":"mcpwire-otherwise","#)]
// One tool in the list, in each era.
#[case(server(), r#"Takes its time: 300 ms"#, r#"Takes its time: 400 ms"#)]
#[case(server(), r#""text":"Grüß dich!""#, r#""text":"Grüß Gott!""#)]
#[case(server(), r#""text":"Schritt für Schritt.""#, r#""text":"Schritt vor  Schritt.""#)]
#[case(server(), r#""progress":2,"#, r#""progress":9,"#)]
// An error in another code, and in other words.
#[case(server(), r#""error":{"code":-32601,"#, r#""error":{"code":-32099,"#)]
#[case(server(), "unknown tool: mcpwire", "no such tool mcpwire:")]
fn one_message_that_is_another_changes_one_place_in_one_conversation_of_its_era(
    #[case] recording: &Recording,
    #[case] that: &str,
    #[case] this: &str,
) {
    let changes = changes(&steady(recording), &steady(&saying(recording, that, this)));
    // The two eras have messages of their own, which say the same in part.
    let of = |modern: bool| changes.iter().filter(|change| change.starts_with("2026-07-28") == modern).count();
    assert!(!changes.is_empty() && of(false) <= 1 && of(true) <= 1, "{}", changes.join("\n"));
}

/// Whatever a peer sends, a page has no line that is too long and nothing that steers a terminal.
fn is_fit_to_be_read(text: &str) -> Result<(), TestCaseError> {
    for line in text.lines() {
        prop_assert!(line.chars().count() <= 100, "{line}");
        prop_assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    prop_assert!(text.len() < 1 << 20);
    Ok(())
}

/// A trace in which these bytes came, read by read.
fn trace_of(vantage: Vantage, reads: &[Vec<u8>]) -> Trace {
    let asked = b"POST /mcp HTTP/1.1\r\nContent-Length: 40\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
    let mut all = match vantage {
        Vantage::Client => vec![
            What::Connected { conn: 0, began: Nanos(0), local: String::new(), peer: String::new() },
            What::Asked { conn: 0, label: "x".to_owned(), part: Part::Plain, ours: Conduct::Conforming },
            What::Wrote { conn: 0, began: Nanos(0), bytes: Bytes(asked.to_vec()) },
        ],
        Vantage::Server => vec![What::Accepted { conn: 0, local: String::new(), peer: String::new() }],
    };
    let read =
        |bytes: &Vec<u8>| What::Read { conn: 0, kernel: None, segments: None, bytes: Bytes(bytes.clone()), dropped: 0 };
    all.extend(reads.iter().map(read));
    all.push(What::Fin { conn: 0 });
    let events = all.into_iter().zip(0..).map(|(what, seq)| Event { seq, at: Nanos(u64::from(seq)), what }).collect();
    let scenario = if vantage == Vantage::Client { Scenario::Survey } else { Scenario::ClientCalls };
    let head = TraceHead { scenario, revision: Revision::R20251125, attempt: 1, vantage, distance: Distance::Loopback };
    Trace::new(head, events)
}

fn page_of(vantage: Vantage, reads: &[Vec<u8>]) -> String {
    let mut recording = server().clone();
    recording.traces = vec![trace_of(vantage, reads)];
    pages(&recording, |_, _| true).remove(0).text
}

fn answer(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Pieces of what a peer may say, so that some of it is read as what it looks like.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "data: ",
        "id: ",
        "retry: ",
        "event: ",
        "\n",
        "\n\n",
        "\r\n",
        ":",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"id\":1",
        "\"jsonrpc\":\"2.0\"",
        "\"result\":",
        "\"method\":\"x\"",
        "\"params\":{\"progressToken\":1}",
        "\u{1b}[31m",
        "\u{202e}",
        "0123456789abcdef0123456789abcdef",
        "2026-11-21T10:00:00Z",
        "127.0.0.1:1234",
        "12.redacted~~~",
        "POST /mcp HTTP/1.1\r\n\r\n",
        "Content-Length: 3\r\n",
        "漢字",
        "\u{0}",
    ]);
    let piece = prop_oneof![
        3 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_a_server_sends_can_be_read(body in fragments(), kind in prop::sample::select(vec!["application/json", "text/event-stream", "text/html"])) {
        is_fit_to_be_read(&page_of(Vantage::Client, &[answer(kind, &body)]))?;
        is_fit_to_be_read(&page_of(Vantage::Client, &[body]))?;
    }

    #[test]
    fn whatever_a_client_sends_can_be_read(body in fragments()) {
        let request = format!("POST /mcp HTTP/1.1\r\nContent-Length: {}\r\n\r\n", body.len());
        is_fit_to_be_read(&page_of(Vantage::Server, &[[request.as_bytes(), &body].concat()]))?;
        is_fit_to_be_read(&page_of(Vantage::Server, &[body]))?;
    }

    #[test]
    fn how_an_answer_is_cut_into_segments_does_not_show(body in fragments(), at in 0_usize..200) {
        let whole = answer("text/event-stream", &body);
        let (first, second) = whole.split_at(at.min(whole.len()));
        let in_two = page_of(Vantage::Client, &[first.to_vec(), second.to_vec()]);
        prop_assert_eq!(in_two, page_of(Vantage::Client, &[whole]));
    }

    #[test]
    fn names_stay_as_they_are(text in "[ -~]{0,60}", token in "[0-9a-f]{32}", port in 1024_u16..) {
        let trace = trace_of(Vantage::Client, &[]);
        let exchanges = super::order::canonical(&trace);
        let mut names = super::normal::Names::of(&trace, &exchanges);
        let text = format!("{text} {token} at 127.0.0.1:{port} on 2026-11-21T10:00:00Z, 3.redacted~~ in 2025-11-25 {text}");
        let once = names.text(&text);
        prop_assert_eq!(names.text(&once), once);
    }
}

#[rstest]
#[case::one_line("text/html", vec![b'x'; 4 << 20])]
#[case::many_lines("text/html", b"x\n".repeat(1 << 20))]
#[case::one_string("application/json", [br#"{"jsonrpc":"2.0","id":1,"result":{"text":""#.as_slice(), &vec![b'x'; 4 << 20], br#""}}"#].concat())]
#[case::many_members("application/json", [br#"{"jsonrpc":"2.0","id":1,"result":[0"#.as_slice(), &b",[1]".repeat(100_000), b"]}"].concat())]
#[case::deep("application/json", [br#"{"jsonrpc":"2.0","id":1,"result":"#.as_slice(), &b"[".repeat(100), &b"]".repeat(100), b"}"].concat())]
#[case::many_events("text/event-stream", b"data: {}\n\n".repeat(100_000))]
fn a_page_is_bounded(#[case] kind: &str, #[case] body: Vec<u8>) {
    let text = page_of(Vantage::Client, &[answer(kind, &body)]);
    assert!(is_fit_to_be_read(&text).is_ok() && text.lines().count() < 250, "{} lines", text.lines().count());
}

#[test]
fn what_is_left_out_of_a_long_text_still_shows_when_it_changes() {
    let body = |last: char| format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"text":"{}{last}"}}}}"#, "x".repeat(5_000));
    let page = |last| page_of(Vantage::Client, &[answer("application/json", body(last).as_bytes())]);
    assert_eq!(hunks(&page('a'), &page('b')).len(), 1);
}

#[test]
fn a_conversation_that_is_missing_is_told() {
    let mut recording = server().clone();
    recording.traces.retain(|trace| trace.scenario() != Scenario::Ids);
    assert_eq!(lacks(&recording).as_deref(), Some("ids (2025-03-26) is missing"));
    recording.manifest.incomplete = Some("the target went away".to_owned());
    assert_eq!(lacks(&recording).as_deref(), Some("the target went away"));
}

#[test]
fn what_depends_on_time_in_an_event_stream_does_not_show() {
    let page = |body: &str| page_of(Vantage::Client, &[answer("text/event-stream", body.as_bytes())]);
    let message = "id: 7\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";
    assert_eq!(page(message), page(&format!(": still here\n\n: still here\n\n{message}: ping\n\n")));
    // What does not depend on it does.
    assert_ne!(page(message), page(&format!("retry: 10\n{message}")));
}
