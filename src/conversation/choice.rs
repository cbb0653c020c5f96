//! Which scenarios come out alike in every run, and why the others do not.

use crate::scenario::Scenario;

impl Scenario {
    /// Why its conversation is no snapshot: what in it depends on time, load or chance, or stands elsewhere already.
    pub fn varies(self) -> Option<&'static str> {
        match self {
            Self::RepeatedCalls | Self::ClientRepeatedCalls => {
                Some("one cheap call over and over, for its times; what it says stands in the sequential calls")
            }
            Self::WithheldAck | Self::ClientHeldBack => {
                Some("an experiment with segments, whose number depends on what it finds")
            }
            Self::CallsBeside => Some("which call is at work beside which depends on the load"),
            Self::BesideTrouble | Self::Disconnect => {
                Some("what others do while somebody makes trouble, and how far it had come, depends on the load")
            }
            Self::Resumption => Some("what a stream had brought when it was dropped depends on the load"),
            Self::Segmentation => Some("one cheap call over and over, in pieces; they are not in the messages"),
            Self::Churn => Some("how many rounds it has depends on time, and what it counts is not in the messages"),
            Self::Crowd | Self::Soak => Some("load, played only where it is asked for"),
            Self::Proxied | Self::ClientProxied => Some("what others did, once"),
            Self::ClientSessionExpiry => Some("which request meets the end of the session first depends on the load"),
            Self::ClientLateEnd => Some("whether a client waits for the end of a stream shows in times"),
            // How often a client asks again, and when it stops, is a matter of its clock.
            Self::ClientResumption => Some("how often a stream is asked for again depends on the client's clock"),
            Self::ClientSseGrammar => {
                Some("what a client makes of an event stream is not in what it sends: every call is the same")
            }
            Self::Survey
            | Self::SequentialCalls
            | Self::Ids
            | Self::IdsInFlight
            | Self::ReusedIds
            | Self::ReusedTokens
            | Self::UnknownMethod
            | Self::GetStream
            | Self::SessionLifecycle
            | Self::FailedInitialize
            | Self::MalformedInput
            | Self::LastEventId
            | Self::ClientCalls
            | Self::ClientErrors
            | Self::ClientHttp
            | Self::ClientUnwanted
            | Self::ClientHeaders
            | Self::ClientConcurrent
            | Self::ClientServerRequests
            | Self::ClientCancel
            | Self::ClientTruncated
            | Self::ClientRedirect
            | Self::ClientEra => None,
        }
    }
}
