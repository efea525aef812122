//! A report for other programs. The shape is a promise: fields are added, never renamed.
//!
//! `report.schema.json` says the same to programs, and a test holds reports to it. Nothing in it
//! tells the time: the same seed makes the same report.

use serde::Serialize;

use crate::verdict::{Conclusion, Report, Verdict};

#[derive(Serialize)]
struct Json<'a> {
    tool: &'static str,
    version: &'static str,
    /// Which text of the law it was: the FNV-1a hash of its chapters.
    law: String,
    complete: bool,
    seed: u64,
    target: &'a str,
    dialect: &'a str,
    elected: &'a [&'static str],
    conforms: bool,
    counts: std::collections::BTreeMap<&'static str, usize>,
    /// What is excused, and why.
    stale: Vec<(&'a str, &'a str)>,
    results: Vec<Case<'a>>,
}

#[derive(Serialize)]
struct Case<'a> {
    case: String,
    rule: &'static str,
    /// Where the rule stands.
    place: String,
    level: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure<'a>>,
}

/// Bytes are escaped as in the notation: `\r\n`, `\x00`.
#[derive(Serialize)]
struct Failure<'a> {
    line: u32,
    expected: &'a str,
    received: String,
}

/// The report as one JSON object.
#[must_use]
pub fn json(report: &Report<'_>) -> String {
    let counts = Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict.word(), report.count(verdict)))
        .collect();
    let results = report.judged.iter().map(|judged| Case {
        case: judged.case.name(),
        rule: judged.case.requirement().name,
        place: {
            let rule = judged.case.requirement();
            format!("spec/{}.md:{}", rule.chapter, rule.line)
        },
        level: judged.case.requirement().level.to_string(),
        verdict: judged.verdict.word(),
        reason: judged.reason.as_deref(),
        failure: judged.failure.as_deref().map(|failure| Failure {
            line: failure.line,
            expected: &failure.expected,
            received: failure.received.escape_ascii().to_string(),
        }),
    });
    let json = Json {
        tool: "touchstone",
        version: env!("CARGO_PKG_VERSION"),
        law: law(),
        seed: report.seed,
        complete: report.count(Verdict::Crashed) == 0 && !report.cut_short,
        target: &report.target,
        dialect: &report.dialect,
        elected: &report.elected,
        conforms: report.conclusion() == Conclusion::Conforms,
        counts,
        stale: { report.stale.iter() }
            .map(|excuse| (excuse.subject.as_str(), excuse.because.as_str()))
            .collect(),
        results: results.collect(),
    };
    serde_json::to_string_pretty(&json).expect("strings and numbers always serialise")
}

/// A number for the law's text, so that two reports can be known to mean the same law.
fn law() -> String {
    let bytes = spec::CHAPTERS
        .iter()
        .flat_map(|chapter| chapter.prose.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
