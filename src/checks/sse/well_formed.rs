//! # Event streams are well formed
//!
//! An event stream is UTF-8, each of its events ends with a blank line, and each event with data carries one
//! JSON-RPC message. Clients discard an event whose blank line never came, replace bytes that are no UTF-8, and
//! skip fields that they do not know: whatever is wrong here is lost without an error.
//!
//! Legal, and let pass: a byte order mark, comments wherever they stand, fields that nobody knows, events with
//! empty data that prime a client with an id, and events of other types than `message`, whatever they carry.
//!
//! ## How to fix it
//! Write each message as compact JSON on one `data:` line and end it with two line feeds, the last event
//! included. Encode as UTF-8 (not Latin-1, not by lone bytes), and keep NUL out of ids and letters out of `retry`.

use crate::catalogue::{Check, Kind};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::decode::Stream;
use crate::trace::render::excerpt;
use crate::trace::{Ending, Exchange, MessageKind, Moment, Trace};
use crate::verdict::{Cite, Judge};
use crate::codec::sse::{Event, SseEvent, SseFault, SseFaultKind};

const UTF8: Cite = Cite::Clause("sse.emit.utf8");
const BLANK_LINE: Cite = Cite::Clause("sse.emit.final-blank-line");
const ID: Cite = Cite::Clause("sse.emit.id-charset");
const RETRY: Cite = Cite::Clause("sse.emit.retry-digits");
const MESSAGE: Cite = Cite::Clause("sse.emit.json-per-event");

pub(super) const CHECK: Check = Check {
    kind: Kind::Invariant(&[Scenario::SequentialCalls]),
    cites: &[UTF8, BLANK_LINE, ID, RETRY, MESSAGE],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "an event stream with at least one event",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// What is wrong, and where.
struct Flaw {
    cite: Cite,
    expected: &'static str,
    observed: String,
    moment: Moment,
}

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for exchange in trace.conforming() {
        let Some(stream) = exchange.answer.as_ref().and_then(|answer| answer.stream.as_ref()) else { continue };
        // Where the chunks cannot be told apart, nobody knows what belongs to the stream.
        if matches!(exchange.ending, Ending::Unreadable(_) | Ending::NotKept(_)) || stream.events.is_empty() {
            continue;
        }
        judge.examined();
        let mut told: Vec<Cite> = Vec::new();
        for flaw in flaws(trace.revision(), exchange, stream) {
            // One of a kind is enough for an exchange.
            if flaw.cite.level(trace.revision()).is_some() && !told.contains(&flaw.cite) {
                told.push(flaw.cite);
                judge.finding(flaw.cite, flaw.expected, flaw.observed).shown_at(exchange, flaw.moment);
            }
        }
    }
}

fn flaws<'a>(
    revision: Revision,
    exchange: &'a Exchange,
    stream: &'a Stream,
) -> impl Iterator<Item = Flaw> + use<'a> {
    stream.events.iter().enumerate().filter_map(move |(index, (event, moment))| match event {
        SseEvent::Fault(fault) => of_grammar(fault, *moment),
        SseEvent::Dispatch(event) if event.is_message() && !event.is_blank() => {
            of_data(revision, exchange, stream, (index, event), *moment)
        }
        SseEvent::Dispatch(_) | SseEvent::NoData(_) | SseEvent::Comment(_) => None,
    })
}

fn of_grammar(fault: &SseFault, moment: Moment) -> Option<Flaw> {
    let (cite, expected) = match fault.kind {
        SseFaultKind::InvalidUtf8 => (UTF8, "the stream is UTF-8"),
        SseFaultKind::UnterminatedEvent => (BLANK_LINE, "every event ends with a blank line, the last one too"),
        SseFaultKind::IdWithNul => (ID, "event ids hold no NUL"),
        SseFaultKind::RetryNotDigits => (RETRY, "reconnection times are made of ASCII digits"),
        // Unknown fields are grammatical, and the caps are ours.
        _ => return None,
    };
    Some(Flaw { cite, expected, observed: format!("{fault} of the body"), moment })
}

