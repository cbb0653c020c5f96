//! The violations: each is a bug that a real client has or had, and each is woven in where that bug would sit.

use crate::reference::switch::switches;

switches! {
    /// One way not to conform. A reference client has at most one, and does everything else right.
    enum Fault, "client fault" {
        DropsBody, "drops-body", violates ["client/body-drained"]:
            "Closes the connection right after the response event, whatever is left of the stream.";
        ResetsBody, "resets-body", violates ["client/body-drained"]:
            "Aborts the connection right after the response event.";
        HoldsBody, "holds-body", violates ["client/body-drained"]:
            "Neither reads on nor closes after the response event, until it exits.";
        ConnectionPerCall, "connection-per-call", violates ["client/connection-reused"]:
            "Reads each answer to its end, and then closes the connection.";
        ConnectionPerStream, "connection-per-stream", violates ["client/connection-reused"]:
            "Closes the connection after each answer that was a stream, once it has read it.";
        PausesBeforeCalls, "pauses-before-calls", violates ["client/repeated-call-latency"]:
            "Sleeps for 30 ms before it writes a call.";
        ErrorNotTerminal, "error-not-terminal", violates ["client/error-is-terminal"]:
            "Takes only a result for the end of a call, so that it tries three times to resume a stream after an error.";
        ErrorResumesAnyway, "error-resumes-anyway", violates ["client/error-is-terminal"]:
            "Hands an error to its caller at once, and resumes the stream all the same.";
        ReturnsAtEndOfBody, "returns-at-end-of-body", violates ["client/returns-at-response"]:
            "Hands the outcome to its caller only when the stream has ended.";
        HoldsUnwantedBody, "holds-unwanted-body", violates ["client/body-released"]:
            "Neither reads nor closes a body that it has no use for, until it exits.";

        NoDelete, "no-delete", violates ["client/orderly-close"]:
            "Leaves its session behind.";
        ResetsAtExit, "resets-at-exit", violates ["client/orderly-close"]:
            "Aborts its idle connections when it closes.";
        OpensUnusedConnections, "opens-unused-connections", violates ["client/orderly-close"]:
            "Opens three connections when it closes, and drops them unused.";

        LfOnly, "lf-only", violates ["client/sse-grammar/line-endings"]:
            "Ends lines at LF alone, so that a CR is a part of the line.";
        KeepsByteOrderMark, "keeps-byte-order-mark", violates ["client/sse-grammar/byte-order-mark"]:
            "Takes a byte order mark for a part of the first field.";
        CommentsAreErrors, "comments-are-errors", violates ["client/sse-grammar/comments"]:
            "Gives a stream up over a comment.";
        LastDataLineOnly, "last-data-line-only", violates ["client/sse-grammar/multi-line-data"]:
            "Keeps only the last `data` line of an event.";
        UnknownFieldEndsStream, "unknown-field-ends-stream", violates ["client/sse-grammar/unknown-fields"]:
            "Gives a stream up over a field that it does not know.";
        AnyEventTypeIsAMessage, "any-event-type-is-a-message", violates ["client/sse-grammar/event-types"]:
            "Reads an event as a message whatever its type is.";
        EmptyDataIsAnError, "empty-data-is-an-error", violates ["client/sse-grammar/empty-data"]:
            "Gives a stream up over an event whose data is empty.";
        RetryWithSign, "retry-with-sign", violates ["client/sse-grammar/ids-and-retry"]:
            "Gives a stream up over a `retry` that is not made of digits.";
        DecodesEachRead, "decodes-each-read", violates ["client/sse-grammar/any-split"]:
            "Decodes UTF-8 read by read, so that a character between two of them is lost.";
        OneMebibyteLimit, "one-mebibyte-limit", violates ["client/sse-grammar/large-event"]:
            "Gives a stream up over an event of more than a mebibyte.";
        HundredEventsLimit, "hundred-events-limit", violates ["client/sse-grammar/many-events"]:
            "Gives a stream up over its hundred and first event.";
        DispatchesIncompleteEvent, "dispatches-incomplete-event", violates ["client/sse-grammar/incomplete-event"]:
            "Dispatches the event that the end of the stream cut off.";

        ChunkExtensionIsAnError, "chunk-extension-is-an-error", violates ["client/http/chunk-extensions"]:
            "Gives an answer up over a chunk extension.";
        InterimIsFinal, "interim-is-final", violates ["client/http/interim-answers"]:
            "Takes an interim answer for the final one.";
        InitializeMustBeJson, "initialize-must-be-json", violates ["client/http/answer-forms"]:
            "Does not understand a stream in answer to `initialize` or `server/discover`.";
        CallsMustBeStreams, "calls-must-be-streams", violates ["client/http/answer-forms"]:
            "Does not understand JSON in answer to a call.";
        ExactMediaType, "exact-media-type", violates ["client/http/media-types"]:
            "Compares content types letter by letter, so that a parameter or a capital makes it unknown.";
        AcceptedNeedsLength, "accepted-needs-length", violates ["client/http/accepted-framing"]:
            "Waits for 5 s or until the connection closes where a 202 has no `Content-Length`.";
        LengthIsRequired, "length-is-required", violates ["client/http/close-delimited"]:
            "Gives an answer up that lasts until its connection is closed.";

        ForgetsSessionId, "forgets-session-id", violates ["client/session/id-echoed"]:
            "Leaves the session id out of calls.";
        AdoptsAnySessionId, "adopts-any-session-id", violates ["client/session/id-from-initialize"]:
            "Takes over a session id from any answer.";
        KeepsDeadSession, "keeps-dead-session", violates ["client/session/reinitializes-on-404"]:
            "Goes on with a session that was answered with 404.";
        CarriesSessionIdEverywhere, "carries-session-id-everywhere", violates ["client/session/id-stays-at-origin"]:
            "Takes its session id along when it is redirected to another origin.";

        NoVersionHeader, "no-version-header", violates ["client/version-header"]:
            "Does not send `MCP-Protocol-Version`.";
        WrongVersionHeader, "wrong-version-header", violates ["client/version-header"]:
            "Sends `MCP-Protocol-Version: 2025-11-25` whatever was negotiated.";
        AcceptsJsonOnly, "accepts-json-only", violates ["client/accept"]:
            "Leaves `text/event-stream` out of the `Accept` of a POST.";
        NoContentType, "no-content-type", violates ["client/headers/content-type"]:
            "Does not label its bodies as JSON.";
        NoMethodHeader, "no-method-header", violates ["client/headers/method"]:
            "Does not send `Mcp-Method`.";
        NoNameHeader, "no-name-header", violates ["client/headers/name"]:
            "Does not send `Mcp-Name`.";
        NoParameterHeaders, "no-parameter-headers", violates ["client/headers/parameters"]:
            "Does not mirror parameters in `Mcp-Param-*`.";
        RawHeaderValues, "raw-header-values", violates ["client/headers/encoding"]:
            "Puts names and parameters into header fields as they are.";
        NoMeta, "no-meta", violates ["client/headers/meta"]:
            "Does not send `_meta`.";

        ReplaysPost, "replays-post", violates ["client/truncated-answer"]:
            "Sends a request once more when its answer was cut off.";
        HangsOnTruncatedAnswer, "hangs-on-truncated-answer", violates ["client/truncated-answer"]:
            "Lets its caller wait for 30 s, or as long as it will, when an answer was cut off.";

        NeverResumes, "never-resumes", violates ["client/resumption/last-event-id"]:
            "Does not resume a stream that broke off.";
        ResumesWithoutId, "resumes-without-id", violates ["client/resumption/last-event-id"]:
            "Resumes a stream without saying after which event.";
        IgnoresRetry, "ignores-retry", violates ["client/resumption/retry"]:
            "Resumes a stream at once, whatever the server asked for.";
        ResumesForEver, "resumes-for-ever", violates ["client/resumption/bounded"]:
            "Goes on resuming a stream after its caller has been told that it is lost.";
        ResumesInModern, "resumes-in-modern", violates ["client/resumption/not-in-modern"]:
            "Resumes streams in 2026-07-28 as well.";

        IgnoresPing, "ignores-ping", violates ["client/server-requests"]:
            "Does not answer `ping`.";
        IgnoresSampling, "ignores-sampling", violates ["client/server-requests"]:
            "Does not answer `sampling/createMessage`.";
        IgnoresInputRequired, "ignores-input-required", violates ["client/server-requests"]:
            "Takes the request for input for the result of the call.";
        RetriesWithTheSameId, "retries-with-the-same-id", violates ["client/server-requests"]:
            "Repeats a call with the input that was required under the id that it had before.";
        ChangesRequestState, "changes-request-state", violates ["client/server-requests"]:
            "Brings the request state back with a space at its end.";

        OneCallAtATime, "one-call-at-a-time", violates ["client/concurrent-calls"]:
            "Makes a call only when the one before has its outcome.";
        AnswersByOrder, "answers-by-order", violates ["client/concurrent-calls"]:
            "Hands the first answer to the first call, whichever it belongs to.";

        CancelsSilently, "cancels-silently", violates ["client/cancel"]:
            "Gives a call up without telling the server (legacy revisions).";
        CancelsAnotherRequest, "cancels-another-request", violates ["client/cancel"]:
            "Names the id of another request when it cancels one (legacy revisions).";
        KeepsCancelledStream, "keeps-cancelled-stream", violates ["client/cancel"]:
            "Keeps the stream of a call that it gave up, until it exits (2026-07-28).";

        NeverFallsBack, "never-falls-back", violates ["client/era-fallback"]:
            "Gives up where a server does not know 2026-07-28.";
        FallsBackAnyway, "falls-back-anyway", violates ["client/era-fallback"]:
            "Begins in the old way whatever a server of 2026-07-28 complains about.";
    }
}
