//! What the store promises of its memory: the limit is kept, nothing is lost without need, and what
//! must go is what was wanted least.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use std::sync::Arc;

use server::store::{Configuration, Draft, Entry, Store, Tally};
use server::{Connection, Settings, Shared, Time};

const NOW: Time = Time::from_seconds(1_800_000_000);
const MEBIBYTE: usize = 1024 * 1024;

/// What an item is said to take beside its key and value.
const OVERHEAD_BYTES: usize = 28;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).expect("small")
    }
}

fn store(memory_bytes: usize) -> Store {
    Store::new(Configuration {
        memory_bytes,
        evicts: true,
        has_uniques: true,
    })
}

fn put(store: &Store, key: usize, len: usize) {
    let value = vec![1; len];
    let put = |entry: &mut Entry<'_>| entry.insert(Draft::new(&value));
    let stored = store.entry(&key.to_le_bytes(), NOW, put);
    stored.expect("it evicts");
}

/// Writes that together never keep more than four fifths of the memory alive.
struct Load {
    store: Store,
    lengths: HashMap<usize, usize>,
    live: usize,
    limit: usize,
    highest: usize,
}

impl Load {
    fn new(memory_bytes: usize) -> Self {
        Self {
            store: store(memory_bytes),
            lengths: HashMap::new(),
            live: 0,
            limit: memory_bytes,
            highest: 0,
        }
    }

    /// Puts a value, if it may live.
    fn put(&mut self, key: usize, len: usize) -> bool {
        let cost = |len| 8 + len + OVERHEAD_BYTES;
        let old = self.lengths.get(&key).map_or(0, |&len| cost(len));
        let live = self.live - old + cost(len);
        if live > self.limit / 10 * 8 {
            return false;
        }
        self.live = live;
        self.highest = self.highest.max(live);
        self.lengths.insert(key, len);
        put(&self.store, key, len);
        true
    }

    fn remove(&mut self, key: usize) {
        if let Some(len) = self.lengths.remove(&key) {
            self.live -= 8 + len + OVERHEAD_BYTES;
            self.store
                .entry(&key.to_le_bytes(), NOW, |entry| entry.remove());
        }
    }

    fn lost_nothing(&self, what: &str) {
        let tally = self.store.tally();
        let share = self.highest * 100 / self.limit;
        let copied = tally.copied_bytes as f64 / tally.set_bytes as f64;
        println!("{what}: {share} % live at most, {copied:.2} bytes copied per byte set");
        assert_eq!(tally.evictions, 0, "{what}: {tally:?}");
        assert_eq!(tally.items, self.lengths.len() as u64, "{what}");
        assert!(tally.used_bytes <= tally.limit_bytes, "{what}: {tally:?}");
        assert!(self.store.is_consistent(), "{what}: {tally:?}");
    }
}

/// Fills until no more may live.
fn filled(memory_bytes: usize, len: impl Fn(&mut Dice) -> usize) -> (Load, Dice, usize) {
    let (mut load, mut dice, mut keys) = (Load::new(memory_bytes), Dice(7), 0);
    loop {
        let length = len(&mut dice);
        if !load.put(keys, length) {
            return (load, dice, keys);
        }
        keys += 1;
    }
}

#[test]
fn overwrites_of_any_size_lose_nothing() {
    for longest in [60, 1000, 20_000, 8 * MEBIBYTE / 64] {
        let (mut load, mut dice, keys) = filled(8 * MEBIBYTE, |dice| dice.below(longest));
        for _ in 0..100_000_000 / (longest + 500) {
            let (key, len) = (dice.below(keys), dice.below(longest));
            load.put(key, len);
        }
        load.lost_nothing(&format!("values below {longest} B"));
    }
}

#[test]
fn one_hot_item_beside_cold_ones_loses_nothing() {
    let mut load = Load::new(8 * MEBIBYTE);
    let mut key = 0;
    while load.live < 8 * MEBIBYTE / 10 * 7 {
        load.put(key, 100);
        key += 1;
    }
    for round in 0..300_000 {
        load.put(usize::MAX, 1 + round % 20);
    }
    load.lost_nothing("a counter that changes its length beside 70 % that are cold");
}

