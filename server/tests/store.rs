//! The store against a plain map: whatever is done, it may forget, but never misremember.

use std::collections::BTreeMap;

use server::Time;
use server::store::{Configuration, Draft, Expiry, Marks, Store};

const START: u64 = 1_800_000_000;
const KEYS: u64 = 40;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % count
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
    dice: Dice,
    second: u64,
    pending: Option<u64>,
    lengths: u64,
    forgotten: usize,
    dies: bool,
}

impl Trial {
    fn new(memory_bytes: usize, lengths: u64, seed: u64) -> Self {
        let configuration = Configuration {
            memory_bytes,
            evicts: true,
            has_uniques: true,
        };
        Self {
            store: Store::shaped(configuration, 2, 1024),
            known: BTreeMap::new(),
            dice: Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            second: START,
            pending: None,
            lengths,
            forgotten: 0,
            dies: true,
        }
    }

    fn now(&self) -> Time {
        Time::from_seconds(self.second)
    }

    fn key(&mut self) -> Vec<u8> {
        let number = self.dice.below(KEYS);
        let length = usize::try_from(number * 6 % 230).expect("small");
        let mut key = format!("{number}:").into_bytes();
        key.resize(key.len() + length, b'k');
        key
    }

    fn expiry(&mut self) -> Expiry {
        match self.dice.below(5) {
            0 if self.dies => Expiry::at(self.second + self.dice.below(5)),
            1 => Expiry::at(0xeffe_ffff + self.dice.below(4) * 0x1_0000),
            2 => Expiry::at(u64::MAX - 1 - self.dice.below(3)),
            _ => Expiry::NEVER,
        }
    }

    /// A unique that a client may choose, where it chooses one.
    fn chosen(&mut self) -> Option<u64> {
        match self.dice.below(16) {
            0 => Some(u64::MAX - self.dice.below(9)),
            1 => Some((1 << 47) - 4 + self.dice.below(9)),
            2 => Some(self.dice.below(9)),
            _ => None,
        }
    }

    fn value(&mut self) -> Vec<u8> {
        let length = usize::try_from(self.dice.below(self.lengths)).expect("small");
        let byte = u8::try_from(self.dice.below(256)).expect("a byte");
        vec![byte; length]
    }

    fn draft<'a>(&mut self, value: &'a [u8]) -> Draft<'a> {
        Draft {
            value,
            flags: u32::try_from(self.dice.below(3)).expect("small") * 77,
            expiry: self.expiry(),
            unique: self.chosen(),
            marks: Marks {
                encoded: self.dice.below(2) == 0,
                ..Marks::default()
            },
        }
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

    fn put(&mut self, key: &[u8]) {
        let value = self.value();
        let draft = self.draft(&value);
        let mut known = Known {
            value: draft.value.to_vec(),
            flags: draft.flags,
            expiry: draft.expiry,
            unique: 0,
            marks: draft.marks,
            accessed: self.second,
        };
        let chosen = draft.unique;
        let stored = self
            .store
            .entry(key, self.now(), |entry| entry.insert(draft));
        known.unique = stored.expect("it evicts");
        assert!(chosen.is_none_or(|chosen| chosen == known.unique));
        self.known.insert(key.to_vec(), known);
        self.age();
    }

    /// Does something to an item that is there, in the store and in the map.
    fn change(&mut self, key: &[u8]) {
        let Some(mut known) = self.known.get(key).cloned() else {
            return;
        };
        let (what, expiry, chosen) = (self.dice.below(6), self.expiry(), self.chosen());
        let second = self.second;
        self.store.entry(key, self.now(), |entry| {
            if entry.item().is_none() {
                return;
            }
            match what {
                0 => {
                    entry.mark_fetched();
                    known.marks.fetched = true;
                    known.accessed = second;
                }
                1 => {
                    entry.set_expiry(expiry);
                    known.expiry = expiry;
                }
                2 => {
                    known.marks.stale = !known.marks.stale;
                    entry.mark_stale(known.marks.stale);
                }
                3 => {
                    known.marks.won = !known.marks.won;
                    entry.mark_won(known.marks.won);
                }
                4 => known.unique = entry.renumber(chosen),
                _ => {
                    known.value.fill(b'o');
                    known.unique = entry.overwrite(&known.value, chosen);
                }
            }
        });
        self.known.insert(key.to_vec(), known);
        self.age();
    }

    fn step(&mut self) {
        self.age();
        let key = self.key();
        self.compare(&key);
        match self.dice.below(100) {
            0..50 => self.put(&key),
            50..80 => self.change(&key),
            80..90 => {
                self.store.entry(&key, self.now(), |entry| entry.remove());
                self.known.remove(&key);
            }
            90..95 if self.dies => self.second += self.dice.below(3),
            95 if self.dies => {
                self.store.flush();
                self.known.clear();
                self.pending = None;
            }
            96 if self.dies => {
                let second = self.second + 1 + self.dice.below(3);
                self.store.flush_at(second);
                self.pending = Some(second);
            }
            _ => {}
        }
        self.compare(&key);
        let tally = self.store.tally();
        assert!(
            tally.used_bytes <= tally.limit_bytes + self.lengths,
            "{tally:?}"
        );
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
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

/// Fewer under an interpreter, which is some thousand times slower.
const fn steps(native: usize) -> usize {
    if cfg!(miri) { native / 400 } else { native }
}

#[test]
fn any_sequence_of_operations_is_as_a_plain_map_would_do_it() {
    for seed in 1..=8 {
        let mut trial = Trial::new(256 * 1024, 300, seed);
        trial.run(steps(4000));
        assert_eq!(trial.forgotten, 0, "seed {seed}: there was room for all");
    }
}

#[test]
fn under_pressure_it_forgets_but_never_misremembers() {
    let mut forgotten = 0;
    for seed in 1..=8 {
        for lengths in [60, 400, 3000] {
            let mut trial = Trial::new(24 * 1024, lengths, seed);
            trial.run(steps(4000));
            forgotten += trial.forgotten;
        }
    }
    assert!(forgotten > 0, "there was no pressure");
}

#[test]
fn limits_that_come_and_go_are_kept_at_once() {
    for seed in 1..=4 {
        let mut trial = Trial::new(64 * 1024, 400, seed);
        for limit in [32, 64, 16, 128, 20].map(|kibibytes| kibibytes * 1024) {
            trial.run(steps(500));
            trial.store.set_limit(limit, trial.now());
            let tally = trial.store.tally();
            assert!(tally.used_bytes <= tally.limit_bytes, "{tally:?}");
        }
    }
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
    for round in 0..steps(10_000) as u64 {
        store.entry(b"k", now, |entry| {
            let draft = Draft {
                value: &vec![1; usize::try_from(round % 7).expect("small")],
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
