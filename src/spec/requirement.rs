//! The requirements that checks cite: the part of the catalogue that the product needs.
//!
//! The whole catalogue, with every clause of the four revisions, is cross-checked against this table by a test.

use super::Revision::{self, R20250326, R20250618, R20251125, R20260728};
use super::level::Level::{self, Must, Should};

/// A normative requirement, or a rule imported from HTTP, WHATWG or JSON-RPC.
#[derive(Debug)]
pub struct Requirement {
    /// Its stable id.
    pub id: &'static str,
    /// The rule in one line.
    pub summary: &'static str,
    /// Its level in each revision that has it; MUST NOT counts as must, SHOULD NOT as should.
    pub levels: &'static [(Revision, Level)],
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// A page of the specification and an anchor, per revision.
    Specification(&'static [(Revision, &'static str)]),
    /// Another standard: its section and address.
    Standard(&'static str, &'static str),
}

impl Requirement {
    /// Its level in a revision, if that revision has it.
    pub fn level(&self, revision: Revision) -> Option<Level> {
        self.levels.iter().find(|(having, _)| *having == revision).map(|(_, level)| *level)
    }

    /// Where it is written.
    pub fn link(&self, revision: Revision) -> String {
        match self.source {
            Source::Standard(section, address) => format!("{section} ({address})"),
            Source::Specification(pages) => pages
                .iter()
                .find(|(having, _)| *having == revision)
                .map(|(_, page)| format!("https://modelcontextprotocol.io/specification/{revision}/{page}"))
                .unwrap_or_default(),
        }
    }
}

/// The requirement with this id.
pub fn requirement(id: &str) -> Option<&'static Requirement> {
    REQUIREMENTS.iter().find(|requirement| requirement.id == id)
}

const ALL_MUST: &[(Revision, Level)] = &[(R20250326, Must), (R20250618, Must), (R20251125, Must), (R20260728, Must)];
const ALL_SHOULD: &[(Revision, Level)] =
    &[(R20250326, Should), (R20250618, Should), (R20251125, Should), (R20260728, Should)];
const LEGACY_MUST: &[(Revision, Level)] = &[(R20250326, Must), (R20250618, Must), (R20251125, Must)];
const LEGACY_SHOULD: &[(Revision, Level)] = &[(R20250326, Should), (R20250618, Should), (R20251125, Should)];

