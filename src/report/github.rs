//! The report for GitHub: annotations, which are lines on standard output, and a summary in Markdown. Pure: the command
//! line writes both.

use std::fmt::{self, Write};

use super::text::{conclusion, visible};
use super::{CheckReport, Gate, Report};
use crate::gate::Standing;
use crate::verdict::Verdict;

/// GitHub shows no more than this many of a step.
const SHOWN_ANNOTATIONS: usize = 10;

/// What is worth a line of its own.
const SHOWN_STANDINGS: [Standing; 5] =
    [Standing::Fault, Standing::Fails, Standing::Undecided, Standing::Unmet, Standing::Mild];

/// GitHub refuses a summary of more than 1 MiB, all steps of a job together.
const LONGEST_SUMMARY: usize = 250_000;

/// The annotations: an error for each check that makes the run fail, a warning for what does not.
pub fn annotations(report: &Report) -> String {
    let mut lines: Vec<(Standing, String)> = Vec::new();
    for group in grouped(report, &SHOWN_STANDINGS) {
        let (check, standing) = (group[0], report.standing(group[0]));
        let command = if standing.is_red() { "error" } else { "warning" };
        let title = format!("{} {} {} ({})", check.verdict, check.level, check.id, revisions(&group));
        lines.push((standing, annotation(command, &title, &message(check))));
    }
    lines.sort_by_key(|(standing, _)| *standing);
    let mut lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    let mut own = Vec::new();
    if let Some(baseline) = &report.baseline {
        for entry in baseline.stale() {
            let properties = format!("file={},line={}", property(&baseline.file), entry.entry.line);
            let message = format!("delete `{}`: {}", entry.entry.name(), entry.why);
            own.push(format!("::error {properties},title=stale entry::{}\n", data(&message)));
        }
    }
    if report.summary.gate == Gate::TooLittle {
        own.push(annotation("error", "too little was judged", &conclusion(report)));
    }
    let room = SHOWN_ANNOTATIONS.saturating_sub(own.len() + 1);
    if lines.len() > room + 1 {
        let more = lines.len() - room;
        lines.truncate(room);
        own.push(annotation("warning", "more", &format!("{more} checks more are in the summary of this job")));
    }
    lines.extend(own);
    lines.concat()
}

fn annotation(command: &str, title: &str, message: &str) -> String {
    format!("::{command} title={}::{}\n", property(title), data(message))
}

fn message(check: &CheckReport) -> String {
    let Some(finding) = check.findings.iter().find(|finding| !finding.baselined).or(check.findings.first()) else {
        let reason = check.reason.clone().unwrap_or_else(|| check.title.clone());
        return match check.verdict {
            Verdict::NotExercised | Verdict::NotApplicable => {
                format!("required by {}, and not exercised: {reason}", check.required.join(", "))
            }
            _ => reason,
        };
    };
    let cause = finding.cause.as_ref().map(|cause| format!("\ncause: {}", cause.evidence)).unwrap_or_default();
    format!(
        "{}\nexpected: {}\nobserved: {}{cause}\nfix: {}\nreplay: {}",
        check.title, finding.expected, finding.observed, check.fix, finding.replay
    )
}

/// The message of a workflow command.
fn data(text: &str) -> String {
    let text: Vec<String> = text.split('\n').map(visible).collect();
    // The older form of a command is looked for anywhere in a line.
    text.join("\n").replace('%', "%25").replace('\n', "%0A").replace("##[", "# #[")
}

/// The value of a property of a workflow command.
fn property(text: &str) -> String {
    data(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}

/// Checks of these standings, the same check of a target in several revisions together.
fn grouped<'a>(report: &'a Report, wanted: &[Standing]) -> Vec<Vec<&'a CheckReport>> {
    let mut groups: Vec<Vec<&CheckReport>> = Vec::new();
    for check in &report.checks {
        let standing = report.standing(check);
        if !wanted.contains(&standing) {
            continue;
        }
        let same = |other: &CheckReport| {
            (&other.id, &other.target, other.level, report.standing(other))
                == (&check.id, &check.target, check.level, standing)
        };
        match groups.iter_mut().find(|group| same(group[0])) {
            Some(group) => group.push(check),
            None => groups.push(vec![check]),
        }
    }
    groups.sort_by_key(|group| (report.standing(group[0]), std::cmp::Reverse(group[0].level)));
    groups
}

fn revisions(group: &[&CheckReport]) -> String {
    let dates: Vec<&str> = group.iter().map(|check| check.revision.date()).collect();
    match &group[0].target {
        Some(target) => format!("{} on {target}", dates.join(", ")),
        None => dates.join(", "),
    }
}

/// The summary of a step, in Markdown.
pub fn summary(report: &Report) -> String {
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write_summary(&mut text, report);
    text
}

