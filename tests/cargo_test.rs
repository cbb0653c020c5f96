//! One test for each check: the package in `fixtures/cargo-test`, which depends on mcpwire as its users do, run by
//! `cargo test` and by nextest.

#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rstest::rstest;

/// The package, compiled; the test binaries by name.
static BINARIES: LazyLock<BTreeMap<String, PathBuf>> = LazyLock::new(|| {
    let built = cargo(&["test", "--no-run", "--message-format=json"]).output().expect("cargo runs");
    assert!(built.status.success(), "{}", said(&built));
    let messages = String::from_utf8_lossy(&built.stdout).into_owned();
    let artifacts = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let tests = artifacts.filter(|message| message["target"]["kind"][0] == "test");
    tests
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(message["executable"].as_str()?)))
        })
        .collect()
});

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cargo-test")
}

/// Without what this very test was started with, and what would tell its tests apart from those of a user.
fn clean(command: &mut Command) -> &mut Command {
    const OURS: [&str; 10] = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
        "CARGO_PRIMARY_",
        "RUSTFLAGS",
        "RUST_TEST_",
        "NEXTEST",
        "MCPWIRE_",
        "INSTA_",
    ];
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name == "CI" || OURS.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null())
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    // Beside what this package is built into, where the next run finds it.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../fixtures");
    clean(&mut cargo).current_dir(package()).env("CARGO_TARGET_DIR", target).args(arguments).arg("--locked");
    cargo
}

/// A test binary of the package, as cargo runs it.
fn binary(name: &str, arguments: &[&str]) -> Command {
    let mut binary = Command::new(&BINARIES[name]);
    clean(&mut binary).current_dir(package()).env("CARGO_MANIFEST_DIR", package()).args(arguments);
    binary
}

/// `None` where nextest cannot be had.
fn nextest(arguments: &[&str]) -> Option<Command> {
    static FOLDER: LazyLock<Option<String>> = LazyLock::new(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/nextest");
        let found = Command::new(script).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        let folder = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        (found.status.success() && !folder.is_empty()).then_some(folder)
    });
    let Some(folder) = FOLDER.as_deref() else {
        mcpwire::skipped("nextest", "ci/nextest cannot install cargo-nextest");
        return None;
    };
    LazyLock::force(&BINARIES);
    let mut nextest = Command::new(Path::new(folder).join("cargo-nextest"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../fixtures");
    clean(&mut nextest).current_dir(package()).env("CARGO_TARGET_DIR", target);
    nextest.args(["nextest", "run", "--locked", "--no-fail-fast", "--color", "never"]).args(arguments);
    Some(nextest)
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cargo-test").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// What a run says: the tests by what came of them, and the texts of those that failed.
#[derive(Debug)]
struct Tests {
    code: Option<i32>,
    passed: BTreeSet<String>,
    ignored: BTreeSet<String>,
    failed: BTreeMap<String, String>,
    text: String,
}

fn run(mut command: Command) -> Tests {
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let of = |word: &str| {
        let result = |line: &str| {
            let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
            (result == word).then(|| name.trim().to_owned())
        };
        text.lines().filter_map(result).collect::<BTreeSet<String>>()
    };
    let failure = |name: &String| {
        let after = text.split(&format!("---- {name} ----\n")).nth(1).unwrap_or_default();
        let until = after.find("\n---- ").or(after.find("\n\nfailures:")).unwrap_or(after.len());
        after[..until].trim().to_owned()
    };
    let failed = of("FAILED").into_iter().map(|name| (name.clone(), failure(&name))).collect();
    Tests { code: output.status.code(), passed: of("ok"), ignored: of("ignored"), failed, text: said(&output) }
}

impl Tests {
    fn failing(&self) -> Vec<&str> {
        self.failed.keys().map(String::as_str).collect()
    }
}

/// What the servers of the package wrote down: a word, and the process.
fn told(path: &Path, word: &str) -> Vec<u32> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| line.strip_prefix(word)?.trim().parse().ok()).collect()
}

/// Waits for the first of them.
fn first(path: &Path, word: &str) -> u32 {
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if let Some(process) = told(path, word).first() {
            return *process;
        }
        sleep(Duration::from_millis(5));
    }
    panic!("nothing was `{word}`");
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill").args([name, &process.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[test]
fn the_whole_package_passes() {
    LazyLock::force(&BINARIES);
    let output = cargo(&["test", "--no-fail-fast"]).output().expect("cargo runs");
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Nothing is printed between the lines of the tests: nobody captures it.
    let of_harness = text.split("running 44 tests").nth(1).and_then(|rest| rest.split("\ntest result").next());
    let lines: Vec<&str> = of_harness.expect("the harness ran").lines().filter(|line| !line.is_empty()).collect();
    assert!(lines.iter().all(|line| line.starts_with("test axum::")), "{lines:#?}");
}

