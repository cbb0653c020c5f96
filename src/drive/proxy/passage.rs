//! One connection of the client's and its counterpart.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;
use std::time::{Duration, Instant};

use super::line::{Act, Line};
use super::open;
use crate::target::Endpoint;
use crate::trace::{Conduct, ConnectionId, Exchange, Part};
use crate::wire::connection::{Connection, End, Wait};
use crate::wire::fault::{Applied, Direction, Fault, Plan, is_held, terminator_from};
use crate::wire::interrupt::Interrupt;
use crate::wire::tap::Tap;

/// How long one look at the side that is expected to send lasts, before the other side is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// How long nobody is looked at while something waits for its time.
const GLANCE: Duration = Duration::from_micros(50);

/// So many requests are delivered twice in all, and so long their second answer is waited for.
const MOST_COPIES: u32 = 200;
const COPY_PATIENCE: Duration = Duration::from_secs(2);

/// What all passages of a proxy share.
#[derive(Debug)]
pub struct Way {
    /// The server.
    pub server: Endpoint,
    /// Where the server's side is written down.
    pub towards_server: Tap,
    /// What is done on purpose.
    pub faults: Vec<Fault>,
    /// What the random numbers begin with.
    pub seed: u64,
    /// Set to stop.
    pub interrupt: Interrupt,
    /// The numbers of the connections that have passed something on to the server.
    pub has_passed: Mutex<Vec<ConnectionId>>,
    /// How many requests were delivered a second time.
    pub copies: AtomicU32,
}

/// One connection of the client's and its counterpart.
pub struct Passage<'scope, 'env> {
    way: &'env Way,
    scope: &'scope Scope<'scope, 'env>,
    client: Connection,
    server: Connection,
    to_server: Line,
    to_client: Line,
    /// What the client sent and is not in the line yet: the beginning of a head that is not whole.
    requests: Held,
    /// What the server sent and is not in the line yet: what may be the end of an answer.
    answers: Held,
    /// How many requests, and how many answers, have been begun, and whether the last one is over.
    asked: usize,
    request_is_over: bool,
    answered: usize,
    answer_is_over: bool,
    /// The request under way, where it will be delivered again.
    copy: Option<Vec<u8>>,
    /// Until when the connection waits for a later one; none, where it does not, or does no longer.
    held_by: Option<(Fault, Duration, Option<Instant>)>,
    /// What is to be said of that, once there is a request to say it of.
    held: Option<Applied>,
    stops: Stops,
}

/// Where reading stops, so that the sender's window closes.
struct Stops {
    /// Behind how many bytes, for how long, in which direction.
    to_come: Vec<(Fault, Direction, u64, Duration)>,
    /// Until when nothing is read of what goes in these directions.
    until: [Option<Instant>; 2],
}

/// Bytes that have come and are not in a line yet.
#[derive(Default)]
struct Held {
    bytes: Vec<u8>,
    /// How many bytes went into the line.
    passed_on: u64,
}

impl Held {
    /// What is held up to this byte of the direction.
    fn until(&mut self, end: u64) -> Vec<u8> {
        let count = usize::try_from(end.saturating_sub(self.passed_on)).unwrap_or(usize::MAX).min(self.bytes.len());
        self.passed_on += count as u64;
        self.bytes.drain(..count).collect()
    }
}

/// The connections are to be torn down.
struct TornDown;

impl<'scope, 'env> Passage<'scope, 'env> {
    /// A passage between these two, on which nothing has passed.
    pub fn between(way: &'env Way, scope: &'scope Scope<'scope, 'env>, client: Connection, server: Connection) -> Self {
        let number = client.id();
        let line = |direction| Line::with(Plan::of(&way.faults, way.seed, number, direction));
        let of_connection = |fault: &&Fault| fault.connection.is_none_or(|only| only == number);
        let held_by =
            way.faults.iter().filter(of_connection).find_map(|fault| Some((fault.clone(), fault.reorders()?, None)));
        let mut to_come = Vec::new();
        for fault in way.faults.iter().filter(of_connection) {
            for direction in Direction::ALL {
                if let Some((at, long)) = fault.closes_window().filter(|_| fault.concerns(number, direction)) {
                    to_come.push((fault.clone(), direction, at, long));
                }
            }
        }
        Self {
            to_server: line(Direction::ToServer),
            to_client: line(Direction::ToClient),
            requests: Held::default(),
            answers: Held::default(),
            asked: 0,
            request_is_over: true,
            answered: 0,
            answer_is_over: true,
            copy: way.faults.iter().any(|fault| fault.duplicates(number)).then(Vec::new),
            held_by: held_by.filter(|_| is_held(way.seed, number)),
            held: None,
            stops: Stops { to_come, until: [None; 2] },
            way,
            scope,
            client,
            server,
        }
    }

