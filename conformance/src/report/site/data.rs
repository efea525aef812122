//! Reports read back, and sorted by rule.
//!
//! It never guesses: what is no report of ours is refused, with what would be one.

use std::collections::BTreeMap;

use serde::Deserialize;
use spec::{Kind, REQUIREMENTS, Requirement};

use super::mark::Mark;
use crate::verdict::Verdict;

/// A report, as `report.schema.json` describes it.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    tool: String,
    pub(super) version: String,
    pub(super) law: String,
    pub(super) complete: bool,
    pub(super) seed: u64,
    pub(super) target: String,
    pub(super) dialect: String,
    pub(super) elected: Vec<String>,
    pub(super) conforms: bool,
    pub(super) stale: Vec<(String, String)>,
    pub(super) results: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Case {
    pub(super) case: String,
    pub(super) rule: String,
    verdict: String,
    pub(super) reason: Option<String>,
    pub(super) failure: Option<Failure>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Failure {
    pub(super) expected: String,
    pub(super) received: String,
    pub(super) agreed: Option<usize>,
    #[serde(default)]
    pub(super) shortest: bool,
    #[serde(default)]
    pub(super) transcript: Vec<Said>,
    #[serde(default)]
    pub(super) again: String,
    pub(super) script: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Said {
    pub(super) client: u8,
    pub(super) sent: bool,
    pub(super) bytes: String,
}

impl Case {
    pub(super) fn mark(&self) -> Mark {
        let verdict = Verdict::ALL.into_iter();
        let verdict = verdict
            .into_iter()
            .find(|known| known.word() == self.verdict);
        Mark::of(verdict.unwrap_or(Verdict::Unknown), self.reason.as_deref())
    }
}

/// An implementation and what was found.
#[derive(Clone, Debug)]
pub struct Tried {
    /// What it is called in the site.
    pub name: String,
    /// The same as a part of a path.
    pub(super) slug: String,
    pub(super) report: Report,
    /// The places of its results, by rule, alternative or deviation.
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Tried {
    /// Reads a report that `touchstone check --report json=FILE` wrote.
    ///
    /// # Errors
    /// When the text is no such report; the text says why, and what would be one.
    pub fn read(name: &str, text: &str) -> Result<Tried, String> {
        let what = "write one with `touchstone check --report json=FILE`";
        let report: Report = serde_json::from_str(text)
            .map_err(|error| format!("this is no JSON report ({error}); {what}"))?;
        if report.tool != "touchstone" {
            return Err(format!("this is a report of `{}`; {what}", report.tool));
        }
        let mut by_name: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, case) in report.results.iter().enumerate() {
            by_name.entry(case.rule.clone()).or_default().push(place);
        }
        Ok(Tried {
            name: name.to_owned(),
            slug: slug(name),
            report,
            by_name,
        })
    }

    /// What was found of exactly this name.
    pub(super) fn cases(&self, name: &str) -> impl Iterator<Item = &Case> {
        let places = self.by_name.get(name).into_iter().flatten();
        places.filter_map(|place| self.report.results.get(*place))
    }

    /// The gravest that was found of exactly this name.
    pub(super) fn mark(&self, name: &str) -> Mark {
        let marks = self.cases(name).map(Case::mark);
        marks.min().unwrap_or(Mark::Silent)
    }

    /// The gravest of a rule and what stands below it, and whose that is.
    pub(super) fn gravest(&self, rule: &'static Requirement) -> (Mark, &'static str) {
        let names = family(rule).map(|named| (self.mark(named.name), named.name));
        names
            .min_by_key(|(mark, _)| *mark)
            .unwrap_or((Mark::Silent, rule.name))
    }

    /// How many rules of those that are wanted have each mark.
    pub(super) fn count(&self, wanted: impl Fn(&Requirement) -> bool) -> BTreeMap<Mark, usize> {
        let mut counts = BTreeMap::new();
        for rule in rules().filter(|rule| wanted(rule)) {
            *counts.entry(self.gravest(rule).0).or_default() += 1;
        }
        counts
    }

    /// The case of this name to show: the gravest, and of those the one that is shortest.
    pub(super) fn telling(&self, name: &str) -> Option<&Case> {
        let length = |case: &Case| {
            let failure = case.failure.as_ref();
            failure.map_or((true, 0), |failure| {
                (!failure.shortest, failure.transcript.len())
            })
        };
        let cases = self.cases(name).filter(|case| case.mark().has_page());
        cases.min_by_key(|case| (case.mark(), length(case)))
    }

    /// The names of which there is a failure to read, in the order of the law.
    pub(super) fn failing(&self) -> impl Iterator<Item = &'static Requirement> {
        let has_page = |named: &&Requirement| self.telling(named.name).is_some();
        REQUIREMENTS.iter().filter(has_page)
    }
}

/// Every rule, without its variants.
pub(super) fn rules() -> impl Iterator<Item = &'static Requirement> {
    REQUIREMENTS.iter().filter(|rule| rule.kind == Kind::Rule)
}

/// The rule that this is, or is a variant of.
pub(super) fn rule_of(named: &'static Requirement) -> &'static Requirement {
    let parent = named.name.rsplit_once('.').map_or("", |(parent, _)| parent);
    match named.kind {
        Kind::Rule => named,
        Kind::Alternative | Kind::Deviation => spec::find(parent).unwrap_or(named),
    }
}

/// A rule, and its alternatives and deviations.
pub(super) fn family(rule: &'static Requirement) -> impl Iterator<Item = &'static Requirement> {
    let first = usize::from(rule.ordinal);
    let below = REQUIREMENTS.iter().skip(first + 1);
    let below = below.take_while(move |named| named.kind != Kind::Rule);
    std::iter::once(rule).chain(below)
}

/// The name as a part of a path.
pub(super) fn slug(name: &str) -> String {
    let tame = |letter: char| letter.is_ascii_alphanumeric() || ".-".contains(letter);
    let slug: String = name
        .to_lowercase()
        .chars()
        .map(|letter| if tame(letter) { letter } else { '-' })
        .collect();
    let slug = slug.trim_matches(['-', '.']);
    if slug.is_empty() {
        "target".to_owned()
    } else {
        slug.to_owned()
    }
}
