//! Messages out of event streams, and where to resume one.

use std::time::Duration;

use crate::codec::sse::{Event, SseEvent, SseFaultKind, SseParser};
use crate::trace::Message;

use super::Fault;
use super::failure::Failure;
use super::quirks;

/// How long a client waits before it resumes a stream whose server did not say.
const RETRY: Duration = Duration::from_secs(1);

/// Where a stream stands, over all the bodies that it takes.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    last_event_id: String,
    retry: Option<u64>,
}

/// The events of one body.
pub(super) struct EventStream<'c> {
    fault: Option<Fault>,
    cursor: &'c mut Cursor,
    parser: SseParser,
    count: usize,
}

impl Cursor {
    /// The id of the last event, if there is something to resume.
    pub(super) fn last_event_id(&self) -> Option<&str> {
        Some(self.last_event_id.as_str()).filter(|id| !id.is_empty())
    }

    /// How long to wait before the stream is resumed.
    pub(super) fn retry(&self) -> Duration {
        self.retry.map_or(RETRY, Duration::from_millis)
    }
}

impl<'c> EventStream<'c> {
    pub(super) fn new(cursor: &'c mut Cursor, fault: Option<Fault>) -> Self {
        let mut parser = SseParser::new();
        parser.push(quirks::prelude(fault), &mut Vec::new());
        EventStream { fault, cursor, parser, count: 0 }
    }

    /// Reads the next bytes. Messages before an error are not lost.
    pub(super) fn push(&mut self, bytes: &[u8], messages: &mut Vec<Message>) -> Result<(), Failure> {
        let mut events = Vec::new();
        self.parser.push(&quirks::misread(bytes, self.fault), &mut events);
        events.into_iter().try_for_each(|event| self.read(event, messages))
    }

    /// The body is over. An event that is not complete is none (WHATWG HTML, section 9.2.6).
    pub(super) fn finish(&mut self, messages: &mut Vec<Message>) -> Result<(), Failure> {
        self.push(quirks::postlude(self.fault), messages)
    }

    fn read(&mut self, event: SseEvent, messages: &mut Vec<Message>) -> Result<(), Failure> {
        match event {
            SseEvent::Dispatch(event) => {
                self.advance(&event);
                self.dispatch(&event, messages)
            }
            SseEvent::NoData(event) => {
                self.advance(&event);
                Ok(())
            }
            SseEvent::Comment(_) => self.object(Fault::CommentsAreErrors, "a comment"),
            SseEvent::Fault(fault) => match fault.kind {
                SseFaultKind::UnknownField(_) => self.object(Fault::UnknownFieldEndsStream, "an unknown field"),
                SseFaultKind::RetryNotDigits => self.object(Fault::RetryWithSign, "a bad retry"),
                SseFaultKind::EventTooLarge => Err(Failure::Unreadable("too large an event")),
                _ => Ok(()),
            },
        }
    }

    fn advance(&mut self, event: &Event) {
        if let Some(id) = &event.id {
            self.cursor.last_event_id.clone_from(id);
        }
        self.cursor.retry = event.retry.or(self.cursor.retry);
    }

    fn dispatch(&mut self, event: &Event, messages: &mut Vec<Message>) -> Result<(), Failure> {
        self.count += 1;
        if self.count > 100 {
            self.object(Fault::HundredEventsLimit, "too many events")?;
        }
        if event.data_size > 1024 * 1024 {
            self.object(Fault::OneMebibyteLimit, "too large an event")?;
        }
        if event.is_blank() {
            return self.object(Fault::EmptyDataIsAnError, "an event without data");
        }
        if !event.is_message() && !self.has(Fault::AnyEventTypeIsAMessage) {
            return Ok(());
        }
        let data = match event.data.rsplit_once('\n') {
            Some((_, last)) if self.has(Fault::LastDataLineOnly) => last,
            _ => event.data.as_str(),
        };
        // What is no message is for somebody else, or a defect of the server's that need not be ours.
        messages.extend(Message::read_all(data.as_bytes()).unwrap_or_default());
        Ok(())
    }

    /// Gives the stream up, if that is the fault.
    fn object(&self, fault: Fault, over: &'static str) -> Result<(), Failure> {
        if self.has(fault) { Err(Failure::Unreadable(over)) } else { Ok(()) }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }
}