    /// Passes on what comes, until both have ended, one of them or a fault tears it down, or it is over.
    pub fn run(mut self, is_over: impl Fn() -> bool) {
        while !is_over() {
            let is_busy = self.server.exchanges().last().is_some_and(|exchange| !exchange.is_complete());
            // Whoever is expected to send is waited for; the other one may send all the same.
            let (first, second) = match is_busy {
                true => (Direction::ToClient, Direction::ToServer),
                false => (Direction::ToServer, Direction::ToClient),
            };
            self.hear(first, self.patience());
            self.hear(second, None);
            let torn_down = self.advance().is_err();
            match (self.client.ended(), self.server.ended()) {
                _ if torn_down => {
                    self.server.reset();
                    return self.client.reset();
                }
                (Some(End::Reset), _) => return self.server.reset(),
                (_, Some(End::Reset)) => return self.client.reset(),
                (Some(End::Fin), Some(End::Fin)) if self.to_client.is_empty() && self.to_server.is_empty() => break,
                _ => {}
            }
        }
        self.server.close();
        self.client.close();
    }

    /// How long the one that is expected to send is waited for: not, where something else may be due.
    fn patience(&self) -> Option<Duration> {
        let is_idle = self.to_server.is_empty() && self.to_client.is_empty();
        is_idle.then_some(LOOK)
    }

    /// Takes what comes in this direction, and its end.
    fn hear(&mut self, direction: Direction, patience: Option<Duration>) {
        let sender = match direction {
            Direction::ToClient => &self.server,
            Direction::ToServer => &self.client,
        };
        if sender.ended().is_some() || !self.may_hear(direction) {
            return rest(patience);
        }
        let sender = match direction {
            Direction::ToClient => &mut self.server,
            Direction::ToServer => &mut self.client,
        };
        let heard = match patience {
            Some(patience) => sender.wait_quietly(Instant::now() + patience),
            None => sender.glance(),
        };
        match (heard, direction) {
            (Wait::Bytes, _) => {
                self.stop_where_due(direction);
                match direction {
                    Direction::ToClient => self.pass_on_answers(),
                    Direction::ToServer => self.pass_on_requests(),
                }
            }
            (Wait::Ended(End::Fin), Direction::ToClient) => {
                let rest = self.answers.until(u64::MAX);
                self.to_client.pass(&rest);
                self.to_client.push(Act::Ended);
            }
            (Wait::Ended(End::Fin), Direction::ToServer) => self.to_server.push(Act::Ended),
            _ => {}
        }
    }

    /// Whether what goes in this direction is read now. Where too much of it waits, its sender has to wait as well,
    /// which nobody may hold against it.
    fn may_hear(&mut self, direction: Direction) -> bool {
        if self.stops.until[direction as usize].is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let (line, sender) = match direction {
            Direction::ToClient => (&mut self.to_client, &mut self.server),
            Direction::ToServer => (&mut self.to_server, &mut self.client),
        };
        let is_jammed = !line.has_room();
        if is_jammed
            && !line.is_jammed
            && let Some(fault) = line.plan.paces()
        {
            let how = "nothing more is read until what waits has gone on";
            let harm = crate::trace::Harm::Exchange;
            sender.note_fault(Applied { harm, ..Applied::new(fault, sender.received(), how) });
        }
        line.is_jammed = is_jammed;
        !is_jammed
    }

    /// Stops reading where a fault says so.
    fn stop_where_due(&mut self, direction: Direction) {
        let sender = match direction {
            Direction::ToClient => &mut self.server,
            Direction::ToServer => &mut self.client,
        };
        let received = sender.received();
        let is_due = |stop: &(Fault, Direction, u64, Duration)| stop.1 == direction && stop.2 <= received;
        while let Some(index) = self.stops.to_come.iter().position(is_due) {
            let (fault, _, _, long) = self.stops.to_come.remove(index);
            let how = format!("nothing is read for {}", crate::trace::Span(long));
            sender.note_fault(Applied::new(&fault, received, how));
            sender.note_state();
            self.stops.until[direction as usize] = Some(Instant::now() + long);
        }
    }

