//! The figures of the store: bytes for an item, items in a limit, misses.
//!
//! `cargo bench -p server --bench store`, and behind `--` the names of some. What is missed under
//! which load is in `eviction.rs`, what an operation takes in `operations.rs`.

#[path = "../common/mod.rs"]
mod common;
mod eviction;
mod simulated;

use nix::sys::time::TimeValLike as _;
use nix::time::ClockId;
use server::Time;
use server::store::{Configuration, Draft, Expiry, Store};

const NOW: Time = Time::from_seconds(1_800_000_000);
const MEBIBYTE: usize = 1024 * 1024;

fn main() {
    let figures: [(&str, fn()); 6] = [
        ("bytes", bytes_per_item),
        ("items", items_at_64),
        ("resident", resident),
        ("growth", growth),
        ("expiry", expiry),
        ("misses", eviction::misses),
    ];
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| wanted.iter().any(|word| word == name);
    let all = !figures.iter().any(|(name, _)| is_wanted(name));
    for (name, figure) in figures {
        if all || is_wanted(name) {
            figure();
        }
    }
}

fn store(memory_bytes: usize) -> Store {
    Store::new(Configuration {
        memory_bytes,
        evicts: true,
        has_uniques: true,
    })
}

fn key(number: usize) -> [u8; 20] {
    let mut key = *b"key:0000000000000000";
    let digits = number.to_string();
    let start = key.len() - digits.len();
    if let Some(place) = key.get_mut(start..) {
        place.copy_from_slice(digits.as_bytes());
    }
    key
}

fn put(store: &Store, key: &[u8], value: &[u8]) {
    store
        .entry(key, NOW, |entry| entry.insert(Draft::new(value)))
        .expect("it evicts");
}

fn has(store: &Store, key: &[u8]) -> bool {
    store.entry(key, NOW, |entry| {
        let found = entry.item().is_some();
        entry.mark_fetched();
        found
    })
}

/// What the slowest of many stores takes while the table grows under them, in several rounds: what
/// growth takes comes again in each, what the machine takes does not.
fn growth() {
    const COUNT: usize = 2_000_000;
    const ROUNDS: usize = 5;
    let mut slowest: Vec<i64> = Vec::new();
    let mut waits: Vec<i64> = Vec::with_capacity(COUNT * ROUNDS);
    let mut longer = 0;
    for _ in 0..ROUNDS {
        let store = store(1024 * MEBIBYTE);
        let mut most = 0;
        for number in 0..COUNT {
            let key = key(number);
            let [began, computed] = CLOCKS.map(microseconds);
            put(&store, &key, b"12345678");
            let [ended, computing] = CLOCKS.map(microseconds);
            waits.push(ended - began);
            most = most.max(computing - computed);
            longer += usize::from(computing - computed > 1000);
        }
        slowest.push(most);
    }
    slowest.sort_unstable();
    waits.sort_unstable();
    let rare = waits.len() - waits.len() / 10_000;
    println!(
        "growth, {ROUNDS} times {COUNT} stores into an empty store: the slowest of a round took \
         {slowest:?} us of its thread's own time, {longer} of all above 1 ms; by the clock p99.99 \
         {} us",
        waits.get(rare).copied().unwrap_or(0)
    );
}

/// How many slices of the sweep give all memory of expired items back, and what the longest takes.
fn expiry() {
    let store = store(64 * MEBIBYTE);
    for number in 0..300_000 {
        store
            .entry(&key(number), NOW, |entry| {
                entry.insert(Draft {
                    expiry: Expiry::at(NOW.seconds() + 1),
                    ..Draft::new(&[b'v'; 100])
                })
            })
            .expect("it evicts");
    }
    let later = Time::from_seconds(NOW.seconds() + 1);
    let (mut slices, mut longest) = (0, 0);
    let before = store.tally();
    while store.tally().items > 0 && slices < 10_000 {
        let began = busy_microseconds();
        store.sweep(1024, later);
        longest = longest.max(busy_microseconds() - began);
        slices += 1;
    }
    let after = store.tally();
    println!(
        "expiry, {} items of 100 B at once: {} of {} MiB back after {slices} slices over {} parts, \
         {longest} us the longest",
        before.items,
        (before.used_bytes - after.used_bytes) / MEBIBYTE as u64,
        before.used_bytes / MEBIBYTE as u64,
        store.parts(),
    );
}

/// The time that goes by, and what this thread has computed: time that others took is not in that.
const CLOCKS: [ClockId; 2] = [ClockId::CLOCK_MONOTONIC, ClockId::CLOCK_THREAD_CPUTIME_ID];

fn microseconds(clock: ClockId) -> i64 {
    clock
        .now()
        .expect("there is such a clock")
        .num_microseconds()
}

fn busy_microseconds() -> i64 {
    microseconds(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// What an item takes beyond its key and value, at the worst of these counts.
fn bytes_per_item() {
    for length in [8, 100] {
        let value = vec![b'v'; length];
        let before = resident_bytes();
        let store = store(1024 * MEBIBYTE);
        let (mut worst, mut least): (f64, f64) = (0.0, f64::MAX);
        let mut resident: f64 = 0.0;
        let mut next = 500_000;
        let mut counts = 0;
        for number in 1..=2_000_000_usize {
            put(&store, &key(number), &value);
            if number == next {
                let taken = store.tally().used_bytes as f64 / number as f64;
                worst = worst.max(taken - (20 + length) as f64);
                least = least.min(taken - (20 + length) as f64);
                let grown = resident_bytes().saturating_sub(before) as f64 / number as f64;
                resident = resident.max(grown - (20 + length) as f64);
                next += next / 10;
                counts += 1;
            }
        }
        println!(
            "bytes per item beyond key and value ({length} B values, {counts} counts \
             from 0.5 to 2 million): {worst:.1} at worst, {least:.1} at best; \
             by resident memory {resident:.1} at worst"
        );
    }
}

/// How many items a store of 64 MiB holds.
fn items_at_64() {
    for (length, theirs) in [
        (8, 690_000.0),
        (32, 552_000.0),
        (100, 350_000.0),
        (1000, 57_000.0),
    ] {
        let store = store(64 * MEBIBYTE);
        let value = vec![b'v'; length];
        for number in 0..1_500_000 {
            put(&store, &key(number), &value);
        }
        let items = store.tally().items;
        let times = items as f64 / theirs;
        println!("items at -m 64 ({length} B values): {items}, {times:.2} x memcached's");
    }
}

/// What the process takes when a store of 64 MiB is full, after four mixes of sizes.
fn resident() {
    let before = resident_bytes();
    let store = store(64 * MEBIBYTE);
    for length in [8, 1000, 32, 20_000, 100, 300] {
        let value = vec![b'v'; length];
        for number in 0..(100 * MEBIBYTE / (length + 40)) {
            put(&store, &key(number), &value);
        }
    }
    let grown = resident_bytes().saturating_sub(before) as f64 / MEBIBYTE as f64;
    let used = store.tally().used_bytes as f64 / MEBIBYTE as f64;
    println!(
        "resident at -m 64, full, after six sizes: {grown:.1} MiB more, {used:.1} MiB counted"
    );
}

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}
