//! The law as a list: every rule, or a table of what each chapter holds.
//!
//! It never claims what it has not just counted: "cited" is what the model cited while every
//! exchange was replayed on it, under each shipped dialect.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use model::{Host, Model, Options};
use spec::exchange::{Exchange, replay};
use spec::{CHAPTERS, Chapter, Dialect, Kind, Level, REQUIREMENTS, Standing, Witness};

use crate::target::START;

/// One line for each rule, alternative and deviation: its level, name and sentence.
#[must_use]
pub fn rules() -> String {
    let mut text = String::new();
    for requirement in REQUIREMENTS.iter() {
        let mark = match requirement.kind {
            Kind::Rule => requirement.level.to_string(),
            Kind::Alternative => "  or".to_owned(),
            Kind::Deviation => "  but".to_owned(),
        };
        let sentence = requirement.sentence.trim().replace('\n', " ");
        let _ = writeln!(text, "{mark:6} {}: {sentence}", requirement.name);
    }
    text
}

/// One JSON object for each rule, in an array.
#[must_use]
pub fn json(exchanges: &[Exchange]) -> String {
    let rules = REQUIREMENTS
        .iter()
        .filter(|named| named.kind == Kind::Rule)
        .map(|rule| {
            let own = || {
                exchanges
                    .iter()
                    .filter(|exchange| exchange.requirement == rule)
            };
            let in_spec = own()
                .filter(|exchange| exchange.file.starts_with("spec/"))
                .count();
            Rule {
                rule: rule.name,
                level: rule.level.to_string(),
                chapter: rule.chapter,
                file: format!("spec/{}.md", rule.chapter),
                line: rule.line,
                sentence: rule.sentence.trim(),
                exchanges: in_spec,
                cases: own().count() - in_spec,
            }
        });
    let rules: Vec<Rule> = rules.collect();
    serde_json::to_string_pretty(&rules).expect("strings and numbers always serialise")
}

#[derive(Serialize)]
struct Rule {
    rule: &'static str,
    level: String,
    chapter: &'static str,
    file: String,
    line: u32,
    sentence: &'static str,
    exchanges: usize,
    cases: usize,
}

/// Chapter by chapter: rules by level, variants, kinds of witness, exchanges, names cited.
#[must_use]
pub fn table(exchanges: &[Exchange]) -> String {
    let cited = cited(exchanges);
    let mut text = row("chapter", &HEADINGS.map(str::to_owned));
    let mut total = [0; HEADINGS.len()];
    for chapter in CHAPTERS {
        let counts = counts(chapter, exchanges, &cited);
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
        text.push_str(&row(chapter.name, &counts.map(|count| count.to_string())));
    }
    text.push_str(&row("all", &total.map(|count| count.to_string())));
    text
}

const HEADINGS: [&str; 11] = [
    "rules",
    "MUST",
    "SHOULD",
    "MAY",
    "alternatives",
    "deviations",
    "by exchange",
    "by history",
    "by process",
    "exchanges",
    "cited",
];

fn counts(
    chapter: &Chapter,
    exchanges: &[Exchange],
    cited: &BTreeSet<&str>,
) -> [usize; HEADINGS.len()] {
    let all = || chapter.requirements.iter();
    let kind = |kind| all().filter(|named| named.kind == kind).count();
    let rules = || all().filter(|named| named.kind == Kind::Rule);
    let level = |level| rules().filter(|rule| rule.level == level).count();
    let witness = |witness| rules().filter(|rule| rule.witness == witness).count();
    [
        kind(Kind::Rule),
        level(Level::Must),
        level(Level::Should),
        level(Level::May),
        kind(Kind::Alternative),
        kind(Kind::Deviation),
        witness(Witness::Exchange),
        witness(Witness::History),
        witness(Witness::Process),
        exchanges
            .iter()
            .filter(|exchange| exchange.requirement.chapter == chapter.name)
            .count(),
        all().filter(|named| cited.contains(named.name)).count(),
    ]
}

/// Every name that a ruling cited while the exchanges were replayed.
fn cited(exchanges: &[Exchange]) -> BTreeSet<&'static str> {
    let mut cited = BTreeSet::new();
    for dialect in Dialect::shipped_names()
        .iter()
        .filter_map(|name| Dialect::shipped(name))
    {
        for exchange in exchanges {
            let standing = dialect.standing(exchange.requirement);
            let held = standing == Standing::Held && exchange.header.holds_for(dialect.name());
            if let (true, Ok(options)) = (held, Options::of(&exchange.header)) {
                let mut host = Host::new(Model::new(options, dialect.clone()), START);
                if replay(exchange, &mut host).is_ok() {
                    cited.extend(host.cited().iter().map(|rule| rule.name));
                }
            }
        }
    }
    cited
}

fn row(first: &str, cells: &[String; HEADINGS.len()]) -> String {
    let mut text = format!("{first:16}");
    for (cell, heading) in cells.iter().zip(HEADINGS) {
        let _ = write!(text, "  {cell:>width$}", width = heading.len());
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cases;

    #[test]
    fn there_is_one_object_a_rule_and_none_for_what_a_server_may_choose() {
        let exchanges = cases::all().unwrap();
        let list: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_str(&json(&exchanges)).unwrap();
        let rules = REQUIREMENTS.iter().filter(|named| named.kind == Kind::Rule);
        let rules: Vec<&str> = rules.map(|rule| rule.name).collect();
        let listed: Vec<&str> = list
            .iter()
            .filter_map(|rule| rule["rule"].as_str())
            .collect();
        assert_eq!(listed, rules);
        let promised = "rule level chapter file line sentence exchanges cases";
        let promised: BTreeSet<&str> = promised.split(' ').collect();
        for rule in &list {
            let fields: BTreeSet<&str> = rule.keys().map(String::as_str).collect();
            assert_eq!(fields, promised, "{rule:?}");
        }
    }
}
