//! What is checked in of the implementations in our matrix still means something: each dialect and
//! each baseline is read as `touchstone check` reads it, so that a rule cannot be renamed below it.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use conformance::baseline::Baseline;
use conformance::cases::{self, Case};
use conformance::faults;
use spec::Dialect;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/matrix");

/// How many files there are, and what is wrong with any.
fn read(ending: &str, problem: impl Fn(&str, &str) -> Option<String>) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(FOLDER)? {
        let path = entry?.path();
        if path.extension().is_none_or(|found| found != ending) {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let problem = problem(&name, &fs::read_to_string(&path)?);
        assert_eq!(problem, None, "{}", path.display());
        names.push(name.into_owned());
    }
    Ok(names)
}

#[test]
fn every_dialect_names_what_the_law_has() {
    let names = read("dialect", |name, text| {
        let dialect = Dialect::parse(name, text);
        dialect.err().map(|error| error.to_string())
    });
    for name in names.expect("they can be read") {
        let starts = Path::new(FOLDER).join(&name);
        assert!(starts.is_file(), "nothing starts {name}");
    }
}

#[test]
fn every_baseline_names_rules_and_cases_that_there_are() {
    let exchanges = cases::all().expect("the law can be read");
    let faults = faults::all();
    let names = read("toml", |_, text| {
        let baseline = match Baseline::parse(text) {
            Ok(baseline) => baseline,
            Err(problem) => return Some(problem),
        };
        let faults = faults.iter().map(|fault| Case::Fault(fault));
        let cases = exchanges.iter().map(Case::Exchange).chain(faults);
        baseline.stranger(cases).map(ToOwned::to_owned)
    });
    let names: BTreeSet<String> = names.expect("they can be read").into_iter().collect();
    let known = ["nodecached", "nutcracker", "yrmcds"].map(ToOwned::to_owned);
    assert!(names.is_superset(&known.into()), "{names:?}");
}

#[test]
fn every_entry_says_what_kind_of_divergence_it_is() {
    let kinds = ["bug:", "unsupported:", "dialect:"];
    let names = read("toml", |_, text| {
        let baseline = Baseline::parse(text).ok()?;
        let kind = |reason: &str| kinds.iter().any(|kind| reason.starts_with(kind));
        let without = baseline.entries.iter().find(|entry| !kind(&entry.reason))?;
        Some(format!("{}: {}", without.subject(), without.reason))
    });
    assert!(!names.expect("they can be read").is_empty());
}
