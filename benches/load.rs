//! What load costs us: time and memory for each call of `--soak`, and for each stream of `--crowd`, from few to many.
//!
//! `cargo bench --bench load`. The cost of a call should stay flat from 100 to 100,000 calls; memory should hardly grow.
//! The server is `mcpwire reference`, in a process of its own. Streams are started on one that holds a few hundred only:
//! more are a matter for a real server.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const MCPWIRE: &str = env!("CARGO_BIN_EXE_mcpwire");

/// A started server; dropping it ends it.
struct Server {
    process: Child,
    url: String,
}

fn main() {
    let server = Server::start();
    println!("{:<14} {:>10} {:>12} {:>10}", "load", "wall", "for each", "peak");
    for calls in [100, 1_000, 10_000, 100_000] {
        run(&server, &format!("--soak={calls}"), "cleanup/memory", calls);
    }
    for sessions in [1, 5, 25] {
        run(&server, &format!("--crowd={sessions}x10"), "isolation/crowd-is-served", sessions * 10);
    }
}

fn run(server: &Server, load: &str, check: &str, count: u32) {
    let options = ["--revision", "2025-11-25", "--tool", "slow=slow:{\"ms\":300}", "--only", check];
    let began = Instant::now();
    let mut mcpwire = Command::new(MCPWIRE)
        .args(["server", "--url", &server.url, load])
        .args(options)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("mcpwire can be run");
    let mut peak = 0;
    while mcpwire.try_wait().expect("it is our child").is_none() {
        peak = peak.max(peak_of(mcpwire.id()).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(2));
    }
    let wall = began.elapsed();
    println!("{load:<14} {wall:>10.2?} {:>12.2?} {:>6} KiB", wall / count, peak);
}

/// The most memory that a process has taken so far, in KiB (`VmHWM`).
fn peak_of(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

impl Server {
    fn start() -> Self {
        let mut process =
            Command::new(MCPWIRE).arg("reference").stdout(Stdio::piped()).spawn().expect("mcpwire can be run");
        let stdout = process.stdout.take().expect("it was asked for");
        let url = BufReader::new(stdout).lines().next().expect("a line").expect("it says where it listens");
        Self { process, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
