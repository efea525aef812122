//! A report as annotations: lines that GitHub's runner shows beside a build.

use std::fmt::Write as _;

use crate::verdict::{Report, Verdict};

/// One annotation for each example that failed or could not be tried.
#[must_use]
pub fn github(report: &Report<'_>) -> String {
    let mut text = String::new();
    for judged in &report.judged {
        let kind = match judged.verdict {
            Verdict::Unknown => "warning",
            Verdict::Fail | Verdict::Crashed => "error",
            Verdict::NonStrict => "warning",
            Verdict::Pass
            | Verdict::Info
            | Verdict::Known
            | Verdict::Unsupported
            | Verdict::Skipped => continue,
        };
        let rule = judged.case.requirement();
        let sentence = rule.sentence.trim().replace('\n', "%0A");
        let _ = writeln!(text, "::{kind} title={}::{sentence}", rule.name);
    }
    text
}
