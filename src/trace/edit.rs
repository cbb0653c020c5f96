//! Damage to a good trace: how a check is shown that it can fail.
//!
//! An edit works on the recorded events, in terms of the exchanges that they decode to, so that a mutant reads
//! like a sentence about the conversation.

use std::time::Duration;

use super::decode::{Exchange, PeerEnd};
use super::event::{Bytes, Conduct, ConnectionId, Event, Part, What};
use super::time::Nanos;
use super::{Ending, Trace};
use crate::scenario::Scenario;

/// A way to damage a good trace of a scenario.
#[derive(Debug)]
pub struct Mutant {
    /// Its name.
    pub name: &'static str,
    /// The scenario whose trace it damages.
    pub scenario: Scenario,
    /// The damage.
    pub damage: fn(&mut Edit),
}

/// A way to damage a good trace of a scenario.
pub const fn mutant(name: &'static str, scenario: Scenario, damage: fn(&mut Edit)) -> Mutant {
    Mutant { name, scenario, damage }
}

/// A trace under edit.
#[derive(Debug)]
pub struct Edit {
    trace: Trace,
    /// Whether anything was changed: a mutant that finds nothing to damage is no mutant of this trace.
    changed: bool,
}

/// An exchange under edit.
#[derive(Debug)]
pub struct ExchangeEdit<'a> {
    edit: &'a mut Edit,
    key: Option<(ConnectionId, usize)>,
}

impl Mutant {
    /// The damaged trace, or `None` where this trace offers nothing to damage.
    pub fn apply(&self, trace: &Trace) -> Option<Trace> {
        let mut edit = Edit { trace: trace.clone(), changed: false };
        (self.damage)(&mut edit);
        edit.changed.then_some(edit.trace)
    }
}

