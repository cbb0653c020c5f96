//! `mcpwire proxy`: records what passes between a client and a server that run for themselves.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args as Clap;

use super::exit::Exit;
use super::server::interrupt_on_signals;
use super::settings::ConfigArgs;
use super::{Failure, print, say};
use crate::config::Setting;
use crate::drive::{self, ProxySubject};
use crate::manifest::{Options, Role};
use crate::target::{Endpoint, Permission};
use crate::trace::store;
use crate::wire::fault::{self, Fault};

/// Options of `mcpwire proxy`.
#[derive(Debug, Clap)]
#[command(after_help = faults())]
pub struct Args {
    /// The URL of the server.
    #[arg(long, value_name = "URL", required_unless_present_any = ["list_faults", "target"])]
    url: Option<String>,
    /// The server of mcpwire.toml that is called so, instead; it has to run already, at the URL that stands there.
    #[arg(long, value_name = "NAME", conflicts_with = "url")]
    target: Option<String>,
    /// Read the server from this file instead of mcpwire.toml.
    #[arg(long, value_name = "FILE", requires = "target")]
    config: Option<PathBuf>,
    /// Keep the recordings in this folder: `server` and `client` in it, each for `mcpwire judge`.
    #[arg(long, value_name = "DIR", required_unless_present = "list_faults")]
    record: Option<PathBuf>,
    /// The port on 127.0.0.1 to listen on; 0 is any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// What to do to the bytes that pass. May be given more than once.
    #[arg(long, value_name = "FAULT", help_heading = "Faults")]
    fault: Vec<Fault>,
    /// What the random numbers of the faults begin with: the same seed and the same bytes have the same plan
    /// [default: another one each time, which is printed and recorded].
    #[arg(long, value_name = "N", help_heading = "Faults")]
    seed: Option<u64>,
    /// Allow faults towards a server on this host, which is not this machine. May be given more than once.
    #[arg(long, value_name = "HOST", help_heading = "Faults")]
    allow_load: Vec<String>,
    /// List the faults, and do nothing else.
    #[arg(long, help_heading = "Faults")]
    list_faults: bool,
}

/// Passes on what comes until a signal ends it, and writes the recordings.
pub fn run(args: Args) -> Result<Exit, Failure> {
    let (Some(record), false) = (args.record, args.list_faults) else {
        print(&faults())?;
        return Ok(Exit::Conforms);
    };
    let server = match (args.url, args.target) {
        (Some(url), _) => Endpoint::from_url(&url, "/mcp").map_err(Failure::usage)?,
        (None, name) => endpoint(args.config, &name.unwrap_or_default())?,
    };
    if !args.fault.is_empty() {
        Permission::of(args.allow_load).check("--fault", &server).map_err(Failure::usage)?;
    }
    let folders = [record.join("server"), record.join("client")];
    for folder in &folders {
        store::may_write(folder).map_err(Failure::usage)?;
    }
    let interrupt = interrupt_on_signals()?;
    let seed = args.seed.unwrap_or_else(any_seed);
    for fault in &args.fault {
        say(&format!("fault {fault}: {}", fault.summary()));
    }
    if !args.fault.is_empty() {
        say(&format!("the seed of the faults is {seed}: `--seed {seed}` plans the same again"));
    }
    let subject =
        ProxySubject { server, port: args.port, faults: args.fault, seed, options: Options::default(), interrupt };
    let mut printed = Ok(());
    let proxied = drive::record_proxied(&subject, |url| printed = print(&format!("{url}\n")))
        .map_err(|error| Failure { exit: Exit::Target, message: error.to_string() })?;
    printed?;
    for (recording, folder) in [&proxied.server, &proxied.client].into_iter().zip(&folders) {
        recording.write(folder).map_err(Failure::fault)?;
        let count: usize = recording.traces.iter().map(|trace| trace.exchanges().count()).sum();
        say(&format!("{count} exchanges recorded; judge them with `mcpwire judge {}`", folder.display()));
        if let Some(why) = &recording.manifest.incomplete {
            say(why);
        }
    }
    Ok(Exit::Conforms)
}

/// Where a server of the configuration runs.
fn endpoint(config: Option<PathBuf>, name: &str) -> Result<Endpoint, Failure> {
    let target = ConfigArgs::of_file(config).named(Role::Server, name)?;
    let place = target.place(Setting::Url);
    match target.text(Setting::Url) {
        Some(url) => Endpoint::from_url(url, target.text(Setting::Path).unwrap_or("/mcp"))
            .map_err(|error| Failure::usage(format!("{place}{error}"))),
        None => Err(Failure::usage(format!("server `{name}` has no `url`: a proxy starts nothing"))),
    }
}

/// Short enough to be typed again.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_micros() as u64 % 1_000_000
}

fn faults() -> String {
    let mut text =
        "Faults, each NAME[=VALUE][@BYTE][,to-client|,to-server][,connection=N] (connections count from 0):\n"
            .to_owned();
    for listed in fault::LISTED {
        text.push_str(&format!("  {:<28} {}\n", listed.syntax, listed.summary));
    }
    text.push_str(
        "\nWithout a direction, latency, bandwidth, slices and segments are at work in both, and half-close, reset-after,\n\
         stall and zero-window towards the client. Those of one direction compose: bytes come later, wait or end at a\n\
         place, are cut into pieces, and the pieces are paced, in whatever order they are given.\n",
    );
    text
}
