//! `mcpwire reference`: serves the reference server.

use clap::Args as Clap;

use super::exit::Exit;
use super::{Failure, print};
use crate::reference::{Config, Fault, Reference, Variant};

/// Options of `mcpwire reference`.
#[derive(Debug, Clap)]
#[command(after_help = switches())]
pub struct Args {
    /// The port on 127.0.0.1; 0 is any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// The path of the endpoint.
    #[arg(long, value_name = "PATH", default_value = "/mcp")]
    path: String,
    /// How many connections there may be at once; more are closed as they come.
    #[arg(long, value_name = "COUNT", default_value_t = Config::default().connections)]
    connections: usize,
    /// The one thing that it does wrong.
    #[arg(long, value_name = "NAME")]
    fault: Option<Fault>,
    /// A legal liberty that it takes.
    #[arg(long, value_name = "NAME")]
    variant: Vec<Variant>,
}

/// Serves until a signal ends the process.
pub fn run(args: Args) -> Result<Exit, Failure> {
    let Args { port, path, connections, fault, variant } = args;
    let config = Config { fault, variants: variant, path, port, connections };
    let reference = Reference::start(config)
        .map_err(|error| Failure { exit: Exit::Target, message: format!("cannot listen on port {port}: {error}") })?;
    print(&format!("{}\n", reference.url()))?;
    loop {
        std::thread::park();
    }
}

fn switches() -> String {
    let mut text = "Faults:\n".to_owned();
    for fault in Fault::ALL {
        text.push_str(&format!("  {:<38} {}\n", fault.name(), fault.summary()));
    }
    text.push_str("\nVariants:\n");
    for variant in Variant::ALL {
        text.push_str(&format!("  {:<38} {}\n", variant.name(), variant.summary()));
    }
    text
}