impl Edit {
    /// The trace as it is now.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// The last exchange that is so.
    pub fn last(&mut self, wanted: impl Fn(&Exchange) -> bool) -> ExchangeEdit<'_> {
        let key = self.trace.exchanges().filter(|exchange| wanted(exchange)).last().map(|e| (e.conn, e.nth));
        ExchangeEdit { edit: self, key }
    }

    /// The first exchange that is so.
    pub fn first(&mut self, wanted: impl Fn(&Exchange) -> bool) -> ExchangeEdit<'_> {
        let key = self.trace.exchanges().find(|exchange| wanted(exchange)).map(|e| (e.conn, e.nth));
        ExchangeEdit { edit: self, key }
    }

    /// The exchange that plays this part in the control pair of this name.
    pub fn part(&mut self, label: &str, part: Part) -> ExchangeEdit<'_> {
        self.last(|exchange| exchange.label == label && exchange.part == part)
    }

    /// Every exchange that is so, from the last to the first: damage to one leaves the places of the others alone.
    pub fn each(&mut self, wanted: impl Fn(&Exchange) -> bool, damage: impl Fn(ExchangeEdit<'_>)) {
        let keys: Vec<_> = self.trace.exchanges().filter(|e| wanted(e)).map(|e| (e.conn, e.nth)).collect();
        for key in keys.into_iter().rev() {
            damage(ExchangeEdit { edit: self, key: Some(key) });
        }
    }

    /// One more request at the end, on a connection of its own, and its answer.
    pub fn ask(&mut self, label: &str, request: &[u8], answer: &[u8]) {
        let conn = self.next_connection();
        let at = self.trace.events.iter().map(|event| event.at).max().unwrap_or_default();
        let mut events = self.trace.events.clone();
        let happened = [
            What::Connected { conn, began: at, local: String::new(), peer: String::new() },
            What::Asked { conn, label: label.to_owned(), part: Part::Plain, ours: Conduct::Conforming },
            What::Wrote { conn, began: at, bytes: Bytes(request.to_vec()) },
            What::Read { conn, kernel: None, segments: None, bytes: Bytes(answer.to_vec()), dropped: 0 },
        ];
        events.extend(happened.map(|what| Event { seq: 0, at, what }));
        self.replace(events);
    }

    /// Changes events one by one; `change` says whether it did.
    pub fn events(&mut self, change: impl Fn(&mut Event) -> bool) {
        let mut events = self.trace.events.clone();
        let mut changed = false;
        for event in &mut events {
            changed |= change(event);
        }
        if changed {
            self.replace(events);
        }
    }

    /// Everything on from this event comes later by that much.
    pub fn postpone_from(&mut self, seq: u32, by: Duration) {
        let mut events = self.trace.events.clone();
        for event in events.iter_mut().filter(|event| event.seq >= seq) {
            postpone(event, by);
        }
        self.replace(events);
    }

    /// Replaces the events; they are numbered afresh.
    pub fn replace(&mut self, mut events: Vec<Event>) {
        for (seq, event) in events.iter_mut().enumerate() {
            event.seq = seq as u32;
        }
        self.trace = Trace::new(self.trace.head.clone(), events);
        self.changed = true;
    }

    /// A number that no connection of the trace has.
    pub(super) fn next_connection(&self) -> ConnectionId {
        self.trace.events.iter().filter_map(|event| event.what.conn()).map(|conn| conn + 1).max().unwrap_or_default()
    }

    pub(super) fn exchange(&self, (conn, nth): (ConnectionId, usize)) -> &Exchange {
        &self.trace.on_connection(conn)[nth]
    }

    /// Replaces a range of the bytes received on a connection. What is put in comes with the read in which the
    /// range begins.
    pub(super) fn splice(&mut self, conn: ConnectionId, range: std::ops::Range<u64>, replacement: &[u8]) {
        self.splice_where(range, replacement, |what| match what {
            What::Read { conn: on, bytes, .. } if *on == conn => Some(&mut bytes.0),
            _ => None,
        });
    }

    /// The same for the bytes that this picks.
    pub(super) fn splice_where(
        &mut self,
        range: std::ops::Range<u64>,
        replacement: &[u8],
        pick: impl Fn(&mut What) -> Option<&mut Vec<u8>>,
    ) {
        let mut replacement = Some(replacement);
        let mut offset = 0;
        let mut events = self.trace.events.clone();
        for event in &mut events {
            let Some(bytes) = pick(&mut event.what) else { continue };
            let (start, end) = (offset, offset + bytes.len() as u64);
            offset = end;
            if end < range.start || start > range.end || (end == range.start && start < end && range.start != range.end)
            {
                continue;
            }
            let keep_before = range.start.saturating_sub(start).min(end - start) as usize;
            let keep_after = (end - range.end.clamp(start, end)) as usize;
            let mut now = bytes[..keep_before].to_vec();
            if let Some(new) = replacement.take() {
                now.extend_from_slice(new);
            }
            now.extend_from_slice(&bytes[bytes.len() - keep_after..]);
            *bytes = now;
        }
        let is_nothing = |what: &What| match what {
            What::Read { bytes, .. } | What::Wrote { bytes, .. } => bytes.0.is_empty(),
            _ => false,
        };
        events.retain(|event| !is_nothing(&event.what));
        self.replace(events);
    }
}

