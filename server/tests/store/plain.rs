//! A store and a plain map, to which the same is done: the store may forget, but never misremember.
//!
//! Who makes the steps is somebody else: proptest in `steps.rs`, and a fuzzer in `fuzz`.

use std::collections::BTreeMap;

use server::Time;
use server::store::{Configuration, Draft, Expiry, Marks, Store};

/// When it all begins.
pub(crate) const START: u64 = 1_800_000_000;

/// One thing that is done.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Put(Vec<u8>, Put),
    Change(Vec<u8>, Change),
    Remove(Vec<u8>),
    Pass(u64),
    Flush,
    FlushIn(u64),
}

/// What is stored.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) value: Vec<u8>,
    pub(crate) flags: u32,
    pub(crate) expiry: Ends,
    pub(crate) unique: Option<u64>,
    pub(crate) encoded: bool,
}

/// What is done to an item that is there.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Fetch,
    Touch(Ends),
    Stale,
    Win,
    Renumber(Option<u64>),
    Overwrite(u8, Option<u64>),
}

/// When an item ends: so many seconds from now, or at a given one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ends {
    In(u64),
    At(Expiry),
}

impl Ends {
    /// The same as a time.
    pub(crate) fn from(self, second: u64) -> Expiry {
        match self {
            Ends::In(seconds) => Expiry::at(second + seconds),
            Ends::At(expiry) => expiry,
        }
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

/// Both of them.
pub(crate) struct Trial {
    pub(crate) store: Store,
    known: BTreeMap<Vec<u8>, Known>,
    second: u64,
    pending: Option<u64>,
    /// How many items the store has forgotten.
    pub(crate) forgotten: usize,
}

impl Trial {
    pub(crate) fn new(memory_bytes: usize) -> Self {
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

    pub(crate) fn now(&self) -> Time {
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

    /// Does all of it, and compares what is held in the end.
    pub(crate) fn run(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
        assert!(self.store.is_consistent(), "{:?}", self.store.tally());
        let keys: Vec<Vec<u8>> = self.known.keys().cloned().collect();
        self.age();
        let mut shown = 0;
        self.store.visit_while(self.now(), |item| {
            let known = self.known.get(item.key()).expect("it was stored");
            assert_eq!(item.value(), known.value);
            shown += 1;
            true
        });
        assert!(shown <= self.known.len());
        for key in keys {
            self.compare(&key);
        }
    }
}