/// As a client does it: numbers that stay as long as they are, and numbers that do not.
#[test]
fn one_hot_counter_beside_cold_items_loses_nothing() {
    const COUNT: usize = 200_000;
    let settings = Settings::parse(["-m", "8"]).expect("good options");
    let shared = Arc::new(Shared::new(settings, NOW));
    let mut client = Connection::new(Arc::clone(&shared));
    let mut ask = |line: &str| {
        client.receive(line.as_bytes(), NOW);
        client.transmit()
    };
    let value = "c".repeat(100);
    let is_cold = || {
        let tally = shared.store.tally();
        tally.used_bytes * 10 >= tally.limit_bytes * 7
    };
    let mut cold = 0;
    while !is_cold() {
        let stored = ask(&format!("set cold{cold} 0 0 100\r\n{value}\r\n"));
        assert_eq!(stored, "STORED\r\n");
        cold += 1;
    }
    for (what, start) in [("as long as before", "1000000"), ("longer each time", "9")] {
        ask(&format!("set hot 0 0 {}\r\n{start}\r\n", start.len()));
        let before = shared.store.tally();
        let mut number: u64 = start.parse().expect("a number");
        for _ in 0..COUNT {
            number += 1;
            assert_eq!(ask("incr hot 1\r\n"), format!("{number}\r\n"));
            if start.len() == 1 {
                number = 9;
                assert_eq!(ask("set hot 0 0 1\r\n9\r\n"), "STORED\r\n");
            }
        }
        let after = shared.store.tally();
        let copied = (after.copied_bytes - before.copied_bytes) as f64 / COUNT as f64;
        println!("{COUNT} incr of one key, {what}: {copied:.2} bytes copied for each");
        assert_eq!((after.items, after.evictions), (cold + 1, 0), "{after:?}");
        assert!(after.used_bytes <= after.limit_bytes, "{after:?}");
    }
    for key in 0..cold {
        let found = ask(&format!("get cold{key}\r\n"));
        assert_eq!(
            found,
            format!("VALUE cold{key} 0 100\r\n{value}\r\nEND\r\n")
        );
    }
    assert!(shared.store.is_consistent());
}

#[test]
fn sizes_that_halve_and_double_lose_nothing() {
    let (mut load, mut dice, keys) = filled(8 * MEBIBYTE, |dice| 100 + dice.below(300));
    for round in 0..8 {
        for key in 0..keys {
            let len = load.lengths.get(&key).copied().unwrap_or(100);
            let len = if round % 2 == 0 { len / 2 } else { len * 2 };
            load.put(key, len);
        }
        for _ in 0..keys {
            let (key, len) = (dice.below(keys), 50 + dice.below(400));
            load.put(key, len);
        }
    }
    load.lost_nothing("sizes that halve and double");
}

#[test]
fn items_that_come_and_go_lose_nothing() {
    let (mut load, mut dice, mut keys) = filled(8 * MEBIBYTE, |dice| dice.below(2000));
    for _ in 0..100_000 {
        let gone = dice.below(keys);
        load.remove(gone);
        if load.put(keys, dice.below(2000)) {
            keys += 1;
        }
    }
    load.lost_nothing("items that come and go");
}

#[test]
fn values_that_grow_lose_nothing() {
    let (mut load, mut dice, keys) = filled(8 * MEBIBYTE, |dice| dice.below(500));
    for _ in 0..200_000 {
        let key = dice.below(keys);
        let len = load.lengths.get(&key).copied().unwrap_or(0);
        let len = if len > 3000 {
            0
        } else {
            len + 1 + dice.below(40)
        };
        if !load.put(key, len) {
            load.put(key, 0);
        }
    }
    load.lost_nothing("values that are appended to");
}

#[test]
fn two_threads_lose_nothing() {
    const KEYS: usize = 20_000;
    let limit = 8 * MEBIBYTE;
    let store = store(limit);
    let longest = limit / 10 * 8 / KEYS / 2 - 8 - OVERHEAD_BYTES;
    std::thread::scope(|scope| {
        for half in 0..2 {
            let store = &store;
            scope.spawn(move || {
                let mut dice = Dice(11 + half as u64);
                for round in 0..200_000 {
                    let key = if round < KEYS {
                        round
                    } else {
                        dice.below(KEYS)
                    };
                    put(
                        store,
                        half * KEYS + key,
                        longest / 2 + dice.below(longest / 2),
                    );
                }
            });
        }
    });
    let tally = store.tally();
    assert_eq!(tally.evictions, 0, "{tally:?}");
    assert_eq!(tally.items, 2 * KEYS as u64, "{tally:?}");
    assert!(store.is_consistent(), "{tally:?}");
}