    /// Puts what has come of the client's requests into the line, each named once its head is whole.
    fn pass_on_requests(&mut self) {
        self.requests.bytes.extend_from_slice(self.client.last_read());
        if self.client.is_unreadable() {
            let rest = self.requests.until(u64::MAX);
            return self.to_server.pass(&rest);
        }
        loop {
            let exchanges = self.client.exchanges();
            if let Some(current) = self.asked.checked_sub(1).and_then(|last| exchanges.get(last)) {
                let is_whole = current.written.is_some();
                // Until it is whole, all that comes is part of it.
                let end = if is_whole { current.request_wire.end } else { u64::MAX };
                let name = (is_whole && !self.request_is_over).then(|| named(current));
                let rest = self.requests.until(end);
                self.request_goes_on(&rest);
                if let Some(name) = name {
                    self.request_is_over = true;
                    self.request_is_whole(name);
                }
            }
            let Some(next) = self.client.exchanges().get(self.asked) else { return };
            self.to_server.push(Act::Begin(named(next)));
            self.request_is_over = false;
            self.asked += 1;
        }
    }

    fn request_goes_on(&mut self, bytes: &[u8]) {
        if let Some(copy) = &mut self.copy {
            copy.extend_from_slice(bytes);
        }
        self.to_server.pass(bytes);
    }

    fn request_is_whole(&mut self, label: String) {
        if let Some(copy) = &mut self.copy {
            let copy = std::mem::take(copy);
            self.to_server.push(Act::Again(label, copy));
        }
        self.to_server.message_over();
    }

    /// Puts what has come of the server's answers into the line, each one begun where it begins.
    fn pass_on_answers(&mut self) {
        self.answers.bytes.extend_from_slice(self.server.last_read());
        loop {
            if self.answer_is_over {
                let Some((next, start)) = self.next_answer() else {
                    let rest = self.answers.until(u64::MAX);
                    return self.to_client.pass(&rest);
                };
                let before = self.answers.until(start);
                self.to_client.pass(&before);
                self.to_client.push(Act::Begin(next));
                self.answered += 1;
                self.answer_is_over = false;
            }
            let minds = self.to_client.plan.minds_terminators();
            let Some(current) = self.server.exchanges().get(self.answered - 1) else { return };
            let is_complete = current.is_complete();
            let end = current.wire.as_ref().filter(|_| is_complete).map_or(u64::MAX, |wire| wire.end);
            let terminator = terminator_from(current).filter(|_| minds);
            let content = self.answers.until(terminator.unwrap_or(end));
            self.to_client.pass(&content);
            if !is_complete {
                return;
            }
            if terminator.is_some() {
                let rest = self.answers.until(end);
                self.to_client.terminator(&rest);
            }
            self.to_client.message_over();
            self.answer_is_over = true;
        }
    }

    /// The name of the next answer, and where it begins, once that is known.
    fn next_answer(&self) -> Option<(String, u64)> {
        let next = self.server.exchanges().get(self.answered)?;
        Some((next.label.clone(), next.wire.as_ref()?.start))
    }

    /// Does what is due in both directions. Where something waits for its time, so does this, but not for long: bytes
    /// may come meanwhile.
    fn advance(&mut self) -> Result<(), TornDown> {
        if self.may_pass() {
            while let Some(act) = self.to_server.next() {
                self.towards_the_server(act)?;
            }
        }
        while let Some(act) = self.to_client.next() {
            self.towards_the_client(act)?;
        }
        // What waits for another connection is due when that has come.
        let held = self.held_by.as_ref().map(|_| Instant::now() + LOOK);
        let dues = [self.to_server.due().map(|due| held.unwrap_or(due)), self.to_client.due()];
        if let Some(first) = dues.into_iter().flatten().min() {
            let left = first.saturating_duration_since(Instant::now());
            std::thread::sleep(left.clamp(GLANCE, LOOK));
        }
        Ok(())
    }

