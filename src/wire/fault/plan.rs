//! The plan: what is done with the bytes of one direction of one connection. Pure.

use std::time::Duration;

use super::ends::{self, End};
use super::pace::{self, Bandwidth, Latency};
use super::pieces::Cuts;
use super::terminator::Terminator;
use super::{Direction, Fault, Kind};
use crate::trace::{ConnectionId, Harm, Span};

/// What is done with the bytes of one direction, in their order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many bytes have been planned for.
    at: u64,
    /// How many messages have ended.
    messages: u64,
    /// Nothing is passed on any more.
    is_over: bool,
    latencies: Vec<(Fault, Latency)>,
    /// What happens at a place, in the order of places; those that are behind us are gone.
    places: Vec<Place>,
    /// The number of messages behind which the direction ends.
    finishes: Option<(Fault, u64)>,
    terminator: Option<(Fault, Terminator)>,
    cuts: Vec<(Fault, Cuts)>,
    bandwidth: Option<(Fault, Bandwidth)>,
    /// The fault that makes bytes wait, where one does: that with the most to do.
    pacer: Option<Fault>,
    /// What has been said of the cuts and of the bandwidth: once is enough, since the trace has every piece.
    has_told: bool,
}

#[derive(Clone, Debug)]
struct Place {
    at: u64,
    fault: Fault,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Pause(Duration),
    End(End),
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many of the bytes go out with one system call.
    Write(usize),
    /// So many of the bytes are never passed on.
    Drop(usize),
    /// Nothing goes out before the bytes have been here for so long.
    Delay(Duration),
    /// Nothing goes out for so long after the step before.
    Pause(Duration),
    /// The direction ends in order.
    Finish,
    /// Both connections are torn down.
    Reset,
    /// This is written down.
    Note(Applied),
}

/// That a fault was at work, for the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The fault, as the command line takes it.
    pub fault: String,
    /// Behind how many bytes of the direction.
    pub at: u64,
    /// What was done, as a lowercase fragment.
    pub how: String,
    /// What a judge may no longer expect of the peer that it reaches.
    pub harm: Harm,
}

impl Applied {
    /// What a fault does at a place.
    pub fn new(fault: &Fault, at: u64, how: impl Into<String>) -> Self {
        Self { fault: fault.to_string(), at, how: how.into(), harm: fault.harm() }
    }
}

impl Plan {
    /// The plan of these faults for one direction of one connection.
    pub fn of(faults: &[Fault], seed: u64, connection: ConnectionId, direction: Direction) -> Self {
        let concerned: Vec<&Fault> = faults.iter().filter(|fault| fault.concerns(connection, direction)).collect();
        let one = |fault: &&Fault| (*fault).clone();
        let mut places: Vec<Place> = concerned
            .iter()
            .filter_map(|fault| {
                let pause = pace::stall(fault).map(|(at, long)| (at, What::Pause(long)));
                let (at, what) = pause.or_else(|| ends::at(fault).map(|(at, end)| (at, What::End(end))))?;
                Some(Place { at, fault: one(fault), what })
            })
            .collect();
        places.sort_by_key(|place| place.at);
        let latencies = concerned
            .iter()
            .filter_map(|fault| Some((one(fault), Latency::of(fault, seed, connection, direction)?)))
            .collect();
        let cuts = concerned
            .iter()
            .filter_map(|fault| Some((one(fault), Cuts::of(fault, seed, connection, direction)?)))
            .collect();
        let pacer = concerned
            .iter()
            .find(|fault| matches!(fault.kind, Kind::Bandwidth(_)))
            .or_else(|| concerned.iter().find(|fault| matches!(fault.kind, Kind::Stall(_) | Kind::LateTerminator(_))))
            .or_else(|| concerned.iter().find(|fault| matches!(fault.kind, Kind::Latency(_) | Kind::Segments(_))))
            .map(one);
        Self {
            at: 0,
            messages: 0,
            is_over: false,
            latencies,
            places,
            finishes: concerned.iter().find_map(|fault| Some((one(fault), ends::behind_messages(fault)?))),
            terminator: concerned.iter().find_map(|fault| Some((one(fault), Terminator::of(fault)?))),
            cuts,
            bandwidth: concerned.iter().find_map(|fault| Some((one(fault), Bandwidth::of(fault)?))),
            pacer,
            has_told: false,
        }
    }

