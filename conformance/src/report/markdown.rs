//! A report for a pull request: the counts, and one line for each broken rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use spec::Level;

use super::plain::plain;
use crate::verdict::{Conclusion, Report, Verdict};

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report<'_>) -> String {
    let conforms = report.conclusion() == Conclusion::Conforms;
    let meaning = if conforms {
        "conforms"
    } else {
        "does not conform"
    };
    let mut text = format!(
        "### touchstone: {} {meaning}\n\nheld to {}\n\n| verdict | examples |\n|---|---|\n",
        escaped(&report.target),
        escaped(&report.dialect)
    );
    for verdict in Verdict::ALL {
        let _ = writeln!(text, "| {} | {} |", verdict.word(), report.count(verdict));
    }
    text.push_str(&levels(report));
    let mut told = BTreeSet::new();
    for judged in &report.judged {
        let rule = judged.case.requirement();
        let broken = matches!(judged.verdict, Verdict::Fail | Verdict::NonStrict);
        if broken && told.insert(rule.name) {
            let sentence = rule.sentence.trim().replace('\n', " ");
            let _ = write!(
                text,
                "\n- **{}** `{}`: {sentence}",
                judged.verdict.word(),
                rule.name
            );
        }
    }
    text.push('\n');
    text.push_str(&untried(report));
    text
}

/// How many examples of each level hold and do not.
fn levels(report: &Report<'_>) -> String {
    let mut text = String::from("\n| level | pass | otherwise |\n|---|---|---|\n");
    for level in [Level::Must, Level::Should, Level::May] {
        let own = report.judged.iter();
        let own = own.filter(|judged| judged.case.requirement().level == level);
        let (held, other): (Vec<_>, Vec<_>) =
            own.partition(|judged| judged.verdict == Verdict::Pass);
        let _ = writeln!(text, "| {level} | {} | {} |", held.len(), other.len());
    }
    text
}

/// What was not tried and why, folded: never hidden, and never in the way.
fn untried(report: &Report<'_>) -> String {
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for judged in &report.judged {
        let untried = matches!(judged.verdict, Verdict::Unsupported | Verdict::Skipped);
        if let (true, Some(reason)) = (untried, &judged.reason) {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    if reasons.is_empty() {
        return String::new();
    }
    let all: usize = reasons.values().sum();
    let mut text = format!("\n<details><summary>{all} not tried</summary>\n\n");
    for (reason, count) in reasons {
        let _ = writeln!(text, "- {count}: {}", escaped(reason));
    }
    text + "\n</details>\n"
}

/// The words as Markdown shows them, whatever they are.
fn escaped(words: &str) -> String {
    let mut text = String::new();
    for letter in plain(words).replace('\n', " ").chars() {
        if "\\`*_{}[]<>#|~".contains(letter) {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_word_of_a_user_is_markup() {
        assert_eq!(
            escaped("`a|b` <i>*c*\n\x1b"),
            r"\`a\|b\` \<i\>\*c\* \\u\{1b\}"
        );
    }
}
