//! One recording for many processes: nextest runs each test in one of its own.
//!
//! ```text
//! target/tmp/mcpwire/             (or the system's folder for temporary files)
//!   driving.lock                  held while a target is driven: one at a time on this machine
//!   mcp-1a2b…/axum/               a test binary, and one of its targets
//!     lock                        held while its recording is made
//!     RUN-…/                      what came of it in a run of nextest: a recording, or why there is none
//!     RUN-….partial/              what somebody is writing, or was writing when he died
//! ```
//!
//! The locks are the kernel's: they end with their holder, however he ends. What is there under its own name is whole:
//! it is written under another one, and renamed.

use std::env;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::recorder;
use crate::trace::TraceHead;
use crate::trace::store::Recording;
use crate::wire::interrupt::Interrupt;

/// Why there is no recording, where there is none.
const FAILURE: &str = "failure.txt";

/// So many runs of a test binary are kept, of each target; and so many of those that nobody can be at any more.
const KEPT_RUNS: usize = 16;
const KEPT_OLD_RUNS: usize = 2;

/// Who runs tests for longer than this, while others run them as well, records once more.
const RUNS_FOR: Duration = Duration::from_secs(10 * 60);

/// What no binary asked for in so long is removed.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A run of nextest that this process is a part of.
#[derive(Debug)]
pub(super) struct Run {
    /// Where everything is.
    base: PathBuf,
    /// This test binary.
    binary: String,
    /// This run of it.
    run: String,
}

impl Run {
    /// The run that this process is a part of; `None` where all tests run in this process.
    pub(super) fn of_this_process() -> Option<Self> {
        let id = variable("NEXTEST_RUN_ID")?;
        // A test of another binary may run `cargo test` itself, and hands its environment on. Only nextest itself
        // starts a process for one test.
        if !env::args().any(|argument| argument == "--exact") {
            return None;
        }
        let exe = env::current_exe().ok()?;
        let facts = fs::metadata(&exe).ok()?;
        let built = facts.modified().ok()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        // A test that is tried again is to see the target again.
        let again =
            variable("NEXTEST_ATTEMPT").unwrap_or_default() + &variable("NEXTEST_STRESS_CURRENT").unwrap_or_default();
        let of_name = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let run = format!("{id}-{again}-{}-{}", built.as_nanos(), facts.len());
        Some(Self {
            base: base(&exe)?,
            binary: format!("{}-{:016x}", super::trial::binary_name(), hash(&exe)),
            run: run.chars().map(of_name).collect(),
        })
    }

    /// The recording of a target in this run, or those traces of it that are wanted. Where nobody has made it yet, `record` does, and the others wait; where
    /// whoever was making it died, the next one does.
    ///
    /// # Errors
    ///
    /// Why there is none: the same sentence for everybody in this run.
    pub(super) fn recording(
        &self,
        target: &str,
        wanted: &dyn Fn(&TraceHead) -> bool,
        record: impl FnOnce(&Interrupt) -> Result<Recording, String>,
    ) -> Result<Recording, String> {
        let ours = self.base.join(&self.binary).join(target);
        let place = ours.join(&self.run);
        let whole = || Stored::read(&place, wanted);
        if let Some(stored) = whole() {
            return stored;
        }
        let shared = |error: io::Error| format!("cannot share a recording in {}: {error}", ours.display());
        fs::create_dir_all(&ours).map_err(shared)?;
        let lock = locked(&ours.join("lock")).map_err(shared)?;
        if let Some(stored) = whole() {
            return stored;
        }
        // Whoever holds the lock is the only one who writes here: everything that is not whole is a dead one's.
        clean(&ours, &self.run);
        clean_others(&self.base);
        let partial = ours.join(format!("{}.partial", self.run));
        let driving = locked(&self.base.join("driving.lock")).map_err(shared)?;
        let (recorded, stopped) = recorder::in_turn(|interrupt| (record(interrupt), interrupt.is_set()));
        drop(driving);
        if stopped {
            // What a signal cut short is nobody else's.
            return recorded;
        }
        Stored::write(&recorded, &partial)?;
        // The lock itself may have been cleaned away while we waited for it, and somebody else have recorded as well.
        if let Err(error) = fs::rename(&partial, &place)
            && whole().is_none()
        {
            return Err(shared(error));
        }
        drop(lock);
        recorded
    }
}

/// What is in the folder of a run.
struct Stored;

impl Stored {
    fn read(place: &Path, wanted: &dyn Fn(&TraceHead) -> bool) -> Option<Result<Recording, String>> {
        if let Ok(why) = fs::read_to_string(place.join(FAILURE)) {
            return Some(Err(why));
        }
        // Nobody has been there, or it was cleaned away by a later run: it has to be made.
        place.is_dir().then(|| Recording::read_where(place, wanted).ok()).flatten().map(Ok)
    }