fn of_data(
    revision: Revision,
    exchange: &Exchange,
    stream: &Stream,
    (index, event): (usize, &Event),
    moment: Moment,
) -> Option<Flaw> {
    // More came than is kept: what it was cannot be told.
    if event.data.len() as u64 != event.data_size {
        return None;
    }
    let unknown = |fault: &SseFault| match &fault.kind {
        SseFaultKind::UnknownField(name) => Some(name.clone()),
        _ => None,
    };
    let carried = exchange.carried_by(index);
    let data = excerpt(event.data.as_bytes());
    let batches = revision == Revision::R20250326;
    let observed = if stream.not_json.binary_search(&index).is_ok() {
        match stream.faults_in(index).filter_map(unknown).last() {
            // The usual reason: indented JSON behind a single `data:`.
            Some(name) => format!(
                "the data is no JSON: {data}; the next line of the event does not begin with `data:` but with {}",
                excerpt(name.as_bytes())
            ),
            None => format!("the data is no JSON: {data}"),
        }
    } else if carried.iter().any(|received| received.message.kind == MessageKind::Other) {
        format!("the data is JSON, but no JSON-RPC message: {data}")
    } else if event.data.trim_start().starts_with('[') && (!batches || carried.is_empty()) {
        format!("the data is an array of {}: {data}", carried.len())
    } else {
        return None;
    };
    let expected = match batches {
        true => "each event with data carries one JSON-RPC message, or a batch of them",
        false => "each event with data carries one JSON-RPC message",
    };
    Some(Flaw { cite: MESSAGE, expected, observed, moment })
}

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("last-blank-line-is-missing", Scenario::SequentialCalls, |edit| {
        edit.last(Exchange::is_streamed).body(|body| body.trim_end().to_owned() + "\n");
    }),
    mutant("text-in-latin-1", Scenario::SequentialCalls, |edit| {
        edit.last(Exchange::is_streamed).bytes(|body| splice(&body, br#""2.0","#, b"\"2.0\",\"x-said\":\"caf\xe9\","));
    }),
    mutant("indented-json-behind-one-data", Scenario::SequentialCalls, |edit| {
        edit.last(Exchange::is_streamed)
            .body(|body| body.replace(r#"{"jsonrpc":"2.0","#, "{\n  \"jsonrpc\": \"2.0\",\n  "));
    }),
    mutant("a-marker-ends-the-stream", Scenario::SequentialCalls, |edit| {
        edit.last(Exchange::is_streamed).body(|body| format!("{body}data: [DONE]\n\n"));
    }),
    mutant("a-keep-alive-object", Scenario::SequentialCalls, |edit| {
        edit.last(Exchange::is_streamed).body(|body| format!("data: {{\"keepalive\":true}}\n\n{body}"));
    }),
    mutant("a-batch-after-batches-were-removed", Scenario::SequentialCalls, |edit| {
        if edit.trace().revision() > Revision::R20250326 {
            edit.last(Exchange::is_streamed)
                .body(|body| body.replace("data: {", "data: [{").replace("}\n\n", "}]\n\n"));
        }
    }),
    mutant("id-with-nul", Scenario::SequentialCalls, |edit| {
        if edit.trace().revision().is_legacy() {
            edit.last(Exchange::is_streamed).body(|body| format!("id: 4\0 2\n{body}"));
        }
    }),
    mutant("retry-in-words", Scenario::SequentialCalls, |edit| {
        if edit.trace().revision().is_legacy() {
            edit.last(Exchange::is_streamed).body(|body| format!("retry: 3s\n{body}"));
        }
    }),
];

/// Replaces the first occurrence.
#[cfg(test)]
fn splice(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    match bytes.windows(old.len()).position(|window| window == old) {
        Some(at) => [&bytes[..at], new, &bytes[at + old.len()..]].concat(),
        None => bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use crate::checks::proofs::tolerates;
    use crate::scenario::Scenario;
    use crate::spec::Revision;
    use crate::trace::edit::Edit;
    use crate::trace::{Exchange, PeerEnd};

    fn legal(edit: fn(&mut Edit)) {
        tolerates("sse/well-formed", Scenario::SequentialCalls, edit);
    }

    #[test]
    fn decorations_are_legal() {
        legal(|edit| {
            edit.last(Exchange::is_streamed).body(|body| {
                format!("\u{feff}: hello\n\nid: 1\ndata:\n\nretry: 3000\n\nvendor: x\nno-colon\n{body}: bye\n\n: bye")
            });
        });
    }

    #[test]
    fn lines_may_end_in_cr_or_crlf() {
        legal(|edit| {
            edit.last(Exchange::is_streamed).body(|body| body.replace('\n', "\r\n"));
        });
        legal(|edit| {
            edit.last(Exchange::is_streamed).body(|body| body.replace('\n', "\r"));
        });
    }

    #[test]
    fn events_of_other_types_may_carry_anything() {
        legal(|edit| {
            edit.last(Exchange::is_streamed)
                .body(|body| format!("event: ping\ndata: 2026-11-21 09:00\n\nevent: endpoint\ndata: /mcp\n\n{body}"));
        });
    }

    #[test]
    fn json_may_be_spread_over_several_data_lines() {
        legal(|edit| {
            edit.last(Exchange::is_streamed)
                .body(|body| body.replace(r#"{"jsonrpc":"2.0","#, "{\ndata: \"jsonrpc\": \"2.0\",\ndata:"));
        });
    }

    #[test]
    fn the_first_revision_has_batches() {
        legal(|edit| {
            if edit.trace().revision() == Revision::R20250326 {
                edit.last(Exchange::is_streamed)
                    .body(|body| body.replace("data: {", "data: [{").replace("}\n\n", "}]\n\n"));
            }
        });
    }

    #[test]
    fn an_event_that_a_lost_connection_cut_off_is_no_flaw_of_the_stream() {
        legal(|edit| {
            edit.last(Exchange::is_streamed).body(|body| body.trim_end().to_owned()).drop_end().then_ends(PeerEnd::Reset);
        });
    }
}
