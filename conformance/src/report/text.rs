//! A report for a terminal: one page, however much failed, or all of it.
//!
//! The page has the chapters at a glance, then the failures, the most basic first, as far as they
//! fit; the order is that of `ranking.rs`. One failure in full is `failure.rs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use spec::exchange::Step;
use spec::{CHAPTERS, Chapter};

use super::failure::describe;
use super::plain::{cut, one_line, plain, wrapped};
use crate::cases::Case;
use crate::ranking::{broken, gravity, subject};
use crate::verdict::{Conclusion, Excuse, Judged, Report, Verdict};

/// How many lines a page has.
pub const PAGE_LINES: usize = 40;
/// How many columns.
pub const PAGE_COLUMNS: usize = 100;
/// How many chapters with a failure stand on a page.
const CHAPTERS_MAX: usize = 8;
/// How many failures should at least be named on a page.
const NAMED_MIN: usize = 6;
/// How many columns the name of a rule takes in a list.
const NAME_COLUMNS: usize = 40;
/// How many reasons, elections and stale excuses stand on a page, of each.
const ASIDES_MAX: usize = 3;

/// The report: all of it, or one page.
#[must_use]
pub fn text(report: &Report<'_>, all: bool) -> String {
    if let Some(problem) = &report.unreachable {
        return format!("{}: nothing was tried\n", plain(&one_line(problem)));
    }
    let head = head(report, all);
    let tail = tail(report, all);
    let room = match all {
        true => usize::MAX,
        false => PAGE_LINES.saturating_sub(head.len() + tail.len()),
    };
    let mut lines = head;
    lines.extend(failures(report, room));
    lines.extend(tail);
    let mut text = String::new();
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// What was tried, and the chapters.
fn head(report: &Report<'_>, all: bool) -> Vec<String> {
    let title = one_line(&format!("{}, held to {}", report.target, report.dialect));
    let mut lines = vec![narrow(&title, all)];
    let elected = report.elected.iter().map(|name| format!("elected {name}"));
    lines.extend(some(elected.collect(), all));
    lines.push(String::new());
    lines.extend(chapters(report, all));
    lines
}

/// What was not tried, what is stale, and what it all means.
fn tail(report: &Report<'_>, all: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let stale = report.stale.iter().map(|Excuse { subject, because }| {
        format!("stale: `{subject}` holds, although it is excused: {because}")
    });
    for aside in [some(stale.collect(), all), some(untried(report), all)] {
        if !aside.is_empty() {
            lines.push(String::new());
            lines.extend(aside.iter().map(|line| narrow(&one_line(line), all)));
        }
    }
    lines.push(String::new());
    lines.push(last_line(report));
    lines
}

/// The failures that fit, the first ones in full, the next ones in a line each.
fn failures(report: &Report<'_>, room: usize) -> Vec<String> {
    let broken = broken(report);
    let judged = |index: usize| {
        broken
            .get(index)
            .and_then(|rule| report.judged.get(rule.index))
    };
    let mut lines = Vec::new();
    let unknown = not_understood(report).filter(|_| room < usize::MAX);
    if let Some(unknown) = unknown {
        lines.push(String::new());
        lines.extend(unknown);
    }
    let mut shown = 0;
    while let Some(judged) = judged(shown) {
        let full = describe(judged, report);
        let full: Vec<&str> = full.lines().collect();
        let listed = (broken.len() - shown - 1).min(NAMED_MIN);
        // Behind the full ones: an empty line, the list, and how many more there are.
        let wanted = lines.len() + 1 + full.len() + if listed > 0 { listed + 2 } else { 0 };
        if wanted > room && shown > 0 {
            break;
        }
        let least = 1 + usize::from(listed > 0) * 3;
        let fitting = room.saturating_sub(lines.len() + least);
        lines.push(String::new());
        lines.extend(clipped(&full, fitting, room < usize::MAX));
        shown += 1;
    }
    let left = broken.len() - shown;
    if left == 0 {
        return lines;
    }
    lines.push(String::new());
    let free = room.saturating_sub(lines.len());
    let listed = if left <= free {
        left
    } else {
        free.saturating_sub(1)
    };
    for rule in broken.iter().skip(shown).take(listed) {
        lines.extend(report.judged.get(rule.index).map(|judged| named(judged)));
    }
    if left > listed {
        let more = left - listed;
        lines.push(format!(
            "and {more} rules more: --all shows them, --keep DIR writes each as files to replay"
        ));
    }
    lines
}

