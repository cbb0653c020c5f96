//! `mcpwire.toml`, the environment and the options: what is tested, and what beats what.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rstest::rstest;
use serde_json::Value;

use crate::mcpwire::{BINARY, Ended, folder, start_with, text};
use crate::peer::{answer, answering};

/// A folder with this `mcpwire.toml`; `{server}` and `{client}` are commands that run the reference.
fn configured(file: &str) -> PathBuf {
    let folder = folder("configuration");
    write(&folder, "mcpwire.toml", file);
    folder
}

fn write(folder: &Path, name: &str, content: &str) {
    let content = content
        .replace("{server}", &format!("'{BINARY}' reference --port {{port}}"))
        .replace("{client}", &format!("['{BINARY}', 'reference-client']"));
    fs::write(folder.join(name), content).expect("a file");
}

fn run_in(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    start_with(arguments, |command| {
        command.current_dir(folder).envs(variables.iter().copied());
    })
    .end()
}

/// The ids in a JSON report.
fn ids(report: &Value) -> BTreeSet<String> {
    let ids = report["checks"].as_array().into_iter().flatten().filter_map(|check| check["id"].as_str());
    ids.map(str::to_owned).collect()
}

/// The targets in a JSON report of several.
fn targets(report: &Value) -> Vec<&str> {
    report["runs"].as_array().into_iter().flatten().filter_map(|run| run["target"]["name"].as_str()).collect()
}

/// A port at which nobody listens.
fn dead() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    format!("http://{}/mcp", listener.local_addr().expect("an address"))
}

const TWO: &str = "
revision = '2025-11-25'
only = ['http/content-type', 'client/body-drained']

[server.good]
cmd = \"{server}\"

[server.bad]
cmd = \"{server} --fault json-as-plain-text\"

[client.mine]
command = {client}

[profile.ci]
only = 'sse/well-formed'
report = 'json=ci.json'
";

