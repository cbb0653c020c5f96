//! The report as a person reads it: the verdict and the findings first, worst first; passes last and short.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::{CheckReport, FindingReport, Gate, Report};
use crate::latency::Class;
use crate::trace::Span;
use crate::verdict::{Level, Verdict};

/// How the text is dressed.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub(super) bad: Ansi,
    pub(super) good: Ansi,
    pub(super) unsure: Ansi,
    pub(super) strong: Ansi,
    pub(super) faint: Ansi,
}

impl Style {
    /// No colours.
    pub const PLAIN: Self =
        Self { bad: Ansi::new(), good: Ansi::new(), unsure: Ansi::new(), strong: Ansi::new(), faint: Ansi::new() };

    /// Colours, for a terminal.
    pub const COLOUR: Self = Self {
        bad: AnsiColor::Red.on_default().bold(),
        good: AnsiColor::Green.on_default(),
        unsure: AnsiColor::Yellow.on_default(),
        strong: Ansi::new().bold(),
        faint: Ansi::new().dimmed(),
    };
}

/// How many findings of one check are shown in full, each of another kind.
const SHOWN_FINDINGS: usize = 3;

/// The report as text.
pub fn render(report: &Report, style: Style) -> String {
    let report = &visible_only(report);
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write_report(&mut text, report, style);
    text
}

/// The report with what could steer a terminal made visible: much of its text is the target's.
fn visible_only(report: &Report) -> Report {
    let mut report = report.clone();
    let mut clean = |text: &mut String| {
        if text.contains(char::is_control) {
            *text = visible(text);
        }
    };
    clean(&mut report.target.name);
    report.target.server.iter_mut().chain(&mut report.incomplete).for_each(&mut clean);
    report.revisions.iter_mut().map(|run| &mut run.how).chain(&mut report.target_output).for_each(&mut clean);
    for check in &mut report.checks {
        check.reason.iter_mut().for_each(&mut clean);
        for finding in &mut check.findings {
            [&mut finding.expected, &mut finding.observed, &mut finding.replay].into_iter().for_each(&mut clean);
            finding.cause.iter_mut().map(|cause| &mut cause.evidence).for_each(&mut clean);
            finding.exchange.iter_mut().map(|line| &mut line.what).for_each(&mut clean);
        }
    }
    report
}

/// A text with its control characters spelt out.
pub fn visible(text: &str) -> String {
    let spelt = |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    text.chars().map(spelt).collect()
}

/// What the run came to, in a sentence.
pub fn conclusion(report: &Report) -> String {
    match report.summary.gate {
        Gate::Conforms if report.checks.iter().any(|check| check.verdict == Verdict::Fail) => {
            format!("conforms: no finding at level {} or above", report.summary.fail_on)
        }
        Gate::Conforms => "conforms, as far as was judged".to_owned(),
        Gate::Findings => format!("does not conform: findings {}", by_level(report)),
        Gate::TooLittle => too_little(report),
        Gate::Fault => "mcpwire itself failed: please report it".to_owned(),
    }
}

fn write_report(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    header(out, report, style)?;
    let mut failed: Vec<&CheckReport> =
        report.checks.iter().filter(|check| matches!(check.verdict, Verdict::Fail | Verdict::Fault)).collect();
    failed.sort_by_key(|check| std::cmp::Reverse(check.level));
    for group in same_everywhere(&failed) {
        finding_block(out, &group, style)?;
    }
    quiet(out, report, style)?;
    latency(out, report, style)?;
    if !report.target_output.is_empty() && report.summary.gate != Gate::Conforms {
        writeln!(out, "\n{}the target's last words on standard error{:#}", style.strong, style.strong)?;
        for line in &report.target_output {
            writeln!(out, "  {line}")?;
        }
    }
    footer(out, report, style)
}

fn header(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let server = report.target.server.as_deref().map(|server| format!(" ({server})")).unwrap_or_default();
    writeln!(out, "{}{}{}{:#}", style.strong, report.target.name, server, style.strong)?;
    for run in &report.revisions {
        let (mark, dress) = if run.spoken { ("speaks", style.good) } else { ("does not speak", style.faint) };
        let how = if run.spoken { String::new() } else { format!(": {}", run.how) };
        writeln!(out, "  {dress}{mark}{dress:#} {}{how}", run.revision)?;
    }
    if let Some(why) = &report.incomplete {
        writeln!(out, "  {}incomplete: {why}{:#}", style.unsure, style.unsure)?;
    }
    Ok(())
}

/// The same check with the same findings in several revisions is one block.
fn same_everywhere<'a>(failed: &[&'a CheckReport]) -> Vec<Vec<&'a CheckReport>> {
    let mut groups: Vec<Vec<&CheckReport>> = Vec::new();
    for check in failed {
        match groups.iter_mut().find(|group| group[0].id == check.id && group[0].level == check.level) {
            Some(group) => group.push(check),
            None => groups.push(vec![check]),
        }
    }
    groups
}

