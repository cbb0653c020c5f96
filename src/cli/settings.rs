//! What a run is to be: the options on the command line over the environment, over the file.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use clap::Args as Clap;

use super::{Failure, say};
use crate::config::{Config, FILE, LARGEST, Layer, Named, Setting, Value, noun};
use crate::manifest::Role;

/// Options that say which file is read, and what of it holds.
#[derive(Debug, Default, Clap)]
pub struct ConfigArgs {
    /// Test this target of the configuration: `[server.NAME]` or `[client.NAME]`. May be given more than once
    /// [default: all of them].
    #[arg(long, value_name = "NAME", help_heading = "Configuration")]
    target: Vec<String>,
    /// Let the settings of this profile hold: `[profile.NAME]`.
    #[arg(long, value_name = "NAME", help_heading = "Configuration")]
    profile: Option<String>,
    /// Read this file [default: mcpwire.toml in this folder, where there is one].
    #[arg(long, value_name = "FILE", conflicts_with = "no_config", help_heading = "Configuration")]
    config: Option<PathBuf>,
    /// Read no configuration.
    #[arg(long, conflicts_with_all = ["target", "profile"], help_heading = "Configuration")]
    no_config: bool,
}

/// What is said on the command line of which target is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Nothing.
    None,
    /// A target.
    Target,
    /// The embedded reference peer: a look at mcpwire, which the configuration is not about.
    Reference,
}

/// One target to be tested.
#[derive(Debug)]
pub struct Wanted {
    /// What it is called in the configuration, where it is from there.
    pub name: Option<String>,
    /// All that is said of its run.
    pub settings: Layer,
    /// The options that a replay needs: those of the configuration, and of what was said to this run alone.
    pub given: String,
}

impl Wanted {
    /// The command that tests it again, where the configuration says what it is.
    pub fn command(&self, role: Role) -> Option<String> {
        self.name.as_ref().map(|_| format!("mcpwire {}{}", noun(role), self.given))
    }
}

/// What a replay is told again.
const GIVEN: &[Setting] = &[
    Setting::Header,
    Setting::HeaderFile,
    Setting::HeaderEnv,
    Setting::Tool,
    Setting::Timeout,
    Setting::Budget,
    Setting::StreamEndGrace,
];

/// What says where a target is.
const PLACE: &[Setting] = &[Setting::Url, Setting::Cmd];

