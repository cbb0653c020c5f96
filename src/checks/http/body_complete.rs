//! # Every answer arrives whole
//!
//! A body ends with its last chunk, with the last byte of its `Content-Length`, or, where neither is given, with
//! the connection. An answer that breaks off before, or runs on behind its end, is one that a strict client
//! must throw away, even if the response in it was readable.
//!
//! Close-delimited bodies are legal. In 2025-11-25 a server may also give up a connection once an event with an
//! id was sent; the response then has to come on the stream that a GET resumes.
//!
//! ## How to fix it
//! Let the HTTP library end the body: return from the handler, or end the body channel, instead of dropping or
//! aborting the connection. Count `Content-Length` in bytes of the very text that is sent.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
use crate::trace::decode::Answer;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Ending, Exchange, Moment, PeerEnd, Trace};
use crate::verdict::{Cite, Judge};
use crate::codec::http1::{Fault, FaultKind, Framing};

const TERMINATOR: Cite = Cite::Clause("http11.chunked.terminator");
const DELIMITED: Cite = Cite::Clause("http11.persist.self-delimited");

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SequentialCalls]),
    cites: &[TERMINATOR, DELIMITED],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "an answer",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// A peer that sent a whole JSON text, promised more bytes, and was silent for that long will not send them:
/// healthy servers write a JSON body with one call. The claim holds from some 100 ms on.
const STALLED: std::time::Duration = std::time::Duration::from_millis(500);

/// What is wrong with an answer.
struct Flaw {
    cite: Cite,
    expected: String,
    observed: String,
    moment: Moment,
}

impl Flaw {
    fn new(cite: Cite, expected: &str, observed: impl Into<String>, moment: Moment) -> Self {
        Self { cite, expected: expected.to_owned(), observed: observed.into(), moment }
    }
}

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for exchange in trace.conforming().filter(|exchange| exchange.first_byte.is_some() && !exchange.write_failed) {
        let flaw = match exchange.ending {
            Ending::Complete(_) => surplus(exchange).or_else(|| chunk_lines(exchange)),
            Ending::Cut(how, moment) => match (given_up(trace, exchange), how) {
                (GivenUp::Resumed, _) => None,
                // The server may be asked once more, or we did not ask at all.
                (GivenUp::Unknown, _) | (GivenUp::Silent, PeerEnd::Fin) => continue,
                (GivenUp::No, _) | (GivenUp::Silent, PeerEnd::Reset) => Some(cut(exchange, how, moment)),
            },
            Ending::Unreadable(_) => match exchange.faults.iter().find(|(fault, _)| fault.kind.is_fatal()) {
                // A limit of ours, not of HTTP's.
                Some((fault, _)) if is_our_limit(fault) => continue,
                Some((fault, moment)) => Some(Flaw::new(
                    DELIMITED,
                    "the answer can be read to its end",
                    format!("{fault} of what the connection carried: nobody can tell where the answer ends"),
                    *moment,
                )),
                // An answer before it was the unreadable one.
                None => continue,
            },
            Ending::Open { watched: Some(look) } => match stalled(exchange, look) {
                Some(flaw) => Some(flaw),
                None => continue,
            },
            Ending::Open { watched: None } | Ending::NotKept(_) => continue,
        };
        judge.examined();
        if let Some(flaw) = flaw {
            judge.finding(flaw.cite, flaw.expected, flaw.observed).shown_at(exchange, flaw.moment);
        }
    }
}

fn surplus(exchange: &Exchange) -> Option<Flaw> {
    let (_, moment) = exchange.surplus.first()?;
    let bytes: u64 = exchange.surplus.iter().map(|(span, _)| span.end - span.start).sum();
    let expected = match exchange.answer.as_ref()?.framing {
        Framing::Length(length) => format!("the answer ends with byte {length} of its body, as its Content-Length says"),
        Framing::Chunked => "nothing follows the last chunk".to_owned(),
        Framing::Bodyless | Framing::UntilClose => "nothing follows an answer without a body".to_owned(),
    };
    let observed = format!("{bytes} more {} before the next request", if bytes == 1 { "byte came" } else { "bytes came" });
    Some(Flaw { cite: DELIMITED, expected, observed, moment: *moment })
}

/// Chunk framing that a forgiving reader can follow and a strict one cannot. What is odd in the head is not the
/// body's.
fn chunk_lines(exchange: &Exchange) -> Option<Flaw> {
    let body = exchange.answer.as_ref().filter(|answer| answer.framing == Framing::Chunked)?.head.span.end;
    let (fault, moment) = exchange.faults.iter().find(|(fault, _)| {
        fault.at.start >= body && matches!(fault.kind, FaultKind::BareLf | FaultKind::ChunkSizeBlanks)
    })?;
    let expected = "a chunk size is hexadecimal digits and CRLF, and CRLF follows the chunk";
    Some(Flaw::new(DELIMITED, expected, format!("{fault} of what the connection carried"), *moment))
}