fn finding_block(out: &mut String, group: &[&CheckReport], style: Style) -> fmt::Result {
    let check = group[0];
    let revisions: Vec<&str> = group.iter().map(|check| check.revision.date()).collect();
    writeln!(
        out,
        "\n{}{} {}{:#} {}{}{:#}  {}",
        style.bad,
        if check.verdict == Verdict::Fault { "FAULT" } else { "FAIL" },
        check.level,
        style.bad,
        style.strong,
        check.id,
        style.strong,
        revisions.join(", "),
    )?;
    writeln!(out, "  {}", check.title)?;
    if let Some(reason) = &check.reason {
        let heading = if check.verdict == Verdict::Fault { "  why       " } else { "  remark    " };
        paragraph(out, heading, reason)?;
    }
    let mut shown: Vec<&FindingReport> = Vec::new();
    for finding in &check.findings {
        let alike =
            |known: &&FindingReport| (&known.requirement, &known.expected) == (&finding.requirement, &finding.expected);
        if shown.len() < SHOWN_FINDINGS && !shown.iter().any(alike) {
            one_finding(out, finding, style)?;
            shown.push(finding);
        }
    }
    let more: usize = group.iter().map(|check| check.findings.len()).sum::<usize>() - shown.len();
    if more > 0 {
        writeln!(out, "    … and {more} more like it (all in --report json)")?;
    }
    if !check.fix.is_empty() {
        paragraph(out, "  fix       ", &check.fix)?;
    }
    if let Some(finding) = check.findings.first() {
        writeln!(out, "  replay    {}", finding.replay)?;
    }
    writeln!(out, "  more      mcpwire explain {}", check.id)
}

fn one_finding(out: &mut String, finding: &FindingReport, style: Style) -> fmt::Result {
    if let (Some(id), Some(summary)) = (&finding.requirement, &finding.summary) {
        paragraph(out, "  rule      ", &format!("{summary} [{id}]"))?;
    }
    if let Some(link) = &finding.link {
        writeln!(out, "            {}{link}{:#}", style.faint, style.faint)?;
    }
    paragraph(out, "  expected  ", &finding.expected)?;
    paragraph(out, "  observed  ", &finding.observed)?;
    if let Some(cause) = &finding.cause {
        paragraph(out, "  cause     ", &format!("{}: {}", cause.name, cause.evidence))?;
    }
    let width = finding.exchange.iter().map(|line| line.at.chars().count()).max().unwrap_or(0);
    for line in &finding.exchange {
        let mark = if line.here { "▶" } else { " " };
        let dress = if line.here { style.bad } else { Ansi::new() };
        writeln!(out, "    {dress}{mark} {:>width$}  {}{dress:#}", line.at, line.what)?;
    }
    Ok(())
}

/// What did not fail: what was inconclusive or could not be seen, each with its reason; then the passes.
fn quiet(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    for (verdict, heading) in [
        (Verdict::Inconclusive, "inconclusive: the evidence did not suffice"),
        (Verdict::NotExercised, "not exercised: nothing was there to see it on"),
        (Verdict::NotApplicable, "not applicable"),
    ] {
        let of_verdict: Vec<&CheckReport> = report.checks.iter().filter(|check| check.verdict == verdict).collect();
        if of_verdict.is_empty() {
            continue;
        }
        writeln!(out, "\n{}{heading}{:#}", style.unsure, style.unsure)?;
        for (reason, checks) in by_reason(&of_verdict) {
            writeln!(out, "  {}", with_revisions(&checks))?;
            paragraph(out, "    ", &reason)?;
        }
    }
    let passed: Vec<&CheckReport> = report.checks.iter().filter(|check| check.verdict == Verdict::Pass).collect();
    if !passed.is_empty() {
        writeln!(out, "\n{}passed{:#}", style.good, style.good)?;
        let mut seen: Vec<&str> = Vec::new();
        for check in &passed {
            if seen.contains(&check.id.as_str()) {
                continue;
            }
            seen.push(&check.id);
            let same: Vec<&CheckReport> = passed.iter().filter(|other| other.id == check.id).copied().collect();
            let examined: u32 = same.iter().map(|check| check.examined).sum();
            let revisions: Vec<&str> = same.iter().map(|check| &check.revision.date()[2..7]).collect();
            let remark = same.iter().find_map(|check| check.reason.as_deref());
            writeln!(out, "  {:<40} {} ({examined} examined)", check.id, revisions.join(" "))?;
            if let Some(remark) = remark {
                paragraph(out, "    ", remark)?;
            }
        }
    }
    Ok(())
}

fn by_reason<'a>(checks: &[&'a CheckReport]) -> Vec<(String, Vec<&'a CheckReport>)> {
    let mut groups: Vec<(String, Vec<&CheckReport>)> = Vec::new();
    for check in checks {
        let reason = check.reason.clone().unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, group)) => group.push(check),
            None => groups.push((reason, vec![check])),
        }
    }
    groups
}

