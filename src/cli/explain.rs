//! `mcpwire explain`: what a check asks, why it matters, how to fix what it finds.

use std::fmt::Write;

use clap::Args as Clap;

use super::exit::Exit;
use super::{Failure, print};
use crate::catalogue::{self, Listed};
use crate::manifest::Load;
use crate::spec::{Requirement, Revision, requirement};

/// Options of `mcpwire explain`.
#[derive(Debug, Clap)]
pub struct Args {
    /// The check's id, or a pattern.
    #[arg(value_name = "ID")]
    id: String,
    /// As a page in Markdown, with a heading for each area.
    #[arg(long)]
    markdown: bool,
}

/// Prints the head of the check's own file, its requirements and its scenarios.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let selected = catalogue::select(None, std::slice::from_ref(&args.id), &[]).map_err(Failure::usage)?;
    let text = if args.markdown { page(&selected) } else { selected.iter().map(|listed| explained(listed)).collect() };
    print(&text)?;
    Ok(Exit::Conforms)
}

fn explained(listed: &Listed) -> String {
    let mut text = format!("{}\n\n{}\n\n## Levels\n", listed.id(), listed.explanation());
    for revision in Revision::ALL {
        let _ = writeln!(text, "{revision}  {}", level(listed, revision));
    }
    let _ = writeln!(text, "\n## What it stands on");
    let clauses = clauses(listed);
    for (requirement, link) in &clauses {
        let _ = writeln!(text, "{}: {}\n  {link}", requirement.id, requirement.summary);
    }
    if clauses.is_empty() {
        let _ = writeln!(text, "no clause: a budget that you set, or advice");
    }
    let _ = writeln!(text, "\n## What it looks at\nscenarios: {}", scenarios(listed));
    let _ = writeln!(text, "needs: {}", listed.check.needs);
    if let Some(option) = listed.lacks(&Load::default()) {
        let _ = writeln!(text, "runs with {option} only");
    }
    let _ = writeln!(text, "source: {}", listed.path());
    text
}

/// All of them on one page: `docs/checks.md`.
fn page(selected: &[&Listed]) -> String {
    let mut text =
        "# Every check\n\nWritten from the checks themselves: `mcpwire explain '**' --markdown`.\n".to_owned();
    let mut area = String::new();
    for listed in selected {
        if listed.area() != area {
            area = listed.area();
            let _ = write!(text, "\n## {area}\n");
        }
        let _ = write!(text, "\n### {}\n\n", listed.id());
        for line in listed.explanation().lines() {
            let _ = match (line.strip_prefix("# "), line.strip_prefix("## ")) {
                (Some(title), _) => writeln!(text, "**{title}.**"),
                // Text behind a heading without a blank line is a paragraph of its own all the same.
                (_, Some(heading)) => writeln!(text, "**{heading}.**"),
                _ => writeln!(text, "{line}"),
            };
        }
        let levels: Vec<String> =
            Revision::ALL.into_iter().map(|revision| format!("{revision} {}", level(listed, revision))).collect();
        let _ = write!(text, "\n- levels: {}\n", levels.join(", "));
        for (requirement, link) in clauses(listed) {
            let _ = writeln!(text, "- stands on `{}`: {} {link}", requirement.id, requirement.summary);
        }
        let _ = writeln!(text, "- scenarios: {}; needs {}", scenarios(listed), listed.check.needs);
        if let Some(option) = listed.lacks(&Load::default()) {
            let _ = writeln!(text, "- runs with `{option}` only");
        }
    }
    text
}

fn level(listed: &Listed, revision: Revision) -> String {
    let none = || format!("not applicable ({})", listed.check.elsewhere);
    listed.level(revision).map_or_else(none, |level| level.to_string())
}

/// The clauses that a finding can stand on, each with its place in the newest revision that has it.
fn clauses(listed: &Listed) -> Vec<(&'static Requirement, String)> {
    let cited = listed.check.cites.iter().filter_map(|cite| requirement(cite.id()?));
    cited.filter_map(|clause| Some((clause, clause.link(clause.levels.last()?.0)))).collect()
}

fn scenarios(listed: &Listed) -> String {
    let names: Vec<&str> = listed.check.kind.scenarios().iter().map(|scenario| scenario.name()).collect();
    names.join(", ")
}