#[test]
fn all_servers_of_the_file_come_into_one_report_and_a_replay_names_its_target() {
    let folder = configured(TWO);
    let ended = run_in(&folder, &["server", "--report", "json", "--record", "kept"], &[]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.starts_with("mcpwire: mcpwire.toml: servers good, bad\n"), "{}", ended.stderr);
    let report = ended.json();
    assert_eq!(targets(&report), ["bad", "good"]);
    let verdicts: BTreeSet<(&str, &str)> = report["checks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|check| Some((check["target"].as_str()?, check["verdict"].as_str()?)))
        .collect();
    assert_eq!(verdicts, BTreeSet::from([("good", "pass"), ("bad", "fail")]));
    let replay = report["checks"][0]["findings"][0]["replay"].as_str().expect("a replay");
    assert_eq!(replay, "mcpwire server --target bad --revision 2025-11-25 --only http/content-type");
    let arguments: Vec<&str> = replay.split(' ').skip(1).collect();
    let again = run_in(&folder, &arguments, &[]);
    assert_eq!(again.code, 1, "{}", again.stderr);
    assert!(again.stdout.contains("FAIL must http/content-type"), "{}", again.stdout);

    // Each is kept by itself, and judged by itself.
    let judged = |name: &str| run_in(&folder, &["judge", &format!("kept/{name}")], &[]).code;
    assert_eq!((judged("good"), judged("bad")), (0, 1));
}

#[test]
fn a_target_is_picked_by_its_name() {
    let folder = configured(TWO);
    let ended = run_in(&folder, &["server", "--target", "good", "--report", "json"], &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.json()["target"]["name"], "good");
    let ended = run_in(&folder, &["server", "--report", "json"], &[("MCPWIRE_TARGET", "bad")]);
    assert_eq!((ended.code, &ended.json()["target"]["name"]), (1, &Value::from("bad")));
    let both = run_in(&folder, &["server", "--target", "bad", "--target", "good", "--report", "json"], &[]);
    assert_eq!(targets(&both.json()).len(), 2);
    // Whatever the environment says of another one.
    let elsewhere = [("MCPWIRE_URL", "http://127.0.0.1:1/"), ("MCPWIRE_TARGET", "bad")];
    assert_eq!(run_in(&folder, &["server", "--target", "good"], &elsewhere).code, 0);
    run_in(&folder, &["server", "--target", "mine"], &[])
        .assert_says(2, &["there is no server `mine` in mcpwire.toml (there are: good, bad)"]);
    run_in(&folder, &["server"], &[("MCPWIRE_TARGET", "nope")]).assert_says(2, &["MCPWIRE_TARGET: there is no server"]);
    run_in(&folder, &["server", "--target", "good", "--url", "http://127.0.0.1:1"], &[])
        .assert_says(2, &["a target is chosen by its name in the configuration (--target), or given whole"]);
}

#[test]
fn clients_of_the_file_are_tested_too_and_their_replay_works() {
    let bad = "\n[client.bad]\ncommand = ['{binary}', 'reference-client', '--fault', 'drops-body']\n";
    let folder = configured(&format!("{TWO}{}", bad.replace("{binary}", BINARY)));
    let ended = run_in(&folder, &["client", "--report", "json"], &[]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    let report = ended.json();
    assert_eq!(targets(&report), ["bad", "mine"]);
    let replay = report["checks"][0]["findings"][0]["replay"].as_str().expect("a replay");
    assert_eq!(replay, "mcpwire client --target bad --revision 2025-11-25 --only client/body-drained");
    let arguments: Vec<&str> = replay.split(' ').skip(1).collect();
    assert_eq!(run_in(&folder, &arguments, &[]).code, 1);
    assert_eq!(run_in(&folder, &["client", "--target", "mine"], &[]).code, 0);
}

/// The same setting in each place: what runs shows which of them was heard.
#[rstest]
#[case::file(&[], &[], "http/content-type")]
#[case::profile(&["--profile", "ci"], &[], "sse/well-formed")]
#[case::profile_by_variable(&[], &[("MCPWIRE_PROFILE", "ci")], "sse/well-formed")]
#[case::variable(&["--profile", "ci"], &[("MCPWIRE_ONLY", "rpc/exactly-one-response")], "rpc/exactly-one-response")]
#[case::empty_variable(&[], &[("MCPWIRE_ONLY", "")], "http/content-type")]
#[case::option(
    &["--profile", "ci", "--only", "sse/stream-ends-after-response"],
    &[("MCPWIRE_ONLY", "rpc/exactly-one-response")],
    "sse/stream-ends-after-response"
)]
fn options_beat_variables_and_these_beat_the_file(
    #[case] arguments: &[&str],
    #[case] variables: &[(&str, &str)],
    #[case] expected: &str,
) {
    let folder = configured(TWO);
    let all = [&["server", "--target", "good", "--report", "json=report.json"][..], arguments].concat();
    let ended = run_in(&folder, &all, variables);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let report = fs::read_to_string(folder.join("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(ids(&report), BTreeSet::from([expected.to_owned()]));
    assert!(!folder.join("ci.json").exists(), "the option says where reports go");
}

#[test]
fn a_profile_says_where_reports_go_and_a_variable_says_it_better() {
    let folder = configured(TWO);
    let ended = run_in(&folder, &["server", "--target", "good", "--profile", "ci"], &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(folder.join("ci.json").exists());
    run_in(&folder, &["server", "--target", "good", "--profile", "ci"], &[("MCPWIRE_REPORT", "json=v.json\ntext")]);
    assert!(folder.join("v.json").exists());
    run_in(&folder, &["server", "--profile", "nightly"], &[])
        .assert_says(2, &["there is no profile `nightly` in mcpwire.toml (there are: ci)"]);
}

#[test]
fn a_file_elsewhere_is_read_from_its_own_folder() {
    let folder = folder("elsewhere");
    fs::create_dir(folder.join("ci")).expect("a folder");
    let file = "baseline = 'expected.yml'\n[server.bad]\ncmd = \"{server} --fault json-as-plain-text\"\n";
    write(&folder.join("ci"), "m.toml", file);
    write(&folder.join("ci"), "expected.yml", "server:\n  - id: http/content-type\n    reason: issue 12\n");
    let arguments = ["server", "--config", "ci/m.toml", "--only", "http/content-type", "--revision", "2025-11-25"];
    let ended = run_in(&folder, &arguments, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let all = [
        "server",
        "--only",
        "http/content-type",
        "--revision",
        "2025-11-25",
        "--baseline",
        "/dev/null",
        "--report",
        "json",
    ];
    let report = run_in(&folder, &all, &[("MCPWIRE_CONFIG", "ci/m.toml")]).json();
    let replay = report["checks"][0]["findings"][0]["replay"].as_str().expect("a replay");
    assert!(replay.starts_with("mcpwire server --target bad --config ci/m.toml --revision"), "{replay}");
    run_in(&folder, &["server"], &[("MCPWIRE_CONFIG", "no.toml")])
        .assert_says(2, &["MCPWIRE_CONFIG: cannot read no.toml"]);
    fs::remove_file(folder.join("ci/expected.yml")).expect("a file of ours");
    run_in(&folder, &arguments, &[])
        .assert_says(2, &["ci/m.toml, line 1, column 12: cannot read the baseline ci/expected.yml"]);
}

#[test]
fn a_baseline_names_targets_as_the_file_does() {
    let folder = configured(&format!("baseline = 'expected.yml'\n{TWO}"));
    let expected = "server:\n  - id: http/content-type\n    reason: issue 12\n    target: bad\n";
    write(&folder, "expected.yml", expected);
    let ended = run_in(&folder, &["server"], &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("conforms, but for what the baseline expects"), "{}", ended.stdout);
    write(&folder, "expected.yml", &expected.replace("bad", "good"));
    let ended = run_in(&folder, &["server"], &[]);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("delete line 2: http/content-type on good"), "{}", ended.stdout);
}

#[test]
fn a_selection_that_leaves_nothing_is_refused_before_any_target_is_tested() {
    let file = format!("{TWO}\n[server.later]\nurl = 'http://127.0.0.1:1'\nskip = '**'\n");
    let ended = run_in(&configured(&file), &["server"], &[]);
    ended.assert_says(2, &["later: the selection leaves no check"]);
    assert!(ended.stdout.is_empty() && !ended.stderr.contains("asking for"), "{}", ended.stderr);
}

#[test]
fn what_a_run_was_told_stands_in_its_replay() {
    let folder = configured(TWO);
    let arguments = ["server", "--target", "bad", "--tool", "slow=slow", "--report", "json"];
    let report = run_in(&folder, &arguments, &[("MCPWIRE_BUDGET", "90ms"), ("MCPWIRE_HEADER", "X-Key: s3cret")]).json();
    let replay = report["checks"][0]["findings"][0]["replay"].as_str().expect("a replay");
    let expected = "mcpwire server --target bad --header 'X-Key: …' --tool 'slow=slow' --budget 90000us --revision";
    assert!(replay.starts_with(expected), "{replay}");
}

#[test]
fn a_target_on_the_command_line_is_tested_with_what_holds_for_all() {
    let folder = configured(TWO);
    let cmd = format!("'{BINARY}' reference --port {{port}} --fault json-as-plain-text");
    // What the environment says of another target is of no account then.
    let variables = [("MCPWIRE_URL", "http://127.0.0.1:1/"), ("MCPWIRE_TARGET", "good")];
    let ended = run_in(&folder, &["server", "--cmd", &cmd, "--report", "json"], &variables);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("mcpwire.toml: what it says of every server"), "{}", ended.stderr);
    assert_eq!(ids(&ended.json()), BTreeSet::from(["http/content-type".to_owned()]));
    let ended = run_in(&folder, &["server"], &[("MCPWIRE_URL", &dead())]);
    assert_eq!(ended.code, 3, "a variable beats the file: {}", ended.stderr);
    let ended = run_in(&folder, &["server"], &[("MCPWIRE_URL", "nowhere")]);
    ended.assert_says(2, &["MCPWIRE_URL: `nowhere` is not an http:// URL"]);
    let ended = run_in(&folder, &["server"], &variables);
    ended.assert_says(2, &["MCPWIRE_TARGET: a target is chosen by its name"]);
}

#[test]
fn a_look_at_a_failure_is_not_what_the_file_is_about() {
    let folder = configured("skip = 'http/*'\n[server.mine]\ncmd = 'nothing {port}'\n[profile.ci]\nonly = 'sse/*'\n");
    let arguments =
        ["server", "--fault", "json-as-plain-text", "--only", "http/content-type", "--revision", "2025-11-25"];
    let ended = run_in(&folder, &arguments, &[("MCPWIRE_PROFILE", "ci"), ("MCPWIRE_TARGET", "mine")]);
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert!(
        ended.stdout.contains("replay    mcpwire server --fault json-as-plain-text --revision"),
        "{}",
        ended.stdout
    );
    let ended =
        run_in(&folder, &["server", "--no-config", "--only", "http/content-type", "--revision", "2025-11-25"], &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("the embedded reference server"), "{}", ended.stdout);
}

#[rstest]
#[case::server("server", "mcpwire.toml has no [server.NAME]: write one, or give --url or --cmd (with --no-config,")]
#[case::client("client", "mcpwire.toml has no [client.NAME]: write one, or give a command behind `--`")]
#[case::latency("latency", "mcpwire.toml has no [server.NAME]")]
fn a_file_without_a_target_is_no_reason_to_test_another_one(
    #[case] tested: &str,
    #[case] words: &str,
    #[values("", "# nothing\n", "budget = '20ms'\n")] file: &str,
) {
    let ended = run_in(&configured(file), &[tested], &[]);
    ended.assert_says(2, &[words]);
    assert!(ended.stdout.is_empty());
}

#[rstest]
fn what_needs_a_file_says_so(#[values("server", "client", "latency")] tested: &str) {
    let folder = folder("no-configuration");
    run_in(&folder, &[tested, "--target", "x"], &[]).assert_says(2, &["--target needs a configuration"]);
    run_in(&folder, &[tested, "--profile", "x"], &[]).assert_says(2, &["--profile needs a configuration"]);
    run_in(&folder, &[tested], &[("MCPWIRE_PROFILE", "x")]).assert_says(2, &["MCPWIRE_PROFILE: --profile needs"]);
    run_in(&folder, &[tested, "--config", "x.toml"], &[]).assert_says(2, &["cannot read x.toml"]);
}

#[rstest]
#[case::a_position(
    b"\n\nbudgte = '1s'",
    "mcpwire.toml, line 3, column 1: unknown key `budgte` (did you mean `budget`?"
)]
#[case::no_utf8(b"budget = '1s'\n\xff\xfe", "mcpwire.toml, line 2: this is not UTF-8")]
#[case::zeros(b"\0\0\0", "mcpwire.toml, line 1, column ")]
#[case::escapes(b"\"\\u001b[31m\" = 1", "unknown key `\\u{1b}[31m`")]
fn a_file_that_says_nothing_is_refused_before_anything_runs(#[case] file: &[u8], #[case] words: &str) {
    let folder = folder("wrong");
    fs::write(folder.join("mcpwire.toml"), file).expect("a file");
    let ended = run_in(&folder, &["server"], &[]);
    ended.assert_says(2, &[words]);
    assert!(!ended.stderr.contains('\u{1b}'), "{:?}", ended.stderr);
}

