//! What the README and the documents tell a newcomer to type works: every `sh` block is run, line by line, and a `toml`
//! block before it is `mcpwire.toml`.
//!
//! `cargo run --release --` is the binary under test, and `my-server` is the reference server, `my-client` the reference client. A line that ends
//! in `# exit code N` is meant to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use mcpwire::reference::{Config, Reference};

use crate::mcpwire::{BINARY, folder};

const README: &str = include_str!("../../README.md");

/// The blocks of a document, each with its language.
fn all_blocks(document: &'static str) -> Vec<(&'static str, &'static str)> {
    let fenced = document.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}

fn blocks(wanted: &str) -> Vec<&'static str> {
    all_blocks(README).into_iter().filter(|(language, _)| *language == wanted).map(|(_, text)| text).collect()
}

fn program(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a file of ours");
}

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    every_command_does_what_it_says("readme", README, 8);
}

#[test]
fn every_command_about_the_configuration_does_what_it_says() {
    every_command_does_what_it_says("configuration", include_str!("../../docs/configuration.md"), 9);
}

fn every_command_does_what_it_says(name: &str, document: &'static str, at_least: usize) {
    let folder = folder(name);
    program(
        &folder.join("cargo"),
        &format!("test \"$1 $2 $3\" = 'run --release --' || exit 99\nshift 3\nexec '{BINARY}' \"$@\""),
    );
    program(
        &folder.join("my-client"),
        &format!("test \"$1\" = --some-option && shift\nexec '{BINARY}' reference-client \"$@\""),
    );
    program(&folder.join("my-server"), &format!("exec '{BINARY}' reference \"$@\""));
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());

    let reference = Reference::start(Config::default()).expect("a reference server");
    let mut ran = 0;
    for (language, block) in all_blocks(document) {
        if language == "toml" {
            let here = block.replace("http://127.0.0.1:8000/mcp", &reference.url());
            fs::write(folder.join("mcpwire.toml"), here).expect("a file");
        }
        for line in block.lines().filter(|_| language == "sh") {
            // 8000 stands for whatever port the reader has free; a command with a port of its own gets another one.
            let here = match line.contains("--cmd") {
                true => line.replace("8000", &dead_port().to_string()),
                false => line.replace("http://127.0.0.1:8000/mcp", &reference.url()),
            };
            let meant = line.split_once("# exit code ").map_or("0", |(_, code)| &code[..1]);
            let output = Command::new("sh").args(["-c", &here]).current_dir(&folder).env("PATH", &path).output();
            let output = output.expect("a shell");
            let code = output.status.code().map(|code| code.to_string());
            assert_eq!(code.as_deref(), Some(meant), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
            ran += 1;
        }
    }
    assert!(ran >= at_least, "{ran} commands");
}

fn dead_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_help() {
    let help = crate::mcpwire::run(&["--help"]).stdout;
    for code in ["0", "1", "2", "3", "4", "5", "6", "130"] {
        assert!(README.contains(&format!("| {code}")), "{code} is not in the README");
        assert!(help.contains(&format!("\n  {code} ")), "{code} is not in the help");
    }
}

#[test]
fn the_example_of_a_failure_is_what_a_failure_looks_like() {
    let shown = crate::mcpwire::run(&[
        "server",
        "--fault",
        "nagle",
        "--revision",
        "2025-11-25",
        "--only",
        "latency/no-held-back-segment",
    ])
    .stdout;
    let example = blocks("text").into_iter().find(|block| block.starts_with("FAIL")).expect("the example");
    // Times, counts of bytes and ids differ from run to run; the words do not.
    let words = |line: &str| {
        line.split_whitespace()
            .filter(|word| word.chars().all(char::is_alphabetic))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    for line in example.lines().filter(|line| !line.ends_with('…')) {
        let wanted = words(line);
        assert!(shown.lines().any(|line| words(line) == wanted), "{line}\n{shown}");
    }
}
