//! One failure in full: the rule, what was said, where it parts, and how to see it again.
//!
//! Every byte of a server's is escaped here. Which failures are shown is for `text.rs`.

use std::fmt::Write as _;

use spec::exchange::{Direction, Event, Failure, frames};

use super::plain::{plain, wrapped};
use crate::cases::Case;
use crate::verdict::{Judged, Report};

/// How many bytes of one send or reply are shown.
const BYTES_MAX: usize = 200;
/// How many columns a line of it takes.
const COLUMNS: usize = 100;
/// Where the bytes of `expected` and `received` begin.
const INDENT: usize = 13;
/// How many columns of a reply are shown before the byte that differs.
const BEFORE: usize = 40;
/// How many bytes are shown as numbers.
const NUMBERS_MAX: usize = 16;

/// One judgement in full: the rule, the transcript, and the command that tries it again.
#[must_use]
pub fn describe(judged: &Judged<'_>, report: &Report<'_>) -> String {
    let rule = judged.case.requirement();
    let mut text = format!(
        "{}  {}  ({}, {})\n",
        judged.verdict.word(),
        rule.name,
        rule.level,
        place(judged)
    );
    for line in wrapped(rule.sentence, COLUMNS - 4) {
        let _ = writeln!(text, "    {line}");
    }
    if let Case::Fault(fault) = judged.case {
        let _ = writeln!(text, "    {}", fault.does);
    }
    if let Some(reason) = &judged.reason {
        let _ = writeln!(text, "    {reason}");
    }
    if let Some(failure) = &judged.failure {
        text.push_str(&transcript(&failure.events));
        text.push_str(&difference(failure));
    }
    let mut again = format!("    again: {}", again(judged, report));
    if again.chars().count() > COLUMNS
        && let Some(command) = again.strip_suffix(rule.name)
    {
        again = format!("{command}\\\n      {}", rule.name);
    }
    let _ = writeln!(text, "{again}");
    plain(&text)
}

/// Where the rule stands, and where the example does if that is another file.
fn place(judged: &Judged<'_>) -> String {
    let rule = judged.case.requirement();
    let law = format!("spec/{}.md", rule.chapter);
    if judged.case.file() == law {
        return format!("{law}:{}", rule.line);
    }
    let example = (judged.case.file(), judged.case.place());
    format!("{law}:{}; {}:{}", rule.line, example.0, example.1)
}

/// The command line that tries the rule again.
pub(super) fn again(judged: &Judged<'_>, report: &Report<'_>) -> String {
    if let Some(command) = &report.again {
        return command.clone();
    }
    let rule = judged.case.requirement().name;
    format!("touchstone check {}{rule}", report.arguments)
}

/// What went back and forth.
fn transcript(events: &[Event]) -> String {
    let mut text = String::new();
    let alone = events.iter().all(|event| event.client == 1);
    for event in events {
        let mark = match event.direction {
            Direction::Sent => '>',
            Direction::Received => '<',
        };
        let client = if alone {
            String::new()
        } else {
            event.client.to_string()
        };
        let line = format!("      {client}{mark} {}", shorten(&event.bytes));
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What was expected, what came, and from which byte it differs.
fn difference(failure: &Failure) -> String {
    let mut text = format!("    expected {}\n", failure.expected);
    let agreed = failure.agreed.unwrap_or(0);
    let received = &failure.received;
    if received.is_empty() {
        text.push_str("    received nothing\n");
        return text;
    }
    if let Some(shown) = frames(received).filter(|_| received.len() <= BYTES_MAX) {
        let _ = writeln!(text, "    received {shown}");
        if failure.agreed.is_some() {
            let _ = writeln!(text, "{:INDENT$}{}", "", numbers(received, agreed));
        }
        return text;
    }
    let before: Vec<String> = received.iter().take(agreed).map(escaped).collect();
    let width: usize = before.iter().map(String::len).sum();
    let skipped = skipped(&before, width);
    let kept: usize = before.iter().skip(skipped).map(String::len).sum();
    let rest = received.get(skipped..).unwrap_or_default();
    let opening = if skipped > 0 { "…" } else { "" };
    let _ = writeln!(text, "    received {opening}{}", shorten(rest));
    if failure.agreed.is_some() {
        let column = INDENT + kept + usize::from(skipped > 0);
        let _ = writeln!(text, "{:column$}^ {}", "", numbers(received, agreed));
    }
    text
}

/// How many bytes are left out, so that the one that differs is in sight.
fn skipped(before: &[String], width: usize) -> usize {
    let mut left = width;
    let mut skipped = 0;
    for shown in before {
        if left <= BEFORE {
            break;
        }
        left -= shown.len();
        skipped += 1;
    }
    skipped
}

/// The bytes from there on, as numbers.
fn numbers(bytes: &[u8], from: usize) -> String {
    let differing = bytes.get(from..).unwrap_or_default();
    if differing.is_empty() {
        return format!("ends after byte {from}, too early");
    }
    let mut shown = format!("differs from byte {from} on:");
    for byte in differing.iter().take(NUMBERS_MAX) {
        let _ = write!(shown, " {byte:02x}");
    }
    if differing.len() > NUMBERS_MAX {
        shown.push_str(" …");
    }
    shown
}

fn escaped(byte: &u8) -> String {
    byte.escape_ascii().to_string()
}

/// At most so many of the bytes, escaped.
pub(super) fn beginning(bytes: &[u8], bytes_max: usize) -> String {
    let (shown, more) = bytes.split_at_checked(bytes_max).unwrap_or((bytes, &[]));
    let text = shown.escape_ascii().to_string();
    if more.is_empty() {
        text
    } else {
        format!("{text}… and {} bytes more", more.len())
    }
}

/// The bytes as they may be shown, or the beginning of them.
pub(super) fn shorten(bytes: &[u8]) -> String {
    if bytes.len() <= BYTES_MAX
        && let Some(frames) = frames(bytes)
    {
        return frames;
    }
    beginning(bytes, BYTES_MAX)
}
