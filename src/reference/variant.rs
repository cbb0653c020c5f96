//! The liberties that the specification leaves a server. No check may complain about any of them.

use super::switch::switches;

switches! {
    /// One legal way to differ from the default. A reference server can have any number of them.
    enum Variant, "variant" {
        JsonAnswers, "json-answers":
            "Answers every request with one JSON object and never opens a stream for one.";
        Stateless, "stateless":
            "Issues no session ids; GET and DELETE are answered 405.";
        Get405, "get-405":
            "Has no stream for messages of its own: GET is answered 405.";
        Delete405, "delete-405":
            "Does not let clients end sessions: DELETE is answered 405.";
        CloseAnnounced, "close-announced":
            "Says `Connection: close` in each answer, and closes.";
        ClosesAfter4xx, "closes-after-4xx":
            "Says `Connection: close` in each answer that refuses something, and closes.";
        CloseDelimited, "close-delimited":
            "Ends the body of a stream by closing the connection, as it announced.";
        ContentLengthSse, "content-length-sse":
            "Collects the events of a request, and sends them with a `Content-Length`.";
        OneWrite, "one-write":
            "Collects head, events and last chunk, and sends them with one write.";
        AcceptedChunked, "accepted-chunked":
            "Gives 202 an empty chunked body instead of a `Content-Length` of 0.";
        CrlfEvents, "crlf-events":
            "Ends the lines of events with CRLF.";
        CommentsAndBom, "comments-and-bom":
            "Decorates streams: a byte order mark, comments before and after the events, `event` and `retry` fields.";
        Polling, "polling":
            "In 2025-11-25, ends each stream after its priming event; the rest is fetched with `Last-Event-ID`.";
        NoEventIds, "no-event-ids":
            "Gives events no ids, so that no stream can be resumed.";
        NewIdsOnReplay, "new-ids-on-replay":
            "Gives an event that it replays an id of its own, which leads to the same place.";
        UnknownEventIdRefused, "unknown-event-id-refused":
            "Answers a GET whose `Last-Event-ID` it does not know with 400, instead of with a new stream.";
        UpperCaseHeaderNames, "upper-case-header-names":
            "Writes the names of header fields in capitals.";
        OddContentTypes, "odd-content-types":
            "Writes content types in mixed case and with a parameter.";
        ColdStart, "cold-start":
            "Takes 30 ms more for the first call on each connection.";
        LegacyOnly, "legacy-only":
            "Speaks none but the revisions that begin with `initialize`.";
        ModernOnly, "modern-only":
            "Speaks none but 2026-07-28.";
        NoTools, "no-tools":
            "Has no tools, and does not declare any.";
    }
}
