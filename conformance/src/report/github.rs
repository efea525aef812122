//! A report as annotations: lines that GitHub's runner shows beside a build.
//!
//! A line that begins with `::` is a command to the runner, so nothing of a server's may begin one.

use std::fmt::Write as _;

use super::failure::describe;
use crate::verdict::{Report, Verdict};

/// One annotation for each example that failed or could not be tried.
#[must_use]
pub fn github(report: &Report<'_>) -> String {
    let mut text = String::new();
    for judged in &report.judged {
        let kind = match judged.verdict {
            Verdict::Fail | Verdict::Crashed => "error",
            Verdict::NonStrict | Verdict::Unknown => "warning",
            Verdict::Pass
            | Verdict::Info
            | Verdict::Known
            | Verdict::Unsupported
            | Verdict::Skipped => continue,
        };
        let title = property(judged.case.requirement().name);
        let message = message(describe(judged, report).trim_end());
        let _ = writeln!(text, "::{kind} title={title}::{message}");
    }
    text
}

/// As the runner reads the text of a command back.
fn message(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D");
    text.replace('\n', "%0A")
}

/// As the runner reads a property of a command back.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{message, property};

    #[test]
    fn nothing_ends_the_line_or_the_property() {
        assert_eq!(message("a%0A\r\n::error::b"), "a%250A%0D%0A::error::b");
        assert_eq!(property("a,b::c"), "a%2Cb%3A%3Ac");
    }
}
