//! Two reports of one implementation, before and after a change: which rules it made or broke.
//!
//! It judges by rule, never by case: cases come and go with the suite, a rule's name is permanent.
//! What was not tried says nothing; a rule that is no longer tried is gone, not fixed, and one that
//! held before is lost: nobody knows whether it still does.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use crate::report::read::Report;
use crate::verdict::Verdict;

/// What a report says of each rule that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings(BTreeMap<String, Finding>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Finding {
    holds: bool,
    /// The verdict on the case that tells against it, or for it.
    verdict: Verdict,
}

/// What became of one rule; a verdict is missing where it was not tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The rule, or the variant of one.
    pub rule: String,
    was: Option<Verdict>,
    is: Option<Verdict>,
}

/// The rules on which two reports differ, each with its verdicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// They did not hold and do now.
    pub fixed: Vec<Change>,
    /// They held and do not now.
    pub broken: Vec<Change>,
    /// They were not tried before.
    pub new: Vec<Change>,
    /// They held, and are not tried now.
    pub lost: Vec<Change>,
    /// They did not hold, and are not tried now.
    pub gone: Vec<Change>,
    /// How many rules are as they were.
    pub same: usize,
}

impl Findings {
    /// What a report says.
    ///
    /// # Errors
    /// When in it nothing was tried.
    pub fn of(report: &Report) -> Result<Findings, String> {
        let mut findings: BTreeMap<String, Finding> = BTreeMap::new();
        for case in &report.results {
            let Some(holds) = holds(case.verdict) else {
                continue;
            };
            let verdict = case.verdict;
            let finding = Finding { holds, verdict };
            let found = findings.entry(case.rule.clone()).or_insert(finding);
            if found.holds && !holds {
                *found = finding;
            }
        }
        if findings.is_empty() {
            return Err("in this report nothing was tried".to_owned());
        }
        Ok(Findings(findings))
    }
}

/// Whether a case of this verdict speaks for its rule; nothing where it was not tried.
fn holds(verdict: Verdict) -> Option<bool> {
    match verdict {
        Verdict::Pass => Some(true),
        Verdict::Fail | Verdict::NonStrict | Verdict::Info | Verdict::Known | Verdict::Crashed => {
            Some(false)
        }
        Verdict::Unsupported | Verdict::Skipped | Verdict::Unknown => None,
    }
}

/// What became of each rule from the first report to the second.
#[must_use]
pub fn compare(before: &Findings, after: &Findings) -> Comparison {
    let mut comparison = Comparison::default();
    for (rule, now) in &after.0 {
        let was = before.0.get(rule);
        let change = Change {
            rule: rule.clone(),
            was: was.map(|was| was.verdict),
            is: Some(now.verdict),
        };
        match was {
            None => comparison.new.push(change),
            Some(was) if was.holds && !now.holds => comparison.broken.push(change),
            Some(was) if !was.holds && now.holds => comparison.fixed.push(change),
            Some(_) => comparison.same += 1,
        }
    }
    let left = { before.0.iter() }.filter(|(rule, _)| !after.0.contains_key(*rule));
    for (rule, was) in left {
        let change = Change {
            rule: rule.clone(),
            was: Some(was.verdict),
            is: None,
        };
        match was.holds {
            true => comparison.lost.push(change),
            false => comparison.gone.push(change),
        }
    }
    comparison
}

impl Comparison {
    /// 1 when a rule that held is broken; 3 when one that held was not tried; else 0.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match (self.broken.is_empty(), self.lost.is_empty()) {
            (false, _) => 1,
            (true, false) => 3,
            (true, true) => 0,
        }
    }

    /// What differs, by what it is called, the gravest first.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, &[Change]); 5] {
        [
            ("broken", self.broken.as_slice()),
            ("lost", self.lost.as_slice()),
            ("fixed", self.fixed.as_slice()),
            ("new", self.new.as_slice()),
            ("gone", self.gone.as_slice()),
        ]
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |verdict: Option<Verdict>| verdict.map_or("not tried", Verdict::word);
        write!(f, "{}: {} -> {}", self.rule, word(self.was), word(self.is))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = String::new();
        for (word, rules) in self.parts() {
            for rule in rules {
                writeln!(f, "{word:7} {rule}")?;
            }
            write!(counts, "{} {word}, ", rules.len())?;
        }
        writeln!(f, "{counts}{} as before", self.same)
    }
}
