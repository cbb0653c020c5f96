//! The command line.

mod baseline;
mod client;
mod compare;
mod completions;
mod exit;
mod explain;
mod gating;
mod init;
mod judge;
mod latency;
mod list;
mod load;
mod merge;
mod progress;
mod proxy;
mod reference;
mod reference_client;
mod report;
mod runs;
mod server;
mod settings;
mod show;
mod target;

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::report::text;
pub use exit::Exit;

/// Wire-level conformance tests for MCP's Streamable HTTP transport.
#[derive(Debug, Parser)]
#[command(name = "mcpwire", version, arg_required_else_help = true, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Test a server.
    ///
    /// Without --url and --cmd, the servers of mcpwire.toml are tested, one after the other; where there is no such file,
    /// the embedded reference server.
    Server(Box<server::Args>),
    /// Test a client.
    ///
    /// The command after `--` is started once for every scenario, with the URL of a scripted peer as its last
    /// argument. Without a command, the clients of mcpwire.toml are tested; where there is no such file, the embedded
    /// reference client.
    Client(Box<client::Args>),
    /// Record what passes between a client and a server that run for themselves.
    ///
    /// Point the client at the URL that is printed. Ctrl-C ends the recording.
    Proxy(proxy::Args),
    /// Measure a server: how long each phase of each kind of call takes, and what makes slow ones slow.
    ///
    /// Plays what `server --only 'latency/*'` plays, and every experiment besides. Without --url and --cmd, the
    /// server of mcpwire.toml is measured; where there is no such file, the embedded reference server.
    Latency(Box<latency::Args>),
    /// Look at a server or a client, and write mcpwire.toml for it.
    ///
    /// Without a target, the file shows what can be said. A file that is there is not overwritten.
    Init(Box<init::Args>),
    /// Print the JSON Schema of mcpwire.toml, for editors.
    Schema,
    /// Print what a shell needs to complete a command line.
    Completions(completions::Args),
    /// Judge a recording again.
    ///
    /// The options of the run hold, unless they are given again here: neither the environment nor mcpwire.toml is asked.
    Judge(judge::Args),
    /// Say what changed from one JSON report to another: regressions, improvements, what is no longer exercised.
    Compare(compare::Args),
    /// Join the JSON reports of shards: of other checks, other revisions or other targets.
    Merge(merge::Args),
    /// Make a baseline, the file of expected failures, from a JSON report.
    Baseline(baseline::Args),
    /// Show the conversations in a recording: who said what, in two columns.
    ///
    /// What differs from run to run has a name like `<session-1>` or `<id>`, so that two runs can be compared; a message
    /// that was shown before is not shown again. Without --scenario, the scenarios that come out alike in every run.
    Show(show::Args),
    /// List the checks.
    List(list::Args),
    /// Explain a check: what it asks, why it matters, how to fix what it finds.
    Explain(explain::Args),
    /// Serve the reference server, conforming or with one fault.
    Reference(reference::Args),
    /// Run the reference client, conforming or with one fault, against a server.
    ReferenceClient(reference_client::Args),
}

/// Runs the command line, and says how the process should end.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; everything else is a usage error.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Conforms };
            let _ = error.print();
            return exit.into();
        }
    };
    let run = || match cli.command {
        Command::Server(args) => server::run(*args),
        Command::Client(args) => client::run(*args),
        Command::Proxy(args) => proxy::run(args),
        Command::Latency(args) => latency::run(*args),
        Command::Init(args) => init::run(&args),
        Command::Schema => init::print_schema(),
        Command::Completions(args) => completions::run(&args),
        Command::Judge(args) => judge::run(args),
        Command::Compare(args) => compare::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Baseline(args) => baseline::run(args),
        Command::Show(args) => show::run(&args),
        Command::List(args) => list::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Reference(args) => reference::run(args),
        Command::ReferenceClient(args) => reference_client::run(&args),
    };
    // The panic's own words are on standard error by then; what the run started ended as the stack unwound.
    let outcome = panic::catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(Failure::fault("mcpwire itself failed: please report it")));
    match outcome {
        Ok(exit) => exit.into(),
        Err(Failure { exit, message }) => {
            say(&message);
            exit.into()
        }
    }
}

/// A sentence for the person at the other end, on standard error; nobody may be there any more.
fn say(message: &str) {
    use std::io::Write;
    let _ = writeln!(anstream::stderr().lock(), "mcpwire: {}", visible(message));
}

/// A text with what could steer a terminal made visible; line ends are kept.
fn visible(text: &str) -> String {
    text.split('\n').map(text::visible).collect::<Vec<_>>().join("\n")
}

/// Why a command could not do its work: one sentence, and how the process ends.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    fn usage(error: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: error.to_string() }
    }

    fn fault(error: impl std::fmt::Display) -> Self {
        Self { exit: Exit::Fault, message: error.to_string() }
    }
}

/// Writes to standard output; that somebody stopped reading is no fault.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::fault(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