#[test]
fn listing_starts_nothing_and_says_what_cannot_apply() {
    let started = folder("listing").join("started");
    let listed = |arguments: &[&str]| -> BTreeSet<String> {
        let output = binary("targets", arguments).env("STARTED", &started).output().expect("it lists");
        assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(|line| line.strip_suffix(": test").expect("`name: test`").to_owned()).collect()
    };
    let all = listed(&["--list", "--format", "terse"]);
    assert!(all.contains("program::sse::stream-ends-after-response") && all.contains("url::exercised"), "{all:#?}");
    let ignored = listed(&["--list", "--format", "terse", "--ignored"]);
    let of_url: Vec<&str> = ignored.iter().filter_map(|name| name.strip_prefix("url::")).collect();
    assert_eq!(
        of_url,
        [
            "cleanup::memory",
            "cleanup::request-id-is-free-again",
            "isolation::crowd-is-served",
            "isolation::disconnect-is-cancellation",
            "resumption::header-ignored",
        ],
        "judged under load only, or rules of revisions that are not asked for"
    );
    let exact = listed(&["--list", "--format", "terse", "--exact", "url::exercised"]);
    assert_eq!(exact, BTreeSet::from(["url::exercised".to_owned()]));
    assert!(!started.exists(), "a target was made");
}

#[test]
fn what_cannot_apply_does_not_pass_when_it_is_run_all_the_same() {
    let tests = run(binary("targets", &["--ignored", "absent::"]));
    assert_eq!((tests.code, tests.passed.len(), tests.failed.len()), (Some(101), 0, 5), "{}", tests.text);
    let of = |check: &str| tests.failed[&format!("absent::{check}")].as_str();
    assert!(of("cleanup::memory").contains("under load only"), "{}", tests.text);
    assert!(of("resumption::header-ignored").contains("cannot be judged: "), "{}", tests.text);
}