impl ExchangeEdit<'_> {
    pub(super) fn with(self, damage: impl FnOnce(&mut Edit, (ConnectionId, usize))) -> Self {
        if let Some(key) = self.key {
            damage(self.edit, key);
        }
        self
    }

    /// Replaces the whole answer.
    pub fn answer_with(self, answer: &[u8]) -> Self {
        self.with(|edit, key| {
            let Some(wire) = edit.exchange(key).wire.clone() else { return };
            edit.splice(key.0, wire, answer);
        })
    }

    /// Rewrites the answer's head, from the status line to the empty line.
    pub fn head(self, rewrite: impl Fn(String) -> String) -> Self {
        self.with(|edit, key| {
            let Some(answer) = &edit.exchange(key).answer else { return };
            let span = answer.head.span.clone();
            let head = rewrite(edit.received(key.0, span.clone()));
            edit.splice(key.0, span, head.as_bytes());
        })
    }

    /// Gives the answer this status code and reason.
    pub fn status(self, status: &str) -> Self {
        self.head(|head| {
            let fields = head.split_once("\r\n").map_or("", |(_, fields)| fields);
            format!("HTTP/1.1 {status}\r\n{fields}")
        })
    }

    /// Gives the answer this header field, in the place of any of that name.
    pub fn field(self, name: &str, value: &str) -> Self {
        self.without_field(name).head(|head| {
            let rest = head.strip_suffix("\r\n").unwrap_or(&head);
            format!("{rest}{name}: {value}\r\n\r\n")
        })
    }

    /// Takes the header fields of this name from the answer.
    pub fn without_field(self, name: &str) -> Self {
        self.head(|head| {
            let named = |line: &str| line.split_once(':').is_some_and(|(field, _)| field.eq_ignore_ascii_case(name));
            head.split_inclusive("\r\n").filter(|line| !named(line)).collect()
        })
    }

    /// Rewrites the answer's content; the framing is made to fit.
    pub fn body(self, rewrite: impl Fn(String) -> String) -> Self {
        self.bytes(|body| rewrite(String::from_utf8_lossy(&body).into_owned()).into_bytes())
    }

    /// Rewrites the answer's content as bytes; the framing is made to fit.
    pub fn bytes(self, rewrite: impl Fn(Vec<u8>) -> Vec<u8>) -> Self {
        self.framed(|body| {
            let body = rewrite(body);
            (format!("Content-Length: {}", body.len()), body)
        })
    }

    /// Rewrites the answer's content to what stands on the wire, and to the field that says where that ends.
    pub fn framed(self, rewrite: impl Fn(Vec<u8>) -> (String, Vec<u8>)) -> Self {
        self.with(|edit, key| {
            let exchange = edit.exchange(key);
            let (Some(answer), Some(wire)) = (&exchange.answer, edit.whole_answer(key)) else { return };
            let head = edit.received(key.0, answer.head.span.clone());
            let (framing, body) = rewrite(answer.body.clone());
            let of_framing = |line: &&str| {
                let name = line.to_ascii_lowercase();
                !name.starts_with("content-length:") && !name.starts_with("transfer-encoding:")
            };
            let lines: Vec<&str> = head.trim_end().split("\r\n").filter(of_framing).collect();
            let mut bytes = format!("{}\r\n{framing}\r\n\r\n", lines.join("\r\n")).into_bytes();
            bytes.extend_from_slice(&body);
            edit.splice(key.0, wire, &bytes);
        })
    }

    /// The answer's last bytes never come, and nothing happens on the connection from then on: the terminator of
    /// a chunked body, or the last byte of another.
    pub fn drop_end(self) -> Self {
        self.with(|edit, key| {
            let exchange = edit.exchange(key);
            let (Some(wire), Some(answer)) = (exchange.wire.clone(), &exchange.answer) else { return };
            // Behind the data of the last chunk stands its CRLF; a body with a length has nothing behind it.
            let from = match answer.pieces.last() {
                Some(last) if last.wire.end < wire.end => last.wire.end + 2,
                _ => wire.end.saturating_sub(1),
            };
            edit.splice(key.0, from..wire.end, b"");
            edit.silence_after(key);
        })
    }

    /// Nothing happens on the connection behind this answer.
    pub fn and_silence(self) -> Self {
        self.with(Edit::silence_after)
    }

    /// No answer comes, and nothing happens on the connection from then on.
    pub fn drop_answer(self) -> Self {
        self.with(|edit, key| {
            let Some(wire) = edit.whole_answer(key) else { return };
            edit.splice(key.0, wire, b"");
            edit.silence_after(key);
        })
    }

    /// We looked for that long after the last thing that happened on the connection, and nothing had come.
    pub fn watched_for(self, patience: Duration) -> Self {
        self.with(|edit, (conn, _)| edit.append(conn, patience, What::Watched { conn }))
    }

    /// The peer ends the connection right after the answer so far.
    pub fn then_ends(self, how: PeerEnd) -> Self {
        self.with(|edit, key| {
            edit.silence_after(key);
            let conn = key.0;
            edit.append(conn, Duration::from_micros(50), how.on(conn));
        })
    }

    /// The peer ends the connection right after the answer, and whatever was asked there later is asked, and
    /// answered alike, on a connection of its own. Where nothing was, nothing changes.
    pub fn then_ends_and_we_reconnect(self, how: PeerEnd) -> Self {
        self.with(|edit, (conn, nth)| {
            let next = edit.trace.on_connection(conn).get(nth + 1).map(|exchange| exchange.asked.seq);
            let (Ending::Complete(end), Some(next)) = (edit.exchange((conn, nth)).ending, next) else { return };
            let fresh = edit.next_connection();
            let mut events = Vec::new();
            for mut event in edit.trace.events.clone() {
                if event.seq == next {
                    let opened =
                        What::Connected { conn: fresh, began: event.at, local: String::new(), peer: String::new() };
                    let between = [What::Closed { conn, abruptly: false }, opened];
                    events.extend(between.map(|what| Event { seq: 0, at: event.at, what }));
                }
                if event.seq >= next && event.what.conn() == Some(conn) {
                    event.what.move_to(fresh);
                }
                let is_the_end = event.seq == end.seq;
                events.push(event);
                if is_the_end {
                    events.push(Event { seq: 0, at: end.at + Duration::from_micros(50), what: how.on(conn) });
                }
            }
            edit.replace(events);
        })
    }

    /// More bytes come right after the answer.
    pub fn then_sends(self, bytes: &[u8]) -> Self {
        self.with(|edit, key| {
            let Some(wire) = edit.exchange(key).wire.clone() else { return };
            edit.splice(key.0, wire.end..wire.end, bytes);
        })
    }

    /// Everything on from the answer's first byte comes later by that much, on every connection.
    pub fn delay_answer(self, by: Duration) -> Self {
        self.with(|edit, key| {
            let Some(first) = edit.exchange(key).first_byte else { return };
            let mut events = edit.trace.events.clone();
            for event in events.iter_mut().filter(|event| event.seq >= first.seq) {
                postpone(event, by);
            }
            edit.replace(events);
        })
    }

    /// The answer comes later by that much, and nothing else does.
    pub fn delay_answer_alone(self, by: Duration) -> Self {
        self.with(|edit, (conn, nth)| {
            let (Some(first), Ending::Complete(end)) =
                (edit.exchange((conn, nth)).first_byte, edit.exchange((conn, nth)).ending)
            else {
                return;
            };
            edit.events(|event| {
                let is_of_it = event.what.conn() == Some(conn) && (first.seq..=end.seq).contains(&event.seq);
                if is_of_it {
                    postpone(event, by);
                }
                is_of_it
            });
        })
    }

    /// The last bytes of the answer, so many, come later by that much, and with them everything behind.
    pub fn delay_last_bytes(self, count: u64, by: Duration) -> Self {
        self.with(|edit, (conn, nth)| {
            let Some(wire) = edit.exchange((conn, nth)).wire.clone() else { return };
            let cut = wire.end - count;
            let (mut offset, mut is_late) = (0, false);
            let mut events = Vec::new();
            for mut event in edit.trace.events.clone() {
                let mut rest = None;
                if let What::Read { conn: on, bytes, kernel, .. } = &mut event.what
                    && *on == conn
                    && !is_late
                {
                    let end = offset + bytes.0.len() as u64;
                    if end > cut {
                        let later = Bytes(bytes.0.split_off((cut - offset) as usize));
                        let what = What::Read { conn, kernel: *kernel, segments: None, bytes: later, dropped: 0 };
                        rest = Some(Event { seq: 0, at: event.at, what });
                    }
                    offset = end;
                }
                if is_late {
                    postpone(&mut event, by);
                }
                let is_empty = matches!(&event.what, What::Read { bytes, dropped: 0, .. } if bytes.0.is_empty());
                if !is_empty {
                    events.push(event);
                }
                if let Some(mut rest) = rest {
                    is_late = true;
                    postpone(&mut rest, by);
                    events.push(rest);
                }
            }
            edit.replace(events);
        })
    }

    /// All but the first bytes of the answer come upon the release of our acknowledgement.
    pub fn hold_back_until_acknowledged(self) -> Self {
        self.with(|edit, key| {
            let (Some(first), Some(wire)) = (edit.exchange(key).first_byte, edit.exchange(key).wire.clone()) else {
                return;
            };
            let conn = key.0;
            let released = edit.exchange(key).releases.iter().map(|release| release.moment.seq).collect::<Vec<_>>();
            let mut events = Vec::new();
            for mut event in edit.trace.events.clone() {
                if released.contains(&event.seq) {
                    continue;
                }
                let mut rest = None;
                if event.seq == first.seq
                    && let What::Read { bytes, kernel, .. } = &mut event.what
                {
                    let later = Bytes(bytes.0.split_off(bytes.0.len() / 2));
                    let what = What::Read { conn, kernel: *kernel, segments: None, bytes: later, dropped: 0 };
                    rest = Some(Event { seq: 0, at: event.at, what });
                }
                let at = event.at;
                events.push(event);
                if let Some(rest) = rest {
                    let queued_after = (wire.end - wire.start) as u32;
                    let what = What::AckReleased {
                        conn,
                        waited: Nanos(0),
                        queued_before: 0,
                        queued_after,
                        acked_before: false,
                    };
                    events.push(Event { seq: 0, at, what });
                    events.push(rest);
                }
            }
            edit.replace(events);
        })
    }
}

