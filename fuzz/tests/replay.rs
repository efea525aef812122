//! Every fuzz function over its seeds, on stable.

use std::fmt::Write as _;
use std::panic::catch_unwind;

use fuzz::seeds::{TARGETS, seeds};

#[test]
fn the_examples_of_the_law_break_no_promise() {
    let mut problems = String::new();
    for (name, target) in TARGETS {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seed");
        for seed in seeds {
            if catch_unwind(|| target(&seed)).is_err() {
                let _ = writeln!(problems, "{name}: {}", seed.escape_ascii());
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn every_target_is_fuzzed() {
    let manifest = include_str!("../Cargo.toml");
    for (name, _) in TARGETS {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} has no binary"
        );
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
    let floors = include_str!("../floors")
        .lines()
        .filter(|line| !line.starts_with('#'));
    let named: Vec<_> = floors
        .filter_map(|line| line.split_once(' '))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(named, TARGETS.map(|(name, _)| name), "fuzz/floors");
}