#[test]
fn what_is_broken_fails_in_its_own_test_with_all_that_the_report_says() {
    let mut command = binary("targets", &["url::"]);
    command.env("MISBEHAVE", "left-open");
    let tests = run(command);
    assert_eq!(tests.failing(), ["url::sse::stream-ends-after-response"], "{}", tests.text);
    assert_eq!((tests.code, tests.passed.len(), tests.ignored.len()), (Some(101), 38, 5));
    let text = &tests.failed["url::sse::stream-ends-after-response"];
    for part in [
        "FAIL should sse/stream-ends-after-response\n",
        "\n  in        2025-06-18, 2025-11-25\n",
        "\n  rule      After the last response",
        "[http.post.sse.close-after-response]",
        "\n  expected  the stream ends within 500 ms of the response\n",
        "\n  observed  still open ",
        "→ POST tools/call id ",
        "\n    ▶ ",
        "the answer was still open when we looked last\n",
        "\n  fix       Close the per-request channel",
        "\n  replay    cargo test --test targets -- --exact url::sse::stream-ends-after-response\n",
        "\n  or        mcpwire server --url http://127.0.0.1:",
        " --stream-end-grace 500000us --revision 2025-06-18 --only sse/stream-ends-after-response\n",
        "\n  more      mcpwire explain sse/stream-ends-after-response",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
}

/// The command in a failure is typed as it stands there.
#[test]
fn the_replay_of_a_failure_fails_alike() {
    LazyLock::force(&BINARIES);
    let mut command = binary("mcp", &["id-echoed"]);
    command.env("MISBEHAVE", "forgets-ids");
    let tests = run(command);
    let text = &tests.failed["axum::rpc::id-echoed-exactly"];
    assert!(!text.contains("\n  or  "), "nobody can start what lives in this process: {text}");
    let replay = text.lines().find_map(|line| line.strip_prefix("  replay    cargo ")).expect("a replay");
    let words: Vec<&str> = replay.split(' ').collect();
    let again = run({
        let (before, after) = words.split_at(words.iter().position(|word| *word == "--").expect("two halves"));
        let mut again = cargo(before);
        again.args(after).env("MISBEHAVE", "forgets-ids");
        again
    });
    assert_eq!(again.failing(), ["axum::rpc::id-echoed-exactly"], "{}", again.text);
    assert_eq!(again.code, Some(101));
}

#[test]
fn what_is_no_longer_exercised_is_red() {
    let mut command = binary("targets", &["url::"]);
    command.env("MISBEHAVE", "no-streams").env("CI", "true");
    let tests = run(command);
    assert_eq!(tests.failing(), ["url::exercised"], "{}", tests.text);
    let text = &tests.failed["url::exercised"];
    for part in [
        "(tests/mcpwire/url.exercised)\n\nno longer exercised\n  needs ",
        "\n    sse/stream-ends-after-response 2025-06-18 2025-11-25\n",
        "\nif that is meant: MCPWIRE_UPDATE=1 cargo test --test targets -- --exact url::exercised",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    assert!(!text.contains("newly exercised") && !text.contains(".new"), "{text}");
    assert!(!package().join("tests/mcpwire/url.exercised.new").exists(), "the CI keeps nothing to review");
}

#[test]
fn a_list_is_written_reviewed_and_compared() {
    let package = folder("list");
    let list = package.join("tests/mcpwire/axum.exercised");
    let new = package.join("tests/mcpwire/axum.exercised.new");
    let run = |update: bool| {
        let mut command = binary("mcp", &["axum::exercised"]);
        command.env("CARGO_MANIFEST_DIR", &package);
        if update {
            command.env("MCPWIRE_UPDATE", "1");
        }
        run(command)
    };

    let missing = run(false);
    let text = &missing.failed["axum::exercised"];
    assert!(text.starts_with("tests/mcpwire/axum.exercised is missing"), "{text}");
    assert!(text.contains("MCPWIRE_UPDATE=1 cargo test --test mcp -- --exact axum::exercised"), "{text}");
    assert!(text.contains("or move tests/mcpwire/axum.exercised.new over it"), "{text}");
    assert!(!list.exists());

    fs::rename(&new, &list).expect("the new list is there");
    assert_eq!(run(false).code, Some(0), "what was reviewed is what is exercised");

    let reviewed = fs::read_to_string(&list).expect("a list");
    let less: Vec<&str> = reviewed.lines().filter(|line| !line.starts_with("sse/well-formed")).collect();
    fs::write(&list, less.join("\n").replace("2025-03-26 ", "")).expect("written");
    let more = run(false);
    let text = &more.failed["axum::exercised"];
    assert!(text.contains("newly exercised\n  http/"), "{text}");
    assert!(text.contains("\n  sse/well-formed 2025-03-26 2025-06-18 2025-11-25\n"), "{text}");
    assert!(text.contains("\n  sse/nothing-after-response 2025-03-26\n"), "{text}");
    assert!(!text.contains("no longer"), "{text}");
    assert!(new.exists());

    assert_eq!(run(true).code, Some(0));
    assert_eq!(fs::read_to_string(&list).expect("a list"), reviewed);
    assert!(!new.exists(), "there is nothing to review any more");

    fs::write(&list, reviewed.replace("sse/well-formed", "sse/well-fromed")).expect("written");
    let wrong = run(false);
    let text = &wrong.failed["axum::exercised"];
    assert!(text.contains("`sse/well-fromed` is no check (near: sse/well-formed"), "{text}");
}

#[test]
fn a_target_that_cannot_be_made_is_tried_once_and_told_by_each_of_its_tests() {
    let started = folder("absent").join("started");
    let mut command = binary("targets", &["absent::", "--test-threads", "4"]);
    command.env("MISBEHAVE", "absent").env("STARTED", &started);
    let tests = run(command);
    assert_eq!((tests.code, tests.passed.len(), tests.failed.len()), (Some(101), 0, 39), "{}", tests.text);
    let sentences: BTreeSet<&String> = tests.failed.values().collect();
    assert_eq!(sentences, BTreeSet::from([&"absent cannot be tested: the image cannot be fetched".to_owned()]));
    assert_eq!(told(&started, "tried").len(), 1);
}

#[test]
fn one_process_makes_one_recording_of_each_target() {
    let started = folder("one-process").join("started");
    let tests = |arguments: &[&str]| {
        let mut command = binary("targets", arguments);
        // Handed on by a test under nextest that runs `cargo test` itself: no business of this process.
        command.env("STARTED", &started).env("NEXTEST_RUN_ID", "another-run");
        run(command)
    };
    let all = tests(&["--test-threads", "8"]);
    assert_eq!((all.code, all.passed.len(), all.ignored.len()), (Some(0), 117, 15), "{}", all.text);
    assert_eq!(told(&started, "started").len(), 3, "program, url and absent");
    assert_eq!(tests(&["url::sse"]).code, Some(0));
    assert_eq!(told(&started, "started").len(), 4, "another process");
}

#[rstest]
#[case("-INT", 130)]
#[case("-TERM", 143)]
fn a_signal_ends_what_was_started(#[case] name: &str, #[case] code: i32) {
    let started = folder(&format!("signal{name}")).join("started");
    let mut command = binary("targets", &["--exact", "program::exercised"]);
    let mut tests = command.env("STARTED", &started).stdout(Stdio::null()).spawn().expect("it runs");
    let server = first(&started, "started");
    signal(name, tests.id());
    assert_eq!(tests.wait().expect("it ends").code(), Some(code));
    assert!(!Path::new(&format!("/proc/{server}")).exists(), "the server outlived its test");
}

#[test]
fn a_recording_is_judged_instead_of_driving() {
    let folder = folder("recording");
    let (recording, started) = (folder.join("recording"), folder.join("started"));
    let server = BINARIES["mcp"].parent().and_then(Path::parent).expect("a folder").join("cargo-test-example");
    let record = |arguments: &[&str]| {
        let mut mcpwire = Command::new(env!("CARGO_BIN_EXE_mcpwire"));
        let cmd = format!("{} {{port}}", server.display());
        clean(&mut mcpwire).env("MISBEHAVE", "forgets-ids").args(["server", "--cmd", &cmd, "--record"]);
        mcpwire.arg(&recording).args(arguments).output().expect("mcpwire runs")
    };
    let recorded = record(&["--revision", "2025-11-25"]);
    assert_eq!(recorded.status.code(), Some(1), "{}", said(&recorded));
    let judge = |arguments: &[&str], folder: &Path| {
        let mut command = binary("targets", arguments);
        run({
            command.env("MCPWIRE_RECORDING", folder).env("STARTED", &started);
            command
        })
    };
    let tests = judge(&["program::rpc"], &recording);
    assert_eq!(tests.failing(), ["program::rpc::id-echoed-exactly"], "{}", tests.text);
    assert!(tests.failed["program::rpc::id-echoed-exactly"].contains("it carries no id"), "{}", tests.text);
    // In a folder of its name, for several targets.
    let of_program = folder.join("several/program");
    fs::create_dir_all(of_program.parent().expect("a parent")).expect("a folder");
    fs::rename(&recording, &of_program).expect("it moves");
    let tests = judge(&["program::rpc"], &folder.join("several"));
    assert_eq!(tests.failing(), ["program::rpc::id-echoed-exactly"], "{}", tests.text);
    let tests = judge(&["--exact", "url::sse::well-formed"], &folder.join("several"));
    assert!(tests.failed["url::sse::well-formed"].contains("MCPWIRE_RECORDING: "), "{}", tests.text);
    assert!(!started.exists(), "a target was made");
}

#[test]
fn a_baseline_excuses_and_its_stale_entries_are_red() {
    let folder = folder("baseline");
    let baseline = folder.join("expected.yaml");
    let text = "server:\n  - id: rpc/id-echoed-exactly\n    reason: old clients want it so\n";
    fs::write(&baseline, text).expect("written");
    let run = |misbehave: &str| {
        let mut command = binary("targets", &["url::"]);
        command.env("EXPECTED", &baseline).env("MISBEHAVE", misbehave);
        run(command)
    };
    let excused = run("forgets-ids");
    assert_eq!(excused.failing(), ["url::exercised"], "{}", excused.text);
    assert!(excused.passed.contains("url::rpc::id-echoed-exactly") && excused.passed.contains("url::baseline"));
    let stale = run("");
    assert_eq!(stale.failing(), ["url::baseline"], "{}", stale.text);
    let text = &stale.failed["url::baseline"];
    assert!(text.contains("delete line 2: rpc/id-echoed-exactly"), "{text}");
}

/// What nextest says of its tests, a line for each.
fn lines<'a>(text: &'a str, word: &str) -> BTreeSet<&'a str> {
    let of = |line: &'a str| {
        let line = line.trim_start();
        line.starts_with(&format!("{word} [")).then(|| line.rsplit(' ').next()).flatten()
    };
    text.lines().filter(|line| line.contains("cargo-test-example::targets")).filter_map(of).collect()
}