impl Edit {
    pub(super) fn received(&self, conn: ConnectionId, span: std::ops::Range<u64>) -> String {
        let all: Vec<u8> = self
            .trace
            .events
            .iter()
            .filter_map(|event| match &event.what {
                What::Read { conn: on, bytes, .. } if *on == conn => Some(bytes.0.as_slice()),
                _ => None,
            })
            .flatten()
            .copied()
            .collect();
        String::from_utf8_lossy(&all[span.start as usize..span.end as usize]).into_owned()
    }

    /// Which bytes are the answer's: of one that is not complete, all that came, for behind the last data stands the
    /// end of its chunk.
    fn whole_answer(&self, key: (ConnectionId, usize)) -> Option<std::ops::Range<u64>> {
        let exchange = self.exchange(key);
        let wire = exchange.wire.clone()?;
        let end = if exchange.is_complete() { wire.end } else { self.received_in_all(key.0) };
        Some(wire.start..end)
    }

    fn received_in_all(&self, conn: ConnectionId) -> u64 {
        let read = |event: &Event| match &event.what {
            What::Read { conn: on, bytes, .. } if *on == conn => bytes.0.len() as u64,
            _ => 0,
        };
        self.trace.events.iter().map(read).sum()
    }

    /// Removes whatever happened on the connection after the exchange: later requests, their answers, its end.
    fn silence_after(&mut self, (conn, nth): (ConnectionId, usize)) {
        let exchanges = self.trace.on_connection(conn);
        let last_of_ours = match exchanges[nth].ending {
            Ending::Complete(moment) | Ending::NotKept(moment) => Some(moment.seq),
            _ => None,
        };
        let next = exchanges.get(nth + 1).map(|exchange| exchange.asked.seq);
        let mut events = self.trace.events.clone();
        events.retain(|event| {
            let later = next.is_some_and(|next| event.seq >= next) || last_of_ours.is_some_and(|last| event.seq > last);
            let ending = matches!(
                event.what,
                What::Fin { .. } | What::Reset { .. } | What::Closed { .. } | What::Watched { .. } | What::State { .. }
            );
            event.what.conn() != Some(conn) || !(later || ending)
        });
        self.replace(events);
    }