#[test]
fn whatever_is_stored_the_limit_is_kept_after_every_operation() {
    let keeps = |tally: Tally| tally.used_bytes <= tally.limit_bytes;
    for (seed, limit) in [(1, MEBIBYTE), (2, 2 * MEBIBYTE), (3, 16 * MEBIBYTE)] {
        let store = store(limit);
        let mut dice = Dice(seed);
        for _ in 0..20_000 {
            let longest = [40, 400, 4000, limit / 64][dice.below(4)];
            put(&store, dice.below(5000), dice.below(longest));
            assert!(keeps(store.tally()), "{:?}", store.tally());
        }
        for divisor in [2, 3, 1, 4] {
            store.set_limit(limit / divisor, NOW);
            assert!(keeps(store.tally()), "{:?}", store.tally());
            for _ in 0..2000 {
                put(&store, dice.below(5000), dice.below(400));
                assert!(keeps(store.tally()), "{:?}", store.tally());
            }
        }
        assert!(store.is_consistent());
    }
}

/// S3-FIFO, item by item, as its authors describe it.
#[derive(Default)]
struct Simulation {
    small: VecDeque<usize>,
    main: VecDeque<usize>,
    wanted: HashMap<usize, u8>,
    ghost: VecDeque<usize>,
    recalled: HashSet<usize>,
}

impl Simulation {
    fn hits(&mut self, key: usize, capacity: usize) -> bool {
        if let Some(frequency) = self.wanted.get_mut(&key) {
            *frequency = (*frequency + 1).min(3);
            return true;
        }
        while self.wanted.len() >= capacity {
            self.evict(capacity);
        }
        self.wanted.insert(key, 0);
        if self.recalled.remove(&key) {
            self.main.push_back(key);
        } else {
            self.small.push_back(key);
        }
        false
    }

    fn evict(&mut self, capacity: usize) {
        let from_small = self.small.len() > capacity / 20 || self.main.is_empty();
        let victim = if from_small {
            self.small.pop_front()
        } else {
            self.main.pop_front()
        };
        let Some(victim) = victim else { return };
        let frequency = self.wanted.get(&victim).copied().unwrap_or(0);
        if frequency > 0 {
            let left = if from_small { 0 } else { frequency - 1 };
            self.wanted.insert(victim, left);
            self.main.push_back(victim);
            return;
        }
        self.wanted.remove(&victim);
        if from_small {
            forget_beyond(&mut self.ghost, &mut self.recalled, capacity);
            self.ghost.push_back(victim);
            self.recalled.insert(victim);
        }
    }
}

fn forget_beyond<T: Eq + Hash>(queue: &mut VecDeque<T>, set: &mut HashSet<T>, count: usize) {
    while queue.len() >= count {
        if let Some(oldest) = queue.pop_front() {
            set.remove(&oldest);
        }
    }
}

/// Ranks wanted in proportion to 1 / rank^0.99.
fn zipf(keys: u32) -> impl FnMut(&mut Dice) -> usize {
    let mut sum = 0.0;
    let sums: Vec<f64> = (1..=keys)
        .map(|rank| {
            sum += f64::from(rank).powf(-0.99);
            sum
        })
        .collect();
    move |dice| {
        let share = dice.next() as f64 / (1_u64 << 53) as f64 * sum;
        sums.partition_point(|&other| other < share)
    }
}

#[test]
fn as_little_is_missed_as_an_exact_simulation_misses() {
    const REQUESTS: usize = 1_000_000;
    let (memory_bytes, len) = (4 * MEBIBYTE, 200);
    let store = store(memory_bytes);
    let mut simulation = Simulation::default();
    let capacity = memory_bytes / (8 + len + OVERHEAD_BYTES);
    let (mut dice, mut next) = (Dice(5), zipf(170_000));
    let (mut missed, mut should) = (0_u32, 0_u32);
    for request in 0..REQUESTS {
        let key = next(&mut dice);
        let counts = u32::from(request >= REQUESTS / 2);
        should += counts * u32::from(!simulation.hits(key, capacity));
        let hit = store.entry(&key.to_le_bytes(), NOW, |entry| {
            entry.mark_fetched();
            entry.item().is_some()
        });
        if !hit {
            missed += counts;
            put(&store, key, len);
        }
    }
    let times = f64::from(missed) / f64::from(should);
    println!("missed {missed}, simulated {should}: {times:.3} times");
    assert!(times < 1.05, "{missed} against {should}");
}
