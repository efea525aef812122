//! The failures that a user knows of and has accepted, each with a reason.
//!
//! An entry that no longer fails is an error, so that a baseline only shrinks. What a whole kind of
//! implementation does is no baseline: that is a dialect.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::verdict::{Report, Verdict};

/// What a baseline file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The accepted failures.
    #[serde(default, rename = "accept")]
    pub entries: Vec<Entry>,
}

/// One accepted failure.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The rule that is broken.
    pub rule: String,
    /// Why that is accepted.
    pub reason: String,
    /// Where it is being dealt with.
    pub url: Option<String>,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// When it is not TOML of this shape, gives no reason, or names a rule the law does not have.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let baseline: Baseline = toml::from_str(text).map_err(|error| error.to_string())?;
        for Entry { rule, reason, .. } in &baseline.entries {
            if spec::find(rule).is_none() {
                return Err(format!(
                    "the law has no rule `{rule}`; `touchstone list` prints them"
                ));
            }
            if reason.trim().is_empty() {
                return Err(format!("`{rule}` is accepted without a reason"));
            }
        }
        Ok(baseline)
    }

    /// Why a failure of this rule is accepted.
    #[must_use]
    pub fn reason(&self, rule: &str) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.rule == rule)?;
        Some(&entry.reason)
    }

    /// The baseline that would accept all that this report complains of, reasons kept; a new entry
    /// waits for its reason, and is refused until it has one.
    #[must_use]
    pub fn updated(&self, report: &Report<'_>) -> String {
        let mut text =
            String::from("# What this implementation breaks, and why that is accepted.\n");
        let mut listed = BTreeSet::new();
        for judged in &report.judged {
            let rule = judged.case.requirement().name;
            let known = self.reason(rule);
            let needed = judged.verdict == Verdict::Fail
                || (judged.verdict == Verdict::Known && known.is_some());
            if needed && listed.insert(rule) {
                let reason = known.unwrap_or_default();
                text.push_str(&format!(
                    "\n[[accept]]\nrule = {rule:?}\nreason = {reason:?}\n"
                ));
            }
        }
        text
    }
}
