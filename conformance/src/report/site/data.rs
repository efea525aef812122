//! What reports say, sorted by rule, and by how grave it is.
//!
//! It reads no file, and shows nothing: that is for the pages beside it.

use std::collections::BTreeMap;

use spec::{Kind, REQUIREMENTS, Requirement};

use super::mark::Mark;
use crate::report::read::{Case, Report};

impl Case {
    pub(super) fn mark(&self) -> Mark {
        Mark::of(self.verdict, self.reason.as_deref())
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
    /// Reads a report of it.
    ///
    /// # Errors
    /// As [`Report::read`].
    pub fn read(name: &str, text: &str) -> Result<Tried, String> {
        let report = Report::read(text)?;
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
    pub(super) fn gravest(&self, rule: &'static Requirement) -> (Mark, &'static Requirement) {
        let marked = family(rule).map(|named| (self.mark(named.name), named));
        marked
            .min_by_key(|(mark, _)| *mark)
            .unwrap_or((Mark::Silent, rule))
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

    /// Whether anything fails that nothing excuses: what does not conform may also be little known.
    pub(super) fn breaks(&self) -> bool {
        let mut marks = self.report.results.iter().map(Case::mark);
        marks.any(|mark| mark == Mark::Fail)
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