/// The lines of one failure, in a page's columns, without those in its middle that do not fit.
fn clipped(full: &[&str], room: usize, narrowed: bool) -> Vec<String> {
    let command = full.iter().position(|line| line.starts_with("    again:"));
    let (told, again) = full.split_at(command.unwrap_or(full.len()));
    let mut lines: Vec<String> = Vec::new();
    let fitting = room.saturating_sub(again.len());
    let ends = 4.min(fitting);
    let (first, last) = match told.len() > fitting {
        true => (fitting.saturating_sub(ends + 1), told.len() - ends),
        false => (told.len(), told.len()),
    };
    lines.extend(told.iter().take(first).map(|line| narrow(line, !narrowed)));
    if last > first {
        lines.push(format!("      … {} lines more (--all)", last - first));
    }
    lines.extend(told.iter().skip(last).map(|line| narrow(line, !narrowed)));
    lines.extend(again.iter().map(|line| (*line).to_owned()));
    lines
}

/// One failure in a line.
fn named(judged: &Judged<'_>) -> String {
    let rule = judged.case.requirement();
    let sentence: Vec<&str> = rule.sentence.split_whitespace().collect();
    let line = format!(
        "{}  {:NAME_COLUMNS$}  {}",
        judged.verdict.word(),
        rule.name,
        sentence.join(" ")
    );
    cut(&line, PAGE_COLUMNS)
}

/// The commands that got `ERROR` where something else was due, and never anything better: it seems
/// not to know them. One does not want to read of each of their rules that it is broken.
fn not_understood(report: &Report<'_>) -> Option<Vec<String>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for judged in &report.judged {
        if let Some(command) = refused(judged) {
            *counts.entry(command).or_default() += 1;
        }
    }
    for judged in &report.judged {
        counts.retain(|command, _| !obeyed(judged, command));
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().filter(|(_, n)| *n > 1).collect();
    counts.sort_by_key(|(command, count)| (std::cmp::Reverse(*count), *command));
    let listed = counts
        .iter()
        .map(|(command, count)| format!("{command} ({count})"));
    let listed = listed.collect::<Vec<_>>().join(", ");
    let text = format!("Answered with `ERROR`, as if it were not known: {listed}");
    let mut lines = wrapped(&text, PAGE_COLUMNS - 2);
    if lines.len() > 2 {
        lines.truncate(2);
        if let Some(last) = lines.last_mut() {
            last.push_str(" …");
        }
    }
    (!counts.is_empty()).then_some(lines)
}

/// The command of the request that got `ERROR` where the law wants a reply that is none.
fn refused<'a>(judged: &Judged<'a>) -> Option<&'a str> {
    gravity(judged.verdict)?;
    let failure = judged.failure.as_ref()?;
    let Case::Exchange(exchange) = judged.case else {
        return None;
    };
    if !failure.received.starts_with(b"ERROR\r\n") || failure.expected.contains("ERROR") {
        return None;
    }
    let before = exchange.steps.iter();
    let before = before.take_while(|step| step.line < failure.line);
    before.filter_map(command).last()
}

/// Whether this example shows that the command is known: it passed, with no error.
fn obeyed(judged: &Judged<'_>, name: &str) -> bool {
    let Case::Exchange(exchange) = judged.case else {
        return false;
    };
    let pairs = exchange.steps.iter().zip(exchange.steps.iter().skip(1));
    let mut good = pairs.filter(|(_, next)| next.text.contains("< ") && !next.text.contains("ERR"));
    judged.verdict == Verdict::Pass && good.any(|(sent, _)| command(sent) == Some(name))
}

/// The first word of a line that is sent, where it looks like a command.
fn command(step: &Step) -> Option<&str> {
    let unnumbered = step
        .text
        .trim_start_matches(|letter: char| letter.is_ascii_digit());
    let word = unnumbered.strip_prefix("> ")?.split_whitespace().next()?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    word.bytes().all(plain).then_some(word)
}

/// A line in the columns of a page, unless all is to be shown.
fn narrow(line: &str, all: bool) -> String {
    if all {
        line.to_owned()
    } else {
        cut(line, PAGE_COLUMNS)
    }
}

/// The first of these, and how many more there are.
fn some(mut lines: Vec<String>, all: bool) -> Vec<String> {
    if !all && lines.len() > ASIDES_MAX {
        let more = lines.len() - ASIDES_MAX + 1;
        lines.truncate(ASIDES_MAX - 1);
        lines.push(format!("and {more} lines more like these (--all)"));
    }
    lines
}

