//! Two reports of one implementation, before and after a change: which rules it made or broke.
//!
//! It judges by rule, never by case: cases come and go with the suite, a rule's name is permanent.
//! What was not tried says nothing; a rule that is no longer tried is gone, not fixed, and one that
//! held before is lost: nobody knows whether it still does.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::Deserialize;

/// What a report says of each rule that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings(BTreeMap<String, Finding>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    holds: bool,
    /// The verdict on the case that tells against it, or for it.
    verdict: String,
}

/// As much of a report as a comparison needs.
#[derive(Deserialize)]
struct Report {
    tool: String,
    results: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    rule: String,
    verdict: String,
}

/// The rules on which two reports differ, each with its verdicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// They did not hold and do now.
    pub fixed: Vec<String>,
    /// They held and do not now.
    pub broken: Vec<String>,
    /// They were not tried before.
    pub new: Vec<String>,
    /// They held, and are not tried now.
    pub lost: Vec<String>,
    /// They did not hold, and are not tried now.
    pub gone: Vec<String>,
    /// How many rules are as they were.
    pub same: usize,
}

impl Findings {
    /// Reads a report that `touchstone check --report json=FILE` wrote.
    ///
    /// # Errors
    /// When the text is no such report; the text says why, and what would be one.
    pub fn read(text: &str) -> Result<Findings, String> {
        let what = "write one with `touchstone check --report json=FILE`";
        let report: Report = serde_json::from_str(text)
            .map_err(|error| format!("this is no JSON report ({error}); {what}"))?;
        if report.tool != "touchstone" {
            return Err(format!("this is a report of `{}`; {what}", report.tool));
        }
        let mut findings: BTreeMap<String, Finding> = BTreeMap::new();
        for case in report.results {
            let Some(holds) = holds(&case.verdict)? else {
                continue;
            };
            let verdict = case.verdict;
            let found = findings.entry(case.rule).or_insert_with(|| Finding {
                holds,
                verdict: verdict.clone(),
            });
            if found.holds && !holds {
                *found = Finding { holds, verdict };
            }
        }
        if findings.is_empty() {
            return Err(format!("in this report nothing was tried; {what}"));
        }
        Ok(Findings(findings))
    }
}

/// Whether a case of this verdict speaks for its rule; nothing where it was not tried.
fn holds(verdict: &str) -> Result<Option<bool>, String> {
    match verdict {
        "pass" => Ok(Some(true)),
        "fail" | "non-strict" | "info" | "known" | "crashed" => Ok(Some(false)),
        "unsupported" | "skipped" | "unknown" => Ok(None),
        _ => Err(format!(
            "no verdict is called `{verdict}`; was the report written by a later touchstone?"
        )),
    }
}

/// What became of each rule from the first report to the second.
#[must_use]
pub fn compare(before: &Findings, after: &Findings) -> Comparison {
    let mut comparison = Comparison::default();
    for (rule, now) in &after.0 {
        let line = |was: &str| format!("{rule}: {was} -> {}", now.verdict);
        match before.0.get(rule) {
            None => comparison.new.push(line("not tried")),
            Some(was) if was.holds && !now.holds => comparison.broken.push(line(&was.verdict)),
            Some(was) if !was.holds && now.holds => comparison.fixed.push(line(&was.verdict)),
            Some(_) => comparison.same += 1,
        }
    }
    for (rule, was) in &before.0 {
        if !after.0.contains_key(rule) {
            let line = format!("{rule}: {} -> not tried", was.verdict);
            match was.holds {
                true => comparison.lost.push(line),
                false => comparison.gone.push(line),
            }
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

    fn parts(&self) -> [(&'static str, &Vec<String>); 5] {
        [
            ("broken", &self.broken),
            ("lost", &self.lost),
            ("fixed", &self.fixed),
            ("new", &self.new),
            ("gone", &self.gone),
        ]
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