fn cut(exchange: &Exchange, how: PeerEnd, moment: Moment) -> Flaw {
    let end = match how {
        PeerEnd::Fin => "the server closed the connection",
        PeerEnd::Reset => "the server reset the connection",
    };
    let Some(answer) = &exchange.answer else {
        return Flaw::new(DELIMITED, "the answer arrives whole", format!("{end} within the head"), moment);
    };
    let so_far = answer.body.len();
    match answer.framing {
        Framing::Chunked => {
            let observed = format!("{end} after {so_far} bytes of the body, without the last chunk");
            Flaw::new(TERMINATOR, "the body ends with a chunk of length 0 and an empty line", observed, moment)
        }
        Framing::Length(length) => {
            let observed = format!("{end} after {so_far} of {length} bytes");
            Flaw::new(DELIMITED, "as many bytes come as Content-Length says", observed, moment)
        }
        Framing::UntilClose | Framing::Bodyless => {
            let observed = format!("{end} after {so_far} bytes: whether that was all cannot be told");
            Flaw::new(DELIMITED, "a body that lasts until the connection closes ends with an orderly close", observed, moment)
        }
    }
}

/// A whole JSON text came, and the bytes that the length promises beyond it did not.
fn stalled(exchange: &Exchange, look: Moment) -> Option<Flaw> {
    let answer = exchange.answer.as_ref().filter(|answer| answer.stream.is_none())?;
    let Framing::Length(length) = answer.framing else { return None };
    let last = answer.pieces.last()?;
    let silent = look.at.since(last.moment.at);
    (silent >= STALLED && is_json(answer)).then(|| {
        let observed = format!(
            "{} of {length} bytes came, a whole JSON text, and then nothing for {}",
            answer.body.len(),
            crate::trace::Span(silent)
        );
        Flaw::new(DELIMITED, "as many bytes come as Content-Length says", observed, last.moment)
    })
}

fn is_json(answer: &Answer) -> bool {
    serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok_and(|value| !value.is_number())
}

fn is_our_limit(fault: &Fault) -> bool {
    use FaultKind::{ChunkLineTooLong, HeadTooLong, TooManyFields, TrailersTooLong};
    matches!(fault.kind, HeadTooLong | TooManyFields | TrailersTooLong | ChunkLineTooLong)
}

/// Whether a connection was given up as 2025-11-25 allows ("Sending Messages to the Server", 6): after an event
/// with an id, before the response.
enum GivenUp {
    /// It may not, or what was resumed brought nothing.
    No,
    /// It may, and nothing was lost by it.
    Resumed,
    /// It may, and the stream that a GET resumed ended without the response.
    Silent,
    /// It may, and we did not see what would have come.
    Unknown,
}

fn given_up(trace: &Trace, exchange: &Exchange) -> GivenUp {
    let cursor = |exchange: &Exchange| {
        let stream = exchange.answer.as_ref()?.stream.as_ref()?;
        Some(stream.last_event_id()?.to_owned()).filter(|_| exchange.response().is_none())
    };
    let Some(mut id) = cursor(exchange).filter(|_| trace.revision() == Revision::R20251125) else {
        return GivenUp::No;
    };
    let resumes = |exchange: &&Exchange, id: &str| {
        exchange.http_method() == "GET"
            && exchange.request.as_ref().and_then(|head| head.fields.text("last-event-id")).as_deref() == Some(id)
    };
    // Nothing is owed on a stream that a GET opened by itself.
    let is_owed = |exchange: &Exchange| {
        exchange.http_method() != "GET"
            || exchange.request.as_ref().is_some_and(|head| head.fields.get("last-event-id").is_some())
    };
    if !is_owed(exchange) {
        return GivenUp::Resumed;
    }
    let mut outcome = GivenUp::Unknown;
    let mut seen = exchange.asked.seq;
    while let Some(next) = trace.exchanges().filter(|next| next.asked.seq > seen).find(|next| resumes(next, &id)) {
        if next.response().is_some() {
            return GivenUp::Resumed;
        }
        if next.status().is_some() && !next.succeeded() {
            return GivenUp::No;
        }
        outcome = if next.is_complete() { GivenUp::Silent } else { GivenUp::Unknown };
        seen = next.asked.seq;
        id = cursor(next).unwrap_or(id);
    }
    outcome
}

#[cfg(test)]
fn chunked(exchange: &Exchange) -> bool {
    exchange.answer.as_ref().is_some_and(|answer| answer.framing == Framing::Chunked) && exchange.response().is_some()
}

