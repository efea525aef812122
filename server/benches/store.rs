//! The figures of the store: bytes for an item, items in a limit, misses.
//!
//! `cargo bench -p server --bench store`, and behind `--` the names of some; a memcached beside
//! it, named by `MEMCACHED`, is sent the same stream of keys over loopback. What an operation takes
//! is in `operations.rs`.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench reads the clock and waits for its peer"
)]

use std::collections::HashSet;
use std::io::{BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::Duration;

use server::Time;
use server::store::{Configuration, Draft, Expiry, Marks, Store};

const NOW: Time = Time::from_seconds(1_800_000_000);
const MEBIBYTE: usize = 1024 * 1024;

fn main() {
    let figures: [(&str, fn()); 4] = [
        ("bytes", bytes_per_item),
        ("items", items_at_64),
        ("resident", resident),
        ("misses", misses),
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
        .entry(key, NOW, |entry| {
            entry.insert(Draft {
                value,
                flags: 0,
                expiry: Expiry::NEVER,
                unique: None,
                marks: Marks::default(),
            })
        })
        .expect("it evicts");
}

fn has(store: &Store, key: &[u8]) -> bool {
    store.entry(key, NOW, |entry| {
        let found = entry.item().is_some();
        entry.mark_fetched();
        found
    })
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

/// A stream of ranks, the n-th wanted in proportion to 1 / n^0.99.
struct Zipf {
    sums: Vec<f64>,
    state: u64,
}

impl Zipf {
    fn new(count: u32) -> Self {
        let mut sum = 0.0;
        let weigh = |rank: u32| {
            sum += f64::from(rank).powf(-0.99);
            sum
        };
        Self {
            sums: (1..=count).map(weigh).collect(),
            state: 88_172_645_463_325_252,
        }
    }

    fn next(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let share = (self.state >> 11) as f64 / (1_u64 << 53) as f64;
        let sum = share * self.sums.last().copied().unwrap_or(0.0);
        self.sums.partition_point(|&other| other < sum)
    }
}

/// Cache-aside over a million keys with memory for a tenth of them; the second half counts.
fn misses() {
    const REQUESTS: usize = 2_000_000;
    let length = 200;
    let memory_bytes = 24 * MEBIBYTE;
    let value = vec![b'v'; length];
    let store = store(memory_bytes);
    let mut zipf = Zipf::new(1_000_000);
    let mut missed = 0;
    for request in 0..REQUESTS {
        let key = key(zipf.next());
        if !has(&store, &key) {
            missed += usize::from(request >= REQUESTS / 2);
            put(&store, &key, &value);
        }
    }
    let share = missed as f64 / (REQUESTS / 2) as f64 * 100.0;
    let tally = store.tally();
    let copied = tally.copied_bytes as f64 / tally.set_bytes as f64;
    println!(
        "misses, zipf(0.99), 1M keys, -m 24: {share:.2} %; {copied:.2} bytes copied per byte set"
    );
    match peer_misses(REQUESTS, length) {
        Some(theirs) => println!(
            "misses, memcached, the same stream: {theirs:.2} %; ours are {:.1} % fewer",
            (1.0 - share / theirs) * 100.0
        ),
        None => println!("SKIPPED memcached beside it: name one by MEMCACHED"),
    }
}

/// The peer's misses, asked in batches: what a batch missed is stored behind it.
fn peer_misses(requests: usize, length: usize) -> Option<f64> {
    const BATCH: usize = 50;
    let program = std::env::var("MEMCACHED").ok()?;
    let arguments = ["-u", "root", "-l", "127.0.0.1", "-p", "21987", "-m", "24"];
    let mut child = Command::new(program).args(arguments).spawn().ok()?;
    let stream = connect(&mut child)?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = BufWriter::new(stream);
    let mut zipf = Zipf::new(1_000_000);
    let mut missed = 0;
    let value = vec![b'v'; length];
    for batch in 0..requests / BATCH {
        let keys: Vec<[u8; 20]> = (0..BATCH).map(|_| key(zipf.next())).collect();
        for key in &keys {
            writer
                .write_all(&[b"mg ", key.as_slice(), b"\r\n"].concat())
                .ok()?;
        }
        writer.flush().ok()?;
        let mut stored = HashSet::new();
        for key in &keys {
            let mut reply = [0; 4];
            reader.read_exact(&mut reply).ok()?;
            if &reply == b"EN\r\n" {
                missed += usize::from(batch * BATCH >= requests / 2 && stored.insert(*key));
                stored.insert(*key);
            }
        }
        for key in &stored {
            let head = format!(
                "set {} 0 0 {length} noreply\r\n",
                String::from_utf8_lossy(key)
            );
            writer
                .write_all(&[head.as_bytes(), &value, b"\r\n"].concat())
                .ok()?;
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Some(missed as f64 / (requests / 2) as f64 * 100.0)
}

fn connect(child: &mut Child) -> Option<TcpStream> {
    for _ in 0..100 {
        if let Ok(stream) = TcpStream::connect("127.0.0.1:21987") {
            return Some(stream);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    None
}
