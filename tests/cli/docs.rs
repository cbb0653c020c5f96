//! What the README and the pages of `docs/` tell a newcomer to type works: every `sh` block is run, line by line.
//!
//! `mcpwire` (and `cargo run --release --`) is the binary under test, `my-server` the reference server, `my-client` the
//! reference client, and `fixtures` the folder of this repository. A `toml` block of the page on configuration is
//! `mcpwire.toml` for what stands behind it. A line that ends in `# exit code N` is meant to.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use mcpwire::reference::{Config, Reference};
use rstest::rstest;

use crate::mcpwire::{BINARY, folder, run};

/// The pages, and what a machine needs for their commands.
const PAGES: [(&str, &[&str]); 15] = [
    ("README.md", &[]),
    ("docs/cargo-test.md", &[]),
    ("docs/checks.md", &[]),
    ("docs/ci.md", &[]),
    ("docs/clients.md", &[]),
    ("docs/configuration.md", &[]),
    ("docs/inside.md", &[]),
    ("docs/reading-a-failure.md", &[]),
    ("docs/recordings.md", &[]),
    ("docs/servers.md", &[]),
    ("docs/recipes/go.md", &["servers", "go"]),
    ("docs/recipes/java.md", &["servers", "java"]),
    ("docs/recipes/python.md", &["servers", "clients"]),
    ("docs/recipes/rust.md", &["servers", "clients"]),
    ("docs/recipes/typescript.md", &["servers", "clients"]),
];

/// `cargo` does for a newcomer what was done before this test began.
const CARGO: &str = r#"case "$*" in
  'install --path .') exit 0 ;; # ci/run does it
  'run --release -- '*) shift 3 ;;
  'build --locked') exec "$CARGO" "$@" ;; # a fixture is prepared
  *) echo "cargo $*: not in these pages" >&2; exit 99 ;;
esac
exec mcpwire "$@""#;

const CLIENT: &str = r#"test "$1" = --some-option && shift
exec mcpwire reference-client "$@""#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// The blocks of a page in their order, each with its language.
fn all_blocks(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'))
}

fn blocks(text: &str, wanted: &str) -> Vec<String> {
    all_blocks(text).filter(|(language, _)| *language == wanted).map(|(_, block)| format!("{block}\n")).collect()
}

/// A folder with all that the pages speak of.
fn workplace(name: &str) -> PathBuf {
    let folder = folder(name);
    symlink(BINARY, folder.join("mcpwire")).expect("a link");
    symlink(root().join("fixtures"), folder.join("fixtures")).expect("a link");
    for (name, script) in [("cargo", CARGO), ("my-client", CLIENT), ("my-server", "exec mcpwire reference \"$@\"")] {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a file of ours");
    }
    folder
}

#[rstest]
fn every_command_of_the_pages_does_what_it_says(
    #[values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)] index: usize,
) {
    let (page, needed) = PAGES[index];
    if let Some(needed) = needed.iter().find(|needed| !is_there(needed)) {
        return mcpwire::skipped(needed, &format!("what {page} starts is installed where MCPWIRE_REQUIRE names it"));
    }
    let folder = workplace(&page.replace(['/', '.'], "-"));
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let reference = Reference::start(Config::default()).expect("a reference server");
    for (language, block) in all_blocks(&text(page)) {
        if language == "toml" && page == "docs/configuration.md" {
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
            let said = [output.stdout, output.stderr].concat();
            assert_eq!(code.as_deref(), Some(meant), "{page}: {line}\n{}", String::from_utf8_lossy(&said));
        }
    }
}

/// Real servers and clients are installed where they are asked for.
fn is_there(needed: &str) -> bool {
    std::env::var("MCPWIRE_REQUIRE").is_ok_and(|required| required.split(',').any(|name| name == needed))
}

fn dead_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

#[test]
fn every_page_is_tried() {
    let mut pages = BTreeSet::from(["README.md".to_owned()]);
    for folder in ["docs", "docs/recipes"] {
        let files = fs::read_dir(root().join(folder)).expect("a folder").flatten();
        let names = files.map(|file| format!("{folder}/{}", file.file_name().to_string_lossy()));
        pages.extend(names.filter(|name| name.ends_with(".md")));
    }
    assert_eq!(pages, PAGES.iter().map(|(page, _)| (*page).to_owned()).collect());
}

/// Every link within the repository leads somewhere, and so does its anchor.
#[test]
fn every_link_of_the_pages_leads_somewhere() {
    for (page, _) in PAGES {
        let text = text(page);
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.contains(char::is_whitespace)) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = root().join(page).parent().expect("a folder").join(file);
            let path = if file.is_empty() { root().join(page) } else { path };
            assert!(path.exists(), "{page}: {link} leads nowhere");
            let heading = |line: &str| {
                let title = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                title.replace(|c: char| !c.is_alphanumeric() && c != '-', "")
            };
            let there = anchor.is_empty()
                || fs::read_to_string(&path)
                    .is_ok_and(|text| text.lines().any(|line| line.starts_with('#') && heading(line) == anchor));
            assert!(there, "{page}: {link} names no heading");
        }
    }
}

#[test]
fn the_page_of_every_check_is_what_the_checks_say() {
    let page = run(&["explain", "**", "--markdown"]).stdout;
    let path = root().join("docs/checks.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("the page");
    }
    assert!(text("docs/checks.md") == page, "docs/checks.md is of yesterday: UPDATE=1 cargo test --test cli -- docs");
}

#[test]
fn every_baseline_in_the_pages_can_be_used() {
    let folder = folder("docs-baselines");
    let mut used = 0;
    for (page, _) in PAGES {
        for block in blocks(&text(page), "yaml") {
            if !block.starts_with("server:") && !block.starts_with("client:") {
                continue;
            }
            let file = folder.join("baseline.yml");
            fs::write(&file, block).expect("a file");
            let file = file.to_str().expect("a path in UTF-8");
            let ended =
                run(&["server", "--revision", "2025-11-25", "--only", "sse/*", "--only", "http/*", "--baseline", file]);
            assert!([0, 4].contains(&ended.code), "{page}: {}", ended.stderr);
            used += 1;
        }
    }
    assert!(used > 0, "no baseline is shown");
}

#[test]
fn the_exit_codes_of_the_pages_are_those_of_the_help() {
    let help = run(&["--help"]).stdout;
    let page = text("docs/ci.md");
    for code in ["0", "1", "2", "3", "4", "5", "6", "130"] {
        assert!(page.contains(&format!("\n| {code}")), "{code} is not in docs/ci.md");
        assert!(help.contains(&format!("\n  {code} ")), "{code} is not in the help");
    }
}

#[test]
fn the_example_of_a_failure_is_what_a_failure_looks_like() {
    let only = ["--revision", "2025-11-25", "--only", "latency/no-held-back-segment"];
    let shown = run(&[&["server", "--fault", "nagle"], &only[..]].concat()).stdout;
    let readme = text("README.md");
    let examples = blocks(&readme, "text");
    let example = examples.iter().find(|block| block.starts_with("FAIL")).expect("the example");
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
