//! # A request is the same in whatever pieces it comes
//!
//! TCP carries a stream of octets. Where one segment ends and the next begins says nothing: a network may cut a request
//! between any two bytes, in the middle of a line end, of a chunk's size or of a character. A server that takes what one
//! read brings for a whole head, a whole body or a whole text works on one machine and fails over a slow line, behind a
//! proxy that passes on small pieces, or whenever a request is larger than a buffer.
//!
//! Each request in pieces has the same request in one piece before it. Where that is not answered with a result, such
//! as chunks by a server that wants a length, nothing is said of the pieces.
//!
//! ## How to fix it
//! Read until the head is whole (an empty line), then until the body is (its length, or its last chunk), and only then
//! decode the text. An HTTP library does all of this; what `recv` or a `data` event brings is none of these units.

use crate::catalogue::{Check, Kind};
use crate::checks::question::{BUSY, Question, hung_up, telling};
use crate::scenario::Scenario;
use crate::spec::Revision;
#[cfg(test)]
use crate::trace::edit::{Mutant, mutant};
use crate::trace::{Exchange, Moment, Part, Trace};
use crate::verdict::{Cite, Judge};

pub(super) const CHECK: Check = Check {
    kind: Kind::Probe(Scenario::Segmentation),
    cites: &[ANSWERED, CHUNKED],
    revisions: &Revision::ALL,
    elsewhere: "",
    needs: "a cheap call (`ping`, `server/discover` or `tools/list`) that is answered in one piece",
    judge,
    #[cfg(test)]
    mutants: MUTANTS,
};

/// JSON-RPC 2.0, section 5: "When a rpc call is made, the Server MUST reply with a Response".
const ANSWERED: Cite = Cite::Clause("jsonrpc.conform");
const CHUNKED: Cite = Cite::Clause("http11.req.chunked-accepted");

/// The pairs: what the scenario calls them, and what was done.
const PAIRS: [(&str, &str); 5] = [
    ("byte-by-byte", "that was written byte by byte"),
    ("tiny-segments", "that came in segments of 5 bytes"),
    ("head-cut", "whose head came in five pieces, cut in the method, a field name and the line ends"),
    ("body-cut", "whose body came behind the head, cut in the middle of a character"),
    ("chunks-cut", "whose chunks came in seven pieces, cut in a size, in line ends and in the data"),
];

/// What a gate in front of the server may say to it: the server itself has not answered then.
const GATE: [u16; 4] = [401, 403, 407, 408];

fn judge(trace: &Trace, judge: &mut Judge<'_>) {
    for (label, what) in PAIRS {
        let part = |part| trace.part(label, part);
        let (Some(control), Some(probe)) = (part(Part::Control), part(Part::Probe)) else { continue };
        // With the id that was sent: a text that was damaged comes back damaged.
        if !is_answered(trace, control) {
            continue;
        }
        if is_answered(trace, probe) {
            judge.examined();
            continue;
        }
        let question = Question::of(trace, probe);
        let status = probe.status().filter(|status| BUSY.contains(status) || GATE.contains(status));
        if let Some(status) = status {
            judge.inconclusive(format!("a request {what} was answered with HTTP {status}: that may be a gate's word"));
            continue;
        }
        let Some(moment) = failed(&question, judge) else {
            judge.inconclusive(format!("the answer to a request {what} was not seen to its end"));
            continue;
        };
        judge.examined();
        let cite = if label == "chunks-cut" { CHUNKED } else { ANSWERED };
        let observed = match question.response().filter(|_| question.has_result()) {
            Some((_, response)) => format!("the result came for the id {}", response.message.id),
            None => format!("it was answered with {}", question.came()),
        };
        judge
            .finding(cite, format!("a request {what} is answered as the same request in one piece is"), observed)
            .shown_at(probe, moment);
    }
}

/// Whether a request was answered with a result, under its own id.
fn is_answered(trace: &Trace, exchange: &Exchange) -> bool {
    let question = Question::of(trace, exchange);
    let own = |id| question.responses().any(|(_, response)| response.message.id.same_as(&id));
    question.has_result() && exchange.request_id().is_some_and(own)
}

