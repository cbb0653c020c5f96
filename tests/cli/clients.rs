//! Clients that mean harm, or are badly broken: mcpwire ends in time, in bounded memory, with a sentence, and nothing
//! passes that nobody has shown.

use std::time::Duration;

use rstest::rstest;
use serde_json::Value;

use crate::mcpwire::{BINARY, Ended, run};
use crate::misdeeds::{Misdeed, When, test};

/// What a run may work, in a build that is not optimised.
const IN_TIME: Duration = Duration::from_secs(20);

/// What a run may take on the clock: some time-outs of 1 s, and a busy machine.
const SOON: Duration = Duration::from_secs(60);

const PEAK_MIB: u64 = 400;

#[track_caller]
fn assert_survived(ended: &Ended, codes: &[i32]) {
    assert!(codes.contains(&ended.code), "exit code {}\n{}\n{}", ended.code, ended.stderr, ended.stdout);
    assert!(ended.took < SOON, "{:?}\n{}", ended.took, ended.stderr);
    assert!(ended.worked.is_none_or(|worked| worked < IN_TIME), "{:?}\n{}", ended.worked, ended.stderr);
    assert!(ended.peak_mib.is_none_or(|peak| peak < PEAK_MIB), "{:?} MiB\n{}", ended.peak_mib, ended.stderr);
    let sentence = format!("{}{}", ended.said(), ended.stdout.lines().last().unwrap_or_default());
    assert!((20..1_000 + 40 * 400).contains(&sentence.len()), "{sentence}");
    let sentence: String = sentence.chars().take(300).collect();
    eprintln!("{:?} ({:?} of work), {:?} MiB: {sentence}", ended.took, ended.worked, ended.peak_mib);
}

#[rstest]
fn a_client_that_means_harm_is_ended_in_time_and_in_bounded_memory(
    #[values(When::AtOnce, When::AfterTheSurvey)] when: When,
    #[values(
        Misdeed::ConnectsAndIsSilent,
        Misdeed::HalfAHead,
        Misdeed::HalfABody,
        Misdeed::Garbage,
        Misdeed::Tls,
        Misdeed::Http2,
        Misdeed::EndlessHead,
        Misdeed::EndlessFields,
        Misdeed::EndlessBody,
        Misdeed::EndlessChunks,
        Misdeed::EndlessJsonValues,
        Misdeed::EndlessRequests,
        Misdeed::EndlessCalls,
        Misdeed::EndlessConnections,
        Misdeed::HoldsConnections,
        Misdeed::SlowDrip,
        Misdeed::FloodsLines,
        Misdeed::FloodsOneLine,
        Misdeed::FloodsOutcomes,
        Misdeed::FloodsLargeOutcomes,
        Misdeed::FloodsStandardError
    )]
    misdeed: Misdeed,
) {
    let ended = test(misdeed, when, &["--timeout", "1s", "--revision", "2025-11-25"]).end();
    match when {
        // 3: nothing that comes is a request. 6: requests come, and no revision is spoken in them. 1: what they lack is
        // a finding.
        When::AtOnce => assert_survived(&ended, &[1, 3, 6]),
        // 1: what was seen until then, or the misdeed itself, is a finding.
        When::AfterTheSurvey => {
            assert_survived(&ended, &[1, 6]);
            assert!(ended.stdout.contains("incomplete: the client "), "{}", ended.stdout);
        }
    }
}

#[rstest]
fn nothing_passes_for_a_client_that_reads_no_answer(
    #[values(
        Misdeed::ClaimsWithoutARequest,
        Misdeed::BlindlyPipelined,
        Misdeed::BlindlyOneByOne,
        Misdeed::BlindlyOnOneConnection,
        Misdeed::BlindlyTellingErrors
    )]
    misdeed: Misdeed,
) {
    let ended = test(misdeed, When::AtOnce, &["--timeout", "5s", "--report", "json"]).end();
    if matches!(misdeed, Misdeed::ClaimsWithoutARequest) {
        ended.assert_says(3, &["made no request"]);
        return;
    }
    assert_survived(&ended, &[1, 6]);
    let report = ended.json();
    let passed: Vec<String> = checks(&report)
        .filter(|check| check["verdict"] == "pass")
        .map(|check| format!("{} ({})", check["id"], check["revision"]))
        .collect();
    assert!(passed.is_empty(), "{passed:#?}");
    assert!(checks(&report).any(|check| check["verdict"] == "not-exercised"), "{report:#}");
}