fn with_revisions(checks: &[&CheckReport]) -> String {
    let mut parts: Vec<(String, Vec<&str>)> = Vec::new();
    for check in checks {
        let short = &check.revision.date()[2..7];
        match parts.iter_mut().find(|(id, _)| *id == check.id) {
            Some((_, revisions)) => revisions.push(short),
            None => parts.push((check.id.clone(), vec![short])),
        }
    }
    let shown: Vec<String> = parts.iter().map(|(id, revisions)| format!("{id} ({})", revisions.join(" "))).collect();
    shown.join(", ")
}

fn latency(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let rows: Vec<_> = report
        .latency
        .iter()
        .filter(|row| matches!(row.class, Class::FirstCall | Class::RepeatedCall | Class::Initialize))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    let shown = |duration: Option<std::time::Duration>| duration.map_or("-".to_owned(), |d| Span(d).to_string());
    writeln!(out, "\n{}latency{:#}", style.strong, style.strong)?;
    writeln!(
        out,
        "  {:<12}{:<16}{:>4}  {:>9}  {:>9}  {:>11}  {:>9}",
        "revision", "calls", "n", "p50", "p95", "first byte", "response"
    )?;
    for row in rows {
        let class = match row.class {
            Class::FirstCall => "first call",
            Class::RepeatedCall => "repeated calls",
            _ => "initialize",
        };
        writeln!(
            out,
            "  {:<12}{class:<16}{:>4}  {:>9}  {:>9}  {:>11}  {:>9}",
            row.revision.date(),
            row.n,
            shown(row.p50),
            shown(row.p95),
            shown(row.phases.first_byte),
            shown(row.phases.response),
        )?;
    }
    if let Some(floor) = report.floor {
        let floor_p50 = Span(std::time::Duration::from_nanos(floor.p50));
        writeln!(out, "  floor: {floor_p50} (the embedded reference server on this machine, {} calls)", floor.n)?;
    }
    Ok(())
}

fn footer(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let count = |verdict: Verdict| report.summary.verdicts.get(&verdict.to_string()).copied().unwrap_or(0);
    let counts: Vec<String> = [
        (Verdict::Fault, "faults"),
        (Verdict::Fail, "failed"),
        (Verdict::Pass, "passed"),
        (Verdict::Inconclusive, "inconclusive"),
        (Verdict::NotExercised, "not exercised"),
        (Verdict::NotApplicable, "not applicable"),
    ]
    .into_iter()
    .filter(|(verdict, _)| count(*verdict) > 0 || matches!(verdict, Verdict::Fail | Verdict::Pass))
    .map(|(verdict, word)| format!("{} {word}", count(verdict)))
    .collect();
    let dress = if report.summary.gate == Gate::Conforms { style.good } else { style.bad };
    writeln!(out, "\n{}", counts.join(", "))?;
    writeln!(out, "{dress}{}{dress:#}", conclusion(report))
}

fn by_level(report: &Report) -> String {
    let counts: Vec<String> = Level::ALL
        .into_iter()
        .filter_map(|level| Some((level, report.summary.findings.get(&level.to_string()).copied()?)))
        .filter(|(_, count)| *count > 0)
        .map(|(level, count)| format!("{level} {count}"))
        .collect();
    format!("({})", counts.join(", "))
}

/// Why the run does not count, in a sentence.
fn too_little(report: &Report) -> String {
    if let Some(why) = &report.incomplete {
        return format!("the run is incomplete: {why}");
    }
    if report.checks.iter().any(|check| check.examined > 0) {
        return "too little was judged: a check at level must or should is inconclusive".to_owned();
    }
    if !report.revisions.iter().any(|run| run.spoken) {
        return "nothing was judged: the target speaks none of the revisions that were asked for".to_owned();
    }
    if report.checks.iter().all(|check| check.verdict == Verdict::NotApplicable) {
        return "nothing was judged: none of the selected checks applies to the revisions that the target speaks"
            .to_owned();
    }
    "nothing was judged: the target offered nothing that the selected checks could examine".to_owned()
}

/// A text behind a heading, in lines of at most 100 columns, each as far in as the first.
pub(super) fn paragraph(out: &mut String, heading: &str, text: &str) -> fmt::Result {
    const COLUMNS: usize = 100;
    let indent = heading.chars().count();
    let mut line = heading.to_owned();
    let mut width = indent;
    let mut first = true;
    for word in text.split_whitespace() {
        let word_width = word.chars().count();
        if !first && width + 1 + word_width > COLUMNS {
            writeln!(out, "{line}")?;
            line = " ".repeat(indent);
            width = indent;
            first = true;
        }
        if !first {
            line.push(' ');
            width += 1;
        }
        line.push_str(word);
        width += word_width;
        first = false;
    }
    writeln!(out, "{line}")
}
