//! The tests of a target: one for each check, and what holds them together.

use std::env;
use std::path::Path;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};

use super::exercised;
use super::settings::{Settings, SettingsError};
use super::subject::{Judged, Subject};
use crate::baseline::State;
use crate::catalogue::{self, Listed, NoMatch};
use crate::drive::instruments;
use crate::report::text;
use crate::scenario::Scenario;
use crate::sets::FrozenSet;
use crate::verdict::Verdict;

/// The tests of a target, in the order of the catalogue. Nothing is started for it.
///
/// # Errors
///
/// Where the settings cannot hold.
pub(super) fn of(subject: &Arc<Subject>) -> Result<Vec<Trial>, SettingsError> {
    let Settings { options, revisions, baseline, .. } = subject.settings();
    if revisions.is_empty() {
        return Err(SettingsError::NoRevision);
    }
    options.set.as_deref().map(str::parse::<FrozenSet>).transpose().map_err(NoMatch::Set)?;
    // What is left out of every run so, is a test that is ignored; a selection of nothing else is a mistake.
    catalogue::of_run(subject.role(), options)?;
    let checks = catalogue::select(Some(subject.role()), &options.only, &options.skip)?;
    let mut trials: Vec<Trial> = checks.into_iter().map(|listed| of_check(subject, listed)).collect();
    let of_all = |name: &str, run: fn(&Subject) -> Result<(), Failed>| {
        let of = Arc::clone(subject);
        Trial::test(format!("{}::{name}", subject.name()), move || run(&of))
    };
    trials.push(of_all("exercised", |subject| {
        exercised::compare(subject, &*subject.judged(None)?).map_err(Failed::from)
    }));
    if baseline.is_some() {
        trials.push(of_all("baseline", |subject| no_entry_is_stale(&*subject.judged(None)?)));
    }
    Ok(trials)
}

fn of_check(subject: &Arc<Subject>, listed: &'static Listed) -> Trial {
    let cannot = cannot_apply(listed, subject.settings());
    let ignored = cannot.is_some();
    let of = Arc::clone(subject);
    let run = move || match cannot {
        // Whoever runs the ignored ones as well is told: to pass, it would have to be judged.
        Some(why) => Err(Failed::from(format!("{} cannot be judged: {why}", listed.id()))),
        None => judge(&of, listed),
    };
    Trial::test(name(subject, &listed.id()), run).with_ignored_flag(ignored)
}

/// `axum::sse::well-formed`.
fn name(subject: &Subject, id: &str) -> String {
    format!("{}::{}", subject.name(), id.replace('/', "::"))
}

/// Why a check cannot apply, where that is known before anything runs, as a lowercase fragment.
fn cannot_apply(listed: &Listed, settings: &Settings) -> Option<String> {
    let has_rule = |revision: &&crate::spec::Revision| listed.level(**revision).is_some();
    if !settings.revisions.iter().any(|revision| has_rule(&revision)) {
        return Some(listed.check.elsewhere.to_owned());
    }
    if let Some(option) = listed.lacks(&settings.options.load) {
        return Some(format!("it is judged under load only (`Harness::load`; {option} of the command line)"));
    }
    let by_acknowledgements = listed.check.kind.scenarios() == [Scenario::WithheldAck];
    (by_acknowledgements && !instruments().withheld_ack)
        .then(|| "acknowledgements cannot be withheld on this platform".to_owned())
}

/// Passes where nothing is red in any revision. What was not exercised, and what turned out not to apply, passes: that
/// it stays seen is for the test `exercised`.
fn judge(subject: &Subject, listed: &Listed) -> Result<(), Failed> {
    let id = listed.id();
    let judged = subject.judged(Some(listed))?;
    let report = &judged.report;
    if !report.checks.iter().any(|check| check.id == id) {
        let why = report.incomplete.as_deref().unwrap_or("the recording is one of other revisions");
        return Err(format!("{id} was not judged: {why}").into());
    }
    match text::red(report, &id, &replay(&name(subject, &id))) {
        None => Ok(()),
        Some(text) => Err(text.into()),
    }
}

fn no_entry_is_stale(judged: &Judged) -> Result<(), Failed> {
    let Some(baseline) = &judged.report.baseline else { return Ok(()) };
    let gone = baseline.stale().chain(baseline.of(State::Expired));
    let gone: Vec<String> = gone.map(|entry| format!("  delete {} ({})", entry.entry, entry.why)).collect();
    match gone.is_empty() {
        true => Ok(()),
        false => {
            Err(format!("what passes must not be expected to fail ({})\n{}", baseline.file, gone.join("\n")).into())
        }
    }
}

/// The command that runs one test again.
pub(super) fn replay(name: &str) -> String {
    format!("cargo test --test {} -- --exact {name}", binary_name())
}

/// What the test binary is called in Cargo.toml: cargo adds a hash to it.
pub(super) fn binary_name() -> String {
    let exe = env::current_exe().unwrap_or_default();
    let stem = exe.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let is_hash = |tail: &str| tail.len() == 16 && tail.bytes().all(|byte| byte.is_ascii_hexdigit());
    let in_deps = exe.parent().is_some_and(|folder| folder.ends_with(Path::new("deps")));
    match stem.rsplit_once('-') {
        Some((name, tail)) if is_hash(tail) || in_deps => name.to_owned(),
        _ => stem,
    }
}

/// Whether a check was exercised: decided, or only not decided for want of evidence, which a busy machine may bring about.
pub(super) fn was_exercised(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::NotExercised | Verdict::NotApplicable)
}
