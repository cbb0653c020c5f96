//! One run after the other, and one report of all.

use std::path::{Path, PathBuf};

use super::exit::Exit;
use super::gating::Gating;
use super::report::{self, Output};
use super::server::signalled;
use super::settings::Wanted;
use super::{Failure, say};
use crate::catalogue;
use crate::config::{Setting, noun};
use crate::manifest::{Options, Role};
use crate::report::Report;
use crate::report::merge::merge;
use crate::trace::store::{self, Recording};
use crate::wire::interrupt::Interrupt;

/// The runs that are to be made, whose reports become one.
pub struct Runs {
    /// Each of them.
    pub all: Vec<Run>,
    outputs: Vec<Output>,
    role: Role,
}

/// One of them.
pub struct Run {
    /// What is tested, and how.
    pub wanted: Wanted,
    /// What its judgement depends on.
    pub options: Options,
    gating: Gating,
    record: Option<PathBuf>,
}

impl Runs {
    /// Refuses what could not be judged or written anyway, before a run is spent on it.
    pub fn of(
        role: Role,
        wanted: Vec<Wanted>,
        defaults: &Options,
        outputs: &[Output],
        record: Option<&Path>,
    ) -> Result<Self, Failure> {
        let several = wanted.len() > 1;
        let outputs = match (outputs.is_empty(), wanted.first()) {
            (true, Some(wanted)) => said(wanted)?,
            _ => outputs.to_vec(),
        };
        report::check(&outputs)?;
        let mut all = Vec::new();
        for wanted in wanted {
            let options = wanted.settings.options_over(defaults.clone());
            if let Err(error) = catalogue::of_run(role, &options) {
                let place = wanted.name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
                return Err(Failure::usage(format!("{place}{error}")));
            }
            let gating = Gating::read(&wanted.settings)?;
            if several && wanted.settings.has(Setting::Name) {
                let place = wanted.settings.place(Setting::Name);
                return Err(Failure::usage(format!("{place}--name is for one target, and here are several: --target")));
            }
            let gating = gating.named(wanted.name.as_deref());
            // Each of several in a folder of its own, for `mcpwire judge`.
            let record = record.map(|folder| match (several, &wanted.name) {
                (true, Some(name)) => folder.join(name),
                _ => folder.to_path_buf(),
            });
            if let Some(folder) = &record {
                store::may_write(folder).map_err(Failure::usage)?;
            }
            all.push(Run { wanted, options, gating, record });
        }
        Ok(Self { all, outputs, role })
    }

    /// Makes them, one after the other, and writes the report of all. A target that cannot be tested does not keep the
    /// others from it.
    pub fn go(
        self,
        interrupt: &Interrupt,
        mut record: impl FnMut(&Run) -> Result<Recording, Failure>,
    ) -> Result<Exit, Failure> {
        let several = self.all.len() > 1;
        let mut reports: Vec<(String, Report)> = Vec::new();
        let mut failed: Vec<(String, Failure)> = Vec::new();
        let mut unwritten = Ok(());
        for run in &self.all {
            let name = run.wanted.name.clone().unwrap_or_default();
            if interrupt.is_set() {
                failed.push((name, Failure::fault("interrupted before it was tested")));
                continue;
            }
            if several {
                say(&format!("{} {name}", noun(self.role)));
            }
            let mut recording = match record(run) {
                Ok(recording) => recording,
                Err(failure) if several => {
                    say(&format!("{name}: {}", failure.message));
                    failed.push((name, failure));
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            run.gating.name(&mut recording.manifest);
            if let Some(folder) = &run.record {
                // What could not be written loses nothing of the rest, and is mcpwire's own fault all the same.
                unwritten = unwritten.and(recording.write(folder).map_err(Failure::fault));
            }
            reports.push((name, run.gating.judge(&recording)?));
        }
        let mut judged = match reports.len() {
            0 => return Err(none_tested(failed, interrupt)),
            1 if failed.is_empty() => reports.remove(0).1,
            _ => merge(reports).map_err(Failure::usage)?,
        };
        for (name, failure) in &failed {
            let what = format!("{name}: {}", failure.message);
            judged.incomplete = Some(match judged.incomplete.take() {
                Some(known) => format!("{known}; {what}"),
                None => what,
            });
        }
        judged.count();
        let reported = report::write(&judged, &self.outputs);
        unwritten.and(reported)?;
        let worst = match failed.iter().map(|(_, failure)| failure.exit).next() {
            // A target that was not tested is not excused by what was found in another one.
            Some(exit) if Exit::of(judged.summary.gate) != Exit::Fault => exit,
            _ => Exit::of(judged.summary.gate),
        };
        Ok(signalled(interrupt).unwrap_or(worst))
    }
}

/// The reports that the settings ask for.
fn said(wanted: &Wanted) -> Result<Vec<Output>, Failure> {
    let place = wanted.settings.place(Setting::Report);
    let read = |text: &String| text.parse::<Output>().map_err(|error| Failure::usage(format!("{place}{error}")));
    wanted.settings.texts(Setting::Report).iter().map(read).collect()
}

/// None of several could be tested.
fn none_tested(failed: Vec<(String, Failure)>, interrupt: &Interrupt) -> Failure {
    let exit = failed.first().map_or(Exit::Fault, |(_, failure)| failure.exit);
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!("nothing was tested: none of {} could be", names.join(", "));
    Failure { exit: signalled(interrupt).unwrap_or(exit), message }
}
