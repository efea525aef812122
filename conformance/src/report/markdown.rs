//! A report for a pull request: the counts, and one line for each broken rule.

use std::collections::BTreeSet;
use std::fmt::Write as _;

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
    text
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
