//! What a run means for a gate: the options, and the files behind them.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args as Clap;

use super::Failure;
use crate::baseline::Baseline;
use crate::config::{Layer, Setting, Value};
use crate::judgement;
use crate::manifest::Manifest;
use crate::report::Report;
use crate::sets::FrozenSet;
use crate::trace::store::Recording;

/// Options that only the gate depends on.
#[derive(Debug, Clap)]
pub struct GatingArgs {
    /// A YAML file of failures that are expected, each with its reason; `mcpwire baseline write` makes one.
    #[arg(long, value_name = "FILE", alias = "expected-failures", help_heading = "Gate")]
    baseline: Option<PathBuf>,
    /// Gate on the checks and levels that were published on this date; what came later is reported apart.
    #[arg(long, value_name = "DATE", value_parser = date, help_heading = "Gate")]
    set: Option<String>,
    /// Fail where a selected check that matches, an id or a pattern such as `sse/*`, was not exercised.
    #[arg(long, value_name = "PATTERN", help_heading = "Gate")]
    require: Vec<String>,
    /// What the target is called in reports and in the baseline, instead of its address or command.
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    name: Option<String>,
}

/// The same, read.
#[derive(Debug)]
pub struct Gating {
    baseline: Option<Baseline>,
    name: Option<String>,
}

/// Reads the date of a set.
pub fn date(text: &str) -> Result<String, String> {
    text.parse::<FrozenSet>().map(|set| set.date().to_owned()).map_err(|error| error.to_string())
}

impl GatingArgs {
    /// What they say.
    pub fn say(&self, layer: &mut Layer) {
        let baseline = self.baseline.as_ref().map(|path| path.display().to_string());
        for (setting, text) in [(Setting::Baseline, &baseline), (Setting::Set, &self.set), (Setting::Name, &self.name)]
        {
            layer.option(setting, text.clone().map(Value::Text));
        }
        layer.options(Setting::Require, &self.require);
    }
}

/// Reads a baseline.
pub fn baseline(path: &Path) -> Result<Baseline, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::usage(format!("cannot read the baseline {}: {error}", path.display())))?;
    Baseline::read(&path.display().to_string(), &text).map_err(Failure::usage)
}

impl Gating {
    /// Reads the files, before a run is spent on what could not be judged.
    pub fn read(settings: &Layer) -> Result<Self, Failure> {
        let baseline = settings.text(Setting::Baseline).map(|path| {
            let said =
                |failure: Failure| Failure::usage(format!("{}{}", settings.place(Setting::Baseline), failure.message));
            baseline(Path::new(path)).map_err(said)
        });
        Ok(Self { baseline: baseline.transpose()?, name: settings.text(Setting::Name).map(str::to_owned) })
    }

    /// With this name for the target, where it has no other one.
    pub fn named(mut self, name: Option<&str>) -> Self {
        self.name = self.name.or(name.map(str::to_owned));
        self
    }

    /// Gives the target its name.
    pub fn name(&self, manifest: &mut Manifest) {
        if let Some(name) = &self.name {
            manifest.target.name.clone_from(name);
        }
    }

    /// Judges a recording, and says what it means for the gate.
    pub fn judge(&self, recording: &Recording) -> Result<Report, Failure> {
        let mut report = judgement::judge(recording).map_err(Failure::usage)?;
        if let Some(baseline) = &self.baseline {
            baseline.apply(&mut report);
        }
        Ok(report)
    }
}
