//! A target of a harness: recorded once, and judged for each of its tests.

use std::env;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::made::Making;
use super::settings::Settings;
use super::{recorder, shared};
use crate::catalogue::Listed;
use crate::judgement;
use crate::manifest::{Instruments, Options, Role};
use crate::report::Report;
use crate::trace::TraceHead;
use crate::trace::store::Recording;
use crate::wire::interrupt::Interrupt;

/// The recording to judge instead of making one.
const GIVEN: &str = "MCPWIRE_RECORDING";

/// A target of a harness.
#[derive(Debug)]
pub(super) struct Subject {
    name: String,
    role: Role,
    settings: Settings,
    /// Taken by the trial that makes the recording.
    making: Mutex<Option<Making>>,
    /// What the trials of this process share.
    judged: OnceLock<Result<Arc<Judged>, String>>,
}

/// What a recording comes to.
#[derive(Debug)]
pub(super) struct Judged {
    pub report: Report,
    /// What could be observed where it was made.
    pub instruments: Instruments,
}

impl Subject {
    pub(super) fn new(name: String, making: Making, settings: Settings) -> Self {
        let role = making.role;
        Self { name, role, settings, making: Mutex::new(Some(making)), judged: OnceLock::new() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the recording of this target comes to: for a check, or for all of them. Where there is no recording yet,
    /// whoever asks first makes it, and the others wait.
    ///
    /// # Errors
    ///
    /// The sentence that says why there is none: the same for each trial of the target.
    pub(super) fn judged(&self, only: Option<&Listed>) -> Result<Arc<Judged>, String> {
        // Where each trial has a process of its own, it needs nothing but its own check.
        if let Some(run) = shared::Run::of_this_process() {
            let wanted = |head: &TraceHead| only.is_none_or(|listed| listed.check.kind.reads(head.scenario));
            let recording = match self.given(&wanted) {
                Some(recording) => recording?,
                None => run.recording(&self.name, &wanted, |interrupt| self.record(interrupt))?,
            };
            return self.judge(recording, only);
        }
        let judged = self.judged.get_or_init(|| {
            let recording = match self.given(&|_| true) {
                Some(recording) => recording,
                None => recorder::in_turn(|interrupt| self.record(interrupt)),
            };
            self.judge(recording?, None)
        });
        judged.clone()
    }

    /// The recording that somebody made before, if we are to judge that.
    fn given(&self, wanted: &dyn Fn(&TraceHead) -> bool) -> Option<Result<Recording, String>> {
        let folder = env::var_os(GIVEN).filter(|folder| !folder.is_empty())?;
        let folder = super::settings::in_package(Path::new(&folder));
        let of_this_target = folder.join(&self.name);
        let folder = if of_this_target.is_dir() { of_this_target } else { folder };
        Some(Recording::read_where(&folder, wanted).map_err(|error| format!("{GIVEN}: {error}")))
    }

    fn record(&self, interrupt: &Interrupt) -> Result<Recording, String> {
        let making = self.making.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Whoever took it before did not come back with a recording.
        let making =
            making.ok_or_else(|| format!("{} could not be recorded: see the first of its tests", self.name))?;
        recorder::record(&self.name, making, &self.settings, interrupt)
    }

    /// Judges a recording as the settings say; what was driven is what its manifest says.
    fn judge(&self, mut recording: Recording, only: Option<&Listed>) -> Result<Arc<Judged>, String> {
        let manifest = &mut recording.manifest;
        if manifest.role != self.role {
            let called = |role| if role == Role::Server { "server" } else { "client" };
            let (theirs, ours) = (called(manifest.role), called(self.role));
            return Err(format!("the recording is that of a {theirs}, and {} is a {ours}", self.name));
        }
        let ours = self.settings.options.clone();
        manifest.options = Options { timeout: manifest.options.timeout, ..ours };
        if let Some(listed) = only {
            (manifest.options.only, manifest.options.skip) = (vec![listed.id()], Vec::new());
        }
        manifest.revisions.retain(|run| self.settings.revisions.contains(&run.revision));
        manifest.target.name.clone_from(&self.name);
        let instruments = manifest.instruments;
        let mut report = judgement::judge(&recording).map_err(|error| error.to_string())?;
        if let Some(baseline) = &self.settings.baseline {
            baseline.apply(&mut report);
        }
        Ok(Arc::new(Judged { report, instruments }))
    }
}