#[test]
fn whatever_is_called_so_is_refused_in_a_sentence_and_soon() {
    let is_folder = folder("wrong");
    fs::create_dir(is_folder.join("mcpwire.toml")).expect("a folder");
    run_in(&is_folder, &["server"], &[]).assert_says(2, &["cannot read mcpwire.toml"]);
    let huge = folder("huge");
    fs::write(huge.join("mcpwire.toml"), "#".repeat(3 << 20)).expect("a file");
    run_in(&huge, &["server"], &[]).assert_says(2, &["cannot read mcpwire.toml: it has more than 1 MiB"]);
    let deep = folder("deep");
    for text in
        ["[".repeat(900_000), format!("a = {}", "[".repeat(900_000)), "a.".repeat(400_000), "a={b=".repeat(200_000)]
    {
        fs::write(deep.join("mcpwire.toml"), text).expect("a file");
        run_in(&deep, &["server"], &[]).assert_says(2, &["mcpwire.toml, line 1, column"]);
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_no_missing_file_and_a_device_ends() {
    let folder = folder("link");
    std::os::unix::fs::symlink("gone.toml", folder.join("mcpwire.toml")).expect("a link");
    run_in(&folder, &["server"], &[]).assert_says(2, &["cannot read mcpwire.toml"]);
    let ended = run_in(&folder, &["server", "--config", "/dev/zero"], &[]);
    ended.assert_says(2, &["cannot read /dev/zero: it has more than 1 MiB"]);
}

#[rstest]
#[case::a_duration("MCPWIRE_TIMEOUT", "30000", "MCPWIRE_TIMEOUT: `30000` is not a duration")]
#[case::a_level("MCPWIRE_FAIL_ON", "all", "MCPWIRE_FAIL_ON: level `all` is not known (known levels: must,")]
#[case::a_report("MCPWIRE_REPORT", "html", "MCPWIRE_REPORT: report format `html` is not known")]
#[case::a_baseline("MCPWIRE_BASELINE", "/no/such", "MCPWIRE_BASELINE: cannot read the baseline /no/such")]
#[case::a_field("MCPWIRE_HEADER", "s3cret", "MCPWIRE_HEADER: a field is not of the form `Name: value`")]
#[case::a_file("MCPWIRE_HEADER_FILE", "/no/such", "MCPWIRE_HEADER_FILE: cannot read the header file /no/such")]
#[case::an_unset_one("MCPWIRE_HEADER_ENV", "NOT_SET", "MCPWIRE_HEADER_ENV: NOT_SET is not set")]
fn a_variable_that_says_nothing_is_named(#[case] name: &str, #[case] value: &str, #[case] words: &str) {
    let ended = run_in(&folder("variables"), &["server"], &[(name, value)]);
    ended.assert_says(2, &[words]);
    assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
}

#[rstest]
#[case::of_its_own("MCPWIRE_REQUIRE", "linux")]
#[case::of_a_client("MCPWIRE_SCENARIO", "x")]
#[case::of_the_load("MCPWIRE_SOAK", "7")]
fn a_variable_that_means_something_else_is_none_of_ours(#[case] name: &str, #[case] value: &str) {
    let ended = run_in(
        &folder("variables"),
        &["server", "--only", "http/content-type", "--revision", "2025-11-25"],
        &[(name, value)],
    );
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn a_header_by_its_variable_reaches_the_server_and_nobody_else() {
    let file = "only = 'http/content-type'\nrevision = '2025-11-25'\n[server.s]\ncmd = \"{server} --fault json-as-plain-text\"\n\
                header-env = ['KEY']\n";
    let folder = configured(file);
    run_in(&folder, &["server"], &[]).assert_says(2, &["mcpwire.toml, line 5, column 14: KEY is not set"]);
    let ended = run_in(&folder, &["server"], &[("KEY", "s3cret-value")]);
    ended.assert_says(2, &["KEY does not hold a field of the form `Name: value`"]);
    assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    let ended = run_in(&folder, &["server", "--record", "kept"], &[("KEY", "X-Key: s3cret-value")]);
    assert_eq!(ended.code, 1);
    let mut kept = String::new();
    for trace in fs::read_dir(folder.join("kept/traces")).expect("a recording").flatten() {
        kept.push_str(&fs::read_to_string(trace.path()).expect("a trace"));
    }
    let said = format!("{kept}{}{}", ended.stdout, ended.stderr);
    assert!(kept.contains("X-Key") && !said.contains("s3cret"), "{said}");
}

#[test]
fn a_target_that_is_not_there_does_not_keep_the_others_from_being_tested() {
    let dead = dead();
    let folder = configured(&format!("{TWO}\n[server.gone]\nurl = '{dead}'\n"));
    let ended = run_in(&folder, &["server", "--target", "gone", "--target", "good", "--report", "json"], &[]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    let report = ended.json();
    assert_eq!((targets(&report), &report["checks"][0]["verdict"]), (vec!["good"], &Value::from("pass")));
    let incomplete = report["incomplete"].as_str().expect("why");
    assert!(incomplete.starts_with("gone: ") && incomplete.contains("cannot be reached"), "{incomplete}");
    let ended = run_in(&folder, &["server", "--target", "gone", "--report", "json"], &[]);
    ended.assert_says(3, &["cannot be reached"]);
    assert!(ended.stdout.is_empty());
}

#[rstest]
#[case::a_name(&["server", "--name", "x"], "--name is for one target")]
#[case::latency(&["latency"], "one server is measured at a time: name it with --target (good, bad)")]
#[case::a_proxy(&["proxy", "--target", "good", "--record", "x"], "server `good` has no `url`: a proxy starts nothing")]
#[case::a_proxy_of_nobody(&["proxy", "--target", "x", "--record", "x"], "there is no server `x`")]
#[case::two_files(&["server", "--no-config", "--config", "x"], "--no-config")]
fn what_cannot_be_done_with_several_is_refused(#[case] arguments: &[&str], #[case] words: &str) {
    let ended = run_in(&configured(TWO), arguments, &[]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

#[rstest]
fn where_a_server_of_the_file_is_wrong_the_place_is_told(
    #[values(&["server"], &["latency"], &["proxy", "--target", "s", "--record", "x"])] arguments: &[&str],
) {
    let ended = run_in(&configured("[server.s]\nurl = 'nowhere'\n"), arguments, &[]);
    ended.assert_says(2, &["mcpwire.toml, line 2, column 7: `nowhere` is not an http:// URL"]);
}

#[test]
fn latency_measures_a_server_of_the_file() {
    let folder = configured(TWO);
    let ended = run_in(&folder, &["latency", "--target", "good", "--budget", "1s"], &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains("good"), "{}", ended.stdout);
}

/// A server that answers with JSON alone shows no event stream.
const JSON_ONLY: &[&str] =
    &["server", "--variant", "json-answers", "--revision", "2025-11-25", "--only", "sse/*", "--only", "http/*"];

#[test]
fn what_is_required_and_not_exercised_turns_the_run_red() {
    let folder = folder("required");
    let run = |more: &[&str]| run_in(&folder, &[JSON_ONLY, more].concat(), &[]);
    assert_eq!(run(&[]).code, 0, "nobody asked for it");
    let ended = run(&["--require", "sse/stream-ends-after-response", "--record", "kept"]);
    assert_eq!(ended.code, 6, "{}", ended.stdout);
    assert!(ended.stdout.starts_with("too little was judged: 1 required check not exercised"), "{}", ended.stdout);
    let told = ended.stdout.find("REQUIRED and not exercised\n  sse/stream-ends-after-response (25-11)");
    assert!(told.is_some_and(|told| told < ended.stdout.find("passed").unwrap_or(0)), "{}", ended.stdout);
    assert_eq!(run(&["--require", "http/content-type"]).code, 0, "it was exercised");
    run(&["--require", "no/such"]).assert_says(2, &["no check matches `no/such`"]);
    run(&["--require", "cleanup/memory"]).assert_says(2, &["is judged under load only: add --soak"]);

    // The recording has it, as it has every option of the run, and all formats say the same.
    let judged =
        run_in(&folder, &["judge", "kept", "--report", "json", "--report", "junit=r.xml", "--report", "github"], &[]);
    assert_eq!(judged.code, 6);
    assert!(judged.stdout.contains("\"gate\": \"not-exercised\""), "{}", judged.stdout);
    assert!(
        judged.stdout.contains("::error title=not-exercised") && judged.stdout.contains("::required by sse/"),
        "{}",
        judged.stdout
    );
    let junit = fs::read_to_string(folder.join("r.xml")).expect("the report");
    assert!(junit.contains("required by sse/stream-ends-after-response, and not-exercised"), "{junit}");
    // A replay selects one check; what is required beside it is not missed there.
    assert_eq!(run_in(&folder, &["judge", "kept", "--only", "http/content-type"], &[]).code, 0);
}

#[test]
fn the_file_requires_as_well() {
    let file = "require = ['sse/*', 'client/body-drained']\nrevision = '2025-11-25'\n[server.s]\ncmd = \"{server} --variant \
                json-answers\"\n";
    let ended = run_in(&configured(file), &["server", "--only", "sse/*", "--only", "http/*"], &[]);
    assert_eq!(ended.code, 6, "{}", ended.stdout);
    assert!(ended.stdout.contains("REQUIRED and not exercised"), "{}", ended.stdout);
}

#[test]
fn init_looks_at_a_server_and_writes_what_is_used_then() {
    let folder = folder("init");
    let cmd = format!("'{BINARY}' reference --port {{port}}");
    let ended = run_in(&folder, &["init", "--cmd", &cmd], &[]);
    ended.assert_says(0, &["mcpwire.toml is written", "`mcpwire server` tests"]);
    let file = fs::read_to_string(folder.join("mcpwire.toml")).expect("the file");
    assert!(file.starts_with("#:schema ./mcpwire.schema.json\n"), "{file}");
    assert!(file.contains("[server.mcpwire-reference]\n") && file.contains("tool.slow = \"slow\"\n"), "{file}");
    assert!(file.contains("# tool.echo = {"), "not marked as read-only: {file}");
    let ended = run_in(&folder, &["server", "--only", "http/content-type", "--revision", "2025-11-25"], &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("\nmcpwire-reference (mcpwire-reference"), "{}", ended.stdout);

    // What is there is somebody's work.
    fs::write(folder.join("mcpwire.toml"), "# mine").expect("a file");
    run_in(&folder, &["init", "--cmd", &cmd], &[]).assert_says(2, &["mcpwire.toml is there already", "--force"]);
    assert_eq!(fs::read_to_string(folder.join("mcpwire.toml")).expect("the file"), "# mine");
    assert_eq!(run_in(&folder, &["init", "--force"], &[]).code, 0);
    let example = fs::read_to_string(folder.join("mcpwire.toml")).expect("the file");
    assert!(example.contains("# [server.mine]\n"), "{example}");
    run_in(&folder, &["server"], &[]).assert_says(2, &["mcpwire.toml has no [server.NAME]"]);
}

#[test]
fn init_looks_at_a_client() {
    let folder = folder("init-client");
    let ended = run_in(&folder, &["init", "--config", "c.toml", "--", BINARY, "reference-client"], &[]);
    ended.assert_says(0, &["c.toml is written", "`mcpwire client --config c.toml` tests"]);
    let arguments = ["client", "--config", "c.toml", "--only", "client/body-drained", "--revision", "2025-11-25"];
    let ended = run_in(&folder, &arguments, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("mcpwire-reference-client"), "{}", ended.stdout);
}

#[rstest]
#[case::nobody(&["init", "--url", "http://127.0.0.1:1/mcp"], 3, "cannot be reached")]
#[case::no_server(&["init", "--cmd", "false {port}"], 3, "ended")]
#[case::no_client(&["init", "--", "true"], 3, "made no request")]
#[case::a_secret(&["init", "--url", "http://127.0.0.1:1/mcp?key=s3cret"], 2, "may be a secret, and the file is for all")]
#[case::no_port(&["init", "--cmd", "x --port 80"], 2, "{port}")]
#[case::a_path_alone(&["init", "--path", "/x"], 2, "which server? Give --url or --cmd")]
#[case::no_folder(&["init", "--config", "no/such/m.toml"], 5, "cannot write no/such/m.toml")]
fn init_writes_nothing_about_what_it_has_not_seen(#[case] arguments: &[&str], #[case] code: i32, #[case] words: &str) {
    let folder = folder("init-nothing");
    let ended = run_in(&folder, arguments, &[]);
    ended.assert_says(code, &[words]);
    assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0, "nothing is written");
}

#[rstest]
#[case::another_server(&answer("200 OK", "text/html", "hello"), "is no server that mcpwire can speak with:")]
#[case::nothing_there(&answer("404 Not Found", "text/plain", "gone"), "is the path right?")]
fn init_knows_no_server_by_its_answering(#[case] answer: &str, #[case] words: &str) {
    let folder = folder("init-nothing");
    run_in(&folder, &["init", "--url", &answering(answer)], &[]).assert_says(3, &[words]);
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 0, "nothing is written");
}

/// An independent reader of the schema agrees with ours on what is right and what is wrong.
#[test]
fn the_schema_says_what_the_reader_says() {
    const AGREE: &str = "\
import sys, json, tomllib
try:
    import jsonschema
except ImportError:
    sys.exit(77)
schema = json.load(open('schema.json'))
validator = jsonschema.Draft7Validator(schema)
validator.check_schema(schema)
for name in sys.argv[1:]:
    with open(name, 'rb') as file:
        print(name, validator.is_valid(tomllib.load(file)))
";
    let right: &[&str] = &[
        "",
        TWO,
        include_str!("../../docs/configuration.md")
            .split("```toml\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next())
            .unwrap_or("?"),
        "only = []",
        "revision = 'auto'\nfail-on = 'must'\ntool = {}",
        "[server.s]\nurl = 'http://127.0.0.1'\ntool.slow = { name = 'x' }",
    ];
    // What a schema cannot say is left out: which durations, ids and dates there are.
    let wrong: &[&str] = &[
        "budgte = '1s'",
        "budget = 3",
        "budget = ''",
        "only = [3]",
        "fail-on = 'never'",
        "revision = ['2024-11-05']",
        "revision = '2025-06-18,2025-11-25'",
        "baseline = ['x']",
        "header = 'A: b'",
        "server = 3",
        "[server]\nurl = 'http://127.0.0.1'",
        "[server.s]",
        "[server.s]\nurl = 'http://127.0.0.1'\nbaseline = 'x'",
        "[server.s]\nurl = 'http://127.0.0.1'\nname = 'x'",
        "[server.'../s']\nurl = 'http://127.0.0.1'",
        "[client.c]",
        "[client.c]\ncommand = 'x'",
        "[client.c]\ncommand = []",
        "[client.c]\ncommand = ['x']\ntool.slow = 'x'",
        "[profile.p]\nurl = 'http://127.0.0.1'",
        "tool = 'slow=x'",
        "tool.slwo = 'x'",
        "tool.slow = { arguments = {} }",
        "tool.slow = { name = 'x', args = {} }",
        "tool.slow = { name = 'x', arguments = [] }",
    ];
    let folder = folder("schema");
    let schema = run_in(&folder, &["schema"], &[]);
    assert_eq!(schema.code, 0);
    fs::write(folder.join("schema.json"), &schema.stdout).expect("a file");
    let mut expected = String::new();
    let mut names = Vec::new();
    for (is_right, files) in [(true, right), (false, wrong)] {
        for (index, file) in files.iter().enumerate() {
            let name = format!("{is_right}-{index}.toml");
            write(&folder, &name, file);
            let code = run_in(&folder, &["server", "--config", &name, "--target", "no-such-target"], &[]);
            let refused = !code.stderr.contains("there is no server `no-such-target`");
            assert_eq!(refused, !is_right, "{file}\n{}", code.stderr);
            expected.push_str(&format!("{name} {}\n", if is_right { "True" } else { "False" }));
            names.push(name);
        }
    }
    let python = Command::new("python3").args(["-c", AGREE]).args(&names).current_dir(&folder).output();
    match python {
        Ok(output) if output.status.success() => assert_eq!(String::from_utf8_lossy(&output.stdout), expected),
        Ok(output) if output.status.code() != Some(77) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        _ => mcpwire::skipped("jsonschema", "python3 has no jsonschema"),
    }
}

#[test]
fn every_key_and_every_variable_is_documented() {
    const DOCUMENT: &str = include_str!("../../docs/configuration.md");
    let schema: Value = serde_json::from_str(&run_in(&folder("schema"), &["schema"], &[]).stdout).expect("JSON");
    let mut keys = BTreeSet::new();
    for at in [
        "/properties",
        "/properties/server/additionalProperties/properties",
        "/properties/client/additionalProperties/properties",
    ] {
        let properties = schema.pointer(at).and_then(Value::as_object).expect("properties");
        keys.extend(properties.keys().filter(|key| !["server", "client", "profile"].contains(&key.as_str())));
    }
    assert!(keys.len() >= 18, "{keys:?}");
    for key in keys {
        assert!(DOCUMENT.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{key}`"))), "{key}");
    }
    let help = run_in(&folder("help"), &["server", "--help"], &[]).stdout;
    let variables: Vec<&str> = help.split_whitespace().filter(|word| word.starts_with("MCPWIRE_")).collect();
    assert!(variables.len() >= 20, "{variables:?}");
    for variable in variables {
        assert!(DOCUMENT.contains(&format!("`{variable}`")), "{variable}");
        let option = format!("--{} ", variable["MCPWIRE_".len()..].to_lowercase().replace('_', "-"));
        assert!(help.contains(&option), "{variable} says what {option} says, which is not there");
    }
}

#[rstest]
fn completions_are_for_every_shell(#[values("bash", "zsh", "fish", "powershell", "elvish")] shell: &str) {
    let ended = run_in(&folder("completions"), &["completions", shell], &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("stream-end-grace"), "{shell}");
}

#[cfg(unix)]
#[test]
fn bash_completes_a_subcommand_and_an_option() {
    let folder = folder("completions");
    let script = run_in(&folder, &["completions", "bash"], &[]).stdout;
    fs::write(folder.join("mcpwire.bash"), &script).expect("a file");
    let bash = |arguments: &[&str]| {
        let output = Command::new("bash").args(arguments).current_dir(&folder).output().expect("bash");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    bash(&["-n", "mcpwire.bash"]);
    let completed = |words: &str, last: usize| {
        let script = format!(
            ". ./mcpwire.bash; COMP_WORDS=({words}); COMP_CWORD={last}; _mcpwire mcpwire \"${{COMP_WORDS[{last}]}}\" x; printf '%s\\n' \
             \"${{COMPREPLY[@]}}\""
        );
        bash(&["-c", &script])
    };
    assert_eq!(completed("mcpwire ser", 1), "server\n");
    assert!(completed("mcpwire server --prof", 2).contains("--profile"));
    assert!(text(&folder).len() > 1);
}