/// The moment that shows that there is no such answer, and that none will come.
fn failed(question: &Question<'_>, judge: &Judge<'_>) -> Option<Moment> {
    let exchange = question.exchange;
    let answered = question.response().map(|(_, response)| response.moment);
    let refused = || exchange.status().filter(|_| !exchange.succeeded() && exchange.is_complete());
    answered
        .or_else(|| refused().map(|_| telling(exchange)))
        .or_else(|| question.unanswered().map(telling))
        .or_else(|| question.in_vain(judge.manifest().options.timeout))
        .or_else(|| hung_up(exchange))
}

#[cfg(test)]
const REFUSED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

#[cfg(test)]
const MUTANTS: &[Mutant] = &[
    mutant("bytes-are-refused", Scenario::Segmentation, |edit| {
        edit.part("byte-by-byte", Part::Probe).answer_with(REFUSED);
    }),
    mutant("segments-are-waited-for-in-vain", Scenario::Segmentation, |edit| {
        edit.part("tiny-segments", Part::Probe).drop_answer().watched_for(std::time::Duration::from_secs(11));
    }),
    mutant("a-head-in-pieces-is-hung-up-on", Scenario::Segmentation, |edit| {
        edit.part("head-cut", Part::Probe).drop_answer().then_ends(crate::trace::PeerEnd::Fin);
    }),
    mutant("a-character-in-pieces-is-broken", Scenario::Segmentation, |edit| {
        edit.part("body-cut", Part::Probe).body(|body| body.replace('€', "\u{fffd}\u{fffd}"));
    }),
    mutant("a-body-in-pieces-is-an-error", Scenario::Segmentation, |edit| {
        let id = edit.trace().part("body-cut", Part::Probe).and_then(Exchange::request_id);
        let Some(id) = id else { return };
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32700,"message":"Parse error"}}}}"#);
        let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ";
        edit.part("body-cut", Part::Probe).answer_with(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes());
    }),
    mutant("chunks-in-pieces-are-refused", Scenario::Segmentation, |edit| {
        edit.part("chunks-cut", Part::Probe).answer_with(REFUSED);
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::proofs::{edited, judged_in, tolerates};
    use crate::verdict::Verdict;

    const ID: &str = "http/segmentation-is-transparent";

    #[test]
    fn a_server_that_wants_a_length_is_judged_by_the_rest() {
        tolerates(ID, Scenario::Segmentation, |edit| {
            for part in [Part::Control, Part::Probe] {
                edit.part("chunks-cut", part).answer_with(b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n");
            }
        });
    }

    #[test]
    fn where_nothing_is_answered_in_one_piece_nothing_is_said_of_pieces() {
        let verdicts = judged_in(ID, Scenario::Segmentation, |edit| {
            for (label, _) in PAIRS {
                edit.part(label, Part::Control).answer_with(REFUSED);
                edit.part(label, Part::Probe).answer_with(REFUSED);
            }
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::NotExercised), "{verdicts:?}");
    }

    #[test]
    fn a_gate_that_minds_is_not_the_server() {
        let verdicts = judged_in(ID, Scenario::Segmentation, |edit| {
            edit.part("byte-by-byte", Part::Probe)
                .answer_with(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        });
        assert!(verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Inconclusive), "{verdicts:?}");
    }

    #[test]
    fn an_answer_that_is_still_on_its_way_is_not_missing() {
        for (_, outcome) in edited(ID, Scenario::Segmentation, |edit| {
            edit.part("head-cut", Part::Probe).drop_answer().watched_for(std::time::Duration::from_secs(1));
        }) {
            assert_eq!(outcome.verdict(), Verdict::Inconclusive);
        }
    }

    /// Each pair has its own finding.
    #[test]
    fn every_kind_of_pieces_is_told_apart() {
        for (_, outcome) in edited(ID, Scenario::Segmentation, |edit| {
            for (label, _) in PAIRS {
                edit.part(label, Part::Probe).answer_with(REFUSED);
            }
        }) {
            assert_eq!((outcome.findings.len(), outcome.examined), (PAIRS.len(), PAIRS.len() as u32));
        }
    }
}
