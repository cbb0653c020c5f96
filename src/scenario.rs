//! The names of the scenarios: what the driver plays, and what checks ask for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::manifest::Role;

/// Lists the scenarios: case, name, and what happens in it, in the order in which they are played.
macro_rules! scenarios {
    ($( $role:ident { $( $Case:ident, $name:literal: $summary:literal; )+ } )+) => {
        /// A scenario, against a server or against a client.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Scenario {
            $($( #[doc = $summary] #[serde(rename = $name)] $Case, )+)+
        }

        impl Scenario {
            /// All of them, in the order in which they are played: what may upset a target comes last.
            pub const ALL: &'static [Self] = &[$($( Self::$Case, )+)+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $($( Self::$Case => $name, )+)+ }
            }

            /// What is tested in it.
            pub fn role(self) -> Role {
                match self { $( $( Self::$Case )|+ => Role::$role, )+ }
            }
        }
    };
}

scenarios! {
    Server {
        Survey, "survey": "Which revision is spoken, and what is offered.";
        SequentialCalls, "sequential-calls": "Requests of every kind one after another on one connection: results, \
            errors, notifications, with the patience to see each stream end.";
        RepeatedCalls, "repeated-calls": "The cheapest call, many times on one connection.";
        WithheldAck, "withheld-ack": "The withheld-ACK test.";
        Ids, "ids": "Requests with ids of every kind.";
        CallsBeside, "calls-beside": "Cheap calls while another one is at work, and while the body of one comes slowly.";
        IdsInFlight, "ids-in-flight": "Two requests in flight whose ids differ in their JSON type only.";
        ReusedIds, "reused-ids": "Request ids that are used again after their request has ended.";
        ReusedTokens, "reused-tokens": "A progress token that is used again after its request has ended.";
        UnknownMethod, "unknown-method": "A method that does not exist, and a request behind it.";
        GetStream, "get-stream": "The stream that a GET opens.";
        Resumption, "resumption": "Streams that are dropped and resumed, finished ones that are fetched again, and ids \
            that lead nowhere.";
        LastEventId, "last-event-id": "Requests of 2026-07-28 with and without the header field that used to resume.";
        SessionLifecycle, "session-lifecycle": "Requests with and without the session's id, before and after its end.";
        FailedInitialize, "failed-initialize": "A handshake that fails, and whether it grants a session.";
        Segmentation, "segmentation": "Requests in pieces of every kind, each behind the same request in one piece.";
        MalformedInput, "malformed-input": "Bytes that are no message, each followed by a request.";
        Disconnect, "disconnect": "Calls whose connection is dropped before their answer, and what becomes of their work.";
        BesideTrouble, "beside-trouble": "Marked calls of several callers, while another one makes trouble.";
        Churn, "churn": "Calls, errors, refused requests, dropped connections, sessions opened and deleted, over and \
            over; what the target holds is counted in between.";
        Crowd, "crowd": "Many streams in many sessions, all held at once (`--crowd`).";
        Soak, "soak": "One call thousands of times, and the target's memory in between (`--soak`).";
        Proxied, "proxied": "What a real client asked, through `mcpwire proxy`.";
    }
    Client {
        ClientCalls, "client-calls": "Sequential calls that are answered at once, in every ordinary form.";
        ClientRepeatedCalls, "client-repeated-calls": "The same call many times, with nothing else going on.";
        ClientHeldBack, "client-held-back": "The same against a peer that holds its last segment back.";
        ClientLateEnd, "client-late-end": "Answers whose body ends later than their response, or never.";
        ClientErrors, "client-errors": "JSON-RPC errors, on streams that could be resumed.";
        ClientSseGrammar, "client-sse-grammar": "Event streams in every spelling that the grammar allows.";
        ClientHttp, "client-http": "Answers in every form that HTTP/1.1 and the transport allow.";
        ClientUnwanted, "client-unwanted": "Bodies that a client has no use for.";
        ClientHeaders, "client-headers": "Names and arguments that header fields have to mirror.";
        ClientConcurrent, "client-concurrent": "Calls side by side, answered in another order.";
        ClientServerRequests, "client-server-requests": "Requests of the peer's to the client.";
        ClientCancel, "client-cancel": "A call that its caller gives up.";
        ClientResumption, "client-resumption": "Streams that end or break before their response.";
        ClientTruncated, "client-truncated": "Answers that break off, or cannot be read.";
        ClientRedirect, "client-redirect": "Answers that lead to another session, and to another origin.";
        ClientSessionExpiry, "client-session-expiry": "A session that ends between two calls.";
        ClientEra, "client-era": "What a client of both eras does when its first modern request is refused.";
        ClientProxied, "client-proxied": "What a real server answered, through `mcpwire proxy`.";
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