    fn write(recorded: &Result<Recording, String>, partial: &Path) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot write {}: {error}", partial.display());
        match recorded {
            Ok(recording) => recording.write(partial).map_err(|error| failed(&error)),
            Err(why) => {
                let write = || fs::create_dir_all(partial).and_then(|()| fs::write(partial.join(FAILURE), why));
                write().map_err(|error| failed(&error))
            }
        }
    }
}

/// Opens and locks a file; the lock ends when the file is closed, at the latest with this process.
fn locked(path: &Path) -> io::Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    file.lock()?;
    Ok(file)
}

/// Removes what is left of earlier runs, but for the newest, and what dead ones were writing.
fn clean(ours: &Path, run: &str) {
    let is_partial = |path: &Path| path.extension().is_some_and(|extension| extension == "partial");
    let (partial, whole): (Vec<_>, Vec<_>) = folders(ours).partition(|(_, path)| is_partial(path));
    let mut others: Vec<_> = whole.into_iter().filter(|(_, path)| !path.ends_with(run)).collect();
    others.sort();
    let is_over = |made: SystemTime| made.elapsed().is_ok_and(|age| age > RUNS_FOR);
    let old = others
        .into_iter()
        .rev()
        .enumerate()
        .filter(|(newer, (made, _))| *newer >= KEPT_RUNS || (*newer >= KEPT_OLD_RUNS && is_over(*made)));
    for (_, path) in partial.into_iter().chain(old.map(|(_, other)| other)) {
        let _ = fs::remove_dir_all(path);
    }
    // One under our name that cannot be read.
    let _ = fs::remove_dir_all(ours.join(run));
}

/// Removes what other test binaries left long ago: binaries and targets are renamed.
fn clean_others(base: &Path) {
    let is_old = |used: SystemTime| used.elapsed().is_ok_and(|age| age > KEPT_FOR);
    for (changed, binary) in folders(base) {
        for (_, target) in folders(&binary).filter(|(used, _)| is_old(*used)) {
            let _ = fs::remove_dir_all(target);
        }
        if is_old(changed) {
            // Only where nothing is in it any more.
            let _ = fs::remove_dir(binary);
        }
    }
}

fn folders(folder: &Path) -> impl Iterator<Item = (SystemTime, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let facts = entry.metadata().ok()?;
        Some((facts.modified().ok()?, entry.path())).filter(|_| facts.is_dir())
    })
}

/// Below the folder of what was built, else where temporary files are.
fn base(exe: &Path) -> Option<PathBuf> {
    // target/debug/deps/mcp-1a2b3c4d5e6f7890
    let built = exe.parent().filter(|folder| folder.ends_with("deps")).and_then(|folder| folder.parent()?.parent());
    let in_build = built.map(|target| target.join("tmp").join("mcpwire"));
    let usable = |folder: &PathBuf| fs::create_dir_all(folder).is_ok() && locked(&folder.join("usable.lock")).is_ok();
    in_build.filter(usable).or_else(in_temporary)
}

/// A folder of ours where everybody has folders.
fn in_temporary() -> Option<PathBuf> {
    let user = variable("USER").or_else(|| variable("USERNAME")).unwrap_or_default();
    let folder = env::temp_dir().join(format!("mcpwire-{:08x}", hash(&user) as u32));
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => None,
        // Somebody else may have been quicker to make one of that name.
        _ => is_ours(&folder).then_some(folder),
    }
}

#[cfg(unix)]
fn is_ours(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    // SAFETY: geteuid has no memory to get wrong, and cannot fail.
    let us = unsafe { libc::geteuid() };
    fs::symlink_metadata(folder).is_ok_and(|facts| facts.is_dir() && facts.uid() == us && facts.mode() & 0o022 == 0)
}

