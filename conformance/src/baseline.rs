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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// The accepted failures.
    pub entries: Vec<Entry>,
}

/// The file as it is written: there, several rules may share a reason. Each is an entry all the
/// same, so that one which holds again is found out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, rename = "accept")]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(default)]
    rules: Vec<String>,
    rule: Option<String>,
    case: Option<String>,
    reason: String,
    url: Option<String>,
    expires: Option<toml::value::Datetime>,
}

impl Group {
    /// An entry for each rule that it names, or for the case.
    fn entries(self) -> Result<Vec<Entry>, String> {
        let entry = |rule: String, case: String| Entry {
            rule,
            case,
            reason: self.reason.clone(),
            url: self.url.clone(),
            expires: self.expires,
        };
        match (self.rules.is_empty(), &self.rule, &self.case) {
            (false, None, None) => {
                let entries = self.rules.iter().cloned();
                Ok(entries.map(|rule| entry(rule, String::new())).collect())
            }
            (true, Some(rule), None) => Ok(vec![entry(rule.clone(), String::new())]),
            (true, None, Some(case)) => Ok(vec![entry(String::new(), case.clone())]),
            _ => Err("an entry names either a `rule` or a `case`, or `rules`".to_owned()),
        }
    }
}

/// One accepted failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The rule that is broken; or else
    pub rule: String,
    /// the one case of it that fails, by its file and line.
    pub case: String,
    /// Why that is accepted.
    pub reason: String,
    /// Where it is being dealt with.
    pub url: Option<String>,
    /// The day from which on it is accepted no longer: `2027-01-31`.
    pub expires: Option<toml::value::Datetime>,
}

impl Entry {
    /// The rule or the case that it is about.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self.case.as_str() {
            "" => &self.rule,
            case => case,
        }
    }

    fn accepts(&self, case: &Case<'_>) -> bool {
        self.rule == case.requirement().name || (!self.case.is_empty() && self.case == case.name())
    }
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// When it is not TOML of this shape, gives no reason, or names a rule the law does not have.
    pub fn parse(text: &str) -> Result<Baseline, String> {
        let written: Written = toml::from_str(text).map_err(|error| told(&error, text))?;
        let groups = written.groups.into_iter().map(Group::entries);
        let entries = groups.collect::<Result<Vec<_>, _>>()?.concat();
        let baseline = Baseline { entries };
        for Entry {
            rule, reason, case, ..
        } in &baseline.entries
        {
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

    /// The entries that accept a failure of this case.
    pub fn accepting(&self, case: &Case<'_>) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.accepts(case))
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

    /// The first entry for a case that is none of these.
    pub fn stranger<'a>(&self, cases: impl Iterator<Item = Case<'a>>) -> Option<&str> {
        let names: BTreeSet<String> = cases.map(|case| case.name()).collect();
        let mut entries = self.entries.iter().map(|entry| entry.case.as_str());
        entries.find(|case| !case.is_empty() && !names.contains(*case))
    }

    /// The baseline that would accept all that this report complains of; nothing where it is
    /// this one. An entry goes only where all that it accepts was played, and passed. A new one
    /// waits for its reason, and is refused until it has one; one that expired, for another day.
    #[must_use]
    pub fn updated(&self, report: &Report<'_>) -> Option<String> {
        let mut entries = self.entries.clone();
        entries.retain(|entry| !is_over(entry, report));
        let complaints = report.judged.iter().filter(|judged| match judged.verdict {
            Verdict::Fail => true,
            Verdict::NonStrict | Verdict::Info => report.strict,
            _ => false,
        });
        for judged in complaints {
            if !entries.iter().any(|entry| entry.accepts(&judged.case)) {
                entries.push(Entry {
                    rule: judged.case.requirement().name.to_owned(),
                    case: String::new(),
                    reason: String::new(),
                    url: None,
                    expires: None,
                });
            }
        }
        (entries != self.entries).then(|| written(&entries))
    }
}

/// Whether nothing that it accepts failed, and something was played.
fn is_over(entry: &Entry, report: &Report<'_>) -> bool {
    let judged = report.judged.iter();
    let mut about = judged
        .filter(|judged| entry.accepts(&judged.case))
        .peekable();
    about.peek().is_some() && about.all(|judged| judged.verdict == Verdict::Pass)
}

fn written(entries: &[Entry]) -> String {
    let mut text = String::from("# What this implementation breaks, and why that is accepted.\n");
    let alike = |one: &Entry, other: &Entry| {
        let rules = one.case.is_empty() && other.case.is_empty() && !one.reason.is_empty();
        let ends = (&one.url, one.expires) == (&other.url, other.expires);
        rules && ends && one.reason == other.reason
    };
    for group in entries.chunk_by(alike) {
        let [entry, rest @ ..] = group else { continue };
        let subject = match (rest.is_empty(), entry.case.as_str()) {
            (false, _) => {
                let rules = group.iter().map(|entry| format!("    {:?},\n", entry.rule));
                format!("rules = [\n{}]", rules.collect::<String>())
            }
            (true, "") => format!("rule = {:?}", entry.rule),
            (true, case) => format!("case = {case:?}"),
        };
        let reason = &entry.reason;
        text.push_str(&format!("\n[[accept]]\n{subject}\nreason = {reason:?}\n"));
        if let Some(url) = &entry.url {
            text.push_str(&format!("url = {url:?}\n"));
        }
        if let Some(expires) = entry.expires {
            text.push_str(&format!("expires = {expires}\n"));
        }
    }
    text
}

/// What is wrong with the TOML, and in which line.
fn told(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.matches('\n').count() + 1);
    format!("line {line}: {}", error.message().replace('\n', ", "))
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
