//! `mcpwire init`: looks at a target, and writes a configuration for it. `mcpwire schema`: what can stand in one.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args as Clap;
use serde_json::Value as Json;

use super::exit::Exit;
use super::server::{failure, interrupt_on_signals};
use super::target::{self, Chosen};
use super::{Failure, print, progress, say};
use crate::config::{self, Config, FILE, Found, Layer, Setting, duration};
use crate::drive::{self, ClientSubject, Experiments, Subject};
use crate::manifest::Options;
use crate::reference;
use crate::spec::Revision;
use crate::target::Permission;
use crate::target::client::Client;
use crate::trace::redact::Redactor;
use crate::trace::store::Recording;

/// How long a client may take to show which revisions it goes along with.
const WITHIN: Duration = Duration::from_secs(30);

/// Options of `mcpwire init`.
#[derive(Debug, Clap)]
pub struct Args {
    /// A client and its arguments; the URL is appended.
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["url", "cmd"])]
    command: Vec<String>,
    /// The server's URL.
    #[arg(long, value_name = "URL", help_heading = "Target")]
    url: Option<String>,
    /// A command that starts the server, with {port} where the port goes. With --url, a program that listens there.
    #[arg(long, value_name = "COMMAND", help_heading = "Target")]
    cmd: Option<String>,
    /// The path of the endpoint, where the URL has none [default: /mcp].
    #[arg(long, value_name = "PATH", help_heading = "Target")]
    path: Option<String>,
    /// How long the command may take until it answers HTTP [default: 30s].
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Target")]
    start_timeout: Option<Duration>,
    /// A file of header fields, one per line.
    #[arg(long, value_name = "FILE", help_heading = "Target")]
    header_file: Vec<String>,
    /// An environment variable that holds a header field.
    #[arg(long, value_name = "VARIABLE", help_heading = "Target")]
    header_env: Vec<String>,

    /// Write this file [default: mcpwire.toml].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write it even if there is one already.
    #[arg(long)]
    force: bool,
}

/// Looks, and writes the file.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let path = args.config.clone().unwrap_or_else(|| PathBuf::from(FILE));
    let shown = path.display().to_string();
    if !args.force && path.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!("{shown} is there already (--force writes it anew)")));
    }
    if args.url.as_ref().is_some_and(|url| url.contains(['?', '@'])) {
        let what = "what a URL says behind `?` or before `@` may be a secret, and the file is for all to read: write it \
                    without, and give the secret as a header field (--header-env, --header-file)";
        return Err(Failure::usage(what));
    }
    if args.command.first().is_some_and(String::is_empty) {
        return Err(Failure::usage("the command behind `--` is empty"));
    }
    if args.command.is_empty() && std::env::args_os().next_back().is_some_and(|last| last == "--") {
        return Err(Failure::usage("no command behind `--`"));
    }
    let said = said(args);
    let (text, next) = if !args.command.is_empty() {
        (config::for_client(&args.command, &look_at_client(&args.command)?), "mcpwire client")
    } else if args.url.is_some() || args.cmd.is_some() {
        (config::for_server(&said, &look_at_server(&said)?), "mcpwire server")
    } else if !said.is_empty() {
        return Err(Failure::usage("which server? Give --url or --cmd as well"));
    } else {
        (config::example(), "")
    };
    // Whoever finds it wrong later would have to look for what they did to it.
    Config::read(&shown, &text).map_err(|error| Failure::fault(format!("what init would write is wrong: {error}")))?;
    write(&path, &text, args.force)?;
    let file = match shown == FILE {
        true => String::new(),
        false => format!(" --config {}", shell_words::quote(&shown)),
    };
    say(&match next {
        "" => format!(
            "{shown} is written: everything in it is only shown. Say in it what is to be tested; with `--url`, `--cmd` or \
             a client behind `--`, init looks for itself"
        ),
        next => format!(
            "{shown} is written. Read it; then `{next}{file}` tests what stands there.\nWhat fails today: `{next}{file} \
             --report json=report.json`, then `mcpwire baseline write expected-failures.yml --from report.json`"
        ),
    });
    Ok(Exit::Conforms)
}