#[test]
fn nextest_makes_one_recording_of_each_target() {
    let started = folder("nextest").join("started");
    let Some(mut command) = nextest(&["--test", "targets"]) else { return };
    let output = command.env("STARTED", &started).output().expect("nextest runs");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(lines(&text, "PASS").len(), 117, "{text}");
    assert!(text.contains("117 tests run: 117 passed") && text.contains("15 skipped"), "{text}");
    assert_eq!(told(&started, "started").len(), 3, "program, url and absent");
    // The next run is another one.
    let Some(mut command) = nextest(&["--test", "targets", "-E", "test(=url::sse::well-formed)"]) else { return };
    let output = command.env("STARTED", &started).output().expect("nextest runs");
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(told(&started, "started").len(), 4);
}

#[test]
fn under_nextest_too_a_target_that_cannot_be_made_is_tried_once() {
    let started = folder("nextest-absent").join("started");
    let Some(mut command) = nextest(&["--test", "targets", "-E", "test(/^absent::/)"]) else { return };
    let output = command.env("STARTED", &started).env("MISBEHAVE", "absent").output().expect("nextest runs");
    let text = said(&output);
    assert_eq!(output.status.code(), Some(100), "{text}");
    assert_eq!(lines(&text, "FAIL").len(), 39, "{text}");
    assert!(text.matches("absent cannot be tested: the image cannot be fetched").count() >= 39, "{text}");
    assert_eq!(told(&started, "tried").len(), 1);
}

