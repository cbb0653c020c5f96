//! `mcpwire proxy`: records what passes between a client and a server that run for themselves.

use std::path::PathBuf;

use clap::Args as Clap;

use super::exit::Exit;
use super::server::interrupt_on_signals;
use super::{Failure, print, say};
use crate::drive::{self, ProxySubject};
use crate::manifest::Options;
use crate::target::Endpoint;
use crate::trace::store;

/// Options of `mcpwire proxy`.
#[derive(Debug, Clap)]
pub struct Args {
    /// The URL of the server.
    #[arg(long, value_name = "URL")]
    url: String,
    /// Keep the recordings in this folder: `server` and `client` in it, each for `mcpwire judge`.
    #[arg(long, value_name = "DIR")]
    record: PathBuf,
    /// The port on 127.0.0.1 to listen on; 0 is any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
}

/// Passes on what comes until a signal ends it, and writes the recordings.
pub fn run(args: Args) -> Result<Exit, Failure> {
    let server = Endpoint::from_url(&args.url, "/mcp").map_err(Failure::usage)?;
    let folders = [args.record.join("server"), args.record.join("client")];
    for folder in &folders {
        store::may_write(folder).map_err(Failure::usage)?;
    }
    let interrupt = interrupt_on_signals()?;
    let subject = ProxySubject { server, port: args.port, options: Options::default(), interrupt };
    let mut printed = Ok(());
    let proxied = drive::record_proxied(&subject, |url| printed = print(&format!("{url}\n")))
        .map_err(|error| Failure { exit: Exit::Target, message: error.to_string() })?;
    printed?;
    for (recording, folder) in [&proxied.server, &proxied.client].into_iter().zip(&folders) {
        recording.write(folder).map_err(Failure::fault)?;
        let count: usize = recording.traces.iter().map(|trace| trace.exchanges().count()).sum();
        say(&format!("{count} exchanges recorded; judge them with `mcpwire judge {}`", folder.display()));
    }
    Ok(Exit::Conforms)
}