fn write_summary(out: &mut String, report: &Report) -> fmt::Result {
    let mark = if report.summary.gate == Gate::Conforms { "✅" } else { "❌" };
    writeln!(out, "## {mark} mcpwire: {}\n", markdown(&conclusion(report)))?;
    let targets: Vec<&str> = match &report.runs[..] {
        [] => vec![&report.target.name],
        runs => runs.iter().map(|run| run.target.name.as_str()).collect(),
    };
    for target in targets {
        writeln!(out, "- {}", code(target))?;
    }
    writeln!(out)?;
    table(out, report)?;
    let mut left_out = 0;
    for group in grouped(report, &SHOWN_STANDINGS) {
        let mut section = String::new();
        details(&mut section, &group)?;
        match out.len() + section.len() <= LONGEST_SUMMARY {
            true => out.push_str(&section),
            false => left_out += 1,
        }
    }
    if left_out > 0 {
        writeln!(out, "{left_out} checks more are left out here; they are in the other formats of the report.\n")?;
    }
    let mut rest = String::new();
    expected(&mut rest, report)?;
    aside(&mut rest, report)?;
    if out.len() + rest.len() <= LONGEST_SUMMARY {
        out.push_str(&rest);
    }
    Ok(())
}

/// How many checks came to what, revision by revision.
fn table(out: &mut String, report: &Report) -> fmt::Result {
    let mut dates: Vec<_> = report.checks.iter().map(|check| check.revision).collect();
    dates.sort_unstable();
    dates.dedup();
    let heading: Vec<&str> = dates.iter().map(|revision| revision.date()).collect();
    writeln!(out, "| verdict | {} |", heading.join(" | "))?;
    writeln!(out, "|---|{}", "---:|".repeat(dates.len()))?;
    for verdict in Verdict::ALL {
        let of = |revision| {
            report.checks.iter().filter(|check| check.verdict == verdict && check.revision == revision).count()
        };
        let counts: Vec<usize> = dates.iter().copied().map(of).collect();
        if counts.iter().any(|count| *count > 0) {
            let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
            writeln!(out, "| {verdict} | {} |", counts.join(" | "))?;
        }
    }
    writeln!(out)
}

fn details(out: &mut String, group: &[&CheckReport]) -> fmt::Result {
    let check = group[0];
    writeln!(
        out,
        "<details><summary><b>{} {}</b> {} ({})</summary>\n",
        check.verdict,
        check.level,
        html(&check.id),
        html(&revisions(group))
    )?;
    writeln!(out, "{}\n", markdown(&check.title))?;
    if let Some(reason) = &check.reason {
        writeln!(out, "{}\n", markdown(reason))?;
    }
    let Some(finding) = check.findings.iter().find(|finding| !finding.baselined) else {
        return writeln!(out, "</details>\n");
    };
    if let (Some(summary), Some(link)) = (&finding.summary, &finding.link) {
        writeln!(out, "- **rule**: [{}]({})", markdown(summary), link.replace([' ', '(', ')', '\n'], ""))?;
    }
    writeln!(out, "- **expected**: {}", markdown(&finding.expected))?;
    writeln!(out, "- **observed**: {}", markdown(&finding.observed))?;
    if let Some(cause) = &finding.cause {
        writeln!(out, "- **cause**: {}", markdown(&cause.evidence))?;
    }
    writeln!(out, "- **fix**: {}\n", markdown(&check.fix))?;
    let lines: Vec<String> = finding
        .exchange
        .iter()
        .map(|line| visible(&format!("{} {:>9}  {}", if line.here { "▶" } else { " " }, line.at, line.what)))
        .collect();
    if !lines.is_empty() {
        writeln!(out, "{}\n", fenced(&lines.join("\n")))?;
    }
    writeln!(out, "{}\n\n</details>\n", fenced(&visible(&finding.replay)))
}

fn expected(out: &mut String, report: &Report) -> fmt::Result {
    let Some(baseline) = &report.baseline else { return Ok(()) };
    writeln!(out, "<details><summary>baseline {}</summary>\n", html(&visible(&baseline.file)))?;
    writeln!(out, "| line | entry | came to | reason |\n|---:|---|---|---|")?;
    for entry in &baseline.entries {
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            entry.entry.line,
            markdown(&entry.entry.name()),
            markdown(&entry.why),
            markdown(&entry.entry.reason),
        )?;
    }
    writeln!(out, "\n</details>\n")
}

/// What could not be seen, and what gates nothing.
fn aside(out: &mut String, report: &Report) -> fmt::Result {
    let unseen = |check: &CheckReport| check.verdict == Verdict::NotExercised || check.after_set;
    let seen = |check: &&CheckReport| unseen(check) && report.standing(check) != Standing::Unmet;
    let aside: Vec<&CheckReport> = report.checks.iter().filter(seen).collect();
    if aside.is_empty() {
        return Ok(());
    }
    writeln!(out, "<details><summary>not exercised, or added after the set</summary>\n")?;
    writeln!(out, "| check | revision | verdict | why |\n|---|---|---|---|")?;
    for check in aside {
        let why = match check.after_set {
            true => "added after the set: gates nothing",
            false => check.reason.as_deref().unwrap_or_default(),
        };
        writeln!(out, "| {} | {} | {} | {} |", markdown(&check.id), check.revision, check.verdict, markdown(why))?;
    }
    writeln!(out, "\n</details>\n")
}