/// All of them, by id.
pub const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        id: "http.get.sse-or-405",
        summary: "A GET is answered with a text/event-stream or with 405.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#listening-for-messages-from-the-server"),
            (R20250618, "basic/transports#listening-for-messages-from-the-server"),
            (R20251125, "basic/transports#listening-for-messages-from-the-server"),
        ]),
    },
    Requirement {
        id: "http.get.sse.no-responses",
        summary: "No JSON-RPC response appears on a GET stream unless that GET resumes a request stream.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#listening-for-messages-from-the-server"),
            (R20250618, "basic/transports#listening-for-messages-from-the-server"),
            (R20251125, "basic/transports#listening-for-messages-from-the-server"),
        ]),
    },
    Requirement {
        id: "http.multi.single-stream-per-message",
        summary: "Each server message goes to exactly one of the connected streams, never broadcast.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#multiple-connections"),
            (R20250618, "basic/transports#multiple-connections"),
            (R20251125, "basic/transports#multiple-connections"),
        ]),
    },
    Requirement {
        id: "http.post.notification.202-no-body",
        summary: "An accepted notification (or response, before 2026-07-28) is answered 202 with an empty body.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#sending-messages-to-the-server"),
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
            (R20260728, "basic/transports/streamable-http#sending-messages"),
        ]),
    },
    Requirement {
        id: "http.post.request.content-type",
        summary: "A POSTed request is answered with application/json (one JSON object) or text/event-stream.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#sending-messages-to-the-server"),
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
            (R20260728, "basic/transports/streamable-http#sending-messages"),
        ]),
    },
    Requirement {
        id: "http.post.sse.close-after-response",
        summary: "After the last response of the POST was sent, the server ends the SSE answer.",
        levels: ALL_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/transports#sending-messages-to-the-server"),
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
            (R20260728, "basic/transports/streamable-http#receiving-messages"),
        ]),
    },
    Requirement {
        id: "http.post.sse.eventual-response",
        summary: "The SSE answer eventually carries the JSON-RPC response for each request of the POST.",
        levels: LEGACY_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/transports#sending-messages-to-the-server"),
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
        ]),
    },
    Requirement {
        id: "http11.chunked.terminator",
        summary: "A chunked answer ends with the zero-length chunk and a final empty line.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 7.1", "https://www.rfc-editor.org/rfc/rfc9112#section-7.1"),
    },
    Requirement {
        id: "http11.persist.close-if-unsupported",
        summary: "A server without persistence sends Connection: close in every final answer.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 9.3", "https://www.rfc-editor.org/rfc/rfc9112#section-9.3"),
    },
    Requirement {
        id: "http11.persist.self-delimited",
        summary: "Answers on a kept connection delimit themselves.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 9.3", "https://www.rfc-editor.org/rfc/rfc9112#section-9.3"),
    },
    Requirement {
        id: "http11.persist.support",
        summary: "Persistent connections are supported.",
        levels: ALL_SHOULD,
        source: Source::Standard("RFC 9112 section 9.3", "https://www.rfc-editor.org/rfc/rfc9112#section-9.3"),
    },
    Requirement {
        id: "http11.resp.202-delimited",
        summary: "A 202 has Content-Length: 0 (or an empty chunked body), since 202 is not bodyless by itself.",
        levels: ALL_SHOULD,
        source: Source::Standard("RFC 9112 section 6.3", "https://www.rfc-editor.org/rfc/rfc9112#section-6.3"),
    },
    Requirement {
        id: "jsonrpc.conform",
        summary: "All messages follow JSON-RPC 2.0.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic#messages"),
            (R20250618, "basic#messages"),
            (R20251125, "basic#messages"),
            (R20260728, "basic#messages"),
        ]),
    },
    Requirement {
        id: "jsonrpc.response.same-id",
        summary: "A response carries the id of its request.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic#responses"),
            (R20250618, "basic#responses"),
            (R20251125, "basic#result-responses"),
            (R20260728, "basic#result-responses"),
        ]),
    },
    Requirement {
        id: "jsonrpc2.code.invalid-request",
        summary: "JSON that is not a valid request is reported as -32600.",
        levels: ALL_MUST,
        source: Source::Standard("JSON-RPC 2.0 section 5.1", "https://www.jsonrpc.org/specification#error_object"),
    },
    Requirement {
        id: "jsonrpc2.code.method-not-found",
        summary: "An unknown method is reported as -32601.",
        levels: ALL_MUST,
        source: Source::Standard("JSON-RPC 2.0 section 5.1", "https://www.jsonrpc.org/specification#error_object"),
    },
    Requirement {
        id: "jsonrpc2.code.parse-error",
        summary: "Invalid JSON is reported as -32700.",
        levels: ALL_MUST,
        source: Source::Standard("JSON-RPC 2.0 section 5.1", "https://www.jsonrpc.org/specification#error_object"),
    },
    Requirement {
        id: "jsonrpc2.response.id-exact",
        summary: "The response id equals the request id in value and type.",
        levels: ALL_MUST,
        source: Source::Standard("JSON-RPC 2.0 section 5", "https://www.jsonrpc.org/specification#response_object"),
    },
    Requirement {
        id: "jsonrpc2.response.id-null-if-unknown",
        summary: "If the id cannot be determined (parse error, invalid request) the response id is null.",
        levels: ALL_MUST,
        source: Source::Standard("JSON-RPC 2.0 section 5", "https://www.jsonrpc.org/specification#response_object"),
    },
    Requirement {
        id: "rpc.method-not-found.http-404",
        summary: "Unknown RPC method: HTTP 404 with JSON-RPC error -32601.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#protocol-version-header")]),
    },
    Requirement {
        id: "session.id.visible-ascii",
        summary: "Session ids use only bytes 0x21-0x7E.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#session-management"),
            (R20250618, "basic/transports#session-management"),
            (R20251125, "basic/transports#session-management"),
        ]),
    },
    Requirement {
        id: "session.server.400-missing",
        summary: "A server that needs a session id answers 400 when it is missing (except for initialize).",
        levels: LEGACY_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/transports#session-management"),
            (R20250618, "basic/transports#session-management"),
            (R20251125, "basic/transports#session-management"),
        ]),
    },
    Requirement {
        id: "session.server.404-after-termination",
        summary: "Requests with a terminated session id get 404.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#session-management"),
            (R20250618, "basic/transports#session-management"),
            (R20251125, "basic/transports#session-management"),
        ]),
    },
    Requirement {
        id: "sse.emit.final-blank-line",
        summary: "The last event is ended by a blank line before the stream ends.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.5 Parsing an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream",
        ),
    },
    Requirement {
        id: "sse.emit.grammar",
        summary: "Streams follow the ABNF: no raw CR/LF inside a data value, known separators.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.5 Parsing an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream",
        ),
    },
    Requirement {
        id: "sse.emit.id-charset",
        summary: "Event ids have no NUL, CR or LF.",
        levels: LEGACY_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.4 The Last-Event-ID header",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header",
        ),
    },
    Requirement {
        id: "sse.emit.json-per-event",
        summary: "Each event with data carries one JSON-RPC message (2025-03-26: or a batch).",
        levels: ALL_SHOULD,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.emit.retry-digits",
        summary: "retry values are ASCII digits.",
        levels: LEGACY_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.emit.utf8",
        summary: "Streams are UTF-8.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.5 Parsing an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream",
        ),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Catalogue {
        requirements: Vec<Entry>,
    }

    #[derive(Deserialize)]
    struct Entry {
        id: String,
        level: String,
        #[serde(default)]
        levels: BTreeMap<String, String>,
        revisions: Vec<String>,
    }

    #[test]
    fn the_table_agrees_with_the_whole_catalogue() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/spec/requirements.yaml");
        let Ok(text) = std::fs::read_to_string(path) else {
            crate::skipped("shared", "the requirement catalogue is not beside this checkout");
            return;
        };
        let catalogue: Catalogue = serde_saphyr::from_str(&text).expect("the catalogue is YAML");
        for requirement in REQUIREMENTS {
            let entry = catalogue.requirements.iter().find(|entry| entry.id == requirement.id);
            let entry = entry.unwrap_or_else(|| panic!("{} is not in the catalogue", requirement.id));
            for revision in Revision::ALL {
                let has = entry.revisions.iter().any(|having| having == revision.date());
                let level =
                    entry.levels.get(revision.date()).unwrap_or(&entry.level).trim_end_matches("-not").to_owned();
                let ours = requirement.level(revision).map(|level| level.to_string());
                assert_eq!(ours, has.then_some(level), "{} in {revision}", requirement.id);
            }
        }
    }

    #[test]
    fn ids_are_unique_and_every_revision_that_has_a_rule_says_where() {
        for pair in REQUIREMENTS.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} before {}", pair[0].id, pair[1].id);
        }
        for requirement in REQUIREMENTS {
            for (revision, _) in requirement.levels {
                assert!(requirement.link(*revision).contains("https://"), "{}", requirement.id);
            }
        }
    }
}
