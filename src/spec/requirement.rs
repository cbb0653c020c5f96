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
        id: "cancel.client-should-notify",
        summary: "The client announces cancellation of a request (2026-07-28: by message on stdio, by closing the stream on HTTP).",
        levels: &[(R20260728, Should)],
        source: Source::Specification(&[(R20260728, "basic/patterns/cancellation#")]),
    },
    Requirement {
        id: "cancel.http.stop-work",
        summary: "Work for the cancelled request stops soon.",
        levels: &[(R20260728, Should)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#cancellation")]),
    },
    Requirement {
        id: "cancel.only-own-inflight",
        summary: "Cancellations name only own requests believed to be running.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/utilities/cancellation#behavior-requirements"),
            (R20250618, "basic/utilities/cancellation#behavior-requirements"),
            (R20251125, "basic/utilities/cancellation#behavior-requirements"),
            (R20260728, "basic/patterns/cancellation#behavior-requirements"),
        ]),
    },
    Requirement {
        id: "cancel.request-id-required",
        summary: "A cancellation of a non-task request names its requestId.",
        levels: &[(R20251125, Must)],
        source: Source::Specification(&[(R20251125, "schema.ts#")]),
    },
    Requirement {
        id: "compat.legacy.ignore-last-event-id",
        summary: "A modern-only server ignores Last-Event-ID.",
        levels: &[(R20260728, Should)],
        source: Source::Specification(&[(
            R20260728,
            "basic/transports/streamable-http#earlier-streamable-http-revisions",
        )]),
    },
    Requirement {
        id: "enc.utf8",
        summary: "Every JSON-RPC message is encoded as UTF-8.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#"),
            (R20250618, "basic/transports#"),
            (R20251125, "basic/transports#"),
            (R20260728, "basic/transports#messages"),
        ]),
    },
    Requirement {
        id: "era.client.fallback-initialize",
        summary: "Empty or unrecognised body: the client initializes with a legacy version.",
        levels: &[(R20260728, Should)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#backward-compatibility")]),
    },
    Requirement {
        id: "era.client.inspect-body",
        summary: "On 400 the client reads the body before it falls back.",
        levels: &[(R20260728, Should)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#backward-compatibility")]),
    },
    Requirement {
        id: "era.client.modern-error-no-fallback",
        summary: "A recognised modern error never leads to initialize.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#backward-compatibility")]),
    },
    Requirement {
        id: "headers.enc.base64-unsafe",
        summary: "Values that are not plain header-safe ASCII use =?base64?{utf-8 base64}?=.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#value-encoding")]),
    },
    Requirement {
        id: "headers.enc.escape-sentinel",
        summary: "Plain values that look like the sentinel are Base64-encoded too.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#value-encoding")]),
    },
    Requirement {
        id: "headers.mcp-method",
        summary: "Mcp-Method mirrors the body method on every request POST.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#standard-request-headers")]),
    },
    Requirement {
        id: "headers.mcp-name",
        summary: "Mcp-Name mirrors params.name (tools/call, prompts/get) or params.uri (resources/read).",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#standard-request-headers")]),
    },
    Requirement {
        id: "headers.mcp-name.base64",
        summary: "A name or URI that is not header-safe is sent in the =?base64?..?= form.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#standard-request-headers")]),
    },
    Requirement {
        id: "headers.param.client-include",
        summary: "A given value leads to a header.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(
            R20260728,
            "basic/transports/streamable-http#server-behavior-for-custom-headers",
        )]),
    },
    Requirement {
        id: "headers.param.client-mirror",
        summary: "Values of annotated parameters are copied into Mcp-Param-{Name} headers.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(
            R20260728,
            "basic/transports/streamable-http#custom-headers-from-tool-parameters",
        )]),
    },
    Requirement {
        id: "headers.param.client-omit-absent",
        summary: "A missing argument leads to no header.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(
            R20260728,
            "basic/transports/streamable-http#server-behavior-for-custom-headers",
        )]),
    },
    Requirement {
        id: "headers.param.client-support",
        summary: "Clients implement x-mcp-header mirroring.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(
            R20260728,
            "basic/transports/streamable-http#custom-headers-from-tool-parameters",
        )]),
    },
    Requirement {
        id: "http.client.1xx",
        summary: "Clients parse interim 1xx answers before the final one.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9110 section 15.2", "https://www.rfc-editor.org/rfc/rfc9110#section-15.2"),
    },
    Requirement {
        id: "http.client.no-auto-retry-post",
        summary: "A POST is not silently repeated after a connection failure.",
        levels: ALL_SHOULD,
        source: Source::Standard("RFC 9110 section 9.2.2", "https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2"),
    },
    Requirement {
        id: "http.get.accept-sse",
        summary: "A GET to the endpoint has an Accept header naming text/event-stream.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#listening-for-messages-from-the-server"),
            (R20250618, "basic/transports#listening-for-messages-from-the-server"),
            (R20251125, "basic/transports#listening-for-messages-from-the-server"),
        ]),
    },
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
        id: "http.media-type-params",
        summary: "Media types compare case-insensitively and may have parameters.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9110 section 8.3.1", "https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1"),
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
        id: "http.post.accept-both",
        summary: "Every POST has an Accept header naming both application/json and text/event-stream.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#sending-messages-to-the-server"),
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
            (R20260728, "basic/transports/streamable-http#sending-messages"),
        ]),
    },
    Requirement {
        id: "http.post.body.no-client-responses",
        summary: "The client never POSTs a JSON-RPC response.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#sending-messages")]),
    },
    Requirement {
        id: "http.post.body.single-message",
        summary: "The POST body is exactly one JSON-RPC message (no arrays).",
        levels: &[(R20250618, Must), (R20251125, Must), (R20260728, Must)],
        source: Source::Specification(&[
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
            (R20260728, "basic/transports/streamable-http#sending-messages"),
        ]),
    },
    Requirement {
        id: "http.post.client-supports-both",
        summary: "The client handles both the JSON and the SSE form of an answer.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#sending-messages-to-the-server"),
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
            (R20260728, "basic/transports/streamable-http#sending-messages"),
        ]),
    },
    Requirement {
        id: "http.post.headers.request-metadata",
        summary: "Every POST carries the mirrored request-metadata headers.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#sending-messages")]),
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
        id: "http.post.request-content-type",
        summary: "A POST with a JSON body labels it Content-Type: application/json.",
        levels: ALL_SHOULD,
        source: Source::Standard("RFC 9110 section 8.3", "https://www.rfc-editor.org/rfc/rfc9110#section-8.3"),
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
        id: "http.post.sse.cancel-explicitly",
        summary: "To cancel, the client sends a notifications/cancelled message instead of only hanging up.",
        levels: LEGACY_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/transports#sending-messages-to-the-server"),
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
        ]),
    },
    Requirement {
        id: "http.post.sse.client-polls-after-close",
        summary: "When the server closes such a connection the client reconnects to poll the stream.",
        levels: &[(R20251125, Should)],
        source: Source::Specification(&[(R20251125, "basic/transports#sending-messages-to-the-server")]),
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
        id: "http.post.sse.disconnect-not-cancel",
        summary: "A dropped connection is not taken as cancellation of the request.",
        levels: LEGACY_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/transports#sending-messages-to-the-server"),
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
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
        id: "http.post.sse.related-only",
        summary: "Messages sent before the response belong to the request that opened the stream.",
        levels: &[(R20250326, Should), (R20250618, Should), (R20251125, Should), (R20260728, Must)],
        source: Source::Specification(&[
            (R20250326, "basic/transports#sending-messages-to-the-server"),
            (R20250618, "basic/transports#sending-messages-to-the-server"),
            (R20251125, "basic/transports#sending-messages-to-the-server"),
            (R20260728, "basic/transports/streamable-http#receiving-messages"),
        ]),
    },
    Requirement {
        id: "http11.chunked.terminator",
        summary: "A chunked answer ends with the zero-length chunk and a final empty line.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 7.1", "https://www.rfc-editor.org/rfc/rfc9112#section-7.1"),
    },
    Requirement {
        id: "http11.client.close-delimited",
        summary: "An answer without length is read until close.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 6.3", "https://www.rfc-editor.org/rfc/rfc9112#section-6.3"),
    },
    Requirement {
        id: "http11.client.close-option",
        summary: "After Connection: close from the server the connection is not used again and is closed.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 9.6", "https://www.rfc-editor.org/rfc/rfc9112#section-9.6"),
    },
    Requirement {
        id: "http11.client.ignore-chunk-ext",
        summary: "Unknown chunk extensions are ignored.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 7.1.1", "https://www.rfc-editor.org/rfc/rfc9112#section-7.1.1"),
    },
    Requirement {
        id: "http11.client.incomplete-chunked",
        summary: "A chunked answer without the last chunk is incomplete.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 8", "https://www.rfc-editor.org/rfc/rfc9112#section-8"),
    },
    Requirement {
        id: "http11.client.parse-chunked",
        summary: "Clients decode any legal chunking.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 7.1", "https://www.rfc-editor.org/rfc/rfc9112#section-7.1"),
    },
    Requirement {
        id: "http11.client.short-content-length",
        summary: "Fewer bytes than Content-Length is incomplete and the connection is closed.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 6.3", "https://www.rfc-editor.org/rfc/rfc9112#section-6.3"),
    },
    Requirement {
        id: "http11.persist.client-reads-body",
        summary: "A client reads the whole answer before reusing the connection.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 9.3", "https://www.rfc-editor.org/rfc/rfc9112#section-9.3"),
    },
    Requirement {
        id: "http11.persist.close-if-unsupported",
        summary: "A server without persistence sends Connection: close in every final answer.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 9.3", "https://www.rfc-editor.org/rfc/rfc9112#section-9.3"),
    },
    Requirement {
        id: "http11.persist.no-extra-data",
        summary: "Bytes after an answer are not taken for another answer.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 6.3", "https://www.rfc-editor.org/rfc/rfc9112#section-6.3"),
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
        id: "http11.req.chunked-accepted",
        summary: "Chunked request bodies are understood.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 7.1", "https://www.rfc-editor.org/rfc/rfc9112#section-7.1"),
    },
    Requirement {
        id: "http11.req.host-sent",
        summary: "Every HTTP/1.1 request has a Host header.",
        levels: ALL_MUST,
        source: Source::Standard("RFC 9112 section 3.2", "https://www.rfc-editor.org/rfc/rfc9112#section-3.2"),
    },
    Requirement {
        id: "http11.resp.202-delimited",
        summary: "A 202 has Content-Length: 0 (or an empty chunked body), since 202 is not bodyless by itself.",
        levels: ALL_SHOULD,
        source: Source::Standard("RFC 9112 section 6.3", "https://www.rfc-editor.org/rfc/rfc9112#section-6.3"),
    },
    Requirement {
        id: "init.client-initialized",
        summary: "After a successful initialize the client sends notifications/initialized.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/lifecycle#initialization"),
            (R20250618, "basic/lifecycle#initialization"),
            (R20251125, "basic/lifecycle#initialization"),
        ]),
    },
    Requirement {
        id: "init.first",
        summary: "Initialization is the first thing that happens between client and server.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/lifecycle#initialization"),
            (R20250618, "basic/lifecycle#initialization"),
            (R20251125, "basic/lifecycle#initialization"),
        ]),
    },
    Requirement {
        id: "init.version.client-disconnect",
        summary: "A client that cannot speak the answered version disconnects.",
        levels: LEGACY_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/lifecycle#version-negotiation"),
            (R20250618, "basic/lifecycle#version-negotiation"),
            (R20251125, "basic/lifecycle#version-negotiation"),
        ]),
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
        id: "jsonrpc.notification.no-response",
        summary: "A notification is never answered with a JSON-RPC response.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic#notifications"),
            (R20250618, "basic#notifications"),
            (R20251125, "basic#notifications"),
            (R20260728, "basic#notifications"),
        ]),
    },
    Requirement {
        id: "jsonrpc.request.id-present",
        summary: "Requests have a string or integer id.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic#requests"),
            (R20250618, "basic#requests"),
            (R20251125, "basic#requests"),
            (R20260728, "basic#requests"),
        ]),
    },
    Requirement {
        id: "jsonrpc.request.id-unique-inflight",
        summary: "A request id differs from all requests of the sender that still wait for a response.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic#requests")]),
    },
    Requirement {
        id: "jsonrpc.request.id-unique-session",
        summary: "A requestor never uses the same request id twice in one session.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic#requests"),
            (R20250618, "basic#requests"),
            (R20251125, "basic#requests"),
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
        id: "meta.client-info",
        summary: "Requests identify the client in _meta clientInfo.",
        levels: &[(R20260728, Should)],
        source: Source::Specification(&[(R20260728, "basic#meta")]),
    },
    Requirement {
        id: "meta.request.required-fields",
        summary: "Every request has _meta with protocolVersion and clientCapabilities.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic#meta")]),
    },
    Requirement {
        id: "mrtr.client.construct-inputs",
        summary: "The client gathers the inputs before it retries.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/patterns/mrtr#client-requirements-basic-workflow")]),
    },
    Requirement {
        id: "mrtr.client.echo-state",
        summary: "requestState is echoed exactly.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/patterns/mrtr#client-requirements-basic-workflow")]),
    },
    Requirement {
        id: "mrtr.client.new-id",
        summary: "The retry has a new JSON-RPC id.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/patterns/mrtr#client-requirements-basic-workflow")]),
    },
    Requirement {
        id: "mrtr.client.no-state-if-absent",
        summary: "No requestState in the retry when none was given.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/patterns/mrtr#client-requirements-basic-workflow")]),
    },
    Requirement {
        id: "ping.respond",
        summary: "A ping is answered promptly with an empty result.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/utilities/ping#behavior-requirements"),
            (R20250618, "basic/utilities/ping#behavior-requirements"),
            (R20251125, "basic/utilities/ping#behavior-requirements"),
        ]),
    },
    Requirement {
        id: "progress.only-active-tokens",
        summary: "Progress refers only to tokens of requests that are still running.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/utilities/progress#behavior-requirements"),
            (R20250618, "basic/utilities/progress#behavior-requirements"),
            (R20251125, "basic/utilities/progress#behavior-requirements"),
            (R20260728, "basic/patterns/progress#behavior-requirements"),
        ]),
    },
    Requirement {
        id: "progress.stop",
        summary: "No progress after completion.",
        levels: ALL_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/utilities/progress#implementation-notes"),
            (R20250618, "basic/utilities/progress#implementation-notes"),
            (R20251125, "basic/utilities/progress#implementation-notes"),
            (R20260728, "basic/patterns/progress#implementation-notes"),
        ]),
    },
    Requirement {
        id: "resume.client.get-last-event-id",
        summary: "After a broken (2025-11-25: or server-closed) stream the client resumes with GET and Last-Event-ID.",
        levels: LEGACY_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/transports#resumability-and-redelivery"),
            (R20250618, "basic/transports#resumability-and-redelivery"),
            (R20251125, "basic/transports#resumability-and-redelivery"),
        ]),
    },
    Requirement {
        id: "resume.client.reissue-new-id",
        summary: "After a broken response stream the client sends the operation again as a new request with a new id (no resumption).",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "changelog#major-changes")]),
    },
    Requirement {
        id: "resume.event-id.per-stream-cursor",
        summary: "Ids work as a cursor within one stream.",
        levels: LEGACY_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/transports#resumability-and-redelivery"),
            (R20250618, "basic/transports#resumability-and-redelivery"),
            (R20251125, "basic/transports#resumability-and-redelivery"),
        ]),
    },
    Requirement {
        id: "resume.event-id.unique",
        summary: "Event ids are unique over all streams of the session (or of the client when there are no sessions).",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#resumability-and-redelivery"),
            (R20250618, "basic/transports#resumability-and-redelivery"),
            (R20251125, "basic/transports#resumability-and-redelivery"),
        ]),
    },
    Requirement {
        id: "resume.removed",
        summary: "SSE streams are not resumable: no replay on Last-Event-ID.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#receiving-messages")]),
    },
    Requirement {
        id: "resume.server.no-cross-stream",
        summary: "Replay never includes messages of a different stream.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#resumability-and-redelivery"),
            (R20250618, "basic/transports#resumability-and-redelivery"),
            (R20251125, "basic/transports#resumability-and-redelivery"),
        ]),
    },
    Requirement {
        id: "resume.via-get",
        summary: "Resumption is a GET with Last-Event-ID whatever opened the stream.",
        levels: &[(R20251125, Must)],
        source: Source::Specification(&[(R20251125, "basic/transports#resumability-and-redelivery")]),
    },
    Requirement {
        id: "rpc.method-not-found.http-404",
        summary: "Unknown RPC method: HTTP 404 with JSON-RPC error -32601.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#protocol-version-header")]),
    },
    Requirement {
        id: "session.client.delete",
        summary: "A client done with a session sends DELETE with the session id.",
        levels: LEGACY_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/transports#session-management"),
            (R20250618, "basic/transports#session-management"),
            (R20251125, "basic/transports#session-management"),
        ]),
    },
    Requirement {
        id: "session.client.echo-header",
        summary: "When a session id was issued, every later HTTP request (POST, GET, DELETE) carries it.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#session-management"),
            (R20250618, "basic/transports#session-management"),
            (R20251125, "basic/transports#session-management"),
        ]),
    },
    Requirement {
        id: "session.client.reinit-on-404",
        summary: "On 404 for a request with a session id the client starts over with initialize without any session id.",
        levels: LEGACY_MUST,
        source: Source::Specification(&[
            (R20250326, "basic/transports#session-management"),
            (R20250618, "basic/transports#session-management"),
            (R20251125, "basic/transports#session-management"),
        ]),
    },
    Requirement {
        id: "session.id.client-secure-handling",
        summary: "The client treats the session id as a secret.",
        levels: &[(R20251125, Must)],
        source: Source::Specification(&[(R20251125, "basic/transports#session-management")]),
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
        id: "sse.client.respect-retry",
        summary: "The client waits the advertised retry milliseconds before it reconnects.",
        levels: &[(R20251125, Must)],
        source: Source::Specification(&[(R20251125, "basic/transports#sending-messages-to-the-server")]),
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
    Requirement {
        id: "sse.parse.blank-line-dispatch",
        summary: "A blank line dispatches at once.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.bom",
        summary: "One leading BOM is stripped.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.comments",
        summary: "Lines starting with a colon are ignored.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.empty-data",
        summary: "An event whose data is empty is legal (not JSON) and must not break the client.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.eof-discards",
        summary: "An unfinished last event is discarded.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.event-type",
        summary: "event sets the type, default message, reset after each event.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.field-names-exact",
        summary: "Field names are compared without case folding; unknown fields are ignored.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.first-colon",
        summary: "Field name ends at the first colon; exactly one blank after it is dropped.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.id-buffer",
        summary: "The last event id persists until changed; an empty id clears it; ids with NUL are ignored.",
        levels: LEGACY_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.line-endings",
        summary: "Lines end with CRLF, LF or CR.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.multi-data",
        summary: "Several data lines are joined with LF; the last LF is dropped.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.no-block-buffering",
        summary: "Buffering does not delay events.",
        levels: ALL_SHOULD,
        source: Source::Standard(
            "WHATWG HTML section 9.2.5 Parsing an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream",
        ),
    },
    Requirement {
        id: "sse.parse.no-colon",
        summary: "A line without colon is a field with empty value.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.no-data-no-event",
        summary: "An event without data is not dispatched but its id still counts.",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.retry-digits",
        summary: "retry counts only if it is all ASCII digits.",
        levels: LEGACY_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.parse.utf8",
        summary: "The stream is decoded as UTF-8 (malformed bytes become U+FFFD).",
        levels: ALL_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.6 Interpreting an event stream",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation",
        ),
    },
    Requirement {
        id: "sse.reconnect.delay",
        summary: "Reconnect after the reconnection time, possibly later (backoff).",
        levels: LEGACY_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.3 Processing model",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model",
        ),
    },
    Requirement {
        id: "sse.reconnect.last-event-id",
        summary: "Last-Event-ID is sent when the last id is not empty, UTF-8 encoded.",
        levels: LEGACY_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.3 Processing model",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model",
        ),
    },
    Requirement {
        id: "sse.reconnect.not-after-failure",
        summary: "No reconnect after a status other than 200 or a wrong content type.",
        levels: LEGACY_MUST,
        source: Source::Standard(
            "WHATWG HTML section 9.2.3 Processing model",
            "https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model",
        ),
    },
    Requirement {
        id: "timeout.cancel-on-expiry",
        summary: "On timeout the sender cancels and stops waiting.",
        levels: ALL_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/lifecycle#timeouts"),
            (R20250618, "basic/lifecycle#timeouts"),
            (R20251125, "basic/lifecycle#timeouts"),
            (R20260728, "basic/patterns/cancellation#timeouts"),
        ]),
    },
    Requirement {
        id: "timeout.establish",
        summary: "Every sent request has a timeout.",
        levels: ALL_SHOULD,
        source: Source::Specification(&[
            (R20250326, "basic/lifecycle#timeouts"),
            (R20250618, "basic/lifecycle#timeouts"),
            (R20251125, "basic/lifecycle#timeouts"),
            (R20260728, "basic/patterns/cancellation#timeouts"),
        ]),
    },
    Requirement {
        id: "version.header.client-sends",
        summary: "After initialization every HTTP request carries MCP-Protocol-Version.",
        levels: &[(R20250618, Must), (R20251125, Must)],
        source: Source::Specification(&[
            (R20250618, "basic/transports#protocol-version-header"),
            (R20251125, "basic/transports#protocol-version-header"),
        ]),
    },
    Requirement {
        id: "version.header.every-post",
        summary: "Every POST, including the first, carries MCP-Protocol-Version.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#protocol-version-header")]),
    },
    Requirement {
        id: "version.header.match-meta",
        summary: "Header value equals _meta io.modelcontextprotocol/protocolVersion of the body.",
        levels: &[(R20260728, Must)],
        source: Source::Specification(&[(R20260728, "basic/transports/streamable-http#protocol-version-header")]),
    },
    Requirement {
        id: "version.header.negotiated",
        summary: "The header value is the version agreed at initialization.",
        levels: &[(R20250618, Should), (R20251125, Should)],
        source: Source::Specification(&[
            (R20250618, "basic/transports#protocol-version-header"),
            (R20251125, "basic/transports#protocol-version-header"),
        ]),
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
