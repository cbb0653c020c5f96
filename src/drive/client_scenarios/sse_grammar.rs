//! Event streams in every spelling that the grammar allows (WHATWG HTML, sections 9.2.5 and 9.2.6).

use std::time::Duration;

use crate::drive::peer::{Act, Ask, Call, Reply, Scene, Shared, Step, Turn, chunk, sse_head, turn};
use crate::spec::{Era, Revision};

/// What the tool says: characters of one to four bytes, and colons that end no field name.
const TEXT: &str = "data: Grüße: 2 × 3 → 6, 東京 🗼: ok";

/// What no caller may ever get.
const POISON: &str = "this was never sent as a message";

/// How long a caller waits: not so long that a client which knows only half of the grammar is ended before the last call.
const PATIENCE: u64 = 3_000;

/// How long the callers of streams without a response wait for it.
const IN_VAIN: u64 = 700;

/// Long enough that what was written before is read before what is written next.
const MOMENT: Duration = Duration::from_millis(15);

/// The plainest stream first: everything else is compared with it. What might upset a client comes last.
pub fn scene(revision: Revision) -> Scene {
    let mut turns = vec![turn("plain", |call| call.streamed())];
    turns.extend(lines());
    turns.extend(fields());
    turns.extend(events());
    turns.extend(pieces());
    if revision.era() == Era::Legacy {
        turns.extend(ids());
    }
    turns.extend([
        turn("incomplete-event", |call| {
            whole(call, &format!(": no blank line ends this\ndata: {}\n", call.response_saying(POISON))).damaged()
        }),
        turn("incomplete-line", |call| {
            whole(call, &format!(": nothing ends this\ndata: {}", call.response_saying(POISON))).damaged()
        }),
        turn("large-event", large_event),
        turn("many-events", many_events),
    ]);
    if revision.era() == Era::Legacy {
        turns.extend(resumable());
    }
    let steps = turns.iter().map(|turn| match turn.label {
        "large-event" => Step::Call(turn.label),
        "resumed-with-bad-retry" => Step::CallFor(turn.label, 3 * IN_VAIN),
        label if label.starts_with("incomplete-") || label.starts_with("resumed") => Step::CallFor(label, IN_VAIN),
        label => Step::CallFor(label, PATIENCE),
    });
    let steps = steps.collect();
    Scene::calls(turns).in_steps(steps).reacting(no_resumption)
}

/// How lines end, and how a stream begins.
fn lines() -> Vec<Turn> {
    vec![
        turn("lines-lf", |call| whole(call, &format!("event: message\ndata: {}\n\n", said(call)))),
        turn("lines-crlf", |call| whole(call, &format!("event: message\r\ndata: {}\r\n\r\n", said(call)))),
        turn("lines-crlf-in-two", |call| {
            pieced(&[format!("data: {}\r", said(call)).as_bytes(), b"\n\r", b"\n: behind it\r\n"])
        }),
        turn("lines-cr-alone", |call| whole(call, &format!("event: message\rdata: {}\r\r: behind it\r", said(call)))),
        turn("lines-cr-at-the-end", |call| whole(call, &format!("data: {}\r\r", said(call)))),
        turn("lines-mixed", |call| {
            whole(call, &format!(": one\r\nevent: message\rdata: {}\n\r\n: behind it\r", said(call)))
        }),
        turn("mark-whole", |call| whole(call, &format!("\u{feff}data: {}\n\n", said(call)))),
        turn("mark-in-two", |call| {
            pieced(&[b"\xEF", [b"\xBB\xBF", format!("data: {}\n\n", said(call)).as_bytes()].concat().as_slice()])
        }),
        turn("comment-first", |call| whole(call, &format!(": welcome\n\ndata: {}\n\n", said(call)))),
        turn("comment-within", |call| {
            whole(call, &format!("event: message\n:\n:data: nothing\ndata: {}\n: and so on\n\n", said(call)))
        }),
        turn("comment-keep-alive", |call| {
            pieced(&[b": keep-alive\n\n", b":\n\n", b": keep-alive\n\n", event(&said(call)).as_bytes()])
        }),
    ]
}

