//! What the law calls things: every name is well made, stands where it belongs, and exists.

mod common;

use std::collections::BTreeSet;

use common::{at, exchanges, files, none};
use spec::{CHAPTERS, Dialect, Kind, REQUIREMENTS, find};

#[test]
fn every_name_is_dotted_words_of_its_chapter_and_unique() {
    let mut seen = BTreeSet::new();
    none(REQUIREMENTS.iter().filter_map(|requirement| {
        let name = requirement.name;
        let words: Vec<&str> = name.split('.').collect();
        let plain = words.iter().all(|word| {
            word.starts_with(|c: char| c.is_ascii_lowercase())
                && word
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        });
        let own = name.starts_with(&format!("{}.", requirement.chapter.replace('/', ".")));
        let fresh = seen.insert(name);
        (!plain || !own || !fresh || words.len() < 2).then(|| {
            format!(
                "{} is not a new name of dotted words in its chapter",
                at(requirement)
            )
        })
    }));
}

#[test]
fn every_rule_is_one_sentence_of_one_level() {
    none(REQUIREMENTS.iter().filter_map(|requirement| {
        let sentence = requirement.sentence.trim();
        let levels: usize = ["MUST", "SHOULD", "MAY"]
            .iter()
            .map(|level| sentence.matches(level).count())
            .sum();
        let wrong = match requirement.kind {
            Kind::Rule => levels != 1,
            Kind::Alternative | Kind::Deviation => levels != 0,
        };
        let ended = sentence.ends_with(['.', ':']);
        (wrong || !ended || sentence.contains("r[")).then(|| {
            format!(
                "{}: a rule is one sentence with one level word, a variant has none",
                at(requirement)
            )
        })
    }));
}

#[test]
fn every_alternative_and_deviation_stands_under_its_rule() {
    let mut rule = "";
    none(REQUIREMENTS.iter().filter_map(|requirement| {
        if requirement.kind == Kind::Rule {
            rule = requirement.name;
            return None;
        }
        let own = requirement
            .name
            .strip_prefix(rule)
            .and_then(|rest| rest.strip_prefix('.'));
        let one_word = own.is_some_and(|word| !word.is_empty() && !word.contains('.'));
        (!one_word).then(|| format!("{} is not `{rule}` and one word more", at(requirement)))
    }));
}

/// An alternative that neither memcached elects must at least be tried on the model by a test.
#[test]
fn every_alternative_and_deviation_is_had_by_a_dialect() {
    let dialects: Vec<Dialect> = Dialect::shipped_names()
        .iter()
        .filter_map(|name| Dialect::shipped(name))
        .collect();
    let tests = files("model/tests", &[".rs"]);
    none(REQUIREMENTS.iter().filter_map(|requirement| {
        let elected = format!("elect {}\"", requirement.name);
        let had = dialects.iter().any(|dialect| dialect.has(requirement))
            || tests.iter().any(|(_, text)| text.contains(&elected));
        (!had).then(|| format!("{} is had by no dialect", at(requirement)))
    }));
}

#[test]
fn every_header_names_dialects_that_ship() {
    none(exchanges().iter().flat_map(|exchange| {
        let unknown = exchange
            .header
            .dialects
            .iter()
            .filter(|name| Dialect::shipped(name).is_none());
        unknown.map(|name| format!("{}:{}: no dialect `{name}`", exchange.file, exchange.line))
    }));
}

#[test]
fn every_name_mentioned_anywhere_exists() {
    let files = files("", &[".rs", ".md", ".exchange", ".dialect", ".toml"]);
    none(files.iter().flat_map(|(path, text)| {
        (1..).zip(text.lines()).flat_map(move |(number, line)| {
            let unknown = mentions(line).filter(|name| find(name).is_none());
            unknown.map(move |name| format!("{path}:{number}: the law has no `{name}`"))
        })
    }));
}

#[test]
fn the_shipped_dialects_are_in_the_grammar() {
    for (name, text) in [
        ("memcached-1.6.45", Dialect::MEMCACHED_1_6_45),
        ("memcached-1.6.18", Dialect::MEMCACHED_1_6_18),
    ] {
        if let Err(error) = Dialect::parse(name, text) {
            panic!("spec/dialects/{name}.dialect: {error}");
        }
    }
}

/// The names of the law that a line mentions: in a marker, a citation, or between backquotes.
fn mentions(line: &str) -> impl Iterator<Item = &str> {
    let openings = ["r[", "a[", "d[", "req!(\"", "`"];
    openings.into_iter().flat_map(move |opening| {
        line.split(opening).skip(1).filter_map(move |rest| {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-/".contains(c)))?;
            let name = rest.get(..end)?;
            let own = CHAPTERS.iter().any(|chapter| {
                name.strip_prefix(&chapter.name.replace('/', "."))
                    .is_some_and(|rest| rest.starts_with('.'))
            });
            let file = [".md", ".rs", ".exchange"]
                .iter()
                .any(|ending| name.ends_with(ending));
            (own && !file && !name.ends_with('.')).then_some(name)
        })
    })
}
