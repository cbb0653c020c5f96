//! A failure in `cargo test` ends with the command that replays it: typed into a shell, it runs that test, with that
//! check in that revision, and nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use mcpwire::{InProcess, Revision};
use rstest::rstest;
use serde_json::{Value, json};

/// Set where a test of this program is run as a user's.
const RUN: &str = "MCPWIRE_TEST_RUN";

/// Its answers say that they are text.
async fn answer(body: Bytes) -> Response {
    let Ok(message) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST.into_response() };
    let Some(id) = message.get("id") else { return StatusCode::ACCEPTED.into_response() };
    let result = json!({
        "protocolVersion": message["params"]["protocolVersion"],
        "capabilities": {},
        "serverInfo": {"name": "replayed", "version": "1"},
    });
    json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string().into_response()
}

mod of_a_user {
    use super::*;

    /// What a user writes, and what fails.
    #[rstest]
    #[case::of_two_revisions([Revision::R20250618, Revision::R20251125])]
    #[tokio::test]
    async fn my_server_conforms(#[case] revisions: [Revision; 2]) {
        if std::env::var_os(RUN).is_none() {
            return;
        }
        let server = InProcess::service("my server", "/mcp", Router::new().route("/mcp", post(answer)));
        let report = mcpwire::check(server).only("http/*").revisions(revisions).await.expect("it can be tested");
        report.assert_conformant();
    }
}

const NAME: &str = "of_a_user::my_server_conforms::case_1_of_two_revisions";

/// `cargo`, as far as the command of a replay needs it: runs this very program.
fn shell(name: &str) -> (PathBuf, String) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let program = std::env::current_exe().expect("a path");
    let script = format!(
        "#!/bin/sh\ntest \"$*\" = 'test -p mcpwire --test replay -- --exact {NAME}' || exit 99\nshift 6\nexec '{}' --exact {NAME}\n",
        program.display()
    );
    fs::write(folder.join("cargo"), script).expect("a file");
    fs::set_permissions(folder.join("cargo"), fs::Permissions::from_mode(0o755)).expect("a file of ours");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    (folder, path)
}

/// The test of the user, with these variables.
fn tested(variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["--exact", NAME]).env(RUN, "1").envs(variables.iter().copied());
    command.output().expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_command_that_is_shown_replays_just_this() {
    let before = tested(&[]);
    assert_eq!(before.status.code(), Some(101), "{}", said(&before));
    let text = said(&before);
    // It reads like a failure of the binary.
    for part in
        ["FAIL must http/content-type", "  expected  ", "  observed  ", "    ▶ ", "  fix       ", "  replay    "]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let command = format!(
        "MCPWIRE_REVISION=2025-06-18 MCPWIRE_ONLY=http/content-type cargo test -p mcpwire --test replay -- --exact {NAME}"
    );
    let shown = text.lines().filter_map(|line| line.strip_prefix("  replay    ")).collect::<Vec<_>>();
    assert!(shown.contains(&command.as_str()), "{shown:?}");

    let (folder, path) = shell("replay");
    let after = Command::new("sh").args(["-c", &command]).env("PATH", path).env(RUN, "1").current_dir(folder).output();
    let after = after.expect("a shell");
    assert_eq!(after.status.code(), Some(101), "{}", said(&after));
    let text = said(&after);
    assert!(text.contains("\n1 failed, 0 passed\n"), "{text}");
    assert!(text.contains("FAIL must http/content-type  2025-06-18") && !text.contains("2025-11-25"), "{text}");
}

#[rstest]
#[case::a_check_that_is_not_selected(&[("MCPWIRE_ONLY", "sse/*")], "MCPWIRE_ONLY=sse/* leaves none of the checks that are selected here (http/*)")]
#[case::no_check(&[("MCPWIRE_ONLY", "http/content-typo")], "MCPWIRE_ONLY: no check matches `http/content-typo` (did you mean http/content-type?")]
#[case::another_revision(&[("MCPWIRE_REVISION", "2026-07-28")], "MCPWIRE_REVISION=2026-07-28 is none of the revisions")]
#[case::no_revision(&[("MCPWIRE_REVISION", "2025")], "MCPWIRE_REVISION: ")]
fn the_environment_never_makes_more_of_a_test(#[case] variables: &[(&str, &str)], #[case] refusal: &str) {
    let output = tested(variables);
    assert_eq!(output.status.code(), Some(101), "{}", said(&output));
    assert!(said(&output).contains(refusal), "{}", said(&output));
}

#[test]
fn the_recording_is_kept_where_the_environment_says() {
    let (folder, _) = shell("replay-record");
    let record = folder.join("recordings");
    tested(&[("MCPWIRE_RECORD", record.to_str().expect("a path")), ("MCPWIRE_ONLY", "http/content-type")]);
    let kept = record.join(NAME.replace(':', "-"));
    assert!(kept.join("manifest.json").is_file(), "{}", kept.display());
    let judged = Command::new(env!("CARGO_BIN_EXE_mcpwire")).arg("judge").arg(&kept).output().expect("it runs");
    // The recording knows how it is replayed.
    let command = format!(
        "MCPWIRE_REVISION=2025-06-18 MCPWIRE_ONLY=http/content-type cargo test -p mcpwire --test replay -- --exact {NAME}"
    );
    assert!(String::from_utf8_lossy(&judged.stdout).contains(&command), "{}", String::from_utf8_lossy(&judged.stdout));
}
