//! The store against a plain map: whatever is done, it may forget, but never misremember.
//!
//! What is done is in `steps.rs`: proptest makes it, the same in every run, and shortens a sequence
//! that fails. What one thread does is here; what several do is in `loom` and `store_threads.rs`.

mod steps;

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{RngSeed, TestRunner};
use server::Time;
use server::store::{Configuration, Draft, Expiry, Marks, Store};

use steps::{Change, Put, Step, steps};

const START: u64 = 1_800_000_000;
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

/// What an item should be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    value: Vec<u8>,
    flags: u32,
    expiry: Expiry,
    unique: u64,
    marks: Marks,
    accessed: u64,
}

struct Trial {
    store: Store,
    known: BTreeMap<Vec<u8>, Known>,
    second: u64,
    pending: Option<u64>,
    forgotten: usize,
}

impl Trial {
    fn new(memory_bytes: usize) -> Self {
        let configuration = Configuration {
            memory_bytes,
            evicts: true,
            has_uniques: true,
        };
        Self {
            store: Store::shaped(configuration, 2, 1024),
            known: BTreeMap::new(),
            second: START,
            pending: None,
            forgotten: 0,
        }
    }

    fn now(&self) -> Time {
        Time::from_seconds(self.second)
    }

    /// Drops from the map what time and flushes have ended.
    fn age(&mut self) {
        if self.pending.is_some_and(|second| second <= self.second) {
            self.pending = None;
            self.known.clear();
        }
        let now = self.now();
        self.known.retain(|_, known| !known.expiry.has_passed(now));
    }

    /// Whether the store has exactly what the map has; tells what it forgot.
    fn compare(&mut self, key: &[u8]) {
        self.age();
        let now = self.now();
        let found = self.store.entry(key, now, |entry| {
            entry.item().map(|item| Known {
                value: item.value().to_vec(),
                flags: item.flags(),
                expiry: item.expiry(),
                unique: item.unique(),
                marks: item.marks(),
                accessed: item.accessed(),
            })
        });
        match found {
            Some(found) => assert_eq!(Some(&found), self.known.get(key), "misremembered"),
            None => self.forgotten += usize::from(self.known.remove(key).is_some()),
        }
    }

    fn put(&mut self, key: &[u8], put: &Put) {
        let marks = Marks {
            encoded: put.encoded,
            ..Marks::default()
        };
        let expiry = put.expiry.from(self.second);
        let draft = Draft {
            value: (&put.value).into(),
            flags: put.flags,
            expiry,
            unique: put.unique,
            marks,
        };
        let stored = self
            .store
            .entry(key, self.now(), |entry| entry.insert(draft));
        let unique = stored.expect("it evicts");
        assert!(put.unique.is_none_or(|chosen| chosen == unique));
        let known = Known {
            value: put.value.clone(),
            flags: put.flags,
            expiry,
            unique,
            marks,
            accessed: self.second,
        };
        self.known.insert(key.to_vec(), known);
        self.age();
    }

    /// Does something to an item that is there, in the store and in the map.
    fn change(&mut self, key: &[u8], change: &Change) {
        let Some(mut known) = self.known.get(key).cloned() else {
            return;
        };
        let second = self.second;
        self.store.entry(key, self.now(), |entry| {
            if entry.item().is_none() {
                return;
            }
            match change {
                Change::Fetch => {
                    entry.mark_fetched();
                    known.marks.fetched = true;
                    known.accessed = second;
                }
                Change::Touch(ends) => {
                    known.expiry = ends.from(second);
                    entry.set_expiry(known.expiry);
                }
                Change::Stale => {
                    known.marks.stale = !known.marks.stale;
                    entry.mark_stale(known.marks.stale);
                }
                Change::Win => {
                    known.marks.won = !known.marks.won;
                    entry.mark_won(known.marks.won);
                }
                Change::Renumber(chosen) => known.unique = entry.renumber(*chosen),
                Change::Overwrite(byte, chosen) => {
                    known.value.fill(*byte);
                    known.unique = entry.overwrite(&known.value, *chosen);
                }
            }
        });
        self.known.insert(key.to_vec(), known);
        self.age();
    }

    fn step(&mut self, step: &Step) {
        self.age();
        let key = match step {
            Step::Put(key, _) | Step::Change(key, _) | Step::Remove(key) => Some(key),
            Step::Pass(_) | Step::Flush | Step::FlushIn(_) => None,
        };
        if let Some(key) = key {
            self.compare(key);
        }
        let mut room = 0_u64;
        match step {
            Step::Put(key, put) => {
                self.put(key, put);
                room = put.value.len() as u64;
            }
            Step::Change(key, change) => self.change(key, change),
            Step::Remove(key) => {
                self.store.entry(key, self.now(), |entry| entry.remove());
                self.known.remove(key);
            }
            Step::Pass(seconds) => self.second += seconds,
            Step::Flush => {
                self.store.flush();
                self.known.clear();
                self.pending = None;
            }
            Step::FlushIn(seconds) => {
                // As who asks for a flush does: what the one before has hidden stays hidden.
                self.store.settle(self.now());
                self.store.flush_at(self.second + seconds);
                self.pending = Some(self.second + seconds);
            }
        }
        if let Some(key) = key {
            self.compare(key);
        }
        let tally = self.store.tally();
        assert!(tally.used_bytes <= tally.limit_bytes + room, "{tally:?}");
    }

    fn run(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
        assert!(self.store.is_consistent(), "{:?}", self.store.tally());
        let keys: Vec<Vec<u8>> = self.known.keys().cloned().collect();
        self.age();
        let mut shown = 0;
        for part in 0..self.store.parts() {
            self.store.visit(part, self.now(), |item| {
                let known = self.known.get(item.key()).expect("it was stored");
                assert_eq!(item.value(), known.value);
                shown += 1;
            });
        }
        assert!(shown <= self.known.len());
        for key in keys {
            self.compare(&key);
        }
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
                value: (&value).into(),
                flags: 0,
                expiry: Expiry::at(u64::MAX - 2 - round),
                unique: Some(u64::MAX - round),
                marks: Marks::default(),
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
