//! Calls that are slow though they are alone, and which part of their answers is late.

use std::time::Duration;

use super::events::Leaving;
use super::{Trials, mostly};
use crate::latency::{Class, Sample, samples};
use crate::trace::{Exchange, Span, Trace};

/// Calls that are slow though they are alone, and what experiments on the same target brought.
#[derive(Debug)]
pub struct Calls<'t> {
    /// What a call may take.
    pub limit: Duration,
    /// The calls: each on the connection of the one before, or each on a new one.
    pub samples: Vec<Sample<'t>>,
    /// They need a connection each.
    pub reconnect: bool,
    pub(super) trace: &'t Trace,
    pub(super) trials: Option<Trials<'t>>,
    pub(super) leaving: Leaving,
}

/// A part of an answer whose lateness alone brings calls over the limit: without it they would be in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LatePart {
    /// Its first byte.
    FirstByte,
    /// Its response, behind the first byte.
    Response,
    /// Its end, behind the response.
    End,
}

impl<'t> Calls<'t> {
    /// The repeated calls of a trace: those on a connection that was kept, unless each needed one of its own.
    pub fn repeated(trace: &'t Trace, limit: Duration) -> Self {
        let all: Vec<Sample<'t>> = samples(trace).filter(|sample| sample.class == Class::RepeatedCall).collect();
        let (kept, fresh): (Vec<_>, Vec<_>) = all.into_iter().partition(|sample| sample.exchange.nth > 0);
        let reconnect = fresh.len() > kept.len();
        let samples = if reconnect { fresh } else { kept };
        Self { limit, samples, reconnect, trace, trials: Trials::of(trace), leaving: Leaving::of(trace) }
    }

    /// The calls of a class, where they went over connections that had been used before; the others were slow for
    /// reasons that cannot be told apart.
    pub fn of_class(trace: &'t Trace, class: Class, limit: Duration) -> Self {
        let wanted = |sample: &Sample<'_>| sample.class == class && sample.exchange.nth > 0;
        let samples = samples(trace).filter(wanted).collect();
        Self { limit, samples, reconnect: false, trace, trials: Trials::of(trace), leaving: Leaving::of(trace) }
    }

    /// Those of the trace that were made on a connection that had been there for a while.
    pub(super) fn prepared(&self) -> Vec<Sample<'t>> {
        samples(self.trace).filter(|sample| sample.exchange.label == "prepared-call").collect()
    }

    /// What a caller waits: where a connection is needed, for that too.
    pub fn waited(&self, sample: &Sample<'_>) -> Option<Duration> {
        let connecting = if self.reconnect { sample.phases.connect.unwrap_or_default() } else { Duration::ZERO };
        Some(sample.total()? + connecting)
    }

    /// The part of the answers without whose lateness the calls would be in time; `None` where there is none that
    /// would do, or not the same one in most of them.
    pub fn late_part(&self) -> Option<LatePart> {
        let is_late = |sample: &Sample<'_>, part: LatePart| {
            let (Some(gap), Some(total)) = (gap(sample, part), sample.total()) else { return false };
            // A lower bound of the server's own doing.
            let own = total.saturating_sub(sample.peer_waited.unwrap_or_default());
            own > self.limit && gap > self.limit && total.saturating_sub(gap) <= self.limit
        };
        [LatePart::FirstByte, LatePart::Response, LatePart::End].into_iter().find(|part| {
            let late = self.samples.iter().filter(|sample| is_late(sample, *part)).count();
            mostly(late, self.samples.len())
        })
    }

    /// How many of the calls are answered by one JSON text, from which nothing could leave early.
    pub(super) fn in_one_text(&self) -> usize {
        self.samples.iter().filter(|sample| !sample.exchange.is_streamed()).count()
    }

    /// The median lateness of a part.
    pub(super) fn lateness(&self, part: LatePart) -> Span {
        Span(crate::latency::median(self.samples.iter().filter_map(|sample| gap(sample, part))).unwrap_or_default())
    }

    /// Where no rule holds.
    pub(super) fn what_is_late(&self) -> String {
        match self.late_part() {
            None if self.samples.is_empty() => {
                "each was the first call on its connection, so that it may be the connection that takes long".to_owned()
            }
            None => "no single part of the answers is late in most calls".to_owned(),
            Some(LatePart::FirstByte) => "the first byte is late; whether the server thinks or does not flush would \
                show in a call that reports progress (`--tool progress=NAME`)"
                .to_owned(),
            Some(LatePart::Response) => "the response is late behind the first byte".to_owned(),
            Some(LatePart::End) => "the end of the answer is late behind the response".to_owned(),
        }
    }
}

/// How much later a part came than what is before it.
fn gap(sample: &Sample<'_>, part: LatePart) -> Option<Duration> {
    let phases = &sample.phases;
    match part {
        LatePart::FirstByte => phases.first_byte,
        LatePart::Response => Some(phases.response?.saturating_sub(phases.first_byte?)),
        LatePart::End => Some(phases.end?.saturating_sub(phases.response?)),
    }
}

/// Whether an event came with an earlier read than the response.
pub(super) fn an_event_came_first(exchange: &Exchange) -> bool {
    let first = exchange.answer.as_ref().and_then(|answer| answer.stream.as_ref()?.events.first());
    match (first, exchange.response()) {
        (Some((_, first)), Some(response)) => first.seq < response.moment.seq,
        _ => false,
    }
}