    fn append(&mut self, conn: ConnectionId, after: Duration, what: What) {
        let mut events = self.trace.events.clone();
        let last = events.iter().filter(|event| event.what.conn() == Some(conn)).map(|event| event.at).max();
        let at = last.unwrap_or(Nanos(0)) + after;
        events.push(Event { seq: 0, at, what });
        self.replace(events);
    }
}

impl PeerEnd {
    pub(super) fn on(self, conn: ConnectionId) -> What {
        match self {
            Self::Fin => What::Fin { conn },
            Self::Reset => What::Reset { conn },
        }
    }
}

impl What {
    /// Makes it happen on another connection.
    pub(super) fn move_to(&mut self, other: ConnectionId) {
        match self {
            Self::Connected { conn, .. }
            | Self::Accepted { conn, .. }
            | Self::Answering { conn, .. }
            | Self::Finished { conn }
            | Self::OptionSet { conn, .. }
            | Self::Asked { conn, .. }
            | Self::Wrote { conn, .. }
            | Self::WriteFailed { conn, .. }
            | Self::Read { conn, .. }
            | Self::Watched { conn }
            | Self::Fin { conn }
            | Self::Reset { conn }
            | Self::Closed { conn, .. }
            | Self::FaultApplied { conn, .. }
            | Self::State { conn, .. }
            | Self::AckReleased { conn, .. } => *conn = other,
            Self::ConnectFailed { .. }
            | Self::PeerWaited { .. }
            | Self::PeerHeld { .. }
            | Self::PeerMemory { .. }
            | Self::Abridged { .. }
            | Self::ClientStarted
            | Self::Told { .. }
            | Self::ClientEnded { .. }
            | Self::Said { .. }
            | Self::Learned { .. }
            | Self::Stopped { .. } => {}
        }
    }
}

pub(super) fn postpone(event: &mut Event, by: Duration) {
    event.at = event.at + by;
    match &mut event.what {
        What::Read { kernel: Some(kernel), .. } => *kernel = *kernel + by,
        What::Wrote { began, .. } | What::Connected { began, .. } => *began = *began + by,
        _ => {}
    }
}