/// What stands in the lines of an event.
fn fields() -> Vec<Turn> {
    vec![
        turn("data-pretty", |call| {
            let lines: Vec<String> = pretty(call).iter().map(|line| format!("data: {line}\n")).collect();
            whole(call, &format!("{}\n", lines.concat()))
        }),
        turn("data-with-blank-lines", |call| {
            let lines: Vec<String> = pretty(call).iter().map(|line| format!("data:{line}\ndata:\ndata: \n")).collect();
            whole(call, &format!("data:\n{}\n", lines.concat()))
        }),
        turn("data-apart", |call| {
            let lines: Vec<String> = pretty(call).iter().map(|line| format!("data: {line}\n: a comment\n")).collect();
            whole(call, &format!("{}event: message\n\n", lines.concat()))
        }),
        turn("unknown-name", |call| {
            whole(call, &format!("note: 1\ndatax: {{}}\nevents: ping\ndata: {}\ntrace-id: 7\n\n", said(call)))
        }),
        turn("unknown-case", |call| {
            let poison = call.response_saying(POISON);
            whole(call, &format!("Data: {poison}\nEVENT: ping\ndata: {}\nDATA: {{\n\n", said(call)))
        }),
        turn("unknown-blank", |call| {
            let poison = call.response_saying(POISON);
            whole(call, &format!("data : {poison}\n data: {poison}\ndata: {}\n\n", said(call)))
        }),
        turn("without-colon", |call| whole(call, &format!("event\ndata\ndata: {}\ndata\n\n", said(call)))),
        turn("without-blank", |call| whole(call, &format!("event:message\ndata:{}\n\n", said(call)))),
        turn("colons-within", |call| {
            let result = call.response_saying("data: {\"a:b\": [c:d]}: event: ping");
            whole(call, &format!("data: {result}\n\n"))
        }),
    ]
}

/// Events beside the one with the response.
fn events() -> Vec<Turn> {
    vec![
        turn("type-message", |call| whole(call, &format!("event: message\ndata: {}\n\n", said(call)))),
        turn("type-reset", |call| whole(call, &format!("event: ping\ndata:\n\ndata: {}\n\n", said(call)))),
        turn("type-reset-without-data", |call| whole(call, &format!("event: ping\n\ndata: {}\n\n", said(call)))),
        turn("type-empty", |call| whole(call, &format!("event:\ndata: {}\n\n", said(call)))),
        turn("types-twice", |call| whole(call, &format!("event: ping\nevent: message\ndata: {}\n\n", said(call)))),
        turn("other-type-no-json", |call| {
            whole(call, &format!("event: ping\ndata: 12:00:00\n\nevent: message\ndata: {}\n\n", said(call)))
        }),
        turn("other-type-response", |call| {
            let poison = call.response_saying(POISON);
            whole(call, &format!("event: draft\ndata: {poison}\n\nevent: message\ndata: {}\n\n", said(call)))
        }),
        turn("empty-first", |call| match call.revision.era() {
            Era::Legacy => whole(call, &format!("id: first\ndata:\n\ndata: {}\n\n", said(call))),
            // This revision knows no ids.
            Era::Modern => whole(call, &format!("data:\n\ndata: {}\n\n", said(call))),
        }),
        turn("empty-spelt-otherwise", |call| {
            whole(call, &format!("data: \n\nevent: message\ndata:\n\ndata: {}\n\n", said(call)))
        }),
    ]
}

/// Segments and chunks that end anywhere.
fn pieces() -> Vec<Turn> {
    vec![
        turn("split-bytes", |call| split_everywhere(&event(&said(call)))),
        turn("split-chunks", |call| {
            let (before, behind) = within_a_character(&event(&said(call)));
            pieced(&[&before, &behind])
        }),
        turn("split-one-byte-chunks", |call| {
            let chunks: Vec<u8> = event(&said(call)).bytes().flat_map(|byte| chunk(&[byte])).collect();
            Reply::of(vec![Act::Write([sse_head(&[]), chunks, chunk(b"")].concat())])
        }),
    ]
}

/// What only matters where streams are resumed.
fn ids() -> Vec<Turn> {
    vec![
        turn("ids-with-nul", |call| whole(call, &format!("id: a\0b\ndata: {}\n\n", said(call)))),
        turn("ids-and-bad-retry", |call| {
            let retries = "retry: -1\nretry: +5\nretry: 1e3\nretry: 1.5\nretry: 10 ms\nretry: soon\nretry:\n";
            whole(call, &format!("id: some\n{retries}data: {}\n\n", said(call)))
        }),
    ]
}