    fn towards_the_server(&mut self, act: Act) -> Result<(), TornDown> {
        match act {
            Act::Begin(label) => {
                self.server.ask(&label, Part::Plain, Conduct::Conforming, &[]);
                if let Some(held) = self.held.take() {
                    self.server.note_fault(held);
                }
                let mut passed = self.way.has_passed.lock().unwrap_or_else(PoisonError::into_inner);
                if !passed.contains(&self.client.id()) {
                    passed.push(self.client.id());
                }
            }
            Act::Write(bytes) => self.server.write(&bytes),
            Act::Finish | Act::Ended => self.server.finish(),
            Act::Note(applied) => self.server.note_fault(applied),
            Act::Again(label, request) => self.deliver_again(label, request),
            Act::Reset => {
                self.tear_down(Direction::ToServer);
                return Err(TornDown);
            }
            Act::NotBefore(_) | Act::Pause(_) => {}
        }
        Ok(())
    }

    fn towards_the_client(&mut self, act: Act) -> Result<(), TornDown> {
        match act {
            Act::Begin(label) => self.client.answering(&label, Conduct::Conforming),
            Act::Write(bytes) => self.client.write(&bytes),
            Act::Finish | Act::Ended => self.client.finish(),
            Act::Note(applied) => self.client.note_fault(applied),
            Act::Reset => {
                self.tear_down(Direction::ToClient);
                return Err(TornDown);
            }
            Act::Again(..) | Act::NotBefore(_) | Act::Pause(_) => {}
        }
        Ok(())
    }

    /// Writes down on the other side, too, that a fault tears the connections down.
    fn tear_down(&mut self, direction: Direction) {
        let Some(fault) = self.way.faults.iter().find(|fault| {
            fault.concerns(self.client.id(), direction) && fault.harm() == crate::trace::Harm::Connection
        }) else {
            return;
        };
        let other = match direction {
            Direction::ToClient => &mut self.server,
            Direction::ToServer => &mut self.client,
        };
        let at = other.received();
        other.note_fault(Applied::new(fault, at, "the connection is reset"));
    }

    /// Whether anything may go to the server yet: `reorder` holds it back from the first bytes on.
    fn may_pass(&mut self) -> bool {
        let number = self.client.id();
        let Some((fault, most, until)) = &mut self.held_by else { return true };
        if self.to_server.is_empty() {
            return false;
        }
        let until = *until.get_or_insert_with(|| Instant::now() + *most);
        let passed = self.way.has_passed.lock().unwrap_or_else(PoisonError::into_inner);
        let later = passed.iter().filter(|passed| **passed > number).max().copied();
        drop(passed);
        let how = match later {
            Some(later) => format!("it comes behind connection #{later}"),
            None if Instant::now() >= until => format!("it comes {} later: no other came", crate::trace::Span(*most)),
            None => return false,
        };
        self.held = Some(Applied::new(fault, 0, how));
        self.held_by = None;
        true
    }

    /// Delivers a whole request once more, on a connection of its own, and throws the answer away.
    fn deliver_again(&mut self, label: String, request: Vec<u8>) {
        let number = self.client.id();
        let Some(fault) = self.way.faults.iter().find(|fault| fault.duplicates(number)) else { return };
        if self.way.copies.fetch_add(1, Ordering::Relaxed) >= MOST_COPIES {
            return;
        }
        let how = format!("`{label}` is delivered once more, on a connection of its own");
        let (sent, received) = (self.requests.passed_on, self.client.received());
        self.server.note_fault(Applied::new(fault, sent, how.clone()));
        self.client.note_fault(Applied::new(fault, received, how));
        let way = self.way;
        self.scope.spawn(move || {
            let Ok(mut copy) = open(&way.server, None, &way.towards_server, &way.interrupt) else { return };
            copy.ask(&label, Part::Plain, Conduct::Damaged, &request);
            let until = Instant::now() + COPY_PATIENCE;
            let is_open = |copy: &Connection| copy.exchanges().last().is_some_and(|exchange| !exchange.is_complete());
            while is_open(&copy) && Instant::now() < until && copy.wait_quietly(until) == Wait::Bytes {}
            copy.close();
        });
    }
}

/// Where a side is not listened to, nothing else makes the loop wait.
fn rest(patience: Option<Duration>) {
    if let Some(patience) = patience {
        std::thread::sleep(patience);
    }
}

/// What a request is called: its method, of JSON-RPC or of HTTP.
fn named(request: &Exchange) -> String {
    request.rpc_method().unwrap_or_else(|| request.http_method().to_owned())
}
