//! The page: two columns, the client on the left, the server on the right, a blank line between two exchanges.

use super::fold::{Fold, Place};
use super::repeat::Run;
use super::turn::{Item, Turn};
use crate::trace::{Trace, Vantage};

/// The width of a page, and where the column of the server begins; the two overlap, since nobody speaks at once.
const WIDTH: usize = 100;
const RIGHT: usize = 40;

/// How far what belongs to a line stands behind it.
const INDENT: usize = 2;

/// So many turns a page has at most.
const TURNS: usize = 150;

/// Writes the page of a trace.
pub fn write(trace: &Trace, turns: &[Turn], runs: &[Run], closing: &[String], fold: &mut Fold) -> String {
    fold.fields.turn_the_page();
    let (client, server) = match trace.head.vantage {
        Vantage::Client => ("client (mcpwire)", "server"),
        Vantage::Server => ("client", "server (mcpwire)"),
    };
    let mut lines = vec![
        format!("{} in {}", trace.scenario(), trace.revision()),
        format!("{client:<RIGHT$}{server}"),
        "─".repeat(WIDTH),
    ];
    let mut written = 0;
    let mut said: Vec<&Turn> = Vec::new();
    for run in runs {
        for turn in &turns[run.start..run.start + run.turns] {
            written += 1;
            if written <= TURNS {
                let here = place(trace, turn);
                let like = said.iter().find(|earlier: &&&Turn| earlier.says_the_same_as(turn)).copied();
                one(turn, like, &here, fold, &mut lines);
                said.extend(like.is_none().then_some(turn));
            }
        }
        lines.extend(again(run));
    }
    if written > TURNS {
        lines.extend([String::new(), format!("… {} more exchanges", written - TURNS)]);
    }
    if !closing.is_empty() {
        lines.push(String::new());
        lines.extend(closing.iter().flat_map(|line| wrapped(line, WIDTH)));
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn place(trace: &Trace, turn: &Turn) -> Place {
    Place { revision: trace.revision(), scenario: trace.scenario(), turn: turn.place.clone() }
}

/// One exchange. `like` is an earlier one of this page in which the same was said.
fn one(turn: &Turn, like: Option<&Turn>, here: &Place, fold: &mut Fold, lines: &mut Vec<String>) {
    lines.push(String::new());
    lines.extend(wrapped(&turn.heading, WIDTH));
    if let Some(like) = like {
        lines.extend(wrapped(&format!("  → ← as {}", like.place), WIDTH));
        return;
    }
    column(&turn.asked, INDENT, "→ ", here, fold, lines);
    column(&turn.answered, RIGHT, "← ", here, fold, lines);
}

/// What follows a run that comes more than once.
fn again(run: &Run) -> Option<String> {
    (run.times > 1).then(|| match run.turns {
        1 => format!("\n(The last exchange × {}.)", run.times),
        turns => format!("\n(The last {turns} exchanges × {}.)", run.times),
    })
}

/// What one side says, on from this column; its first line has the mark.
fn column(items: &[Item], from: usize, mark: &str, here: &Place, fold: &mut Fold, lines: &mut Vec<String>) {
    let width = if from < RIGHT { WIDTH - RIGHT } else { WIDTH - from - INDENT };
    let mut mark = mark;
    let mut say = |text: &str, indent: usize| {
        for line in wrapped(text, width - indent) {
            lines.push(format!("{}{mark}{}{line}", " ".repeat(from), " ".repeat(indent)));
            mark = "  ";
        }
    };
    let mut items = items.iter().peekable();
    while let Some(item) = items.next() {
        match item {
            Item::Line(line) => say(line, 0),
            Item::Head(head) => fold.fields.lines(here.revision, head).iter().for_each(|field| say(field, INDENT)),
            Item::Content(words, content) => {
                let known = content.key.as_deref().and_then(|key| fold.place(key, here));
                match &known {
                    Some(place) => say(&format!("{words}{} {}", content.neutral, place.seen_from(here)), 0),
                    None => say(&format!("{words}{}", content.head), 0),
                }
                // The head of a request stands before its parameters.
                while let Some(Item::Head(head)) = items.next_if(|next| matches!(next, Item::Head(_))) {
                    fold.fields.lines(here.revision, head).iter().for_each(|field| say(field, INDENT));
                }
                if known.is_none() {
                    content.lines(width - INDENT).iter().for_each(|line| say(line, INDENT));
                }
            }
        }
    }
}

/// A text in lines of this width; broken behind a blank where there is one in the second half of a line, or behind
/// another mark. What follows the first line stands a little further in than that begins.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut rest: Vec<char> = text.chars().collect();
    let lead = rest.iter().take_while(|c| **c == ' ').count();
    let hanging = if lead + INDENT < width / 2 { lead + INDENT } else { 0 };
    let mut lines: Vec<String> = Vec::new();
    loop {
        let pad = if lines.is_empty() { 0 } else { hanging };
        let room = width - pad;
        if rest.len() <= room {
            lines.push(format!("{}{}", " ".repeat(pad), rest.into_iter().collect::<String>()));
            return lines;
        }
        let breaks = |wanted: &[char]| (room / 2..room).rev().find(|at| wanted.contains(&rest[*at]));
        let blank = breaks(&[' ']).or_else(|| breaks(&['/', '-', ',']));
        let line: String = rest.drain(..blank.map_or(room, |at| at + 1)).collect();
        lines.push(format!("{}{}", " ".repeat(pad), line.trim_end()));
    }
}
