//! A report in the form that build servers read.

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::failure::describe;
use super::plain::one_line;
use crate::verdict::{Judged, Report, Verdict};

/// The report as JUnit XML: a suite for each chapter, a case for each exchange.
#[must_use]
pub fn junit(report: &Report<'_>) -> String {
    let mut xml = quick_junit::Report::new(format!("touchstone: {}", one_line(&report.target)));
    for chapter in spec::CHAPTERS {
        let mut suite = TestSuite::new(chapter.name);
        for judged in &report.judged {
            if judged.case.requirement().chapter == chapter.name {
                suite.add_test_case(case(judged, report));
            }
        }
        if suite.tests > 0 {
            xml.add_test_suite(suite);
        }
    }
    xml.to_string().expect("names and transcripts are text")
}

fn case(judged: &Judged<'_>, report: &Report<'_>) -> TestCase {
    let status = match judged.verdict {
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(judged.case.requirement().sentence.trim());
            status.set_description(describe(judged, report));
            status
        }
        Verdict::Crashed => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(one_line(judged.reason.as_deref().unwrap_or_default()));
            status
        }
        // A difference that breaks no MUST fails no build, but is never counted as a success.
        other => {
            let mut status = TestCaseStatus::skipped();
            let reason = judged.reason.as_deref().unwrap_or_default();
            status.set_message(one_line(&format!("{} {reason}", other.word())));
            status
        }
    };
    let name = format!("{} {}", judged.case.requirement().name, judged.case.place());
    let mut case = TestCase::new(name, status);
    case.set_classname(judged.case.file());
    case
}
