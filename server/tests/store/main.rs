//! The store against a plain map: whatever is done, it may forget, but never misremember.
//!
//! What is done is in `steps.rs`: proptest makes it, the same in every run, and shortens a sequence
//! that fails. The map is in `plain.rs`. What one thread does is here; what several do is in `loom`
//! and `store_threads.rs`.

mod plain;
mod steps;

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngSeed, TestRunner};
use server::Time;
use server::store::{Configuration, Draft, Expiry, Place, Store};

use plain::{START, Trial};
use steps::steps;

/// Fewer under an interpreter, which is some thousand times slower.
const CASES: u32 = if cfg!(miri) { 2 } else { 128 };

/// Holds for all of these.
fn always<S: Strategy>(strategy: &S, holds: impl Fn(S::Value)) {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: CASES,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(strategy, |value| {
        holds(value);
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}

#[test]
fn any_sequence_of_operations_is_as_a_plain_map_would_do_it() {
    always(&steps(300), |steps| {
        let mut trial = Trial::new(256 * 1024);
        trial.run(&steps);
        assert_eq!(trial.forgotten, 0, "there was room for all");
    });
}

#[test]
fn under_pressure_it_forgets_but_never_misremembers() {
    for lengths in [60, 400, 3000] {
        let forgotten = Cell::new(0);
        always(&steps(lengths), |steps| {
            let mut trial = Trial::new(24 * 1024);
            trial.run(&steps);
            forgotten.set(forgotten.get() + trial.forgotten);
        });
        let fits = cfg!(miri) || lengths == 60;
        assert!(fits || forgotten.get() > 0, "there was no pressure");
    }
}

#[test]
fn limits_that_come_and_go_are_kept_at_once() {
    let limit = select(vec![16, 20, 32, 64, 128]).prop_map(|kibibytes| kibibytes * 1024);
    always(&vec((steps(400), limit), 1..4), |rounds| {
        let mut trial = Trial::new(64 * 1024);
        for (steps, limit) in rounds {
            trial.run(&steps);
            trial.store.set_limit(limit, trial.now());
            let tally = trial.store.tally();
            assert!(tally.used_bytes <= tally.limit_bytes, "{tally:?}");
        }
    });
}

/// Tables grow and shrink meanwhile, and what is there is written elsewhere.
#[test]
fn a_look_at_all_items_shows_what_is_there_all_the_while_once() {
    const KEPT: u64 = if cfg!(miri) { 40 } else { 300 };
    const ROUNDS: u64 = if cfg!(miri) { 2 } else { 200 };
    const OTHERS: u64 = 8 * KEPT;
    let configuration = Configuration {
        memory_bytes: 1024 * 1024,
        evicts: true,
        has_uniques: true,
    };
    let store = Store::shaped(configuration, 2, 1024);
    let now = Time::from_seconds(START);
    let put = |key: u64, len: usize| {
        let value = vec![1; len];
        store.entry(&key.to_le_bytes(), now, |entry| {
            let stored = entry.insert(Draft::new(&value));
            stored.map(drop).expect("there is room");
        });
    };
    (0..KEPT).for_each(|key| put(key, 20));
    let mut others = 0;
    for round in 0..ROUNDS {
        let mut shown = BTreeMap::<Vec<u8>, u32>::new();
        let mut next = Some(Place::default());
        while let Some(place) = next {
            next = store.visit(place, now, |item| {
                *shown.entry(item.key().to_vec()).or_default() += 1;
            });
            for step in 0..OTHERS / 10 {
                put(
                    (step * 7 + others) % KEPT,
                    20 + usize::try_from(others % 8).expect("small"),
                );
                others = if round % 2 == 0 {
                    put(KEPT + others, 0);
                    OTHERS.min(others + 1)
                } else {
                    let key = (KEPT + others).to_le_bytes();
                    store.entry(&key, now, |entry| entry.remove());
                    others.saturating_sub(1)
                };
            }
        }
        let all_kept = (0..KEPT).all(|key| shown.contains_key(&key.to_le_bytes()[..]));
        assert!(all_kept, "round {round}");
        assert!(shown.values().all(|&times| times == 1), "round {round}");
    }
    let tally = store.tally();
    assert!(store.is_consistent() && tally.evictions == 0, "{tally:?}");
}

#[test]
fn numbers_too_long_for_a_record_are_let_go_with_it() {
    let configuration = Configuration {
        memory_bytes: 1024 * 1024,
        evicts: true,
        has_uniques: true,
    };
    let store = Store::shaped(configuration, 1, 4096);
    let now = Time::from_seconds(START);
    for round in 0..if cfg!(miri) { 25 } else { 10_000_u64 } {
        store.entry(b"k", now, |entry| {
            let value = vec![1; usize::try_from(round % 7).expect("small")];
            let draft = Draft {
                expiry: Expiry::at(u64::MAX - 2 - round),
                unique: Some(u64::MAX - round),
                ..Draft::new(&value)
            };
            entry.insert(draft).expect("it evicts");
            entry.renumber(Some(u64::MAX - round - 1));
            entry.set_expiry(Expiry::at(u64::MAX - 1 - round));
            let item = entry.item().expect("it was stored");
            assert_eq!(item.unique(), u64::MAX - round - 1);
            assert_eq!(item.expiry(), Expiry::at(u64::MAX - 1 - round));
        });
        store.entry(b"gone", now, |entry| {
            entry.remove();
        });
    }
    let tally = store.tally();
    assert!(tally.bytes < 4096, "{tally:?}");
}
