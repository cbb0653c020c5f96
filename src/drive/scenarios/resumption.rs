//! Streams that are dropped and resumed with `Last-Event-ID`, and finished ones that are fetched again.
//!
//! One stream is read to its end and tells what the others will hold. Two more are read side by side until they have
//! an id, and dropped, one in order and one by a reset; each is resumed from its own cursor, and one a second time
//! from the same. The finished one is fetched from several places. Then come ids that lead nowhere: one that was never
//! given, and one of another session.
//!
//! What a target does not offer ends the scenario early: whatever waits has a bound, and no more than 40 requests are
//! made.

use std::time::{Duration, Instant};

use crate::drive::ask::{Ask, Call};
use crate::drive::session::Session;
use crate::drive::stage::{Patience, Stage, Stop, Until};
use crate::target::ToolRole;
use crate::trace::{Ending, Exchange, Part};
use crate::wire::connection::Connection;

/// The field that resumes a stream.
const LAST_EVENT_ID: &str = "Last-Event-ID";

/// An id that nobody gives.
const NEVER_GIVEN: &str = "mcpwire-never-given";

/// How often a stream is asked for again that its server ends before the response, and how long it may make us wait
/// for that, once and in all.
const POLLS: u32 = 3;
const LONGEST_RETRY: Duration = Duration::from_secs(3);
const RETRY: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(20);

/// What a stream takes once, it may take this many times over when it is resumed; and no less than that.
const TIMES: u32 = 10;
const AT_LEAST: Duration = Duration::from_millis(500);

/// How long it may take until a target knows that a connection has gone.
const NEWS: Duration = Duration::from_millis(50);

/// How long the replay of what has long been sent is waited for.
const REPLAY: Duration = Duration::from_secs(2);

/// How long a stream is read that should bring nothing, and how long the end of one is waited for where that is not
/// the question.
const A_LOOK: Duration = Duration::from_millis(30);

/// A stream that was read as far as it came.
#[derive(Debug, Default)]
struct Seen {
    first: Option<String>,
    middle: Option<String>,
    last: Option<String>,
    retry: Option<Duration>,
    responded: bool,
    streamed: bool,
    /// The stream was refused, since somebody has it still.
    conflicts: bool,
    /// It has not ended, and neither has our side.
    open: bool,
}

impl Seen {
    fn of(connection: &Connection) -> Self {
        let Some(exchange) = connection.exchanges().last() else { return Self::default() };
        let ids: Vec<String> = exchange.event_ids().map(str::to_owned).collect();
        let stream = exchange.answer.as_ref().and_then(|answer| answer.stream.as_ref());
        Self {
            first: ids.first().cloned(),
            middle: ids.get(ids.len() / 2).cloned(),
            last: exchange.last_event_id().map(str::to_owned),
            retry: stream.and_then(|stream| stream.retry()).map(Duration::from_millis),
            responded: exchange.response().is_some(),
            streamed: stream.is_some() && exchange.succeeded(),
            conflicts: exchange.status() == Some(409),
            open: matches!(exchange.ending, Ending::Open { .. }),
        }
    }
}

/// The resumptions of one session.
struct Play<'s> {
    stage: &'s Stage,
    session: Session<'s>,
    until: Instant,
    /// How long a response is waited for.
    patience: Duration,
    /// How long the end of a stream is waited for after its response.
    grace: Duration,
}

pub fn play(stage: &Stage) -> Result<(), Stop> {
    let call = [ToolRole::Progress, ToolRole::Slow].into_iter().find_map(|role| stage.tool(role));
    let call = call.or_else(|| stage.facts.harmless_tool.clone()).or_else(|| stage.facts.cheapest.clone());
    let Some(call) = call else {
        return Err(Stop::Lacks("the target answers neither ping nor tools/list".to_owned()));
    };
    let patience = REPLAY.min(stage.options.timeout);
    let (until, grace) = (Instant::now() + LONGEST, stage.options.stream_end_grace);
    let mut play = Play { stage, session: Session::open(stage)?, until, patience, grace };
    let played = play.all(&call);
    play.session.close();
    played
}

