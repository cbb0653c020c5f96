//! The report as a person reads it: the verdict and the findings first, worst first; passes last and short.

use std::fmt::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::{CheckReport, FindingReport, Gate, Report};
use crate::baseline::State;
use crate::gate::Standing;
use crate::latency::Class;
use crate::manifest::{RevisionRun, TargetFacts};
use crate::spec::Revision;
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
    for run in &mut report.runs {
        clean(&mut run.target.name);
        run.target.server.iter_mut().chain(&mut run.incomplete).for_each(&mut clean);
        run.revisions.iter_mut().map(|run| &mut run.how).for_each(&mut clean);
    }
    for entry in report.baseline.iter_mut().flat_map(|baseline| &mut baseline.entries) {
        clean(&mut entry.why);
        entry.entry.target.iter_mut().for_each(&mut clean);
    }
    report.latency.iter_mut().filter_map(|row| row.target.as_mut()).for_each(&mut clean);
    for check in &mut report.checks {
        [&mut check.id, &mut check.title].into_iter().for_each(&mut clean);
        check.reason.iter_mut().chain(&mut check.target).chain(&mut check.expected).for_each(&mut clean);
        for finding in &mut check.findings {
            [&mut finding.expected, &mut finding.observed, &mut finding.replay].into_iter().for_each(&mut clean);
            finding.summary.iter_mut().chain(&mut finding.link).for_each(&mut clean);
            finding.cause.iter_mut().map(|cause| &mut cause.evidence).for_each(&mut clean);
            finding.exchange.iter_mut().chain(&mut finding.said).map(|line| &mut line.what).for_each(&mut clean);
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
    let standing = |wanted: Standing| report.checks.iter().filter(|check| report.standing(check) == wanted).count();
    match report.summary.gate {
        Gate::Conforms if standing(Standing::Expected) > 0 => "conforms, but for what the baseline expects".to_owned(),
        Gate::Conforms if standing(Standing::Mild) > 0 => {
            format!("conforms: no finding at level {} or above", report.summary.fail_on)
        }
        Gate::Conforms => "conforms, as far as was judged".to_owned(),
        Gate::Findings => format!("does not conform: findings {}", by_level(report)),
        Gate::TooLittle => too_little(report),
        Gate::NotExercised => {
            let mut ids: Vec<&str> = Vec::new();
            for check in report.checks.iter().filter(|check| report.standing(check) == Standing::Unmet) {
                if !ids.contains(&check.id.as_str()) {
                    ids.push(&check.id);
                }
            }
            let (count, many) = (ids.len(), if ids.len() == 1 { "check" } else { "checks" });
            format!("too little was judged: {count} required {many} not exercised")
        }
        Gate::StaleBaseline => "conforms, but the baseline is stale: what it expects to fail passes".to_owned(),
        Gate::Fault => "mcpwire itself failed: please report it".to_owned(),
    }
}

fn write_report(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    header(out, report, style)?;
    let mut failed: Vec<&CheckReport> = report
        .checks
        .iter()
        .filter(|check| matches!(report.standing(check), Standing::Fault | Standing::Fails | Standing::Mild))
        .collect();
    failed.sort_by_key(|check| (report.standing(check), std::cmp::Reverse(check.level)));
    for group in same_everywhere(&failed) {
        finding_block(out, &group, style)?;
    }
    unmet(out, report, style)?;
    stale(out, report, style)?;
    writeln!(out, "\n{}", counts(report))?;
    unseen(out, report, style)?;
    expected(out, report, style)?;
    after_set(out, report, style)?;
    if report.summary.gate != Gate::Conforms {
        target_output(out, report, style)?;
    }
    latency(out, report, style)?;
    passed(out, report, style)?;
    // Once more: of a long log the end is read first.
    let dress = verdict_dress(report, style);
    writeln!(out, "\n{dress}{}{dress:#}", conclusion(report))
}

/// Whether what the target said stands with what it was said to.
fn is_told(report: &Report) -> bool {
    let fails = |check: &&CheckReport| report.standing(check) == Standing::Fails;
    let mut findings = report.checks.iter().filter(fails).flat_map(|check| &check.findings);
    report.incomplete.is_none() && findings.any(|finding| !finding.said.is_empty())
}

/// What makes a check red, in every revision where it is: what a test shows that is about this check alone. `replay` is
/// the command that runs that test again; the target's own command line follows where there is one. `None` where nothing
/// is red.
#[cfg(feature = "cargo-test")]
pub fn red(report: &Report, id: &str, replay: &str) -> Option<String> {
    let style = Style::PLAIN;
    let mut report = report.clone();
    let fail_on = report.summary.fail_on;
    report.checks.retain(|check| check.id == id && Standing::of(check, fail_on).is_red());
    let report = visible_only(&report);
    let mut red: Vec<&CheckReport> = report.checks.iter().collect();
    red.sort_by_key(|check| (report.standing(check), std::cmp::Reverse(check.level)));
    let mut text = String::new();
    for group in same_everywhere(&red) {
        let mut replays = vec![replay];
        if matches!(report.target.kind.as_str(), "url" | "command") {
            replays.extend(group[0].findings.first().map(|finding| finding.replay.as_str()));
        }
        let _ = block(&mut text, &group, &replays, "", style);
    }
    let _ = target_output(&mut text, &report, style);
    let text = text.trim_start_matches('\n').to_owned();
    (!red.is_empty()).then_some(text)
}

fn verdict_dress(report: &Report, style: Style) -> Ansi {
    if report.summary.gate == Gate::Conforms { style.good } else { style.bad }
}

fn header(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let dress = verdict_dress(report, style);
    writeln!(out, "{dress}{}{dress:#}", conclusion(report))?;
    if report.runs.is_empty() {
        return tested(out, &report.target, &report.revisions, report.incomplete.as_deref(), style);
    }
    for run in &report.runs {
        tested(out, &run.target, &run.revisions, run.incomplete.as_deref(), style)?;
    }
    Ok(())
}

/// What was tested, and in which revisions.
fn tested(
    out: &mut String,
    target: &TargetFacts,
    revisions: &[RevisionRun],
    incomplete: Option<&str>,
    style: Style,
) -> fmt::Result {
    let server = target.server.as_deref().map(|server| format!(" ({server})")).unwrap_or_default();
    writeln!(out, "{}{}{}{:#}", style.strong, target.name, server, style.strong)?;
    let spoken: Vec<&str> = revisions.iter().filter(|run| run.spoken).map(|run| run.revision.date()).collect();
    if !spoken.is_empty() {
        writeln!(out, "  {}speaks{:#} {}", style.good, style.good, spoken.join(", "))?;
    }
    for run in revisions.iter().filter(|run| !run.spoken) {
        let heading = format!("  does not speak {}: ", run.revision);
        paragraph(out, &heading, &run.how)?;
    }
    if let Some(why) = incomplete {
        paragraph(out, "  incomplete: ", why)?;
    }
    Ok(())
}

/// What has to be exercised and was not, each with what the target would have to offer.
fn unmet(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let unmet: Vec<&CheckReport> =
        report.checks.iter().filter(|check| report.standing(check) == Standing::Unmet).collect();
    if unmet.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}REQUIRED{:#} and not exercised", style.bad, style.bad)?;
    for (reason, checks) in by_reason(&unmet) {
        paragraph(out, "  ", &with_revisions(&checks))?;
        let mut patterns: Vec<String> =
            checks.iter().flat_map(|check| &check.required).map(|pattern| format!("`{pattern}`")).collect();
        patterns.sort();
        patterns.dedup();
        paragraph(out, "    ", &format!("{reason} (required by {})", patterns.join(", ")))?;
    }
    Ok(())
}

/// The entries of the baseline that have to go, and those whose time is over.
fn stale(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let Some(baseline) = &report.baseline else { return Ok(()) };
    if baseline.stale().next().is_some() {
        writeln!(
            out,
            "\n{}STALE{:#} {}: what passes must not be expected to fail",
            style.bad, style.bad, baseline.file
        )?;
        for entry in baseline.stale() {
            paragraph(out, "  delete ", &format!("{} ({})", entry.entry, entry.why))?;
        }
    }
    if baseline.of(State::Expired).next().is_some() {
        writeln!(out, "\n{}EXPIRED{:#} {}: excuses nothing any more", style.bad, style.bad, baseline.file)?;
        for entry in baseline.of(State::Expired) {
            paragraph(out, "  ", &format!("{} ({})", entry.entry, entry.why))?;
        }
    }
    Ok(())
}

/// What the target said last, where it does not stand with the findings.
fn target_output(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    if report.target_output.is_empty() || is_told(report) {
        return Ok(());
    }
    let channel = if report.target.kind == "in-process" { "" } else { " on standard error" };
    writeln!(out, "\n{}the target's last words{channel}{:#}", style.strong, style.strong)?;
    for line in &report.target_output {
        // Behind a bar: a line that a CI system would take for a command of its own must not begin with it.
        writeln!(out, "  | {line}")?;
    }
    Ok(())
}

/// The same check with the same findings in several revisions is one block.
fn same_everywhere<'a>(failed: &[&'a CheckReport]) -> Vec<Vec<&'a CheckReport>> {
    let same = |one: &CheckReport, other: &CheckReport| {
        (&one.id, one.level, one.verdict, &one.target) == (&other.id, other.level, other.verdict, &other.target)
    };
    let mut groups: Vec<Vec<&CheckReport>> = Vec::new();
    for check in failed {
        match groups.iter_mut().find(|group| same(group[0], check)) {
            Some(group) => group.push(check),
            None => groups.push(vec![check]),
        }
    }
    groups
}

