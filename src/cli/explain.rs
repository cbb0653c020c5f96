//! `mcpwire explain`: what a check asks, why it matters, how to fix what it finds.

use std::fmt::Write;

use clap::Args as Clap;

use super::exit::Exit;
use super::{Failure, print};
use crate::catalogue;
use crate::manifest::Load;
use crate::spec::{Revision, requirement};

/// Options of `mcpwire explain`.
#[derive(Debug, Clap)]
pub struct Args {
    /// The check's id.
    #[arg(value_name = "ID")]
    id: String,
}

/// Prints the head of the check's own file, its requirements and its scenarios.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let selected = catalogue::select(None, std::slice::from_ref(&args.id), &[]).map_err(Failure::usage)?;
    let mut text = String::new();
    for listed in selected {
        let _ = writeln!(text, "{}\n", listed.id());
        let _ = writeln!(text, "{}\n", listed.explanation());
        let _ = writeln!(text, "## Levels");
        for revision in Revision::ALL {
            let level = listed
                .level(revision)
                .map_or_else(|| format!("not applicable ({})", listed.check.elsewhere), |level| level.to_string());
            let _ = writeln!(text, "{revision}  {level}");
        }
        let _ = writeln!(text, "\n## What it stands on");
        let cited: Vec<_> = listed.check.cites.iter().filter_map(|cite| requirement(cite.id()?)).collect();
        for requirement in &cited {
            let _ = writeln!(text, "{}: {}", requirement.id, requirement.summary);
            let newest = requirement.levels.last().map(|(revision, _)| requirement.link(*revision));
            let _ = writeln!(text, "  {}", newest.unwrap_or_default());
        }
        if cited.is_empty() {
            let _ = writeln!(text, "no clause: a budget that you set, or advice");
        }
        let scenarios: Vec<&str> = listed.check.kind.scenarios().iter().map(|scenario| scenario.name()).collect();
        let _ = writeln!(text, "\n## What it looks at\nscenarios: {}", scenarios.join(", "));
        let _ = writeln!(text, "needs: {}", listed.check.needs);
        if let Some(option) = listed.lacks(&Load::default()) {
            let _ = writeln!(text, "runs with {option} only");
        }
        let _ = writeln!(text, "source: {}", listed.path());
    }
    print(&text)?;
    Ok(Exit::Conforms)
}