/// The list of variables for `--help`.
pub fn variables(role: Role) -> String {
    let rows = Setting::all().filter(|row| row.has_variable && row.roles.contains(&role));
    let names: Vec<String> = rows.map(|row| row.variable()).collect();
    let mut text = "Environment:\n".to_owned();
    let mut line = String::from(" ");
    for name in &names {
        if line.len() + name.len() > 78 {
            text.push_str(&line);
            text.push('\n');
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(name);
    }
    text.push_str(&line);
    text.push_str(
        "\n  Each says what the option says that is called like it. Several values stand one a\n  \
         line; names, revisions and patterns may stand between commas. Options beat variables,\n  \
         these beat mcpwire.toml: docs/configuration.md. An empty variable says nothing.",
    );
    text
}

impl ConfigArgs {
    /// The targets to be tested, each with all that is said of it; `flags` is what the command line says.
    pub fn wanted(&self, role: Role, flags: &Layer, choice: Choice) -> Result<Vec<Wanted>, Failure> {
        let said = self.said(role, flags, choice)?;
        let is_placed = choice != Choice::None || PLACE.iter().any(|setting| said.has(*setting));
        if is_placed && said.has(Setting::Target) {
            let what = "a target is chosen by its name in the configuration (--target), or given whole, and not both";
            return Err(at(&said, Setting::Target, &what));
        }
        let file = if choice == Choice::Reference { None } else { self.read(&said)? };
        let Some(config) = file else {
            if choice != Choice::Reference && !self.no_config {
                refuse_without_file(&said)?;
            }
            let no_config = if self.no_config { " --no-config" } else { "" };
            return Ok(vec![Wanted { name: None, given: format!("{no_config}{}", said.typed(GIVEN)), settings: said }]);
        };
        let file = InFile::of(config, role, said)?;
        let names = file.said.texts(Setting::Target);
        let wanted = if is_placed {
            vec![file.wanted(None)?]
        } else if names.is_empty() {
            file.config.targets(role).map(|target| file.wanted(Some(target))).collect::<Result<Vec<_>, _>>()?
        } else {
            file.named(names)?
        };
        if wanted.is_empty() {
            return Err(nothing_in(&file.config.file, role));
        }
        file.announce(&wanted);
        Ok(wanted)
    }

    /// What the command line and the environment say.
    fn said(&self, role: Role, flags: &Layer, choice: Choice) -> Result<Layer, Failure> {
        let environment = environment(role)?;
        // Whatever the environment says of a target, this run was given another one.
        let environment = match choice {
            Choice::None if self.target.is_empty() => environment,
            Choice::None => environment.without(PLACE),
            Choice::Target => environment.without(PLACE).without(&[Setting::Target]),
            // A look at mcpwire itself is the same wherever it is taken.
            Choice::Reference => environment.without(PLACE).without(&[Setting::Target, Setting::Profile]),
        };
        let mut flags = flags.clone();
        flags.options(Setting::Target, &self.target);
        flags.option(Setting::Profile, self.profile.clone().map(Value::Text));
        Ok(flags.over(&environment))
    }

    /// Reads the file, where there is one.
    fn read(&self, said: &Layer) -> Result<Option<Config>, Failure> {
        if self.no_config {
            return Ok(None);
        }
        match self.config.as_deref().or(said.text(Setting::Config).map(Path::new)) {
            Some(path) => read(path, &said.place(Setting::Config)).map(Some),
            None => match Path::new(FILE).symlink_metadata() {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                _ => read(Path::new(FILE), "").map(Some),
            },
        }
    }

    /// They, of a command that takes nothing but the file from them.
    pub fn of_file(config: Option<PathBuf>) -> Self {
        Self { config, ..Self::default() }
    }

    /// The target of the configuration that is named, for a command that takes what it says of a URL only.
    pub fn named(&self, role: Role, name: &str) -> Result<Layer, Failure> {
        let said = environment(role)?;
        let Some(config) = self.read(&said)? else {
            return Err(Failure::usage(format!(
                "--target needs a configuration, and there is no {FILE} in this folder"
            )));
        };
        Ok(config.target(role, name).map_err(Failure::usage)?.layer.clone())
    }
}

/// A configuration, and what is said over it.
struct InFile {
    config: Config,
    role: Role,
    said: Layer,
    profile: Layer,
}

impl InFile {
    fn of(config: Config, role: Role, said: Layer) -> Result<Self, Failure> {
        let profile = said.text(Setting::Profile).map(|name| config.profile(name)).transpose();
        let profile = profile.map_err(|error| at(&said, Setting::Profile, &error))?.cloned().unwrap_or_default();
        Ok(Self { config, role, said, profile })
    }

    /// The targets of these names, each once.
    fn named(&self, names: &[String]) -> Result<Vec<Wanted>, Failure> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for name in names {
            let target = self.config.target(self.role, name);
            let target = target.map_err(|error| at(&self.said, Setting::Target, &error))?;
            if wanted.iter().all(|known| known.name.as_ref() != Some(name)) {
                wanted.push(self.wanted(Some(target))?);
            }
        }
        Ok(wanted)
    }

    /// A target of the file, or one that is given elsewhere.
    fn wanted(&self, target: Option<&Named>) -> Result<Wanted, Failure> {
        let of_target = target.map(|target| target.layer.clone()).unwrap_or_default();
        let settings = self.said.clone().over(&self.profile).over(&of_target).over(&self.config.top);
        let settings = settings.of_role(self.role).map_err(Failure::usage)?;
        let name = target.map(|target| target.name.clone());
        Ok(Wanted { given: self.given(name.as_deref()), name, settings })
    }

    /// The options that lead a replay to the same.
    fn given(&self, name: Option<&str>) -> String {
        let mut given = String::new();
        if let Some(name) = name {
            given.push_str(&format!(" --target {}", shell_words::quote(name)));
        }
        if self.config.file != FILE {
            given.push_str(&format!(" --config {}", shell_words::quote(&self.config.file)));
        }
        given.push_str(&self.said.typed(&[Setting::Profile]));
        if name.is_some() {
            given.push_str(&self.said.typed(&[Setting::Path, Setting::StartTimeout]));
        }
        given + &self.said.typed(GIVEN)
    }

    /// Says which file is used, and for what.
    fn announce(&self, wanted: &[Wanted]) {
        let names: Vec<&str> = wanted.iter().filter_map(|wanted| wanted.name.as_deref()).collect();
        let profile = self.said.text(Setting::Profile).map(|name| format!(", with profile {name}")).unwrap_or_default();
        let what = match &names[..] {
            [] => format!("what it says of every {}", noun(self.role)),
            [name] => format!("{} {name}", noun(self.role)),
            names => format!("{}s {}", noun(self.role), names.join(", ")),
        };
        say(&format!("{}: {what}{profile}", self.config.file));
    }
}

/// What is asked of a file that is not there.
fn refuse_without_file(said: &Layer) -> Result<(), Failure> {
    for (setting, option) in [(Setting::Target, "--target"), (Setting::Profile, "--profile")] {
        if said.has(setting) {
            let what = format!("{option} needs a configuration, and there is no {FILE} in this folder");
            return Err(at(said, setting, &what));
        }
    }
    Ok(())
}

/// A file is there, and it has no target: to test the embedded peer instead would be to say that it conforms.
fn nothing_in(file: &str, role: Role) -> Failure {
    let noun = noun(role);
    let place = match role {
        Role::Server => "--url or --cmd",
        Role::Client => "a command behind `--`",
    };
    Failure::usage(format!(
        "{file} has no [{noun}.NAME]: write one, or give {place} (with --no-config, the embedded reference {noun} is \
         tested)"
    ))
}

fn at(said: &Layer, setting: Setting, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{}{error}", said.place(setting)))
}

/// What the environment says.
fn environment(role: Role) -> Result<Layer, Failure> {
    // What is no UTF-8 is nothing that could be meant; the sentence on it would say no more than that.
    let look_up = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    Layer::of_environment(role, look_up).map_err(Failure::usage)
}

fn read(path: &Path, place: &str) -> Result<Config, Failure> {
    let shown = path.display().to_string();
    let cannot = |why: &dyn std::fmt::Display| Failure::usage(format!("{place}cannot read {shown}: {why}"));
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(|error| cannot(&error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(cannot(&format_args!("it has more than {} MiB", LARGEST >> 20)));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        Failure::usage(format!("{shown}, line {line}: this is not UTF-8"))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Config::read(&shown, text).map_err(Failure::usage)
}
