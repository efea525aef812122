//! The law's own evidence: every rule is shown and cited, and no chapter falls below its floors.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use common::{at, exchanges, files, none};
use spec::{CHAPTERS, Kind, REQUIREMENTS, Requirement, Witness};

/// How much of the law there must be in all.
const RULES_MIN: usize = 300;
const EXCHANGES_MIN: usize = 200;

/// A rule that only says there are alternatives is shown and cited through them.
#[test]
fn every_rule_has_the_evidence_of_its_witness_kind() {
    let shown: BTreeSet<String> = exchanges()
        .iter()
        .map(|exchange| exchange.requirement.name.to_owned())
        .collect();
    let model = citations("model/src");
    let mut judges = citations("conformance/src");
    judges.extend(citations("conformance/tests"));
    none(REQUIREMENTS.iter().filter_map(|requirement| {
        let missing = match requirement.witness {
            Witness::Exchange if !has(&shown, requirement) => "has no exchange",
            Witness::Exchange if !has(&model, requirement) => "is cited by no arm of the model",
            Witness::Exchange => return None,
            // Its rule's check shows it by failing: an excuse that nothing needs is an error there.
            _ if requirement.kind == Kind::Deviation => return None,
            Witness::History if !has(&judges, requirement) => "is judged over no history",
            Witness::Process if !has(&judges, requirement) => "is checked on no process",
            Witness::History | Witness::Process => return None,
        };
        Some(format!("{} {missing}", at(requirement)))
    }));
}

#[test]
fn every_exchange_expects_something() {
    none(exchanges().iter().filter_map(|exchange| {
        let expects = exchange.steps.iter().any(|step| {
            use spec::exchange::Action::{Closed, Expect, ExpectLater, Silent};
            matches!(step.action, Closed | Expect(_) | ExpectLater(_) | Silent)
        });
        (!expects).then(|| format!("{}:{}: expects nothing", exchange.file, exchange.line))
    }));
}

#[test]
fn no_chapter_falls_below_its_floors() {
    let floors = floors(include_str!("floors.toml"));
    let shown = exchanges();
    let cited = citations("model/src");
    let mut table = String::from("chapter             rules exchanges cited\n");
    none(CHAPTERS.iter().flat_map(|chapter| {
        let rules = chapter
            .requirements
            .iter()
            .filter(|r| r.kind == Kind::Rule)
            .count();
        let exchanges = shown
            .iter()
            .filter(|e| e.requirement.chapter == chapter.name)
            .count();
        let cited = chapter
            .requirements
            .iter()
            .filter(|r| cited.contains(r.name))
            .count();
        let _ = writeln!(
            table,
            "{:19} {rules:5} {exchanges:9} {cited:5}",
            chapter.name
        );
        let counted = [("rules", rules), ("exchanges", exchanges), ("cited", cited)];
        counted.into_iter().filter_map(|(what, count)| {
            let floor = floors.get(&(chapter.name.to_owned(), what.to_owned()));
            let floor = floor.copied().unwrap_or(usize::MAX);
            (count < floor).then(|| {
                format!(
                    "{}: {count} {what}, floor {floor} (spec/tests/floors.toml)",
                    chapter.name
                )
            })
        })
    }));
    println!("{table}");
    let rules = REQUIREMENTS
        .iter()
        .filter(|requirement| requirement.kind == Kind::Rule)
        .count();
    assert!(rules >= RULES_MIN, "{rules} rules of at least {RULES_MIN}");
    assert!(
        shown.len() >= EXCHANGES_MIN,
        "{} exchanges of {EXCHANGES_MIN}",
        shown.len()
    );
}

/// Whether the requirement, or one of its alternatives, is among these names.
fn has(names: &BTreeSet<String>, requirement: &Requirement) -> bool {
    let below = format!("{}.", requirement.name);
    let alternatives = REQUIREMENTS
        .iter()
        .filter(|named| named.kind == Kind::Alternative && named.name.starts_with(&below));
    names.contains(requirement.name)
        || alternatives
            .into_iter()
            .any(|alternative| names.contains(alternative.name))
}

/// Every name that a folder's code cites.
fn citations(folder: &str) -> BTreeSet<String> {
    let mut cited = BTreeSet::new();
    for (_, text) in files(folder, &[".rs"]) {
        for rest in text.split("req!(\"").skip(1) {
            if let Some((name, _)) = rest.split_once('"') {
                cited.insert(name.to_owned());
            }
        }
    }
    cited
}

/// `[chapter]` and `what = number` lines.
fn floors(text: &str) -> BTreeMap<(String, String), usize> {
    let mut chapter = String::new();
    let mut floors = BTreeMap::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(name) = line
            .strip_prefix("[\"")
            .and_then(|rest| rest.strip_suffix("\"]"))
        {
            name.clone_into(&mut chapter);
        } else if let Some((what, count)) = line.split_once('=') {
            let count = count.trim().parse().expect("a floor is a number");
            floors.insert((chapter.clone(), what.trim().to_owned()), count);
        }
    }
    floors
}