fn checks(report: &Value) -> impl Iterator<Item = &Value> {
    report["checks"].as_array().into_iter().flatten()
}

#[test]
fn lines_that_are_no_outcomes_are_passed_over() {
    let options = ["--revision", "2025-11-25", "--only", "client/returns-at-response", "--report", "json"];
    let ended = test(Misdeed::MalformedOutcomes, When::AtOnce, &options).end();
    assert_eq!(ended.code, 0, "{}\n{}", ended.stderr, ended.stdout);
    assert_eq!(ended.json()["incomplete"], Value::Null);
}

#[test]
fn a_program_that_is_not_there_cannot_be_started() {
    run(&["client", "--", "no-such-program-anywhere"]).assert_says(3, &["cannot start `no-such-program-anywhere`"]);
}

#[cfg(unix)]
mod programs {
    use std::fs;
    use std::path::Path;
    use std::thread;
    use std::time::{Duration, Instant};

    use libc::{SIGINT, SIGTERM};
    use rstest::rstest;

    use super::{BINARY, Ended, run};
    use crate::mcpwire::{folder, start, text};
    use crate::signals::{assert_gone, assert_partial_report, numbers, wait_for};

    /// Tests a shell script, with these options; the URL is its first argument.
    fn shell(options: &[&str], script: &str) -> Ended {
        run(&[&["client"], options, &["--", "sh", "-c", script, "sh"]].concat())
    }

    /// Tests a shell script around the reference client, which is `"$@"` to it.
    fn around(options: &[&str], script: &str) -> Ended {
        let command = ["--", "sh", "-c", script, "sh", BINARY, "reference-client"];
        run(&[&["client"], options, &command].concat())
    }

    #[test]
    fn a_program_that_ends_at_once_is_quoted_with_its_last_words() {
        let ended = shell(&[], "echo the database is missing >&2; exit 7");
        ended.assert_says(3, &["made no request", "exit code 7", "the database is missing"]);
        assert!(ended.stdout.is_empty(), "{}", ended.stdout);
    }

    #[test]
    fn a_program_that_hangs_before_its_first_request_costs_one_time_out() {
        let ended = shell(&["--timeout", "3s"], "exec sleep 600");
        ended.assert_says(3, &["made no request: it did not connect", "still running after 3.00 s"]);
        assert!(ended.took < Duration::from_secs(6), "{:?}", ended.took);
    }

    #[test]
    fn a_client_that_hangs_in_every_scenario_is_given_up_in_the_survey() {
        // It connects, asks for nothing more, and stays.
        let script = "MCPWIRE_SCRIPT='{\"version\":1,\"revision\":\"2025-11-25\",\"steps\":[{\"step\":\"connect\",\
                      \"do\":\"connect\"}]}' \"$@\" > /dev/null; sleep 600";
        let ended = around(&["--timeout", "2s"], script);
        assert!(ended.stdout.contains("given up: it did not get through 2 scenarios"), "{}", ended.stdout);
        assert!(matches!(ended.code, 1 | 6), "{}", ended.stdout);
        assert!(ended.took < Duration::from_secs(12), "{:?}", ended.took);
    }

    #[test]
    fn a_client_that_stays_when_it_has_closed_is_judged_and_does_not_cost_the_whole_time_out() {
        let ended = around(
            &["--revision", "2025-11-25", "--only", "client/body-drained", "--timeout", "60s"],
            "\"$@\"; sleep 600",
        );
        assert_eq!(ended.code, 0, "{}\n{}", ended.stderr, ended.stdout);
        assert!(ended.took < Duration::from_secs(40), "{:?}", ended.took);
    }

    #[rstest]
    #[case::at_once("")]
    #[case::not_when_asked("trap '' TERM; ")]
    fn a_program_that_does_not_end_is_made_to_with_all_that_it_started(#[case] first: &str) {
        let pids = folder("stubborn-client").join("pids");
        let path = text(&pids);
        let script = format!("{first}sleep 600 & echo $! >> {path}; echo $$ >> {path}; wait");
        let ended = shell(&["--timeout", "500ms"], &script);
        ended.assert_says(3, &["made no request: it did not connect", "still running after 500 ms"]);
        assert_eq!(numbers(&pids).len(), 2);
        assert_gone(&pids);
    }

