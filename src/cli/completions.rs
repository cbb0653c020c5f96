//! `mcpwire completions`: what a shell needs to complete a command line.

use clap::{Args as Clap, CommandFactory};
use clap_complete::Shell;

use super::exit::Exit;
use super::{Cli, Failure, print};

/// Options of `mcpwire completions`.
#[derive(Debug, Clap)]
pub struct Args {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "mcpwire", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Conforms)
}