/// Streams that end before their response, with something to resume from. Who resumes them shows what it made of their
/// ids and retry times; there is nothing more to come.
fn resumable() -> Vec<Turn> {
    vec![
        turn("resumed-with-nul", |call| whole(call, "retry: 10\nid: kept\ndata:\n\nid: cut\0off\ndata:\n\n").damaged()),
        turn("resumed", |call| whole(call, "retry: 10\nid: one\ndata:\n\n").damaged()),
        turn("resumed-with-bad-retry", |call| {
            whole(call, "retry: 10\nid: two\ndata:\n\nretry: -3000\ndata:\n\n").damaged()
        }),
        turn("resumed-again", |call| whole(call, "retry: 10\nid: three\ndata:\n\n").damaged()),
    ]
}

/// What every client has to ignore, in three bursts: a thousand times each, and one kind twenty thousand times. Readers
/// that call themselves for each such event have been seen to run out of stack at 400 (not optimised) and at 3,000.
fn many_events(call: &Call<'_>) -> Reply {
    let ignored = ": keep-alive\n\nevent: ping\ndata: {}\n\ndata:\n\n".repeat(400);
    let mut acts = vec![Act::Write(sse_head(&[]))];
    acts.extend((0..2).map(|_| Act::Write(chunk(ignored.as_bytes()))));
    acts.push(Act::Write(chunk("event: ping\ndata: {}\n\n".repeat(20_000).as_bytes())));
    acts.push(Act::Write([chunk(event(&said(call)).as_bytes()), chunk(b"")].concat()));
    Reply::of(acts)
}

/// A text of 2 MiB.
fn large_event(call: &Call<'_>) -> Reply {
    let text = "Grüße aus 東京. ".repeat((2 << 20) / "Grüße aus 東京. ".len() + 1);
    whole(call, &event(&call.response_saying(&text)))
}

/// The head, a chunk, and the terminator, a byte at a time. The reader is given the time to see the beginning of a
/// character without its end, and of the size of a chunk.
fn split_everywhere(event: &str) -> Reply {
    let (before, behind) = within_a_character(event);
    let head = sse_head(&[]);
    let body = [chunk(&before), chunk(&behind), chunk(b"")].concat();
    let size = format!("{:x}", before.len());
    let rests = [
        3,
        head.len() - 3,
        head.len() + 1,
        head.len() + size.len() + 1,
        head.len() + size.len() + 2 + before.len() + 1,
        head.len() + body.len() - 3,
    ];
    let mut acts = Vec::new();
    for (index, byte) in head.into_iter().chain(body).enumerate() {
        if rests.contains(&index) {
            acts.push(Act::Wait(MOMENT));
        }
        acts.push(Act::Write(vec![byte]));
    }
    Reply::of(acts)
}

/// These bytes, cut in the middle of the last character that has more than one.
fn within_a_character(text: &str) -> (Vec<u8>, Vec<u8>) {
    let cut = text.char_indices().rfind(|(_, c)| c.len_utf8() > 1).map_or(1, |(at, c)| at + c.len_utf8() / 2);
    let (before, behind) = text.as_bytes().split_at(cut);
    (before.to_vec(), behind.to_vec())
}

/// There is nothing to resume here.
fn no_resumption(ask: &Ask<'_>, _shared: &Shared) -> Option<Reply> {
    let is_resumption = ask.http() == "GET" && ask.field("last-event-id").is_some();
    is_resumption.then(|| Reply::empty(405, &[("Allow", "POST, DELETE")]).labelled("resumption"))
}

fn said(call: &Call<'_>) -> String {
    call.response_saying(TEXT)
}

fn event(response: &str) -> String {
    format!("data: {response}\n\n")
}

/// The response on many lines. Its id stays what it was, to the letter.
fn pretty(call: &Call<'_>) -> Vec<String> {
    let response = said(call);
    let (before, result) = response.split_once(r#","result":"#).unwrap_or((&response, ""));
    let result = result.strip_suffix('}').unwrap_or(result);
    let result: serde_json::Value = serde_json::from_str(result).unwrap_or_default();
    let lines = format!("{before},\n  \"result\":\n{result:#}\n}}");
    lines.lines().map(str::to_owned).collect()
}

/// A stream in one write.
fn whole(call: &Call<'_>, content: &str) -> Reply {
    call.streamed_bytes(content.as_bytes())
}

/// A stream in these chunks, with a moment between them.
fn pieced(pieces: &[&[u8]]) -> Reply {
    let mut acts = vec![Act::Write(sse_head(&[]))];
    for piece in pieces {
        acts.extend([Act::Write(chunk(piece)), Act::Wait(MOMENT)]);
    }
    acts.push(Act::Write(chunk(b"")));
    Reply::of(acts)
}
