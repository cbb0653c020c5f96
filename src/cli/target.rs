//! The options that say which server is tested.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args as Clap;

use super::Failure;
use super::server::duration;
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
    /// The path of the endpoint, where the URL has none.
    #[arg(long, value_name = "PATH", default_value = "/mcp", help_heading = "Target")]
    path: String,
    /// How long the command may take until it answers HTTP [default: 30s].
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "cmd", help_heading = "Target")]
    start_timeout: Option<Duration>,
    /// A header field for every request, as `Name: value`; its value never reaches a recording or a report.
    #[arg(long, value_name = "FIELD", help_heading = "Target")]
    header: Vec<String>,
    /// A file of header fields, one per line.
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    header_file: Vec<PathBuf>,
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
    /// Reads them.
    pub fn choose(&self) -> Result<Chosen, Failure> {
        let fields = header_fields(&self.header, &self.header_file)?;
        let secrets = Redactor::new([], target::field_secrets(&fields));
        let mut roles = ToolRoles::default();
        for mapping in &self.tool {
            roles.map(mapping).map_err(Failure::usage)?;
        }
        let endpoint = |url: &str| Endpoint::from_url(url, &self.path).map_err(Failure::usage);
        let command = match (&self.cmd, &self.url) {
            (Some(line), Some(url)) => Some(Command::at(line, endpoint(url)?.with_fields(fields.clone()))),
            (Some(line), None) => {
                Some(Command::new(line, &self.path).map(|command| command.with_fields(fields.clone())))
            }
            (None, _) => None,
        };
        let target = match (command.transpose().map_err(Failure::usage)?, &self.url) {
            (Some(command), _) => Target::Command(match self.start_timeout {
                Some(patience) => command.ready_within(patience),
                None => command,
            }),
            (None, Some(url)) => Target::Url(endpoint(url)?.with_fields(fields)),
            (None, None) => {
                Target::Reference(Config { fault: self.fault, variants: self.variant.clone(), ..Config::default() })
            }
        };
        Ok(Chosen { target, roles, secrets })
    }

    /// Those that a replay needs beside the target itself, as they would be typed again, each behind a blank. The
    /// value of a header field is a secret: whoever replays knows it.
    pub fn given(&self) -> String {
        let quoted = |text: &str| shell_words::quote(text).into_owned();
        let fields = self.header.iter().filter_map(|field| Some(format!("{}: …", field.split_once(':')?.0)));
        let mut options: Vec<(&str, String)> = fields.map(|field| ("--header", field)).collect();
        options.extend(self.header_file.iter().map(|file| ("--header-file", file.display().to_string())));
        options.extend(self.tool.iter().map(|tool| ("--tool", tool.clone())));
        options.iter().map(|(name, value)| format!(" {name} {}", quoted(value))).collect()
    }
}

fn header_fields(fields: &[String], files: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let mut all = Vec::new();
    for field in fields {
        all.push(header_field(field).ok_or_else(|| {
            // Not the value: it may be a secret.
            Failure::usage("--header: a field is not of the form `Name: value`")
        })?);
    }
    for file in files {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::usage(format!("cannot read --header-file {}: {error}", file.display())))?;
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            all.push(header_field(line).ok_or_else(|| {
                let place = format!("{}, line {}", file.display(), index + 1);
                Failure::usage(format!("--header-file {place}: not of the form `Name: value`"))
            })?);
        }
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