    /// Whether the end of a chunked answer has to be told apart: see [`Self::terminator`].
    pub fn minds_terminators(&self) -> bool {
        self.terminator.is_some()
    }

    /// Whether the receiver hears nothing any more, and its connection stays open all the same.
    pub fn is_silent(&self) -> bool {
        self.is_over && matches!(self.terminator, Some((_, Terminator::Missing)))
    }

    /// The fault that makes bytes wait, where one does.
    pub fn paces(&self) -> Option<&Fault> {
        self.pacer.as_ref()
    }

    /// What is done with the next bytes.
    pub fn pass(&mut self, length: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.is_over {
            return vec![Step::Drop(length)];
        }
        if length == 0 {
            return steps;
        }
        self.delay(&mut steps);
        self.tell(&mut steps);
        let end = self.at + length as u64;
        loop {
            self.places_here(&mut steps);
            if self.is_over {
                steps.push(Step::Drop((end - self.at) as usize));
                self.at = end;
                return merged(steps);
            }
            if self.at == end {
                return merged(steps);
            }
            let (to, apart) = self.piece_end(end);
            let bytes = to - self.at;
            steps.push(Step::Write(bytes as usize));
            let paced = self.bandwidth.as_ref().map(|(_, bandwidth)| bandwidth.takes(bytes));
            if let Some(pause) = paced.max(apart).filter(|pause| !pause.is_zero()) {
                steps.push(Step::Pause(pause));
            }
            self.at = to;
        }
    }

    /// What is done with the end of a chunked answer.
    pub fn terminator(&mut self, length: usize) -> Vec<Step> {
        let Some((fault, terminator)) = self.terminator.clone().filter(|_| !self.is_over) else {
            return self.pass(length);
        };
        match terminator {
            Terminator::Late(late) => {
                let how = format!("the end of the answer waits for {}", Span(late));
                let mut steps = vec![Step::Note(Applied::new(&fault, self.at, how)), Step::Pause(late)];
                steps.extend(self.pass(length));
                steps
            }
            Terminator::Missing => {
                let how = "the end of the answer is kept back, and whatever would follow it".to_owned();
                self.is_over = true;
                vec![Step::Note(Applied::new(&fault, self.at, how)), Step::Drop(length)]
            }
        }
    }

    /// What is done behind a message: a whole request, or a whole answer.
    pub fn message_over(&mut self) -> Vec<Step> {
        self.messages += 1;
        self.latencies.iter_mut().for_each(|(_, latency)| latency.now = None);
        match &self.finishes {
            Some((fault, messages)) if *messages == self.messages && !self.is_over => {
                self.is_over = true;
                let how = format!("the direction ends in order behind message {messages}");
                vec![Step::Note(Applied::new(fault, self.at, how)), Step::Finish]
            }
            _ => Vec::new(),
        }
    }

    fn delay(&mut self, steps: &mut Vec<Step>) {
        let mut all = Duration::ZERO;
        for (fault, latency) in &mut self.latencies {
            all += match latency.now {
                Some(now) => now,
                None => {
                    let drawn = latency.draw();
                    let how = format!("message {} comes {} later", self.messages + 1, Span(drawn));
                    steps.push(Step::Note(Applied::new(fault, self.at, how)));
                    drawn
                }
            };
        }
        if !all.is_zero() {
            steps.push(Step::Delay(all));
        }
    }

    fn tell(&mut self, steps: &mut Vec<Step>) {
        if std::mem::replace(&mut self.has_told, true) {
            return;
        }
        let cuts = self.cuts.iter().map(|(fault, _)| (fault, "from here on in pieces"));
        let bandwidth = self.bandwidth.iter().map(|(fault, _)| (fault, "from here on at this rate"));
        steps.extend(cuts.chain(bandwidth).map(|(fault, how)| Step::Note(Applied::new(fault, self.at, how))));
    }

    /// What happens behind as many bytes as have been planned for.
    fn places_here(&mut self, steps: &mut Vec<Step>) {
        while !self.is_over && self.places.first().is_some_and(|place| place.at <= self.at) {
            let Place { fault, what, .. } = self.places.remove(0);
            let (how, step) = match what {
                What::Pause(long) => (format!("nothing goes on for {}", Span(long)), Step::Pause(long)),
                What::End(End::Finish) => ("the direction ends in order".to_owned(), Step::Finish),
                What::End(End::Reset) => ("the connection is reset".to_owned(), Step::Reset),
            };
            self.is_over = matches!(what, What::End(_));
            steps.extend([Step::Note(Applied::new(&fault, self.at, how)), step]);
        }
    }