fn finding_block(out: &mut String, group: &[&CheckReport], style: Style) -> fmt::Result {
    let replay = group[0].findings.first().map(|finding| finding.replay.as_str());
    block(out, group, replay.as_slice(), " (all in --report json)", style)
}

/// One check in the revisions where the same is to be said of it, the commands that replay it, and where the findings are
/// that are left out.
fn block(out: &mut String, group: &[&CheckReport], replays: &[&str], rest: &str, style: Style) -> fmt::Result {
    let check = group[0];
    let revisions: Vec<&str> = group.iter().map(|check| check.revision.date()).collect();
    let word = match check.verdict {
        Verdict::Fault => "FAULT",
        Verdict::Inconclusive => "UNDECIDED",
        _ => "FAIL",
    };
    let (bad, strong) = (style.bad, style.strong);
    write!(out, "\n{bad}{word} {}{bad:#} {strong}{}{strong:#}", check.level, check.id)?;
    match revisions[..] {
        [revision] => writeln!(out, "  {revision}\n  {}", check.title)?,
        _ => writeln!(out, "\n  {}\n  in        {}", check.title, revisions.join(", "))?,
    }
    if let Some(target) = &check.target {
        writeln!(out, "  target    {target}")?;
    }
    if let Some(reason) = &check.reason {
        let heading = if check.verdict == Verdict::Fail { "  remark    " } else { "  why       " };
        paragraph(out, heading, reason)?;
    }
    let mut shown: Vec<&FindingReport> = Vec::new();
    for finding in &check.findings {
        let alike =
            |known: &&FindingReport| (&known.requirement, &known.expected) == (&finding.requirement, &finding.expected);
        if shown.len() < SHOWN_FINDINGS && !shown.iter().any(alike) {
            let told = shown.last().is_some_and(|last| last.requirement == finding.requirement);
            one_finding(out, finding, told, style)?;
            shown.push(finding);
        }
    }
    let more: usize = group.iter().map(|check| check.findings.len()).sum::<usize>() - shown.len();
    if more > 0 {
        writeln!(out, "    … and {more} more like it{rest}")?;
    }
    if !check.fix.is_empty() && check.verdict != Verdict::Inconclusive {
        paragraph(out, "  fix       ", &check.fix)?;
    }
    for (index, replay) in replays.iter().enumerate() {
        writeln!(out, "  {:<10}{replay}", if index == 0 { "replay" } else { "or" })?;
    }
    writeln!(out, "  more      mcpwire explain {}", check.id)
}

