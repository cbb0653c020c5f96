//! The report as JUnit: a suite for each target and revision, a case for each check. Pure.
//!
//! A reader is red exactly where the gate is: what makes the run fail is a failure or an error, what the baseline expects
//! and what came after the frozen set is skipped, with its reason, and so is what could not be seen. Why a run does not
//! count, and what is stale in a baseline, are cases of their own.

use std::fmt::{self, Write};

use super::{CheckReport, FindingReport, Gate, Report, text};
use crate::gate::Standing;
use crate::spec::Revision;
use crate::verdict::Verdict;

/// What came of a case.
enum Came {
    Passed { out: String },
    Failure { kind: String, message: String, text: String },
    Error { kind: String, message: String, text: String },
    Skipped { message: String },
}

struct Case {
    class: String,
    name: String,
    came: Came,
}

struct Suite {
    name: String,
    recorded: String,
    cases: Vec<Case>,
}

/// The report as JUnit.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write_suites(&mut text, &suites(report));
    text
}

fn suites(report: &Report) -> Vec<Suite> {
    let mut suites: Vec<Suite> = vec![run(report)];
    let mut keys: Vec<(Option<&String>, Revision)> = Vec::new();
    for check in &report.checks {
        let key = (check.target.as_ref(), check.revision);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    for (target, revision) in keys {
        let of_suite =
            report.checks.iter().filter(|check| (check.target.as_ref(), check.revision) == (target, revision));
        let cases = of_suite.map(|check| case(report, check)).collect();
        let name = format!("{} {revision}", target.unwrap_or(&report.target.name));
        suites.push(Suite { name, recorded: report.recorded.clone(), cases });
    }
    suites
}

/// What is said of the run as a whole.
fn run(report: &Report) -> Suite {
    let message = text::conclusion(report);
    let too_little = match report.summary.gate {
        Gate::TooLittle => Came::Error { kind: "too-little".to_owned(), message, text: String::new() },
        _ => Came::Passed { out: message },
    };
    let mut cases = vec![Case { class: "run".to_owned(), name: "something was judged".to_owned(), came: too_little }];
    for entry in report.baseline.iter().flat_map(|baseline| baseline.stale()) {
        let message = format!("delete {}: {}", entry.entry, entry.why);
        let came = match report.summary.gate {
            Gate::StaleBaseline => Came::Failure { kind: "stale".to_owned(), message, text: String::new() },
            // The gate has worse to say.
            _ => Came::Skipped { message },
        };
        cases.push(Case { class: "baseline".to_owned(), name: entry.entry.to_string(), came });
    }
    Suite { name: format!("{} (run)", report.target.name), recorded: report.recorded.clone(), cases }
}

fn case(report: &Report, check: &CheckReport) -> Case {
    let reason = || check.reason.clone().unwrap_or_else(|| check.title.clone());
    let kind = || format!("{} {}", check.verdict, check.level);
    let message = || match &check.findings[..] {
        [] => reason(),
        [first, rest @ ..] => match rest.len() {
            0 => first.observed.clone(),
            more => format!("{} (and {more} findings more)", first.observed),
        },
    };
    let came = match report.standing(check) {
        Standing::Fails => Came::Failure { kind: kind(), message: message(), text: told(check) },
        Standing::Fault | Standing::Undecided => {
            Came::Error { kind: kind(), message: reason(), text: check.title.clone() }
        }
        Standing::Unmet => {
            let patterns = check.required.join(", ");
            let message = format!("required by {patterns}, and {}: {}", check.verdict, reason());
            Came::Failure { kind: kind(), message, text: check.title.clone() }
        }
        Standing::Expected => {
            let expected = check.expected.as_deref().unwrap_or_default();
            Came::Skipped { message: format!("expected to fail: {expected} ({})", message()) }
        }
        Standing::AfterSet => {
            Came::Skipped { message: format!("added after the set, {}: {}", check.verdict, message()) }
        }
        Standing::Mild => Came::Passed { out: told(check) },
        Standing::Quiet => match check.verdict {
            Verdict::NotApplicable | Verdict::NotExercised | Verdict::Inconclusive => {
                Came::Skipped { message: format!("{}: {}", check.verdict, reason()) }
            }
            _ => Came::Passed { out: check.reason.clone().unwrap_or_default() },
        },
    };
    Case { class: check.area.clone(), name: check.id.clone(), came }
}

/// What was found, as the text report tells it.
fn told(check: &CheckReport) -> String {
    const SHOWN: usize = 3;
    let mut text = format!("{}\n", check.title);
    for finding in check.findings.iter().filter(|finding| !finding.baselined).take(SHOWN) {
        let _ = one(&mut text, finding);
    }
    if !check.fix.is_empty() {
        let _ = writeln!(text, "fix       {}", check.fix);
    }
    if let Some(finding) = check.findings.first() {
        let _ = writeln!(text, "replay    {}", finding.replay);
    }
    text
}

fn one(text: &mut String, finding: &FindingReport) -> fmt::Result {
    if let (Some(id), Some(summary)) = (&finding.requirement, &finding.summary) {
        writeln!(text, "rule      {summary} [{id}]")?;
    }
    writeln!(text, "expected  {}\nobserved  {}", finding.expected, finding.observed)?;
    if let Some(cause) = &finding.cause {
        writeln!(text, "cause     {}: {}", cause.name, cause.evidence)?;
    }
    for line in &finding.exchange {
        writeln!(text, "  {} {:>9}  {}", if line.here { "▶" } else { " " }, line.at, line.what)?;
    }
    for line in &finding.said {
        writeln!(text, "    {:>9}  | {}", line.at, text::beginning(&line.what))?;
    }
    Ok(())
}

fn write_suites(out: &mut String, suites: &[Suite]) -> fmt::Result {
    let counted = |of: fn(&Came) -> bool| move |suite: &Suite| suite.cases.iter().filter(|case| of(&case.came)).count();
    let failures = counted(|came| matches!(came, Came::Failure { .. }));
    let errors = counted(|came| matches!(came, Came::Error { .. }));
    let skipped = counted(|came| matches!(came, Came::Skipped { .. }));
    let sum = |of: &dyn Fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    let (tests, failed, wrong) = (sum(&|suite| suite.cases.len()), sum(&failures), sum(&errors));
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="mcpwire" tests="{tests}" failures="{failed}" errors="{wrong}">"#)?;
    for suite in suites {
        writeln!(
            out,
            r#"  <testsuite name="{}" tests="{}" failures="{}" errors="{}" skipped="{}" timestamp="{}">"#,
            value(&suite.name),
            suite.cases.len(),
            failures(suite),
            errors(suite),
            skipped(suite),
            value(&suite.recorded),
        )?;
        for case in &suite.cases {
            write_case(out, case)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn write_case(out: &mut String, case: &Case) -> fmt::Result {
    write!(out, r#"    <testcase classname="{}" name="{}""#, value(&case.class), value(&case.name))?;
    let (element, kind, message, text) = match &case.came {
        Came::Passed { out: said } if said.is_empty() => return writeln!(out, "/>"),
        Came::Passed { out: said } => {
            return writeln!(out, ">\n      <system-out>{}</system-out>\n    </testcase>", content(said));
        }
        Came::Skipped { message } => {
            return writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", value(message));
        }
        Came::Failure { kind, message, text } => ("failure", kind, message, text),
        Came::Error { kind, message, text } => ("error", kind, message, text),
    };
    writeln!(
        out,
        ">\n      <{element} type=\"{}\" message=\"{}\">{}</{element}>\n    </testcase>",
        value(kind),
        value(message),
        content(text),
    )
}

/// A text as the content of an XML 1.0 element can hold it: what has a meaning there is replaced, and what cannot stand
/// in it at all is spelt out.
fn content(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.extend(c.escape_default()),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The same for the value of an attribute, where a line end would become a blank.
fn value(text: &str) -> String {
    content(text).replace('\n', "&#10;")
}

#[cfg(test)]
mod tests {
    use quick_junit::{NonSuccessKind, TestCaseStatus};
    use rstest::rstest;

    use super::*;
    use crate::baseline::Baseline;
    use crate::report::made;
    use crate::verdict::Level;

    const R: Revision = Revision::R20251125;

    fn of(verdict: Verdict, level: Level) -> Report {
        made::report(vec![
            made::check("rpc/exactly-one-response", R, Verdict::Pass, Level::Must),
            made::check("sse/well-formed", R, verdict, level),
        ])
    }

    /// What an independent reader makes of it.
    fn read(report: &Report) -> quick_junit::Report {
        quick_junit::Report::deserialize_from_str(&render(report)).expect("JUnit")
    }

    fn cases(junit: &quick_junit::Report) -> Vec<(&str, &str)> {
        let came = |status: &TestCaseStatus| match status {
            TestCaseStatus::Success { .. } => "passed",
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failure",
            TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
            TestCaseStatus::Skipped { .. } => "skipped",
        };
        let all = junit.test_suites.iter().flat_map(|suite| &suite.test_cases);
        all.map(|case| (case.name.as_str(), came(&case.status))).collect()
    }

    fn message(junit: &quick_junit::Report, name: &str) -> String {
        let case = junit.test_suites.iter().flat_map(|suite| &suite.test_cases).find(|case| case.name.as_str() == name);
        let (TestCaseStatus::NonSuccess { message, .. } | TestCaseStatus::Skipped { message, .. }) =
            &case.expect("the case").status
        else {
            return String::new();
        };
        message.as_ref().map(|message| message.as_str().to_owned()).unwrap_or_default()
    }

    #[rstest]
    #[case(Verdict::Pass, Level::Must, "passed")]
    #[case(Verdict::Fail, Level::Must, "failure")]
    #[case(Verdict::Fail, Level::Advice, "passed")]
    #[case(Verdict::Inconclusive, Level::Should, "error")]
    #[case(Verdict::Inconclusive, Level::Budget, "skipped")]
    #[case(Verdict::Fault, Level::Must, "error")]
    #[case(Verdict::NotExercised, Level::Must, "skipped")]
    #[case(Verdict::NotApplicable, Level::Must, "skipped")]
    fn a_reader_is_red_exactly_where_the_gate_is(
        #[case] verdict: Verdict,
        #[case] level: Level,
        #[case] expected: &str,
    ) {
        let report = of(verdict, level);
        let junit = read(&report);
        assert!(cases(&junit).contains(&("sse/well-formed", expected)), "{:?}", cases(&junit));
        let red = cases(&junit).iter().any(|(_, came)| ["failure", "error"].contains(came));
        assert_eq!(red, report.summary.gate != Gate::Conforms);
        assert_eq!((junit.tests, junit.test_suites.len()), (3, 2), "the run, and a suite for the revision");
        let counted: usize = junit.test_suites.iter().map(|suite| suite.failures + suite.errors + suite.skipped).sum();
        assert_eq!(counted, cases(&junit).iter().filter(|(_, came)| *came != "passed").count());
    }

    #[test]
    fn what_is_expected_is_skipped_and_what_is_stale_fails() {
        let text = "server:\n  - id: sse/well-formed\n    reason: issue 12\n";
        let baseline = Baseline::read("b.yml", text).expect("a baseline");
        let mut expected = of(Verdict::Fail, Level::Must);
        baseline.apply(&mut expected);
        let junit = read(&expected);
        assert_eq!(message(&junit, "sse/well-formed"), "expected to fail: issue 12 (what is wrong)");
        assert!(cases(&junit).iter().all(|(_, came)| ["passed", "skipped"].contains(came)));

        let mut stale = of(Verdict::Pass, Level::Must);
        baseline.apply(&mut stale);
        assert!(cases(&read(&stale)).contains(&("line 2: sse/well-formed", "failure")));
    }

    #[test]
    fn a_run_that_does_not_count_is_an_error() {
        let mut report = of(Verdict::Pass, Level::Must);
        report.incomplete = Some("it went away".to_owned());
        report.count();
        let junit = read(&report);
        assert_eq!(message(&junit, "something was judged"), "the run is incomplete: it went away");
    }

    #[test]
    fn whatever_a_target_says_is_xml() {
        let nasty: String = (0..0x300).filter_map(char::from_u32).chain("\u{fffe}\u{ffff}]]>😀".chars()).collect();
        let mut report = of(Verdict::Fail, Level::Must);
        report.target.name.clone_from(&nasty);
        report.checks[1].findings[0].observed.clone_from(&nasty);
        let xml = render(&report);
        let legal = |c: char| {
            c == '\n' || (c >= ' ' && !('\u{7f}'..='\u{9f}').contains(&c) && c < '\u{fffe}') || c > '\u{ffff}'
        };
        assert_eq!(xml.chars().find(|c| !legal(*c)), None);
        let junit = read(&report);
        assert_eq!(message(&junit, "sse/well-formed").replace("\\u{1b}", "\u{1b}"), {
            let spelt = |c: char| match c {
                '\n' | '\u{1b}' => c.to_string(),
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => c.escape_default().to_string(),
                c => c.to_string(),
            };
            nasty.chars().map(spelt).collect::<String>()
        });
    }
}
