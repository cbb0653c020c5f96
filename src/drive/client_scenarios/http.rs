//! Answers in every form that HTTP/1.1 and the transport allow.

use std::time::Duration;

use crate::drive::peer::{Act, Ask, Call, Reply, Scene, Shared, Turn, chunk, head, sse_head, turn};
use crate::spec::Revision;

/// Long enough that what was written before is read before what is written next.
const MOMENT: Duration = Duration::from_millis(15);

/// Calls in both forms first: everything else is compared with them.
pub fn scene(_revision: Revision) -> Scene {
    let mut turns = vec![turn("form-json", |call| call.json()), turn("form-stream", |call| call.streamed())];
    turns.extend(chunks());
    turns.extend(interim_answers());
    turns.extend(media_types());
    turns.extend([
        turn("close-stream", |call| until_close("text/event-stream", &call.event())),
        turn("close-json", |call| until_close("application/json", &call.response())),
        turn("behind-close", |call| call.streamed()),
    ]);
    Scene::calls(turns).reacting(otherwise)
}

/// What is no call is answered in the form that the other scenarios do not use.
fn otherwise(ask: &Ask<'_>, shared: &Shared) -> Option<Reply> {
    match ask.method() {
        "initialize" | "server/discover" | "tools/list" => Some(shared.conforming(ask).into_stream()),
        "notifications/initialized" => Some(shared.conforming(ask).into_empty_chunks()),
        _ => None,
    }
}

fn chunks() -> Vec<Turn> {
    vec![
        turn("chunk-extension-flag", |call| chunked(call, |size| format!("{size:x};flag"), "0;last", "")),
        turn("chunk-extension-value", |call| chunked(call, |size| format!("{size:x};name=value"), "0", "")),
        turn("chunk-extension-quoted", |call| chunked(call, |size| format!("{size:x};n=\"a;b = 3\""), "0;n=\"\"", "")),
        turn("chunk-extensions", |call| chunked(call, |size| format!("{size:x};name=value;other=1"), "0", "")),
        turn("chunk-escape", |call| chunked(call, |size| format!("{size:x};n=\"a\\\"b\""), "0", "")),
        turn("chunk-size-upper-case", |call| chunked(call, |size| format!("{size:X}"), "0", "")),
        turn("chunk-size-zeros", |call| chunked(call, |size| format!("{size:010x}"), "0000", "")),
        turn("chunk-trailers", |call| {
            chunked(call, |size| format!("{size:x}"), "0", "X-Checksum: 17\r\nServer-Timing: total;dur=3\r\n")
        }),
    ]
}

/// An event stream in two chunks of 171 bytes and of the rest, whose size lines are written so.
fn chunked(call: &Call<'_>, size: fn(usize) -> String, last: &str, trailers: &str) -> Reply {
    // 171 is ab, in letters of either case.
    let event = format!(": {}\n\n{}", "-".repeat(0xab - 4), call.event());
    let mut bytes = sse_head(&[]);
    for piece in [&event.as_bytes()[..0xab], &event.as_bytes()[0xab..]] {
        bytes.extend_from_slice(format!("{}\r\n", size(piece.len())).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("{last}\r\n{trailers}\r\n").as_bytes());
    Reply::of(vec![Act::Write(bytes)])
}

fn interim_answers() -> Vec<Turn> {
    vec![
        turn("interim-103", |call| behind(&[hints()], call.streamed())),
        turn("interim-100", |call| behind(&[b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()], call.streamed())),
        turn("interim-json", |call| behind(&[hints()], call.json())),
        turn("interim-several", |call| behind(&[hints(), hints(), hints()], call.streamed())),
    ]
}

fn hints() -> Vec<u8> {
    b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n".to_vec()
}

/// An answer behind interim ones.
fn behind(interim: &[Vec<u8>], mut reply: Reply) -> Reply {
    let first = interim.iter().flat_map(|head| [Act::Write(head.clone()), Act::Wait(MOMENT)]);
    reply.acts = first.chain(reply.acts).collect();
    reply
}

fn media_types() -> Vec<Turn> {
    vec![
        turn("media-stream-parameter", |call| labelled(call, "text/event-stream;charset=UTF-8")),
        turn("media-stream-blank", |call| labelled(call, "text/event-stream ; charset=utf-8")),
        turn("media-stream-case", |call| labelled(call, "Text/Event-Stream")),
        turn("media-json-parameter", |call| labelled(call, "application/json; charset=utf-8")),
        turn("media-json-quoted", |call| labelled(call, "application/json;charset=\"utf-8\"")),
        turn("media-json-case", |call| labelled(call, "Application/JSON")),
    ]
}

/// An answer of this media type, which is one of the two.
fn labelled(call: &Call<'_>, media_type: &str) -> Reply {
    let content = if media_type.to_ascii_lowercase().contains("json") { call.response() } else { call.event() };
    let head = head(200, &[("Content-Type", media_type), ("Transfer-Encoding", "chunked")]);
    Reply::of(vec![Act::Write([head, chunk(content.as_bytes()), chunk(b"")].concat())])
}

/// An answer that the end of the connection ends.
fn until_close(media_type: &str, content: &str) -> Reply {
    let head = head(200, &[("Content-Type", media_type), ("Connection", "close")]);
    Reply::of(vec![Act::Write(head), Act::Write(content.as_bytes().to_vec()), Act::Fin])
}