#[test]
fn where_the_one_who_records_dies_the_next_one_does_it() {
    let started = folder("nextest-death").join("started");
    let Some(mut command) = nextest(&["--test", "targets", "-E", "test(/^url::/)"]) else { return };
    let running = command.env("STARTED", &started).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let running = running.expect("nextest runs");
    // This server lives in the process of the test that records it.
    signal("-KILL", first(&started, "started"));
    let output = running.wait_with_output().expect("nextest ends");
    let text = said(&output);
    assert_eq!((lines(&text, "SIGKILL").len(), lines(&text, "PASS").len()), (1, 38), "{text}");
    let started = told(&started, "started");
    assert!(matches!(started[..], [dead, next] if dead != next), "{started:?}");
}

#[test]
fn partitions_are_runs_of_their_own_and_come_to_the_whole() {
    let mut all = BTreeSet::new();
    for part in ["1/2", "2/2"] {
        let started = folder(&format!("partition-{}", &part[..1])).join("started");
        let partition = format!("hash:{part}");
        let arguments = ["--test", "targets", "--partition", &partition, "-E", "test(/^(url|absent)::/)"];
        let Some(mut command) = nextest(&arguments) else { return };
        let output = command.env("STARTED", &started).output().expect("nextest runs");
        let text = said(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert_eq!(told(&started, "started").len(), 2, "url and absent");
        let passed = lines(&text, "PASS");
        assert!(passed.len() > 20 && passed.len() < 60, "{text}");
        all.extend(passed.into_iter().map(str::to_owned));
    }
    assert_eq!(all.len(), 78);
}

/// With retries, a test that is tried again sees the target again; a recording is no cache of a failure.
#[test]
fn a_test_that_is_tried_again_sees_the_target_again() {
    let started = folder("nextest-retries").join("started");
    let arguments = ["--test", "targets", "--retries", "1", "-E", "test(/^absent::rpc::/)"];
    let Some(mut command) = nextest(&arguments) else { return };
    let output = command.env("STARTED", &started).env("MISBEHAVE", "absent").output().expect("nextest runs");
    assert_eq!(output.status.code(), Some(100), "{}", said(&output));
    assert_eq!(told(&started, "tried").len(), 2, "one for each attempt");
}

/// What two of them do at once, each would measure in the other.
#[test]
fn targets_are_driven_one_at_a_time() {
    let folder = folder("driving");
    let started = folder.join("started");
    let Some(mut command) = nextest(&["--test", "targets", "-E", "test(=url::sse::well-formed)"]) else { return };
    let lock = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../fixtures/tmp/mcpwire/driving.lock");
    fs::create_dir_all(lock.parent().expect("a folder")).expect("a folder");
    let lock = fs::File::options().create(true).truncate(false).write(true).open(lock).expect("a lock");
    lock.lock().expect("it can be had");
    let log = fs::File::create(folder.join("log")).expect("a log");
    let mut running = command.env("STARTED", &started).stdout(Stdio::null()).stderr(log).spawn().expect("it runs");
    // Once the test has begun; what it waits for then cannot be seen, only that nothing was started.
    sleep(Duration::from_secs(2));
    assert!(!started.exists(), "somebody else is driving");
    drop(lock);
    assert!(running.wait().expect("it ends").success());
    assert_eq!(told(&started, "started").len(), 1);
}