/// A text that means nothing but itself in Markdown, in a line or in a cell of a table.
fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // Mentions would call people.
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

fn html(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}

/// A text in a code span that it cannot end.
fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    format!("{fence} {} {fence}", visible(text))
}

/// A text in a code block that it cannot end.
fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}text\n{text}\n{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Baseline;
    use crate::report::made;
    use crate::spec::Revision;
    use crate::verdict::Level;

    const R: Revision = Revision::R20251125;

    fn of(verdict: Verdict, level: Level) -> Report {
        made::report(vec![
            made::check("rpc/exactly-one-response", R, Verdict::Pass, Level::Must),
            made::check("sse/well-formed", R, verdict, level),
        ])
    }

    #[test]
    fn what_makes_the_run_fail_is_an_error_and_what_does_not_a_warning() {
        assert!(annotations(&of(Verdict::Fail, Level::Must)).starts_with("::error title=fail must sse/well-formed"));
        assert!(annotations(&of(Verdict::Fail, Level::Advice)).starts_with("::warning title=fail advice"));
        assert!(annotations(&of(Verdict::Inconclusive, Level::Must)).starts_with("::error title=inconclusive must"));
        assert_eq!(annotations(&of(Verdict::Pass, Level::Must)), "");
    }

    #[test]
    fn a_message_is_one_line_whatever_the_target_says() {
        let mut report = of(Verdict::Fail, Level::Must);
        report.checks[1].findings[0].observed = "100%\r\n::error::mine ##[error]too, a:b\u{1b}[31m".to_owned();
        let text = annotations(&report);
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("100%25\\r%0A::error::mine # #[error]too, a:b\\u{1b}[31m"), "{text}");
    }

    #[test]
    fn a_property_ends_where_it_is_meant_to() {
        assert_eq!(property("a: b, c\n%"), "a%3A b%2C c\\n%25");
    }

    #[test]
    fn a_stale_entry_is_an_error_at_its_line() {
        let mut report = of(Verdict::Pass, Level::Must);
        let text = "server:\n  - id: sse/well-formed\n    reason: issue 12\n";
        Baseline::read("ci/b.yml", text).expect("a baseline").apply(&mut report);
        let text = annotations(&report);
        assert!(text.starts_with("::error file=ci/b.yml,line=2,title=stale entry::delete `sse/well-formed`"), "{text}");
    }

    #[test]
    fn no_more_than_github_shows_and_the_worst_first() {
        let mut checks: Vec<CheckReport> = crate::catalogue::all()
            .iter()
            .filter(|listed| listed.check.kind.role() == crate::manifest::Role::Server)
            .map(|listed| made::check(&listed.id(), R, Verdict::Fail, Level::Should))
            .collect();
        assert!(checks.len() > SHOWN_ANNOTATIONS);
        let last = checks.len() - 1;
        checks[last] = made::check(&checks[last].id.clone(), R, Verdict::Fail, Level::Must);
        let text = annotations(&made::report(checks));
        assert_eq!(text.lines().count(), SHOWN_ANNOTATIONS, "{text}");
        assert!(text.starts_with("::error title=fail must"), "{text}");
        assert!(text.contains("checks more are in the summary"), "{text}");
    }

    #[test]
    fn markdown_means_only_what_we_mean() {
        let mut report = of(Verdict::Fail, Level::Must);
        let nasty = "<script>|`*_[x](y) @someone </details>\n# heading ```";
        report.target.name = nasty.to_owned();
        let finding = &mut report.checks[1].findings[0];
        finding.observed = nasty.to_owned();
        finding.replay = "````".to_owned();
        let text = summary(&report);
        let outside: Vec<&str> = text.lines().filter(|line| !line.starts_with("- `")).collect();
        assert!(!outside.join("\n").contains("<script") && !text.contains(" @someone </details>\n#"), "{text}");
        assert_eq!(
            text.matches("</details>").count(),
            text.matches("<details>").count() + 1,
            "one in a code span: {text}"
        );
        assert!(text.contains("`````text\n````\n`````"), "{text}");
        assert!(text.contains("\\_\\[x\\](y) &#64;someone"), "{text}");
    }

    #[test]
    fn a_summary_has_an_end() {
        let mut report = of(Verdict::Fail, Level::Must);
        report.checks[1].findings[0].observed = "x".repeat(LONGEST_SUMMARY);
        let text = summary(&report);
        assert!(text.len() < LONGEST_SUMMARY && text.contains("1 checks more are left out here"), "{}", text.len());
    }
}
