//! `mcpwire reference-client`: the reference client as a program, a client under test like any other.

use clap::Args as Clap;

use super::exit::Exit;
use super::{Failure, print};
use crate::reference::client::{self, Fault};
use crate::spec::Revision;

/// Options of `mcpwire reference-client`.
#[derive(Debug, Clap)]
#[command(after_help = switches())]
pub struct Args {
    /// The URL of the server.
    #[arg(value_name = "URL")]
    url: String,
    /// The one thing that it does wrong.
    #[arg(long, value_name = "NAME")]
    fault: Option<Fault>,
}

/// Follows `MCPWIRE_SCRIPT`; without one it connects, lists the tools and closes.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let script = std::env::var("MCPWIRE_SCRIPT").unwrap_or_else(|_| plain());
    // Nobody may be listening any more: what the peer sees is the point.
    let tell = |line: &str| drop(print(&format!("{line}\n")));
    client::run(&args.url, &script, args.fault, &tell, &|| false).map_err(Failure::usage)?;
    Ok(Exit::Conforms)
}

fn plain() -> String {
    let revision =
        std::env::var("MCP_CONFORMANCE_PROTOCOL_VERSION").unwrap_or_else(|_| Revision::R20251125.to_string());
    let step = |name: &str| serde_json::json!({"step": name, "do": name});
    let steps = [step("connect"), step("list-tools"), step("close")];
    serde_json::json!({"version": 1, "revision": revision, "steps": steps}).to_string()
}

fn switches() -> String {
    let mut text = "Faults:\n".to_owned();
    for fault in Fault::ALL {
        text.push_str(&format!("  {:<38} {}\n", fault.name(), fault.summary()));
    }
    text
}