    #[rstest]
    #[case::with_its_standard_output("")]
    #[case::without_it("> /dev/null 2>&1")]
    fn a_child_that_outlives_the_client_is_ended(#[case] redirected: &str) {
        let pids = folder("orphan").join("pids");
        let script = format!("sleep 600 {redirected} & echo $! >> {}; \"$@\"", text(&pids));
        let ended = around(&["--revision", "2025-11-25", "--only", "client/connection-reused"], &script);
        assert_eq!(ended.code, 0, "{}\n{}", ended.stderr, ended.stdout);
        assert!(!numbers(&pids).is_empty());
        assert_gone(&pids);
    }

    #[rstest]
    #[case::in_the_first_play_only("[ $n = 1 ]", 6, "inconclusive")]
    #[case::in_both("true", 1, "fail")]
    fn what_is_found_is_played_again(#[case] is_faulty: &str, #[case] code: i32, #[case] verdict: &str) {
        let folder = folder("twice");
        let path = text(&folder);
        let script = format!(
            "if [ $MCPWIRE_SCENARIO = client-cancel ]; then \
             echo >> {path}/plays; n=$(wc -l < {path}/plays); \
             if {is_faulty}; then shift 2; exec {BINARY} reference-client --fault cancels-silently \"$@\"; fi; fi; \
             exec \"$@\""
        );
        let recording = folder.join("recording");
        let options = ["--revision", "2025-11-25", "--only", "client/cancel", "--report", "json"];
        let ended = around(&[&options[..], &["--record", &text(&recording)]].concat(), &script);
        assert_eq!(ended.code, code, "{}\n{}", ended.stderr, ended.stdout);
        let report = ended.json();
        assert_eq!(report["checks"][0]["verdict"], verdict, "{report:#}");
        assert_eq!(fs::read_to_string(folder.join("plays")).expect("two plays").lines().count(), 2);
        let again = run(&["judge", &text(&recording), "--report", "json"]);
        assert_eq!(again.stdout, ended.stdout, "the recording holds both plays");
    }

    /// A client that gets through the survey, and takes its time from then on; it and a child of its own are in the
    /// file.
    fn slow(pids: &Path) -> Vec<String> {
        let path = text(pids);
        let script = format!(
            "[ $MCPWIRE_SCENARIO = client-calls ] && exec \"$@\"; trap '' TERM; \
             sleep 600 & echo $! >> {path}; echo $$ >> {path}; wait"
        );
        ["--", "sh", "-c", &script, "sh", BINARY, "reference-client"].map(str::to_owned).to_vec()
    }

    fn starting(arguments: &[&str], pids: &Path) -> Vec<String> {
        let options = [&["client", "--revision", "2025-11-25", "--timeout", "60s"], arguments].concat();
        options.into_iter().map(str::to_owned).chain(slow(pids)).collect()
    }

    #[rstest]
    #[case::ctrl_c(SIGINT, 130, "SIGINT")]
    #[case::terminate(SIGTERM, 143, "SIGTERM")]
    fn a_signal_ends_the_run_and_the_client_and_the_partial_report_is_written(
        #[case] signal: i32,
        #[case] code: i32,
        #[case] name: &str,
    ) {
        let started = |arguments: &[&str], pids: &Path| {
            let running = start(&starting(arguments, pids));
            wait_for("the client starts", || numbers(pids).len() >= 2);
            running
        };
        assert_partial_report("client-signal", started, signal, code, name);
    }

    #[test]
    fn a_signal_before_the_first_request_ends_the_client_and_says_so() {
        let pids = folder("client-coming-up").join("pids");
        let script = format!("sleep 600 & echo $! >> {0}; echo $$ >> {0}; wait", text(&pids));
        let running = start(&["client", "--", "sh", "-c", &script, "sh"]);
        wait_for("the client starts", || numbers(&pids).len() == 2);
        running.signal(SIGINT);
        running.end().assert_says(130, &["interrupted before anything was recorded"]);
        assert_gone(&pids);
    }

    #[test]
    fn a_second_signal_ends_at_once_and_takes_the_client_along() {
        let pids = folder("client-twice").join("pids");
        let running = start(&starting(&[], &pids));
        wait_for("the client starts", || numbers(&pids).len() >= 2);
        running.signal(SIGINT);
        thread::sleep(Duration::from_millis(200));
        running.signal(SIGINT);
        let asked = Instant::now();
        let ended = running.end();
        assert_eq!(ended.code, 130, "{}", ended.stderr);
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        assert_gone(&pids);
    }
}