#[cfg(not(unix))]
fn is_ours(folder: &Path) -> bool {
    folder.is_dir()
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn hash(what: &(impl Hash + ?Sized)) -> u64 {
    // Only processes of the same binary compare them.
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use crate::checks::proofs::good_server;
    use crate::manifest::Role;
    use crate::scenario::Scenario;
    use crate::trace::Trace;

    /// A run in an empty folder of this test's own.
    fn run(name: &str) -> Run {
        let base = env::temp_dir().join(format!("mcpwire-shared-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&base);
        fs::create_dir_all(&base).expect("a folder");
        Run { base, binary: "mcp-0".to_owned(), run: "this-run".to_owned() }
    }

    fn never(_: &Interrupt) -> Result<Recording, String> {
        panic!("it is recorded already")
    }

    const ALL: &dyn Fn(&TraceHead) -> bool = &|_| true;

    #[test]
    fn the_second_one_reads_what_the_first_one_recorded() {
        let run = run("twice");
        let first = run.recording("axum", ALL, |_| Ok(good_server().clone())).expect("recorded");
        let second = run.recording("axum", ALL, never).expect("read");
        assert_eq!((&first.manifest, first.traces.len()), (&second.manifest, second.traces.len()));
        let of_survey = |head: &TraceHead| head.scenario == Scenario::Survey;
        let some = run.recording("axum", &of_survey, never).expect("read");
        assert!(!some.traces.is_empty() && some.traces.iter().all(|trace| trace.scenario() == Scenario::Survey));
        fs::remove_dir_all(run.base).expect("removed");
    }

    #[test]
    fn what_could_not_be_recorded_is_told_and_not_tried_again() {
        let run = run("failed");
        let why = || Err("it is not there".to_owned());
        for outcome in [run.recording("axum", ALL, |_| why()), run.recording("axum", ALL, never)] {
            assert_eq!(outcome.expect_err("it failed"), "it is not there");
        }
        let other = run.recording("other", ALL, |_| Ok(good_server().clone()));
        assert!(other.is_ok(), "another target");
        fs::remove_dir_all(run.base).expect("removed");
    }

    #[test]
    fn what_a_dead_one_was_writing_is_never_read() {
        let run = run("partial");
        let ours = run.base.join(&run.binary).join("axum");
        for dead in ["this-run.partial", "earlier.partial"] {
            good_server().write(&ours.join(dead)).expect("written");
        }
        // Under its own name, and cut off all the same: the system went down.
        good_server().write(&ours.join("this-run")).expect("written");
        let trace = folders(&ours.join("this-run")).next().expect("traces").1;
        let trace = fs::read_dir(trace).expect("traces").flatten().next().expect("a trace").path();
        fs::write(trace, "").expect("cut off");
        let mut recorded = 0;
        let mut record = |_: &Interrupt| {
            recorded += 1;
            Ok(good_server().clone())
        };
        assert!(run.recording("axum", ALL, &mut record).is_ok());
        assert_eq!(recorded, 1);
        assert!(run.recording("axum", ALL, never).is_ok());
        let left: Vec<PathBuf> = folders(&ours).map(|(_, path)| path).collect();
        assert_eq!(left, [ours.join("this-run")]);
        fs::remove_dir_all(run.base).expect("removed");
    }

    #[test]
    fn runs_that_are_over_are_cleaned_away_but_for_the_newest() {
        let run = run("clean");
        let ours = run.base.join(&run.binary).join("axum");
        let made = |name: &str, age: u64| {
            let folder = ours.join(name);
            fs::create_dir_all(&folder).expect("a folder");
            let time = SystemTime::now() - Duration::from_secs(age);
            File::open(&folder).and_then(|folder| folder.set_modified(time)).expect("its time");
        };
        for (name, age) in [("oldest", 4_000), ("older", 3_000), ("old", 2_000), ("at-work", 60), ("just-now", 1)] {
            made(name, age);
        }
        clean(&ours, "this-run");
        let mut left: Vec<PathBuf> = folders(&ours).map(|(_, path)| path).collect();
        left.sort();
        assert_eq!(left, ["at-work", "just-now"].map(|name| ours.join(name)));
        (0..30).for_each(|age| made(&format!("busy-{age}"), age));
        clean(&ours, "this-run");
        assert_eq!(folders(&ours).count(), KEPT_RUNS);
        fs::remove_dir_all(run.base).expect("removed");
    }

    /// What is judged from the traces that a check reads is what is judged from all of them.
    #[test]
    fn the_traces_that_a_check_reads_suffice_for_it() {
        let whole = good_server();
        let judged = crate::judgement::judge(whole).expect("judged").checks;
        for listed in catalogue::select(Some(Role::Server), &[], &[]).expect("all of them") {
            let mut part = Recording { manifest: whole.manifest.clone(), traces: Vec::new() };
            let read = |trace: &&Trace| listed.check.kind.reads(trace.scenario());
            part.traces.extend(whole.traces.iter().filter(read).cloned());
            part.manifest.options.only = vec![listed.id()];
            let alone = crate::judgement::judge(&part).expect("judged").checks;
            let beside: Vec<_> = judged.iter().filter(|check| check.id == listed.id()).cloned().collect();
            assert_eq!(alone, beside);
        }
    }
}
