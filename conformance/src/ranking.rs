//! Which failure to read first: the one that is most basic.
//!
//! First by gravity: a crash, a MUST, a SHOULD, what is only observed, what nobody understood. Then
//! by subject: storing, reading and deleting; the other classic commands; what all commands share;
//! the meta commands; statistics and limits; binary and authentication. Within a subject in the
//! order of the law, which is written from the simple to the special. Nothing here is shown;
//! `report/text.rs` does that.

use std::collections::BTreeMap;

use spec::Requirement;

use crate::verdict::{Judged, Report, Verdict};

/// A rule that did not hold.
#[derive(Clone, Copy, Debug)]
pub struct Broken {
    /// Where its shortest failure stands in the report.
    pub index: usize,
    /// How many of its examples failed.
    pub failed: usize,
}

/// The chapters a user meets first, in that order; all others come behind them.
const SUBJECTS: [&str; 17] = [
    "storage",
    "retrieval",
    "deletion",
    "arithmetic",
    "touch",
    "expiration",
    "keys",
    "framing",
    "numbers",
    "flush",
    "concurrency",
    "meta/flags",
    "meta/noop",
    "meta/",
    "administration",
    "statistics",
    "memory",
];

/// The rules that did not hold, the most basic first.
#[must_use]
pub fn broken(report: &Report<'_>) -> Vec<Broken> {
    let mut rules: BTreeMap<&str, Broken> = BTreeMap::new();
    for (index, judged) in report.judged.iter().enumerate() {
        if gravity(judged.verdict).is_none() {
            continue;
        }
        let first = Broken { index, failed: 0 };
        let broken = rules.entry(judged.case.requirement().name).or_insert(first);
        broken.failed += 1;
        let known = report.judged.get(broken.index);
        if known.is_some_and(|known| weight(judged) < weight(known)) {
            broken.index = index;
        }
    }
    let mut broken: Vec<Broken> = rules.into_values().collect();
    broken.sort_by_key(|broken| {
        let judged = report.judged.get(broken.index);
        judged.map(|judged| {
            let rule = judged.case.requirement();
            (gravity(judged.verdict), subject(rule), rule.ordinal)
        })
    });
    broken
}

/// How hard it is to understand a failure: the law's own examples are the plain ones.
fn weight(judged: &Judged<'_>) -> (Option<u8>, bool, usize) {
    let odd = !judged.case.file().starts_with("spec/");
    (gravity(judged.verdict), odd, judged.case.steps())
}

/// Where a chapter stands among the subjects.
#[must_use]
pub fn subject(rule: &Requirement) -> usize {
    let chapter = rule.chapter;
    let named = |subject: &&str| chapter == *subject;
    let within = |subject: &&str| subject.ends_with('/') && chapter.starts_with(*subject);
    let mut subjects = SUBJECTS.iter();
    let place = subjects.position(|subject| named(subject) || within(subject));
    place.unwrap_or(SUBJECTS.len())
}

/// How grave a verdict is; nothing where it is no failure.
#[must_use]
pub fn gravity(verdict: Verdict) -> Option<u8> {
    match verdict {
        Verdict::Crashed => Some(0),
        Verdict::Fail => Some(1),
        Verdict::NonStrict => Some(2),
        Verdict::Info => Some(3),
        Verdict::Unknown => Some(4),
        Verdict::Pass | Verdict::Known | Verdict::Unsupported | Verdict::Skipped => None,
    }
}
