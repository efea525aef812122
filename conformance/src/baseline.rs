//! The failures that a user knows of and has accepted, each with a reason.
//!
//! An entry that no longer fails is an error, so that a baseline only shrinks. What a whole kind of
//! implementation does is no baseline: that is a dialect.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde::Deserialize;

use crate::cases::Case;
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
    /// The rule that is broken; or else
    #[serde(default)]
    pub rule: String,
    /// the one case of it that fails, by its file and line.
    #[serde(default)]
    pub case: String,
    /// Why that is accepted.
    pub reason: String,
    /// Where it is being dealt with.
    pub url: Option<String>,
    /// The day from which on it is accepted no longer: `2027-01-31`.
    pub expires: Option<toml::value::Datetime>,
}

impl Entry {
    fn accepts(&self, case: &Case<'_>) -> bool {
        self.rule == case.requirement().name || (!self.case.is_empty() && self.case == name(case))
    }
}

/// What a case is called in a baseline.
fn name(case: &Case<'_>) -> String {
    format!("{}:{}", case.file(), case.place())
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// When it is not TOML of this shape, gives no reason, or names a rule the law does not have.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let baseline: Baseline = toml::from_str(text).map_err(|error| error.to_string())?;
        for Entry {
            rule, reason, case, ..
        } in &baseline.entries
        {
            if rule.is_empty() == case.is_empty() {
                return Err("an entry names either a `rule` or a `case`".to_owned());
            }
            if case.is_empty() && spec::find(rule).is_none() {
                return Err(format!(
                    "the law has no rule `{rule}`; `touchstone list` prints them"
                ));
            }
            if reason.trim().is_empty() {
                return Err(format!("`{rule}{case}` is accepted without a reason"));
            }
        }
        Ok(baseline)
    }

    /// Why a failure of this case is accepted.
    #[must_use]
    pub fn reason(&self, case: &Case<'_>) -> Option<&str> {
        let entry = self.entries.iter().find(|entry| entry.accepts(case))?;
        Some(&entry.reason)
    }

    /// The baseline as it holds on this day, `2027-01-31`: without the entries that expired.
    #[must_use]
    pub fn on(mut self, day: &str) -> Baseline {
        let holds = |entry: &Entry| {
            let expires = entry.expires.map(|expires| expires.to_string());
            expires.is_none_or(|expires| expires.as_str() > day)
        };
        self.entries.retain(holds);
        self
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
            let known = self
                .entries
                .iter()
                .find(|entry| entry.accepts(&judged.case));
            let needed = judged.verdict == Verdict::Fail
                || (judged.verdict == Verdict::Known && known.is_some());
            let by_case = known.filter(|entry| !entry.case.is_empty());
            let listing = by_case.map_or(("rule", rule), |entry| ("case", &entry.case));
            if !needed || !listed.insert(listing) {
                continue;
            }
            let (word, subject) = listing;
            let reason = known.map(|entry| entry.reason.as_str()).unwrap_or_default();
            text.push_str(&format!(
                "\n[[accept]]\n{word} = {subject:?}\nreason = {reason:?}\n"
            ));
            if let Some(url) = known.and_then(|entry| entry.url.as_ref()) {
                text.push_str(&format!("url = {url:?}\n"));
            }
            if let Some(expires) = known.and_then(|entry| entry.expires) {
                text.push_str(&format!("expires = {expires}\n"));
            }
        }
        text
    }
}

/// Today, as a baseline writes it: the days since the epoch, counted in years from March.
#[expect(
    clippy::disallowed_methods,
    reason = "an acceptance ends on a real day"
)]
#[must_use]
pub fn today() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let days = now.map_or(0, |now| now.as_secs() / 86_400) + 719_468;
    let era_day = days % 146_097;
    let era_year = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
    let year_day = era_day - (365 * era_year + era_year / 4 - era_year / 100);
    let month = (5 * year_day + 2) / 153;
    let day = year_day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = days / 146_097 * 400 + era_year + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