impl Play<'_> {
    fn all(&mut self, call: &Call) -> Result<(), Stop> {
        let Some(whole) = self.whole(call)? else { return Ok(()) };
        let replays = self.dropped(call)?;
        let fetched = self.finished(&whole, replays)?;
        if replays || fetched {
            self.leads_nowhere(&whole)?;
            self.listening(call)?;
        }
        Ok(())
    }

    /// A stream that is read to its end: what it holds is what the others will hold. `None` where it has no ids.
    fn whole(&mut self, call: &Call) -> Result<Option<Seen>, Stop> {
        let ask = self.request(call, "whole");
        let began = Instant::now();
        let mut connection = self.session.take_connection()?;
        self.stage.ask(&mut connection, &ask);
        self.session.settle(&mut connection, Patience::Brief)?;
        let mut seen = Seen::of(&connection);
        self.session.keep(connection, &ask)?;
        let took = began.elapsed();
        self.patience = (took * TIMES).max(AT_LEAST).min(self.stage.options.timeout);
        if seen.first.is_none() {
            self.stage.learned("event-ids", "none");
            return Ok(None);
        }
        if let Some(rest) = self.polled("whole", &seen)? {
            // The whole stream is what both connections brought.
            seen.responded = rest.responded;
            seen.middle = rest.first.or(seen.middle);
            seen.last = rest.last.or(seen.last);
        }
        Ok(seen.responded.then_some(seen))
    }

    /// Two streams side by side, dropped and resumed. Says whether anything was replayed.
    fn dropped(&mut self, call: &Call) -> Result<bool, Stop> {
        let (mut one, mut other) = (self.stage.connect()?, self.stage.connect()?);
        let (ask_one, ask_other) = (self.request(call, "one"), self.request(call, "other"));
        let asked = Instant::now();
        self.stage.ask(&mut one, &ask_one);
        self.stage.ask(&mut other, &ask_other);
        let due = Until::EndWithin(self.patience);
        self.stage.settle_unless(&mut one, due, asked, |exchange| exchange.last_event_id().is_some())?;
        self.stage.settle_unless(&mut other, due, asked, |exchange| {
            exchange.last_event_id().is_some() && !exchange.messages().is_empty()
        })?;
        let (seen, seen_other) = (Seen::of(&one), Seen::of(&other));
        one.close();
        other.reset();

        // Where all had come before we dropped it, the first id is one with something behind it.
        let cursor = |seen: &Seen| if seen.responded { seen.first.clone() } else { seen.last.clone() };
        let (Some(from), Some(from_other)) = (cursor(&seen), cursor(&seen_other)) else { return Ok(false) };
        if !seen.open {
            self.pause(&seen)?;
        }
        let (mut one, mut other) = (self.stage.connect()?, self.stage.connect()?);
        self.stage.ask(&mut one, &self.get("rest-of-one", &from));
        self.stage.ask(&mut other, &self.get("rest-of-other", &from_other));
        let mut rest = self.read(&mut one, self.patience)?;
        let mut rest_of_other = self.read(&mut other, self.patience)?;
        one.close();
        other.close();
        for (rest, label, from) in
            [(&mut rest, "rest-of-one", &from), (&mut rest_of_other, "rest-of-other", &from_other)]
        {
            if rest.conflicts {
                // We were faster than the news that we had gone.
                self.stage.pause(NEWS)?;
                *rest = self.fetch(label, from)?;
            }
        }
        let mut replays = rest.responded || rest_of_other.responded;
        for (name, rest) in [("one", rest), ("other", rest_of_other)] {
            if let Some(polled) = self.polled(name, &rest)? {
                replays |= polled.responded;
            }
        }
        if replays {
            self.fetch("one-again", &from)?;
        }
        Ok(replays)
    }

    /// A finished stream from its first id, twice, from one in the middle, and from its last. Says whether anything
    /// was replayed.
    fn finished(&mut self, whole: &Seen, replays: bool) -> Result<bool, Stop> {
        let Some(first) = &whole.first else { return Ok(false) };
        // A stream that goes on may end where one that is only replayed does not.
        self.grace = self.stage.options.stream_end_grace;
        let has_rest = whole.last.as_ref() != Some(first);
        if !has_rest {
            // There is only the response: nothing can come, whatever is kept.
            self.fetch("whole-from-last", first)?;
            return Ok(false);
        }
        self.patience = self.patience.max(REPLAY).min(self.stage.options.timeout);
        let seen = self.fetch("whole-from-first", first)?;
        if !seen.responded {
            return Ok(false);
        }
        if !replays {
            self.stage.learned("replays", "finished streams only");
        }
        self.fetch("whole-from-first", first)?;
        if let Some(middle) = whole.middle.as_ref().filter(|middle| *middle != first) {
            self.fetch("whole-from-middle", middle)?;
        }
        if let Some(last) = &whole.last {
            self.look(&self.get("whole-from-last", last))?;
        }
        Ok(true)
    }

    /// Ids that lead nowhere: one that was never given, and one of another session.
    fn leads_nowhere(&mut self, whole: &Seen) -> Result<(), Stop> {
        self.look(&self.get("never-given", NEVER_GIVEN).part(Part::Probe))?;
        let Some(first) = whole.first.as_ref().filter(|_| self.session.id().is_some()) else { return Ok(()) };
        let elsewhere = Session::open(self.stage)?;
        if elsewhere.id().is_some() {
            let ask = elsewhere.with_session(Ask::get("of-another-session")).field(LAST_EVENT_ID, first);
            self.look(&ask.part(Part::Probe).damaged())?;
        }
        elsewhere.close();
        Ok(())
    }

    /// The stream of the target's own messages, resumed after a call that is none of its business.
    fn listening(&mut self, call: &Call) -> Result<(), Stop> {
        let mut connection = self.stage.connect()?;
        self.stage.ask(&mut connection, &self.session.with_session(Ask::get("listen")));
        let has_id = |exchange: &Exchange| exchange.last_event_id().is_some();
        self.stage.settle_unless(&mut connection, Until::EndWithin(A_LOOK), Instant::now(), has_id)?;
        let seen = Seen::of(&connection);
        connection.close();
        if Instant::now() > self.until {
            return Ok(());
        }
        // Where there is no such stream, this is a call like any other: how streams look that nobody resumes.
        let beside = self.request(call, "beside");
        self.session.send(&beside)?;
        match seen.last {
            Some(cursor) => self.look(&self.get("rest-of-listen", &cursor)),
            None => Ok(()),
        }
    }

    fn request(&self, call: &Call, label: &str) -> Ask {
        let token = format!("mcpwire-stream-{label}");
        self.session.request(label, &call.clone().with_progress(&token), &self.session.next_id())
    }

    /// A GET with `Last-Event-ID`. It does not always name the last event that we have had, as a client should.
    fn get(&self, label: &str, cursor: &str) -> Ask {
        self.session.with_session(Ask::get(label)).field(LAST_EVENT_ID, cursor).damaged()
    }

    /// Asks for the rest of a stream that was ended before its response, as often as it takes. `None` where it was
    /// not, or cannot be.
    fn polled(&mut self, name: &str, seen: &Seen) -> Result<Option<Seen>, Stop> {
        let label = format!("rest-of-{name}");
        let mut polled: Option<Seen> = None;
        for _ in 0..POLLS {
            let now = polled.as_ref().unwrap_or(seen);
            let Some(cursor) = now.last.clone().filter(|_| !now.responded && !now.open && now.streamed) else { break };
            if !self.pause(now)? {
                break;
            }
            let seen = self.fetch(&label, &cursor)?;
            let came_to_nothing = !seen.responded && seen.last.is_none();
            // What the first of several brought is where the middle is.
            let first = polled.and_then(|polled| polled.first).or_else(|| seen.first.clone());
            polled = Some(Seen { first, ..seen });
            if came_to_nothing {
                break;
            }
        }
        Ok(polled)
    }

    /// Waits as long as the target wants before it is asked again; `false` where that is too long for us.
    fn pause(&self, seen: &Seen) -> Result<bool, Stop> {
        let retry = seen.retry.unwrap_or(RETRY);
        if retry > LONGEST_RETRY || Instant::now() + retry > self.until {
            return Ok(false);
        }
        self.stage.pause(retry)?;
        Ok(true)
    }

    /// Asks for what follows an event, and reads it to its end.
    fn fetch(&mut self, label: &str, cursor: &str) -> Result<Seen, Stop> {
        let mut connection = self.stage.connect()?;
        self.stage.ask(&mut connection, &self.get(label, cursor));
        let seen = self.read(&mut connection, self.patience)?;
        connection.close();
        Ok(seen)
    }

    /// Reads a stream until its response, and on until its end, as long as that goes.
    fn read(&mut self, connection: &mut Connection, patience: Duration) -> Result<Seen, Stop> {
        let patience = if Instant::now() < self.until { patience } else { A_LOOK };
        let has_response = |exchange: &Exchange| exchange.response().is_some();
        self.stage.settle_unless(connection, Until::EndWithin(patience), Instant::now(), has_response)?;
        if Seen::of(connection).responded {
            self.stage.settle_unless(connection, Until::EndWithin(self.grace), Instant::now(), |_| false)?;
        }
        let seen = Seen::of(connection);
        if seen.open && seen.responded {
            // Once of each kind is enough to judge, and each costs the whole grace.
            self.grace = self.grace.min(A_LOOK);
        }
        if seen.open && !seen.responded {
            self.patience = self.patience.min(AT_LEAST);
        }
        Ok(seen)
    }

    /// Reads a stream that should bring nothing.
    fn look(&self, ask: &Ask) -> Result<(), Stop> {
        let mut connection = self.stage.connect()?;
        self.stage.ask(&mut connection, ask);
        self.stage.settle(&mut connection, Until::EndWithin(A_LOOK))?;
        connection.close();
        Ok(())
    }
}
