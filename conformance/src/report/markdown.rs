//! A report for a pull request: the counts, and one line for each broken rule.

use std::collections::BTreeSet;
use std::fmt::Write as _;

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
        report.target, report.dialect
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
