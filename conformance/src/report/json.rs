//! A report for other programs. The shape is a promise: fields are added, never renamed.
//!
//! `report.schema.json` says the same to programs, and a test holds reports to it. Nothing in it
//! tells the time: the same seed makes the same report.

use serde::Serialize;
use spec::Kind;
use spec::exchange::Direction;

use super::failure::{again, beginning, shorten};
use super::kept::script;
use crate::cases::Case;
use crate::verdict::{Conclusion, Judged, Report, Verdict};

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
    results: Vec<Result<'a>>,
}

#[derive(Serialize)]
struct Result<'a> {
    case: String,
    rule: &'static str,
    /// Whether that is a rule, or what a server may or does choose instead.
    kind: &'static str,
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
    /// So many bytes of it are as expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreed: Option<usize>,
    /// Whether nothing can be left out of it any more.
    shortest: bool,
    transcript: Vec<Said>,
    /// The command that tries it again.
    again: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    script: Option<String>,
}

/// What one client said or was told, as it may be shown.
#[derive(Serialize)]
struct Said {
    client: u8,
    sent: bool,
    bytes: String,
}

/// The report as one JSON object.
#[must_use]
pub fn json(report: &Report<'_>) -> String {
    let counts = Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict.word(), report.count(verdict)))
        .collect();
    let results = report.judged.iter().map(|judged| Result {
        case: judged.case.name(),
        rule: judged.case.requirement().name,
        kind: match judged.case.requirement().kind {
            Kind::Rule => "rule",
            Kind::Alternative => "alternative",
            Kind::Deviation => "deviation",
        },
        place: {
            let rule = judged.case.requirement();
            format!("spec/{}.md:{}", rule.chapter, rule.line)
        },
        level: judged.case.requirement().level.to_string(),
        verdict: judged.verdict.word(),
        reason: judged.reason.as_deref(),
        failure: judged
            .failure
            .as_deref()
            .map(|failure| parted(failure, judged, report)),
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

/// Where a case parted from what was expected, and all that it takes to see it again.
fn parted<'a>(
    failure: &'a spec::exchange::Failure,
    judged: &'a Judged<'_>,
    report: &Report<'_>,
) -> Failure<'a> {
    let exchange = match (&judged.shortest, judged.case) {
        (Some(shortest), _) => Some(shortest),
        (None, Case::Exchange(written)) => Some(written),
        (None, Case::Fault(_)) => None,
    };
    let said = failure.events.iter().map(|event| Said {
        client: event.client,
        sent: event.direction == Direction::Sent,
        bytes: shorten(&event.bytes),
    });
    Failure {
        line: failure.line,
        expected: &failure.expected,
        received: beginning(&failure.received, BYTES_MAX),
        agreed: failure.agreed,
        shortest: judged.shortest.is_some(),
        transcript: said.collect(),
        again: again(judged, report),
        exchange: exchange.map(ToString::to_string).filter(|text| brief(text)),
        script: exchange
            .and_then(|exchange| script(exchange, failure))
            .filter(|text| brief(text)),
    }
}

/// So many bytes of a reply, and of what is to be pasted, stand in a report: some send megabytes.
const BYTES_MAX: usize = 4096;

fn brief(text: &str) -> bool {
    text.len() <= BYTES_MAX
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