    /// Where the piece ends that begins here, and how long nothing is sent behind it.
    fn piece_end(&mut self, end: u64) -> (u64, Option<Duration>) {
        let place = self.places.first().map_or(u64::MAX, |place| place.at);
        let beat = self.bandwidth.as_ref().map_or(u64::MAX, |(_, bandwidth)| bandwidth.piece_end(self.at));
        let (mut to, mut apart) = (end.min(place).min(beat), None);
        for (_, cuts) in &mut self.cuts {
            let cut = cuts.piece_end(self.at);
            if cut <= to {
                apart = apart.max(cuts.apart);
                to = cut;
            }
        }
        (to, apart)
    }
}

/// Without steps that do nothing.
fn merged(steps: Vec<Step>) -> Vec<Step> {
    steps.into_iter().filter(|step| !matches!(step, Step::Drop(0))).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::{LISTED, MOST_PIECES};
    use super::*;

    fn faults(texts: &[&str]) -> Vec<Fault> {
        texts.iter().map(|text| text.parse().expect("a fault")).collect()
    }

    fn plan(texts: &[&str]) -> Plan {
        Plan::of(&faults(texts), 7, 0, Direction::ToClient)
    }

    /// What is done, without what is written down.
    fn done(steps: Vec<Step>) -> Vec<Step> {
        steps.into_iter().filter(|step| !matches!(step, Step::Note(_))).collect()
    }

    /// The offsets behind which a system call ends, of so many bytes that come in stretches of this length.
    fn cuts(plan: &mut Plan, bytes: usize, stretch: usize) -> Vec<u64> {
        let (mut at, mut cuts) = (0, Vec::new());
        for _ in 0..bytes / stretch {
            for step in plan.pass(stretch) {
                if let Step::Write(count) = step {
                    at += count as u64;
                    cuts.push(at);
                }
            }
        }
        cuts
    }

    #[rstest]
    #[case::latency(&["latency=20ms"], vec![Step::Delay(Duration::from_millis(20)), Step::Write(10)])]
    #[case::latencies_add_up(
        &["latency=20ms", "latency=1ms"],
        vec![Step::Delay(Duration::from_millis(21)), Step::Write(10)]
    )]
    #[case::bandwidth(
        &["bandwidth=400B/s"],
        vec![
            Step::Write(4), Step::Pause(Duration::from_millis(10)),
            Step::Write(4), Step::Pause(Duration::from_millis(10)),
            Step::Write(2), Step::Pause(Duration::from_millis(5)),
        ]
    )]
    #[case::slices(&["slices=4"], vec![Step::Write(4), Step::Write(4), Step::Write(2)])]
    #[case::segments(
        &["segments=6"],
        vec![Step::Write(6), Step::Pause(Duration::from_micros(100)), Step::Write(4)]
    )]
    #[case::stall(
        &["stall=2s@3"],
        vec![Step::Write(3), Step::Pause(Duration::from_secs(2)), Step::Write(7)]
    )]
    #[case::reset(&["reset-after=9"], vec![Step::Write(9), Step::Reset, Step::Drop(1)])]
    #[case::reset_at_once(&["reset-after=0"], vec![Step::Reset, Step::Drop(10)])]
    #[case::reset_with_the_last_byte(&["reset-after=10"], vec![Step::Write(10), Step::Reset])]
    #[case::half_close(&["half-close@4"], vec![Step::Write(4), Step::Finish, Step::Drop(6)])]
    #[case::pieces_end_at_places(
        &["slices=4", "stall=1s@5"],
        vec![Step::Write(4), Step::Write(1), Step::Pause(Duration::from_secs(1)), Step::Write(3), Step::Write(2)]
    )]
    #[case::nothing_behind_an_end(
        &["half-close@4", "reset-after=6", "stall=1s@5"],
        vec![Step::Write(4), Step::Finish, Step::Drop(6)]
    )]
    #[case::the_other_direction(&["slices=4,to-server", "reset-after=3,to-server"], vec![Step::Write(10)])]
    #[case::another_connection(&["slices=4,connection=1"], vec![Step::Write(10)])]
    #[case::none(&[], vec![Step::Write(10)])]
    fn ten_bytes(#[case] faults: &[&str], #[case] steps: Vec<Step>) {
        assert_eq!(done(plan(faults).pass(10)), steps);
    }

    #[test]
    fn the_order_in_which_faults_are_given_changes_nothing() {
        let all = ["slices=1..7", "stall=1s@50", "bandwidth=64kB/s", "latency=1ms..9ms", "reset-after=90"];
        let mut backwards = all;
        backwards.reverse();
        assert_eq!(done(plan(&all).pass(100)), done(plan(&backwards).pass(100)));
    }

    #[test]
    fn the_same_bytes_are_cut_at_the_same_places_however_they_came() {
        for fault in ["slices=1..7", "slices", "segments=3"] {
            let whole = cuts(&mut plan(&[fault]), 400, 400);
            assert_eq!(whole, cuts(&mut plan(&[fault]), 400, 400), "{fault}");
            let halves = cuts(&mut plan(&[fault]), 400, 100);
            assert!(whole.iter().all(|cut| halves.contains(cut)), "{fault}: {whole:?} {halves:?}");
            assert!(halves.iter().all(|cut| whole.contains(cut) || cut % 100 == 0), "{fault}");
        }
        let with = |seed, connection| {
            cuts(&mut Plan::of(&faults(&["slices=1..7"]), seed, connection, Direction::ToClient), 400, 400)
        };
        assert_eq!(with(1, 0), with(1, 0));
        assert_ne!(with(1, 0), with(2, 0));
        assert_ne!(with(1, 0), with(1, 1));
    }

    #[test]
    fn latency_is_drawn_for_each_message() {
        let mut plan = plan(&["latency=1ms..9ms"]);
        let delay = |plan: &mut Plan| match &done(plan.pass(1))[0] {
            Step::Delay(delay) => *delay,
            other => panic!("{other:?}"),
        };
        let first = delay(&mut plan);
        assert_eq!(first, delay(&mut plan));
        plan.message_over();
        let others: Vec<Duration> = (0..20)
            .map(|_| {
                let drawn = delay(&mut plan);
                plan.message_over();
                drawn
            })
            .collect();
        assert!(others.iter().any(|other| *other != first), "{others:?}");
        assert!(others.iter().all(|other| (1_000..=9_000).contains(&other.as_micros())), "{others:?}");
    }

    #[test]
    fn a_direction_ends_behind_as_many_messages_as_it_should() {
        let mut plan = plan(&["half-close=2"]);
        assert_eq!(done(plan.pass(5)), [Step::Write(5)]);
        assert_eq!(done(plan.message_over()), []);
        assert_eq!(done(plan.pass(5)), [Step::Write(5)]);
        assert_eq!(done(plan.message_over()), [Step::Finish]);
        assert_eq!(done(plan.pass(5)), [Step::Drop(5)]);
        assert_eq!(done(plan.message_over()), []);
    }

    #[test]
    fn the_end_of_an_answer_comes_later_or_never() {
        let mut late = plan(&["late-terminator=1s"]);
        assert!(late.minds_terminators());
        assert_eq!(done(late.terminator(5)), [Step::Pause(Duration::from_secs(1)), Step::Write(5)]);
        let mut never = plan(&["no-terminator"]);
        assert_eq!(done(never.terminator(5)), [Step::Drop(5)]);
        assert_eq!(done(never.pass(5)), [Step::Drop(5)]);
        assert!(never.is_silent() && !late.is_silent());
        assert!(!plan(&["slices"]).minds_terminators());
    }

    #[test]
    fn there_is_an_end_to_small_pieces() {
        let bytes = 1 << 20;
        assert_eq!(cuts(&mut plan(&["slices"]), bytes, bytes).len() as u64, MOST_PIECES + 1);
    }

    #[test]
    fn every_fault_that_has_a_plan_says_what_it_did_and_where() {
        for listed in LISTED {
            let mut plan = plan(&[listed.example]);
            let mut steps = plan.pass(5_000);
            steps.extend(plan.terminator(5));
            steps.extend(plan.message_over());
            let notes: Vec<&Applied> =
                steps.iter().filter_map(|step| if let Step::Note(note) = step { Some(note) } else { None }).collect();
            // These are at work elsewhere, and said to be so there.
            let is_elsewhere = ["zero-window", "reorder", "duplicate"].contains(&listed.name);
            assert_eq!(notes.is_empty(), is_elsewhere, "{}: {notes:?}", listed.name);
            assert!(notes.iter().all(|note| note.fault.starts_with(listed.name) && !note.how.is_empty()), "{notes:?}");
        }
    }
}