/// Why some were not tried, and how many for each reason, the most first.
fn untried(report: &Report<'_>) -> Vec<String> {
    let mut reasons: BTreeMap<(Verdict, &str), usize> = BTreeMap::new();
    for judged in &report.judged {
        let untried = matches!(judged.verdict, Verdict::Unsupported | Verdict::Skipped);
        if let (true, Some(reason)) = (untried, &judged.reason) {
            *reasons.entry((judged.verdict, reason)).or_default() += 1;
        }
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let told = |((verdict, reason), count): ((Verdict, &str), usize)| {
        format!("{} {count}: {reason}", verdict.word())
    };
    reasons.into_iter().map(told).collect()
}

/// A table of how many examples of a chapter got which verdict.
fn chapters(report: &Report<'_>, all: bool) -> Vec<String> {
    let used = Verdict::ALL
        .into_iter()
        .filter(|verdict| report.count(*verdict) > 0);
    let used: Vec<Verdict> = used.collect();
    let tried = |chapter: &&Chapter| report.judged.iter().any(|judged| is_of(judged, chapter));
    let fails = |chapter: &&Chapter| {
        let mut own = report.judged.iter().filter(|judged| is_of(judged, chapter));
        own.any(|judged| gravity(judged.verdict).is_some())
    };
    let mut chapters: Vec<&Chapter> = CHAPTERS.iter().filter(tried).collect();
    let mut lines = vec![row(
        "chapter",
        used.iter().map(|verdict| (verdict.word().into(), *verdict)),
    )];
    let mut line = |name: &str, chapters: &[&Chapter]| {
        let counts = used
            .iter()
            .map(|verdict| (count(report, *verdict, chapters), *verdict));
        lines.push(row(name, counts));
    };
    if all {
        for chapter in chapters {
            line(chapter.name, &[chapter]);
        }
        return lines;
    }
    let first = |chapter: &&Chapter| chapter.requirements.first().map_or(usize::MAX, subject);
    chapters.sort_by_key(first);
    let (failing, holding): (Vec<&Chapter>, Vec<&Chapter>) =
        chapters.into_iter().partition(|chapter| fails(chapter));
    let shown = if failing.len() == CHAPTERS_MAX + 1 {
        failing.len()
    } else {
        CHAPTERS_MAX
    };
    let (shown, more) = failing.split_at(shown.min(failing.len()));
    for chapter in shown {
        line(chapter.name, &[*chapter]);
    }
    if !more.is_empty() {
        line(&format!("{} chapters more", more.len()), more);
    }
    match (holding.is_empty(), failing.is_empty()) {
        (true, _) => {}
        (false, true) => line(&format!("all {}", holding.len()), &holding),
        (false, false) => line(&format!("the other {}", holding.len()), &holding),
    }
    lines
}

fn is_of(judged: &Judged<'_>, chapter: &Chapter) -> bool {
    judged.case.requirement().chapter == chapter.name
}

fn count(report: &Report<'_>, verdict: Verdict, chapters: &[&Chapter]) -> String {
    let own = |judged: &&Judged<'_>| chapters.iter().any(|chapter| is_of(judged, chapter));
    let judged = report
        .judged
        .iter()
        .filter(|judged| judged.verdict == verdict);
    match judged.filter(own).count() {
        0 => "·".to_owned(),
        count => count.to_string(),
    }
}

fn row(name: &str, cells: impl Iterator<Item = (String, Verdict)>) -> String {
    let mut line = format!("{name:21}");
    for (cell, verdict) in cells {
        let width = verdict.word().len().max(5);
        let _ = write!(line, "  {cell:>width$}");
    }
    line
}

fn last_line(report: &Report<'_>) -> String {
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| report.count(*verdict) > 0)
        .map(|verdict| format!("{} {}", report.count(verdict), verdict.word()))
        .collect();
    let conforms = match report.share() {
        Some(share) => format!("conforms in what was tried, {share} of the law's examples"),
        None => "conforms".to_owned(),
    };
    let too_little = match report.share() {
        Some(share) => format!("too little was tried, {share}, to say more"),
        None => "nobody knows what came of it".to_owned(),
    };
    let meaning = match report.conclusion() {
        Conclusion::Conforms => &conforms,
        Conclusion::Violates => "violates the law",
        Conclusion::Differs => "differs, and nothing may (--strict)",
        Conclusion::Stale => "the dialect or the baseline is stale",
        Conclusion::NothingTried => "nothing was tried",
        Conclusion::TooLittle => &too_little,
        Conclusion::Crashed => "the target could not be tried to the end",
    };
    let examples = if report.judged.len() == 1 {
        "example"
    } else {
        "examples"
    };
    format!(
        "{} {examples}: {}: {meaning}",
        report.judged.len(),
        counts.join(", ")
    )
}
