//! The figures of the store: bytes for an item, items in a limit, misses.
//!
//! `cargo bench -p server --bench store`, and behind `--` the names of some; behind `misses`, words
//! of the names of loads. What is missed under which load is in `eviction.rs`, what an operation
//! takes in `operations.rs`. A memcached stands beside them: that which `MEMCACHED` names, or the
//! one in the path.

#[path = "../common/mod.rs"]
mod common;
mod eviction;
mod loads;
mod peer;
#[path = "../common/simple.rs"]
mod simple;
mod simulated;

use nix::sys::time::TimeValLike as _;
use nix::time::ClockId;
use peer::Peer;
use server::Time;
use server::store::{Configuration, Draft, Expiry, Store};
use simple::Simple;

const NOW: Time = Time::from_seconds(1_800_000_000);
const MEBIBYTE: usize = 1024 * 1024;

fn main() {
    match peer::name() {
        Some((_, version)) => println!("beside {version}"),
        None => println!("SKIPPED memcached: there is none in the path, and MEMCACHED names none"),
    }
    let figures: [(&str, fn()); 7] = [
        ("bytes", bytes_per_item),
        ("items", items_at_64),
        ("resident", resident),
        ("growth", growth),
        ("expiry", expiry),
        ("counter", counter),
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

/// What one hot counter costs beside 70 % that are cold: numbers that stay as long as they are, and
/// numbers that become longer each time.
fn counter() {
    const COUNT: usize = 1_000_000;
    let store = store(64 * MEBIBYTE);
    let mut cold = 0;
    while store.tally().used_bytes * 10 < store.tally().limit_bytes * 7 {
        (cold..cold + 1000).for_each(|number| put(&store, &key(number), &[b'c'; 100]));
        cold += 1000;
    }
    for (what, is_longer) in [("as long as before", false), ("longer each time", true)] {
        put(&store, b"counter", b"9");
        let before = store.tally().copied_bytes;
        for number in 0..COUNT {
            let digits = if is_longer { [b'1'; 20] } else { [b'2'; 20] };
            let len = if is_longer { 1 + number % 20 } else { 20 };
            store.entry(b"counter", NOW, |entry| {
                let digits = digits.get(..len).unwrap_or_default();
                let is_as_long = entry.item().is_some_and(|item| item.value().len() == len);
                if is_as_long {
                    entry.overwrite(digits, None);
                } else {
                    entry.insert(Draft::new(digits)).expect("it evicts");
                }
            });
        }
        let tally = store.tally();
        println!(
            "counter, {what}, {COUNT} incr beside {cold} cold items: {:.3} bytes copied for each, \
             {} items lost",
            (tally.copied_bytes - before) as f64 / COUNT as f64,
            tally.evictions
        );
    }
}

/// So many items are counted at: from half a million to two, in steps of a tenth.
fn counts() -> impl Iterator<Item = usize> {
    std::iter::successors(Some(500_000), |count| Some(count + count / 10))
        .take_while(|&count| count <= 2_000_000)
}

/// The most that an item takes beyond its key and value at any of these counts, where one is
/// stored after the other and somebody tells what all take.
fn worst(length: usize, mut fill: impl FnMut(usize, usize), taken: impl Fn() -> usize) -> f64 {
    let (mut worst, mut stored) = (0.0_f64, 0);
    for count in counts() {
        fill(stored, count);
        stored = count;
        worst = worst.max(taken() as f64 / count as f64 - (20 + length) as f64);
    }
    worst
}

/// What an item takes beyond its key and value, at the worst of some counts: ours, the simple store
/// it began as, and memcached.
fn bytes_per_item() {
    for length in [8, 100] {
        let value = vec![b'v'; length];
        let store = store(1024 * MEBIBYTE);
        let fill = |from, to| (from..to).for_each(|number| put(&store, &key(number), &value));
        let counted = worst(length, fill, || {
            usize::try_from(store.tally().used_bytes).expect("it fits")
        });
        drop(store);
        let before = resident_bytes();
        let simple = Simple::new();
        let fill = |from, to| {
            (from..to).for_each(|number| simple.put(&key(number), &value, NOW.seconds()))
        };
        let simply = worst(length, fill, || resident_bytes().saturating_sub(before));
        drop(simple);
        let theirs = Peer::start(1024).map_or("SKIPPED".into(), |peer| {
            let before = peer.resident_bytes();
            let fill = |from, to| {
                let filled = peer.fill((from..to).map(key), length);
                filled.expect("it reads");
            };
            let taken = || peer.resident_bytes().saturating_sub(before);
            format!("{:.1}", worst(length, fill, taken))
        });
        println!(
            "bytes per item beyond key and value ({length} B values, the worst of {} counts from \
             0.5 to 2 million): {counted:.1}, all of it counted; by resident memory the simple \
             store {simply:.1}, memcached {theirs}",
            counts().count(),
        );
    }
}

/// How many items a store of 64 MiB holds, and how many memcached does.
fn items_at_64() {
    const COUNT: usize = 1_500_000;
    for length in [8, 32, 100, 1000] {
        let store = store(64 * MEBIBYTE);
        let value = vec![b'v'; length];
        let count = COUNT.min(400 * MEBIBYTE / (length + 40));
        (0..count).for_each(|number| put(&store, &key(number), &value));
        let items = store.tally().items;
        let beside = Peer::start(64).map_or("memcached SKIPPED".into(), |peer| {
            peer.fill((0..count).map(key), length).expect("it reads");
            let theirs = peer.stat("curr_items").expect("it tells");
            format!(
                "memcached {theirs}, {:.2} x that",
                items as f64 / theirs as f64
            )
        });
        println!("items at -m 64 ({length} B values, {count} stored): {items}; {beside}");
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
    resident_bytes_of("self")
}

fn resident_bytes_of(process: &str) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}