/// One finding; its rule is not told again where the finding before it has the same.
fn one_finding(out: &mut String, finding: &FindingReport, told: bool, style: Style) -> fmt::Result {
    if let (Some(id), Some(summary), false) = (&finding.requirement, &finding.summary, told) {
        paragraph(out, "  rule      ", &format!("{summary} [{id}]"))?;
    }
    if let (Some(link), false) = (&finding.link, told) {
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
    if !finding.said.is_empty() {
        writeln!(out, "  said      by the target meanwhile, on standard error or in its log")?;
    }
    let width = finding.said.iter().map(|line| line.at.chars().count()).max().unwrap_or(0);
    for line in &finding.said {
        // Behind a bar, as everything that is the target's own.
        writeln!(out, "      {}{:>width$}  | {}{:#}", style.faint, line.at, beginning(&line.what), style.faint)?;
    }
    Ok(())
}

/// As much of a line of the target's as a page has room for; the JSON report has the whole.
pub(super) fn beginning(line: &str) -> String {
    const SHOWN: usize = 160;
    let text: String = line.chars().take(SHOWN).collect();
    if text.len() < line.len() { text + "…" } else { text }
}

/// What could not be decided or seen, each with its reason, which is what the target would have to offer.
fn unseen(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    for (verdict, heading) in [
        (Verdict::Inconclusive, "inconclusive: the evidence did not suffice"),
        (Verdict::NotExercised, "not exercised: the target would have to offer more"),
        (Verdict::NotApplicable, "not applicable"),
    ] {
        let aside = |check: &CheckReport| {
            matches!(report.standing(check), Standing::AfterSet | Standing::Expected | Standing::Unmet)
        };
        let of_verdict: Vec<&CheckReport> =
            report.checks.iter().filter(|check| check.verdict == verdict && !aside(check)).collect();
        if of_verdict.is_empty() {
            continue;
        }
        writeln!(out, "\n{}{heading}{:#}", style.unsure, style.unsure)?;
        // Why a revision is not spoken stands at the top.
        let (of_verdict, silent): (Vec<&CheckReport>, Vec<&CheckReport>) =
            of_verdict.into_iter().partition(|check| is_spoken(report, check));
        for revision in Revision::ALL {
            match silent.iter().filter(|check| check.revision == revision).count() {
                0 => {}
                count => writeln!(out, "  {count} checks of {revision}, which the target does not speak")?,
            }
        }
        for (reason, checks) in by_reason(&of_verdict) {
            paragraph(out, "  ", &with_revisions(&checks))?;
            paragraph(out, "    ", &reason)?;
        }
    }
    Ok(())
}

/// What the baseline excuses, and what it could not be held against.
fn expected(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let Some(baseline) = &report.baseline else { return Ok(()) };
    if baseline.of(State::Excuses).next().is_some() {
        writeln!(out, "\n{}expected to fail{:#} ({})", style.unsure, style.unsure, baseline.file)?;
        for entry in baseline.of(State::Excuses) {
            let until = entry.entry.expires.as_ref().map(|last| format!(", until {last}")).unwrap_or_default();
            paragraph(out, "  ", &format!("{} ({}{until})", entry.entry.name(), entry.why))?;
            paragraph(out, "    ", &entry.entry.reason)?;
        }
    }
    let unseen: Vec<_> = baseline.of(State::Undecided).chain(baseline.of(State::NotSeen)).collect();
    if !unseen.is_empty() {
        writeln!(out, "\n{}neither stale nor fine{:#} ({})", style.unsure, style.unsure, baseline.file)?;
        for entry in unseen {
            paragraph(out, "  ", &format!("{} ({})", entry.entry, entry.why))?;
        }
    }
    Ok(())
}

/// What the frozen set that gates does not have.
fn after_set(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let Some(date) = &report.summary.set else { return Ok(()) };
    let added: Vec<&CheckReport> = report.checks.iter().filter(|check| check.after_set).collect();
    if added.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}added after the set {date}: gates nothing{:#}", style.unsure, style.unsure)?;
    for verdict in Verdict::ALL {
        let of_verdict: Vec<&CheckReport> = added.iter().copied().filter(|check| check.verdict == verdict).collect();
        if !of_verdict.is_empty() {
            paragraph(out, &format!("  {}: ", spoken(verdict)), &with_revisions(&of_verdict))?;
        }
        for check in of_verdict {
            if let Some(finding) = check.findings.first() {
                paragraph(out, "    ", &format!("{} {}: {}", check.id, check.revision, finding.observed))?;
            }
        }
    }
    Ok(())
}

/// The passes, area by area, each with the number of things that were examined.
fn passed(out: &mut String, report: &Report, style: Style) -> fmt::Result {
    let passed: Vec<&CheckReport> =
        report.checks.iter().filter(|check| check.verdict == Verdict::Pass && !check.after_set).collect();
    if passed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}passed{:#} (with the number of things that were examined)", style.good, style.good)?;
    let mut areas: Vec<(&str, Vec<(&str, u32)>)> = Vec::new();
    for check in passed {
        let slug = check.id.rsplit_once('/').map_or(check.id.as_str(), |(_, slug)| slug);
        if !areas.iter().any(|(area, _)| *area == check.area) {
            areas.push((&check.area, Vec::new()));
        }
        for (_, slugs) in areas.iter_mut().filter(|(area, _)| *area == check.area) {
            match slugs.iter_mut().find(|(known, _)| *known == slug) {
                Some((_, examined)) => *examined += check.examined,
                None => slugs.push((slug, check.examined)),
            }
        }
    }
    for (area, slugs) in areas {
        let shown: Vec<String> = slugs.iter().map(|(slug, examined)| format!("{slug} {examined}")).collect();
        paragraph(out, &format!("  {area}/ "), &shown.join(", "))?;
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

fn is_spoken(report: &Report, check: &CheckReport) -> bool {
    let run = report.runs.iter().find(|run| run.target.name == report.target_of(check));
    let revisions = run.map_or(&report.revisions, |run| &run.revisions);
    revisions.iter().all(|run| run.revision != check.revision || run.spoken)
}

/// Ids with the revisions behind them; ids that share their revisions stand together.
fn with_revisions(checks: &[&CheckReport]) -> String {
    let mut parts: Vec<(String, Vec<&str>)> = Vec::new();
    for check in checks {
        let short = &check.revision.date()[2..7];
        let named = match &check.target {
            Some(target) => format!("{} on {target}", check.id),
            None => check.id.clone(),
        };
        match parts.iter_mut().find(|(known, _)| *known == named) {
            Some((_, revisions)) => revisions.push(short),
            None => parts.push((named, vec![short])),
        }
    }
    let mut shared: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    for (named, revisions) in parts {
        match shared.iter_mut().find(|(known, _)| *known == revisions) {
            Some((_, together)) => together.push(named),
            None => shared.push((revisions, vec![named])),
        }
    }
    let shown: Vec<String> =
        shared.iter().map(|(revisions, named)| format!("{} ({})", named.join(", "), revisions.join(" "))).collect();
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
    let mut target = None;
    for row in rows {
        if row.target != target {
            target.clone_from(&row.target);
            writeln!(out, "  {}", target.as_deref().unwrap_or_default())?;
        }
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

fn counts(report: &Report) -> String {
    let of = |verdict: Verdict| report.checks.iter().filter(move |check| check.verdict == verdict);
    let mut counts: Vec<String> = Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict, of(verdict).count()))
        .filter(|(verdict, count)| *count > 0 || matches!(verdict, Verdict::Fail | Verdict::Pass))
        .map(|(verdict, count)| format!("{count} {}", spoken(verdict)))
        .collect();
    // Of those that failed: how many of them are no surprise.
    let excused = of(Verdict::Fail).filter(|check| report.standing(check) == Standing::Expected).count();
    if let (1.., Some(failed)) = (excused, counts.iter_mut().find(|count| count.ends_with("failed"))) {
        failed.push_str(&format!(" ({excused} of them expected)"));
    }
    counts.join(", ")
}

fn spoken(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Fault => "faults",
        Verdict::Fail => "failed",
        Verdict::Pass => "passed",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NotExercised => "not exercised",
        Verdict::NotApplicable => "not applicable",
    }
}

/// How many findings there are of each level, without those that the baseline expects or the set does not have.
fn by_level(report: &Report) -> String {
    let surprises = |check: &&CheckReport| !matches!(report.standing(check), Standing::Expected | Standing::AfterSet);
    let findings = || report.checks.iter().filter(surprises).flat_map(|check| &check.findings);
    let of = |level: Level| findings().filter(|finding| finding.level == level && !finding.baselined).count();
    let counts: Vec<String> = Level::ALL
        .into_iter()
        .map(|level| (level, of(level)))
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

/// A text behind a heading, in lines of at most 80 columns, each as far in as the first.
pub(super) fn paragraph(out: &mut String, heading: &str, text: &str) -> fmt::Result {
    const COLUMNS: usize = 80;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::Baseline;
    use crate::report::made;
    use crate::sets::FrozenSet;

    const R: Revision = Revision::R20251125;

    fn plain(report: &Report) -> String {
        render(report, Style::PLAIN)
    }

    fn of(id: &str, verdict: Verdict, level: Level) -> CheckReport {
        made::check(id, R, verdict, level)
    }

    #[test]
    fn what_the_target_said_stands_with_the_finding_and_behind_a_bar() {
        let mut report = made::report(vec![of("sse/well-formed", Verdict::Fail, Level::Must)]);
        report.target_output = vec!["INFO listening".to_owned()];
        assert!(plain(&report).contains("\nthe target's last words on standard error\n  | INFO listening\n"));
        let line = crate::trace::render::Line {
            at: "+1.00 ms".to_owned(),
            what: "::error::\u{1b}[31m".to_owned(),
            here: false,
        };
        report.checks[0].findings[0].said = vec![line];
        let text = plain(&report);
        assert!(text.contains("\n      +1.00 ms  | ::error::\\u{1b}[31m\n"), "{text}");
        assert!(!text.contains("last words"), "told once: {text}");
        report.incomplete = Some("it went away".to_owned());
        report.count();
        assert!(plain(&report).contains("last words"), "{}", plain(&report));
    }

    #[test]
    fn the_worst_comes_first_and_what_gates_before_what_does_not() {
        let checks = vec![
            of("sse/well-formed", Verdict::Fail, Level::Advice),
            of("http/content-type", Verdict::Fail, Level::Should),
            of("session/required", Verdict::Fail, Level::Must),
            of("rpc/exactly-one-response", Verdict::Fault, Level::Should),
        ];
        let text = plain(&made::report(checks));
        let heads: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("FA"))
            .map(|line| line.split("  ").next().unwrap_or(""))
            .collect();
        let expected = [
            "FAULT should rpc/exactly-one-response",
            "FAIL must session/required",
            "FAIL should http/content-type",
            "FAIL advice sse/well-formed",
        ];
        assert_eq!(heads, expected, "{text}");
    }

    #[test]
    fn a_rule_that_several_findings_share_is_told_once() {
        let mut check = of("sse/well-formed", Verdict::Fail, Level::Must);
        let mut other = made::finding(R, "ids", Level::Must);
        other.expected = "something else".to_owned();
        check.findings.push(other);
        for finding in &mut check.findings {
            finding.requirement = Some("a.rule".to_owned());
            finding.summary = Some("what the rule says".to_owned());
            finding.link = Some("https://example.org/rule".to_owned());
        }
        let text = plain(&made::report(vec![check]));
        assert_eq!((text.matches("a.rule").count(), text.matches("example.org").count()), (1, 1), "{text}");
        assert_eq!(text.matches("  observed  ").count(), 2, "{text}");
    }

    #[test]
    fn a_revision_that_is_not_spoken_is_not_told_check_by_check() {
        let mut report = made::report(vec![
            of("sse/well-formed", Verdict::Pass, Level::Must),
            made::check("sse/well-formed", Revision::R20260728, Verdict::NotApplicable, Level::Must),
            made::check("http/content-type", Revision::R20260728, Verdict::NotApplicable, Level::Must),
            of("cleanup/request-id-is-free-again", Verdict::NotApplicable, Level::Must),
        ]);
        report.revisions[3].spoken = false;
        report.revisions[3].how = "it answered 404".to_owned();
        let text = plain(&report);
        assert!(text.contains("  does not speak 2026-07-28: it answered 404"), "{text}");
        assert!(text.contains("not applicable\n  2 checks of 2026-07-28, which the target does not speak\n"), "{text}");
        assert!(text.contains("  cleanup/request-id-is-free-again (25-11)\n    as it is"), "{text}");
    }

    #[test]
    fn ids_that_share_their_revisions_stand_together() {
        let a = of("sse/well-formed", Verdict::NotExercised, Level::Must);
        let b = of("http/content-type", Verdict::NotExercised, Level::Must);
        let c = made::check("http/content-type", Revision::R20260728, Verdict::NotExercised, Level::Must);
        assert_eq!(with_revisions(&[&a, &b]), "sse/well-formed, http/content-type (25-11)");
        assert_eq!(with_revisions(&[&a, &b, &c]), "sse/well-formed (25-11), http/content-type (25-11 26-07)");
    }

    #[test]
    fn what_is_excused_does_not_pass_for_what_is_mild() {
        let mut report = made::report(vec![
            of("sse/well-formed", Verdict::Fail, Level::Must),
            of("http/content-type", Verdict::Fail, Level::Advice),
        ]);
        let text = "server:\n  - id: sse/well-formed\n    reason: issue 12\n";
        Baseline::read("b.yml", text).expect("a baseline").apply(&mut report);
        assert_eq!(conclusion(&report), "conforms, but for what the baseline expects");
        let text = plain(&report);
        assert!(!text.contains("FAIL must") && text.contains("FAIL advice"), "{text}");
        assert!(text.contains("2 failed (1 of them expected)"), "{text}");
    }

    #[test]
    fn what_came_after_the_set_is_told_apart_from_what_gates() {
        let set: FrozenSet = "2026-11-21".parse().expect("a set");
        let mut report = made::report(vec![
            of("rpc/exactly-one-response", Verdict::Pass, Level::Must),
            of("sse/well-formed", Verdict::Fail, Level::Must),
        ]);
        report.summary.set = Some(set.date().to_owned());
        report.checks[1].after_set = true;
        report.count();
        let text = plain(&report);
        assert!(text.starts_with("conforms"), "{text}");
        assert!(!text.contains("FAIL"), "{text}");
        let section = "added after the set 2026-11-21: gates nothing\n  failed: sse/well-formed (25-11)\n";
        assert!(text.contains(section), "{text}");
    }
}
