//! A report for a terminal: the chapters at a glance, then the failures, the most basic first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use spec::CHAPTERS;
use spec::exchange::{Direction, Failure, frames};

use crate::cases::Case;
use crate::verdict::{Conclusion, Judged, Report, Verdict};

/// How many rules are shown in full before the rest is only named.
const SHOWN_MAX: usize = 5;
/// How many bytes of one send or reply are shown.
const BYTES_MAX: usize = 200;

/// The whole report; the failures of every rule with `all`, else of the first few.
#[must_use]
pub fn text(report: &Report<'_>, all: bool) -> String {
    let mut text = format!("{}, held to {}\n", report.target, report.dialect);
    for name in &report.elected {
        let _ = writeln!(text, "elected {name}");
    }
    text.push('\n');
    text.push_str(&chapters(report));
    let broken = broken(report);
    let shown = if all { broken.len() } else { SHOWN_MAX };
    for judged in broken.iter().take(shown) {
        let _ = write!(text, "\n{}", describe(judged, report));
    }
    if broken.len() > shown {
        let names: Vec<&str> = broken
            .iter()
            .skip(shown)
            .map(|judged| judged.case.requirement().name)
            .collect();
        let _ = writeln!(
            text,
            "\nand {} more (--all shows them): {}",
            names.len(),
            names.join(", ")
        );
    }
    for (rule, excuse) in &report.stale {
        let _ = writeln!(
            text,
            "\nstale: `{rule}` holds, although it is excused: {excuse}"
        );
    }
    text.push_str(&untried(report));
    let _ = writeln!(text, "\n{}", last_line(report));
    text
}

/// Why some were not tried, and how many for each reason.
fn untried(report: &Report<'_>) -> String {
    let mut reasons: BTreeMap<(Verdict, &str), usize> = BTreeMap::new();
    for judged in &report.judged {
        let untried = matches!(judged.verdict, Verdict::Unsupported | Verdict::Skipped);
        if let (true, Some(reason)) = (untried, &judged.reason) {
            *reasons.entry((judged.verdict, reason)).or_default() += 1;
        }
    }
    let mut text = String::new();
    for ((verdict, reason), count) in reasons {
        let _ = write!(text, "\n{} {count}: {reason}", verdict.word());
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn chapters(report: &Report<'_>) -> String {
    let used: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|verdict| report.count(*verdict) > 0)
        .collect();
    let mut text = format!("{:16}", "chapter");
    for verdict in &used {
        let _ = write!(text, "  {:>6}", verdict.word());
    }
    text.push('\n');
    for chapter in CHAPTERS {
        let own = |judged: &&Judged<'_>| judged.case.requirement().chapter == chapter.name;
        if !report.judged.iter().any(|judged| own(&judged)) {
            continue;
        }
        let _ = write!(text, "{:16}", chapter.name);
        for verdict in &used {
            let count = report
                .judged
                .iter()
                .filter(own)
                .filter(|judged| judged.verdict == *verdict)
                .count();
            let count = if count == 0 {
                "·".to_owned()
            } else {
                count.to_string()
            };
            let _ = write!(
                text,
                "  {count:>width$}",
                width = verdict.word().len().max(6)
            );
        }
        text.push('\n');
    }
    text
}

/// One judgement for each broken rule: by gravity, then the shortest example first.
fn broken<'r, 'a>(report: &'r Report<'a>) -> Vec<&'r Judged<'a>> {
    let mut rules: BTreeMap<&str, &Judged<'a>> = BTreeMap::new();
    for judged in &report.judged {
        if gravity(judged.verdict).is_some() {
            let name = judged.case.requirement().name;
            let shortest = rules.entry(name).or_insert(judged);
            if judged.case.steps() < shortest.case.steps() {
                *shortest = judged;
            }
        }
    }
    let mut broken: Vec<&Judged<'a>> = rules.into_values().collect();
    broken.sort_by_key(|judged| {
        let steps = judged.case.steps();
        (
            gravity(judged.verdict),
            steps,
            judged.case.requirement().ordinal,
        )
    });
    broken
}

fn gravity(verdict: Verdict) -> Option<u8> {
    match verdict {
        Verdict::Crashed => Some(0),
        Verdict::Fail => Some(1),
        Verdict::NonStrict => Some(2),
        Verdict::Info => Some(3),
        Verdict::Unknown => Some(4),
        Verdict::Pass | Verdict::Known | Verdict::Unsupported | Verdict::Skipped => None,
    }
}

/// One judgement in full: the rule, the transcript, and the command that tries it again.
#[must_use]
pub fn describe(judged: &Judged<'_>, report: &Report<'_>) -> String {
    let rule = judged.case.requirement();
    let mut text = format!(
        "{}  {}  ({}, {}:{})\n",
        judged.verdict.word(),
        rule.name,
        rule.level,
        judged.case.file(),
        judged.case.place()
    );
    for line in rule.sentence.trim().lines() {
        let _ = writeln!(text, "    {line}");
    }
    if let Case::Fault(fault) = judged.case {
        let _ = writeln!(text, "    {}", fault.does);
    }
    if let Some(reason) = &judged.reason {
        let _ = writeln!(text, "    {reason}");
    }
    if let Some(failure) = &judged.failure {
        text.push_str(&transcript(failure));
    }
    let _ = writeln!(
        text,
        "    again: touchstone check {}{}",
        report.arguments, rule.name
    );
    text
}

/// What was sent and received, what was expected, and from which byte it differs.
fn transcript(failure: &Failure) -> String {
    let mut text = String::new();
    for event in &failure.events {
        let mark = if event.direction == Direction::Sent {
            '>'
        } else {
            '<'
        };
        let _ = writeln!(
            text,
            "      {}{mark} {}",
            event.client,
            shorten(&event.bytes)
        );
    }
    let _ = writeln!(text, "    expected {}", failure.expected);
    let received = shorten(&failure.received);
    let _ = writeln!(
        text,
        "    received {}",
        if received.is_empty() {
            "nothing"
        } else {
            &received
        }
    );
    let framed = frames(&failure.received).is_some();
    if let (true, Some(agreed)) = (framed, failure.agreed) {
        let _ = writeln!(text, "             differs at byte {agreed}");
    } else if let Some(agreed) = failure.agreed.filter(|agreed| *agreed < BYTES_MAX) {
        let before = failure
            .received
            .get(..agreed)
            .unwrap_or_default()
            .escape_ascii()
            .count();
        let _ = writeln!(text, "             {}^ differs here", " ".repeat(before));
    }
    text
}

fn shorten(bytes: &[u8]) -> String {
    if bytes.len() <= BYTES_MAX
        && let Some(frames) = frames(bytes)
    {
        return frames;
    }
    let (shown, more) = bytes.split_at_checked(BYTES_MAX).unwrap_or((bytes, &[]));
    let text = shown.escape_ascii().to_string();
    if more.is_empty() {
        text
    } else {
        format!("{text}… and {} bytes more", more.len())
    }
}

fn last_line(report: &Report<'_>) -> String {
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter(|verdict| report.count(*verdict) > 0)
        .map(|verdict| format!("{} {}", report.count(verdict), verdict.word()))
        .collect();
    let meaning = match report.conclusion() {
        Conclusion::Conforms => "conforms",
        Conclusion::Violates => "violates the law",
        Conclusion::Stale => "the dialect is stale",
        Conclusion::NothingTried => "nothing was tried",
        Conclusion::TooLittle => "too little was tried to say more",
        Conclusion::Crashed => "the target could not be tried to the end",
    };
    format!(
        "{} examples: {}: {meaning}",
        report.judged.len(),
        counts.join(", ")
    )
}