#[cfg(test)]
fn post_with_response(exchange: &Exchange) -> bool {
    exchange.http_method() == "POST" && exchange.response().is_some()
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("closed-instead-of-the-last-chunk", Scenario::SequentialCalls, |edit| {
        edit.last(chunked).drop_end().then_ends(PeerEnd::Fin);
    }),
    mutant("reset-in-mid-body", Scenario::SequentialCalls, |edit| {
        edit.last(post_with_response).drop_end().then_ends(PeerEnd::Reset);
    }),
    mutant("content-length-too-long-and-closed", Scenario::SequentialCalls, |edit| {
        edit.last(post_with_response)
            .field("Content-Type", "application/json")
            .body(|_| r#"{"jsonrpc":"2.0","id":1,"result":{}}  "#.to_owned())
            .drop_end()
            .then_ends(PeerEnd::Fin);
    }),
    mutant("content-length-too-long-and-silent", Scenario::SequentialCalls, |edit| {
        edit.last(post_with_response)
            .field("Content-Type", "application/json")
            .body(|_| r#"{"jsonrpc":"2.0","id":1,"result":{}}  "#.to_owned())
            .drop_end()
            .watched_for(std::time::Duration::from_secs(1));
    }),
    mutant("surplus-behind-the-length", Scenario::SequentialCalls, |edit| {
        edit.last(post_with_response).bytes(|body| body).then_sends(b"\n");
    }),
    mutant("two-lengths", Scenario::SequentialCalls, |edit| {
        edit.last(post_with_response).bytes(|body| body).head(|head| {
            head.replacen("Content-Length:", "Content-Length: 3\r\nContent-Length:", 1)
        });
    }),
    mutant("chunks-that-end-in-lf", Scenario::SequentialCalls, |edit| {
        edit.last(post_with_response).framed(|body| {
            let size = format!("{:x}\n", body.len());
            ("Transfer-Encoding: chunked".to_owned(), [size.as_bytes(), &body, b"\n0\n\n"].concat())
        });
    }),
];

#[cfg(test)]
mod tests {
    use super::{chunked, post_with_response};
    use crate::checks::proofs::{edited, tolerates};
    use crate::scenario::Scenario;
    use crate::spec::Revision;
    use crate::trace::edit::Edit;
    use crate::trace::{PeerEnd, What};
    use crate::verdict::Verdict;

    const ID: &str = "http/body-complete";

    fn legal(edit: fn(&mut Edit)) {
        tolerates(ID, Scenario::SequentialCalls, edit);
    }

    #[test]
    fn a_body_may_last_until_the_connection_closes() {
        legal(|edit| {
            edit.last(post_with_response)
                .bytes(|body| body)
                .without_field("Content-Length")
                .field("Connection", "close")
                .then_ends(PeerEnd::Fin);
        });
    }

    #[test]
    fn what_is_odd_in_the_head_is_none_of_its_business() {
        legal(|edit| {
            edit.last(chunked).field("Content-Length", "3");
        });
        legal(|edit| {
            edit.last(post_with_response).head(|head| head.replace("\r\n", "\n"));
        });
    }

    #[test]
    fn an_answer_that_is_still_on_its_way_is_none_of_its_business() {
        legal(|edit| {
            edit.last(chunked).drop_end().watched_for(std::time::Duration::from_secs(3));
        });
        legal(|edit| {
            edit.last(post_with_response).drop_answer().then_ends(PeerEnd::Reset);
        });
    }

    /// The stream of the last call is given up after its priming event, and a GET resumes it with this answer.
    fn given_up(edit: &mut Edit, resumed: Option<&str>) {
        if edit.trace().revision() != Revision::R20251125 {
            return;
        }
        edit.last(chunked)
            .framed(|_| ("Transfer-Encoding: chunked".to_owned(), b"e\r\nid: 77\ndata:\n\n\r\n".to_vec()))
            .then_ends(PeerEnd::Fin);
        if let Some(answer) = resumed {
            edit.ask(
                "call-resumed",
                b"GET /mcp HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 77\r\n\r\n",
                answer.as_bytes(),
            );
        }
    }

    const RESUMED: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 44\r\n\r\n\
                           data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";

    /// The server ends the stream that was resumed, and says nothing on it.
    const NOTHING: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn the_server_may_ask_for_patience_where_it_closed_in_order_but_not_where_it_destroyed_the_answer() {
        legal(|edit| given_up(edit, Some(NOTHING)));
        for (_, outcome) in edited(ID, Scenario::SequentialCalls, |edit| {
            given_up(edit, Some(NOTHING));
            edit.events(|event| match event.what {
                What::Fin { conn } => {
                    event.what = What::Reset { conn };
                    true
                }
                _ => false,
            });
        }) {
            assert_eq!(outcome.verdict(), Verdict::Fail);
        }
    }

    const GONE: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn a_connection_may_be_given_up_after_an_event_with_an_id_where_the_response_comes_later() {
        legal(|edit| given_up(edit, Some(RESUMED)));
    }

    #[test]
    fn what_we_did_not_resume_says_nothing() {
        legal(|edit| given_up(edit, None));
    }

    #[test]
    fn a_connection_may_not_be_given_up_where_nothing_can_be_resumed() {
        for (_, outcome) in edited(ID, Scenario::SequentialCalls, |edit| given_up(edit, Some(GONE))) {
            assert_eq!(outcome.verdict(), Verdict::Fail);
        }
    }
}
