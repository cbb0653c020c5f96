//! The violations: each is a bug that a real server has or had, and each is woven in where that bug would sit.

use super::switch::switches;

switches! {
    /// One way not to conform. A reference server has at most one, and does everything else right.
    enum Fault, "fault" {
        StreamLeftOpen, "stream-left-open", violates ["sse/stream-ends-after-response"]:
            "Keeps the channel of a request until its session ends, so that the stream stays open after the result.";
        StreamLeftOpenAfterError, "stream-left-open-after-error", violates ["sse/stream-ends-after-error"]:
            "Takes only a result for the end of a request, so that the stream stays open after an error.";
        LateNotification, "late-notification", violates ["sse/nothing-after-response"]:
            "Reports from a task that lags behind, so that a notification follows the response on its stream.";
        LastEventUnterminated, "last-event-unterminated", violates ["sse/well-formed"]:
            "Writes blank lines between events instead of after them, so that the last event is never dispatched.";
        Latin1Text, "latin-1-text", violates ["sse/well-formed"]:
            "Writes events in Latin-1, so that text beyond ASCII is no UTF-8.";
        RawNewlineInData, "raw-newline-in-data", violates ["sse/well-formed"]:
            "Sends indented JSON behind a single `data:`, so that its other lines become fields that nobody knows.";

        FinWithoutTerminator, "fin-without-terminator", violates ["http/body-complete"]:
            "Closes the connection after the response instead of ending the chunked body.";
        ContentLengthTooLong, "content-length-too-long", violates ["http/body-complete"]:
            "Measures JSON with its escapes and sends it without them, so that bytes are missing when it closes.";
        ResetInMidBody, "reset-in-mid-body", violates ["http/body-complete"]:
            "Aborts the connection while it writes the response.";

        ClosesUnannounced, "closes-unannounced", violates ["http/connection-reusable"]:
            "Closes the connection after each complete answer without having said so.";
        ResetAfterAnswer, "reset-after-answer", violates ["http/connection-reusable"]:
            "Aborts a connection that it promised to keep as soon as the answer is sent.";
        ContentLengthCountsCharacters, "content-length-counts-characters", violates ["http/connection-reusable"]:
            "Counts characters where bytes are meant, so that the end of the body lies beyond the answer.";
        TrailingNewlineUncounted, "trailing-newline-uncounted", violates ["http/connection-reusable"]:
            "Writes a line feed after the JSON that it measured, so that a stray byte follows the answer.";

        HeadInOneRead, "head-in-one-read", violates ["http/segmentation-is-transparent"]:
            "Looks for the end of the head in one read only, and refuses a request that begins with less.";
        BodyInOneRead, "body-in-one-read", violates ["http/segmentation-is-transparent"]:
            "Takes the first read that brings content for the whole body.";
        TextPerRead, "text-per-read", violates ["http/segmentation-is-transparent"]:
            "Decodes the text of a body read by read, so that a character in two segments is none.";

        AcceptedWithBody, "accepted-with-body", violates ["http/accepted-has-no-body"]:
            "Serialises the nothing that a notification returns, so that 202 carries the JSON text `null`.";
        AcceptedUnframed, "accepted-unframed", violates ["http/accepted-has-no-body"]:
            "Sends 202 without a length and keeps the connection, so that the client waits for a body without end.";
        JsonAsPlainText, "json-as-plain-text", violates ["http/content-type"]:
            "Labels JSON answers `text/plain`.";

        ResponseSentTwice, "response-sent-twice", violates ["rpc/exactly-one-response"]:
            "Sends the response once when it is ready and once more when it flushes the stream.";
        ResponseOnGetStream, "response-on-get-stream", violates ["rpc/exactly-one-response"]:
            "Sends the response on the GET stream, where there is one, and ends the stream of the request without it.";
        ResponseBroadcast, "response-broadcast", violates ["rpc/exactly-one-response"]:
            "Sends the response on every stream of the session: that of the request, and the GET stream.";
        ResponseMissing, "response-missing", violates ["rpc/exactly-one-response"]:
            "Ends the stream before the response has been passed on to it.";

        IdsBecomeStrings, "ids-become-strings", violates ["rpc/id-echoed-exactly"]:
            "Keeps ids as strings, so that 1 comes back as \"1\".";
        NumericStringsBecomeNumbers, "numeric-strings-become-numbers", violates ["rpc/id-echoed-exactly"]:
            "Guesses the type of ids by their look, so that \"1\" comes back as 1.";
        BigIdsThroughDouble, "big-ids-through-double", violates ["rpc/id-echoed-exactly"]:
            "Reads integers as doubles, so that ids beyond 2^53 come back as their neighbours.";
        IdsKeyedByText, "ids-keyed-by-text", violates ["rpc/ids-differ-by-type"]:
            "Finds requests in flight by the text of their id, so that \"1\" takes the channel of 1.";

        UnknownMethodSucceeds, "unknown-method-succeeds", violates ["rpc/unknown-method-is-an-error"]:
            "Answers a method that it does not know with an empty result.";
        UnknownMethodWrongCode, "unknown-method-wrong-code", violates ["rpc/unknown-method-is-an-error"]:
            "Reports a method that it does not know as an internal error.";
        UnknownMethodDisconnects, "unknown-method-disconnects", violates ["rpc/unknown-method-is-an-error"]:
            "Closes the connection without an answer when it does not know the method.";

        MalformedAccepted, "malformed-accepted", violates ["rpc/malformed-input-is-refused"]:
            "Queues the body before it reads it, so that whatever cannot be read is accepted with 202.";
        MalformedAnswered, "malformed-answered", violates ["rpc/malformed-input-is-refused"]:
            "Takes what it cannot read for an empty request, and answers it with a result under an id of its own.";
        MalformedIsFatal, "malformed-is-fatal", violates ["rpc/malformed-input-is-refused"]:
            "Panics over a body that it cannot read; from then on the session, or all of 2026-07-28, gets 500.";

        SessionIdWithSpace, "session-id-with-space", violates ["session/id-is-valid"]:
            "Issues session ids with a space in them.";
        SessionIdNotAscii, "session-id-not-ascii", violates ["session/id-is-valid"]:
            "Issues session ids with a letter beyond ASCII in them.";
        SessionIdChanges, "session-id-changes", violates ["session/id-is-valid"]:
            "Stamps each later answer with a fresh session id.";
        SessionOnFailedInitialize, "session-on-failed-initialize", violates ["session/id-is-valid"]:
            "Opens the session before it looks at the parameters, so that a failed `initialize` grants one.";
        MissingSessionNotFound, "missing-session-not-found", violates ["session/required"]:
            "Looks a missing session id up like any other, and answers 404.";
        MissingSessionFails, "missing-session-fails", violates ["session/required"]:
            "Stumbles over a missing session id, and answers 500.";
        SessionSurvivesDelete, "session-survives-delete", violates ["session/gone-after-delete"]:
            "Ends the session but leaves it in the table that POST looks at.";
        DeleteAlwaysSucceeds, "delete-always-succeeds", violates ["session/gone-after-delete"]:
            "Answers every DELETE with 200, whether or not there is such a session.";

        UnknownSessionOpens, "unknown-session-opens", violates ["cleanup/unknown-session-is-refused"]:
            "Looks a session up with `get or create`, so that any id that a request names opens one.";
        RequestIdKept, "request-id-kept", violates ["cleanup/request-id-is-free-again"]:
            "In 2026-07-28, keeps the entry of a request until its connection closes, and refuses its id from then on.";
        ProgressTokenKept, "progress-token-kept", violates ["cleanup/progress-token-is-free-again"]:
            "Keeps the entry that leads from a progress token to its stream, so that later progress goes nowhere.";
        LateProgressElsewhere, "late-progress-elsewhere", violates ["cleanup/no-late-progress"]:
            "Reports progress through a queue that all requests share, so that the last report comes on the next stream.";

        EventIdsPerStream, "event-ids-per-stream", violates ["resumption/ids-unique-in-session"]:
            "Numbers the events of each stream from 0, so that an id is that of one event on every stream.";
        ReplaySkipsOne, "replay-skips-one", violates ["resumption/replays-what-was-missed"]:
            "Takes `Last-Event-ID` for the first event that was missed, and goes on behind it.";
        ReplayReversed, "replay-reversed", violates ["resumption/replays-what-was-missed"]:
            "Replays the latest event first.";
        LastEventIdForgotten, "last-event-id-forgotten", violates ["resumption/replays-what-was-missed"]:
            "Gives its events ids, keeps none of them, and answers every GET with the stream of its own messages.";
        ReplayStartsTooEarly, "replay-starts-too-early", violates ["resumption/nothing-twice"]:
            "Replays from the event that `Last-Event-ID` names, and not from the one behind it.";
        ReplayOfAllStreams, "replay-of-all-streams", violates ["resumption/nothing-of-other-streams"]:
            "Keeps the events of a session in one list, and replays those of other streams as well.";
        ReplayNeverEnds, "replay-never-ends", violates ["resumption/finished-stream-can-be-fetched"]:
            "Looks only before it replays whether a stream has ended, so that the replay of one that has never ends.";
        FinishedStreamForgotten, "finished-stream-forgotten", violates ["resumption/finished-stream-can-be-fetched"]:
            "Drops the events of a stream when it ends, whether or not its client has got them.";
        LastEventIdResumes, "last-event-id-resumes", violates ["resumption/header-ignored"]:
            "In 2026-07-28, takes a POST with `Last-Event-ID` for a wish to resume, and sends a stream without anything.";

        SocketLeftInCloseWait, "socket-left-in-close-wait", violates ["cleanup/descriptors"]:
            "Forgets the socket of a client that goes away in the middle of its request: it stays in CLOSE_WAIT.";
        TaskNeverReaped, "task-never-reaped", violates ["cleanup/threads"]:
            "Starts a task for each session that goes on waiting when the session has ended.";
        EntryLeftAfterResponse, "entry-left-after-response", violates ["cleanup/router-entries"]:
            "Enters each request in a table, and takes it out again unless it ends in a result.";
        EntryLeftAfterError, "entry-left-after-error", violates ["cleanup/router-entries"]:
            "Takes only a result for the end of a request, so that one that ends in an error keeps its entry.";
        EntryLeftAfterCancel, "entry-left-after-cancel", violates ["cleanup/router-entries"]:
            "In the legacy revisions, leaves the entry of a request that is cancelled in its table.";
        EntryLeftAfterDisconnect, "entry-left-after-disconnect", violates ["cleanup/router-entries"]:
            "Leaves the entry of a request in its table whose client has gone.";
        MemoryOfEveryCall, "memory-of-every-call", violates ["cleanup/memory"]:
            "Registers each call in a list that nobody clears.";

        ForgetsInACrowd, "forgets-in-a-crowd", violates ["isolation/crowd-is-served"]:
            "Loses some of the calls that come while many connections are open.";

        ArgumentsKeptById, "arguments-kept-by-id", violates ["isolation/answers-reach-their-caller"]:
            "Keeps the argument of a call under its id, whosever it is: of two clients with the same ids, one gets the \
             other's answer.";
        FailureIsContagious, "failure-is-contagious", violates ["isolation/answers-reach-their-caller"]:
            "Starts over when a tool has failed: for 200 ms whatever anybody asks is answered 500.";
        DeleteEndsAll, "delete-ends-all", violates ["isolation/answers-reach-their-caller"]:
            "Calls everything off that is at work when a session is deleted, whosever it is.";
        ReportsOnAnyStream, "reports-on-any-stream", violates ["isolation/nothing-crosses-sessions"]:
            "Reports progress through a queue that all streams share, so that each of them carries the reports of all.";
        ReportsToEverySession, "reports-to-every-session", violates ["isolation/nothing-crosses-sessions"]:
            "Reports progress on the GET streams of all other sessions, too.";
        LockOverWrite, "lock-over-write", violates ["isolation/bystanders-are-served"]:
            "Takes its lock while it writes, so that all others wait for a client that does not read.";
        HangsUpOnAll, "hangs-up-on-all", violates ["isolation/survives-a-dropped-connection"]:
            "Closes every connection when a client drops one that has a call at work.";
        SessionDiesWithConnection, "session-dies-with-connection", violates ["isolation/survives-a-dropped-connection"]:
            "Ends the session of a client that drops a connection with a call at work.";
        DisconnectCancels, "disconnect-cancels", violates ["isolation/disconnect-is-no-cancellation"]:
            "Calls a request off when its client disconnects, in the legacy revisions.";
        DisconnectIgnored, "disconnect-ignored", violates ["isolation/disconnect-is-cancellation"]:
            "Goes on with the work on a request whose client has disconnected, in 2026-07-28.";

        GetNotFound, "get-not-found", violates ["http/get-is-stream-or-405"]:
            "Has no route for GET, and answers 404.";
        GetAnswersJson, "get-answers-json", violates ["http/get-is-stream-or-405"]:
            "Answers GET with a JSON object about itself.";
        GetHeadHeldBack, "get-head-held-back", violates ["http/get-head-at-once"]:
            "Sends the head of the GET stream with its first event, a keep-alive comment after 1.2 s.";

        SlowCalls, "slow-calls", violates ["latency/repeated-calls-within-budget"]:
            "Takes 25 ms for each call on a connection after the first.";
        StreamEndedByTimer, "stream-ended-by-timer", violates ["latency/repeated-calls-within-budget"]:
            "Leaves it to a timer to end a stream, so that its end comes 25 ms behind the response.";
        FlushedByTimer, "flushed-by-timer", violates ["latency/repeated-calls-within-budget"]:
            "Writes a stream into a buffer, which a timer empties 25 ms after the end.";
        AcceptsByTimer, "accepts-by-timer", violates ["latency/repeated-calls-within-budget"]:
            "Closes the connection with each answer, and takes new ones in only every 25 ms.";
        OneAtATime, "one-at-a-time", violates ["latency/calls-beside-others-within-budget"]:
            "Works on one request at a time, so that all others wait behind a slow one.";
        LockOverBody, "lock-over-body", violates ["latency/calls-beside-others-within-budget"]:
            "Takes its lock with the first byte of a request, so that all others wait for a body that comes slowly.";
        Nagle, "nagle", violates ["latency/no-held-back-segment"]:
            "Leaves Nagle's algorithm on, so that a small last segment waits for the client's delayed ACK.";
    }
}
