//! The options that say which server is tested.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Clap;

use super::Failure;
use super::settings::Choice;
use crate::config::{Layer, Setting, Source, Value, duration};
use crate::reference::{Config, Fault, Variant};
use crate::target::{self, Command, Endpoint, Target, ToolRoles};
use crate::trace::redact::Redactor;

/// Which server is tested.
#[derive(Debug, Clap)]
pub struct TargetArgs {
    /// The server's URL.
    #[arg(long, value_name = "URL", help_heading = "Target")]
    url: Option<String>,
    /// A command that starts the server, with {port} where the port goes; no shell is involved. With --url, a
    /// program that listens there by itself.
    #[arg(long, value_name = "COMMAND", help_heading = "Target")]
    cmd: Option<String>,
    /// The path of the endpoint, where the URL has none [default: /mcp].
    #[arg(long, value_name = "PATH", help_heading = "Target")]
    path: Option<String>,
    /// How long the command may take until it answers HTTP [default: 30s].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Target")]
    start_timeout: Option<Duration>,
    /// A header field for every request, as `Name: value`; its value never reaches a recording or a report.
    #[arg(long, value_name = "FIELD", help_heading = "Target")]
    header: Vec<String>,
    /// A file of header fields, one per line.
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    header_file: Vec<PathBuf>,
    /// An environment variable that holds a header field.
    #[arg(long, value_name = "VARIABLE", help_heading = "Target")]
    header_env: Vec<String>,
    /// One of the target's tools for a role (slow, progress, error, large, server-request, echo, side-effect, effect), as
    /// ROLE=NAME or ROLE=NAME:JSON; `{mark}` in the JSON's texts stands for a text that differs from call to call.
    #[arg(long, value_name = "ROLE=NAME[:JSON]", help_heading = "Target")]
    tool: Vec<String>,
    /// Switch a fault of the embedded reference server on, to see what a failure looks like
    /// (`mcpwire reference --help` lists them).
    #[arg(long, value_name = "NAME", conflicts_with_all = ["url", "cmd"], help_heading = "Target")]
    fault: Option<Fault>,
    /// Switch a legal variant of the embedded reference server on.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["url", "cmd"], help_heading = "Target")]
    variant: Vec<Variant>,
}

/// The server that the options mean.
pub struct Chosen {
    /// Where it is, or how it is started.
    pub target: Target,
    /// Its tools, by role.
    pub roles: ToolRoles,
    /// What must not be repeated in messages.
    pub secrets: Redactor,
}

impl TargetArgs {
    /// What they say.
    pub fn layer(&self) -> Result<Layer, Failure> {
        let mut layer = Layer::default();
        for (setting, text) in [(Setting::Url, &self.url), (Setting::Cmd, &self.cmd), (Setting::Path, &self.path)] {
            layer.option(setting, text.clone().map(Value::Text));
        }
        layer.option(Setting::StartTimeout, self.start_timeout.map(Value::Duration));
        let files: Vec<String> = self.header_file.iter().map(|file| file.display().to_string()).collect();
        layer.options(Setting::Header, &self.header);
        layer.options(Setting::HeaderFile, &files);
        layer.options(Setting::HeaderEnv, &self.header_env);
        if !self.tool.is_empty() {
            let mut roles = ToolRoles::default();
            for mapping in &self.tool {
                roles.map(mapping).map_err(Failure::usage)?;
            }
            layer.option(Setting::Tool, Some(Value::Tools(roles)));
        }
        Ok(layer)
    }

    /// What they say of which target it is.
    pub fn choice(&self) -> Choice {
        if self.fault.is_some() || !self.variant.is_empty() {
            Choice::Reference
        } else if self.url.is_some() || self.cmd.is_some() {
            Choice::Target
        } else {
            Choice::None
        }
    }

    /// The embedded reference server, as they want it.
    pub fn reference(&self) -> Config {
        Config { fault: self.fault, variants: self.variant.clone(), ..Config::default() }
    }
}

/// The server that the settings mean; the embedded one, where they mean none.
pub fn chosen(settings: &Layer, reference: Config) -> Result<Chosen, Failure> {
    let fields = header_fields(settings)?;
    let secrets = Redactor::new([], target::field_secrets(&fields));
    let path = settings.text(Setting::Path).unwrap_or("/mcp");
    let failure =
        |setting: Setting, error: &dyn std::fmt::Display| Failure::usage(format!("{}{error}", settings.place(setting)));
    let endpoint = |url: &str| Endpoint::from_url(url, path).map_err(|error| failure(Setting::Url, &error));
    let url = settings.text(Setting::Url);
    let command = match (settings.text(Setting::Cmd), url) {
        (Some(line), Some(url)) => Some(Command::at(line, endpoint(url)?.with_fields(fields.clone()))),
        (Some(line), None) => Some(Command::new(line, path).map(|command| command.with_fields(fields.clone()))),
        (None, _) => None,
    };
    let command = command.transpose().map_err(|error| failure(Setting::Cmd, &error))?;
    let patience = settings.duration(Setting::StartTimeout);
    let is_asked = settings.get(Setting::StartTimeout).is_some_and(|said| said.source == Source::Option);
    if command.is_none() && is_asked {
        return Err(Failure::usage("--start-timeout is for a server that is started with --cmd"));
    }
    let target = match (command, url) {
        (Some(command), _) => Target::Command(match patience {
            Some(patience) => command.ready_within(patience),
            None => command,
        }),
        (None, Some(url)) => Target::Url(endpoint(url)?.with_fields(fields)),
        (None, None) => Target::Reference(reference),
    };
    Ok(Chosen { target, roles: settings.tools(), secrets })
}

fn header_fields(settings: &Layer) -> Result<Vec<(String, String)>, Failure> {
    let mut all = Vec::new();
    let place = |setting: Setting, option: &str| match settings.get(setting).map(|said| &said.source) {
        Some(Source::Option) | None => format!("{option} "),
        Some(source) => source.to_string(),
    };
    for field in settings.texts(Setting::Header) {
        all.push(header_field(field).ok_or_else(|| {
            // Not the value: it may be a secret.
            let place = place(Setting::Header, "--header:");
            Failure::usage(format!("{place}a field is not of the form `Name: value`"))
        })?);
    }
    for file in settings.texts(Setting::HeaderFile) {
        let place = place(Setting::HeaderFile, "--header-file");
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("{place}cannot read the header file {file}: {error}")))?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            all.push(header_field(line).ok_or_else(|| {
                Failure::usage(format!("{place}{file}, line {}: not of the form `Name: value`", index + 1))
            })?);
        }
    }
    for variable in settings.texts(Setting::HeaderEnv) {
        let place = place(Setting::HeaderEnv, "--header-env");
        let refused = |why: &str| Failure::usage(format!("{place}{variable} {why}"));
        let text = std::env::var(variable).map_err(|_| refused("is not set, or is not UTF-8"))?;
        all.push(header_field(&text).ok_or_else(|| refused("does not hold a field of the form `Name: value`"))?);
    }
    Ok(all)
}

fn header_field(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once(':')?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let fits = |byte: u8| byte == b'\t' || (0x20..=0x7e).contains(&byte) || byte >= 0x80;
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty() && name.bytes().all(token) && value.bytes().all(fits))
        .then(|| (name.to_owned(), value.to_owned()))
}