/// Prints the schema of the file.
pub fn print_schema() -> Result<Exit, Failure> {
    print(&format!("{:#}\n", config::schema()))?;
    Ok(Exit::Conforms)
}

/// What is said of a server, in the order of the file.
fn said(args: &Args) -> Vec<(Setting, Vec<String>)> {
    let time = args.start_timeout.map(|time| format!("{}ms", time.as_millis().max(1)));
    let texts = |text: &Option<String>| text.iter().cloned().collect::<Vec<_>>();
    let all = [
        (Setting::Cmd, texts(&args.cmd)),
        (Setting::Url, texts(&args.url)),
        (Setting::Path, texts(&args.path)),
        (Setting::StartTimeout, texts(&time)),
        (Setting::HeaderFile, args.header_file.clone()),
        (Setting::HeaderEnv, args.header_env.clone()),
    ];
    all.into_iter().filter(|(_, texts)| !texts.is_empty()).collect()
}

fn look_at_server(said: &[(Setting, Vec<String>)]) -> Result<Found, Failure> {
    let mut layer = Layer::default();
    for (setting, texts) in said {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let value = setting.row().kind.value(&texts).map_err(Failure::usage)?;
        layer.option(*setting, Some(value));
    }
    let Chosen { target, roles, secrets } = target::chosen(&layer, reference::Config::default())?;
    let interrupt = interrupt_on_signals()?;
    let subject = Subject {
        target,
        revisions: Revision::ALL.to_vec(),
        options: Options::default(),
        roles,
        experiments: Experiments::WhereSlow,
        permission: Permission::default(),
        given: String::new(),
        interrupt: interrupt.clone(),
    };
    let recording = drive::record_scenarios(subject, &[]).map_err(|error| failure(&error, &interrupt, &secrets))?;
    found(&recording, "is no server that mcpwire can speak with")
}

fn look_at_client(command: &[String]) -> Result<Found, Failure> {
    let interrupt = interrupt_on_signals()?;
    let subject = ClientSubject {
        client: Client::Command(command.to_vec()),
        revisions: Revision::ALL.to_vec(),
        options: Options::default(),
        within: WITHIN,
        given: String::new(),
        interrupt: interrupt.clone(),
    };
    let recording = drive::record_client_scenarios(&subject, &[], &mut *progress::observer())
        .map_err(|error| failure(&error, &interrupt, &Redactor::default()))?;
    found(&recording, "goes along with no revision")
}

/// What a recording tells, in which only the survey was played.
fn found(recording: &Recording, nothing: &str) -> Result<Found, Failure> {
    let manifest = &recording.manifest;
    let spoken = manifest.revisions.iter().filter(|run| run.spoken).map(|run| run.revision);
    let found = Found { name: manifest.target.server.clone(), revisions: spoken.collect(), tools: tools(recording) };
    let refused = |why: String| Err(Failure { exit: Exit::Target, message: why });
    if let Some(why) = &manifest.incomplete {
        return refused(why.clone());
    }
    match found.revisions.is_empty() {
        true => {
            let why: Vec<String> =
                manifest.revisions.iter().map(|run| format!("\n    {}: {}", run.revision, run.how)).collect();
            refused(format!("{} {nothing}:{}", manifest.target.name, why.concat()))
        }
        false => Ok(found),
    }
}

/// The tools that a server showed, each once.
fn tools(recording: &Recording) -> Vec<Json> {
    let mut tools: Vec<Json> = Vec::new();
    for exchange in recording.traces.iter().flat_map(|trace| trace.exchanges()) {
        let is_list = exchange.rpc_method().as_deref() == Some("tools/list");
        let Some(answer) = exchange.response().filter(|_| is_list) else { continue };
        for tool in answer.message.value["result"]["tools"].as_array().into_iter().flatten() {
            if tools.iter().all(|known| known["name"] != tool["name"]) {
                tools.push(tool.clone());
            }
        }
    }
    tools
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    match force {
        true => options.write(true).create(true).truncate(true),
        // Somebody may have written one while we looked.
        false => options.write(true).create_new(true),
    };
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => Failure::usage(format!("{} is there already", path.display())),
        _ => Failure::fault(format!("cannot write {}: {error}", path.display())),
    })
}
