//! What is missed under which load: by ours, by its policy alone (`simulated.rs`), and by a
//! memcached; each is sent the same.
//!
//! Cache-aside: what a get misses is stored. Three million requests, of which the second half
//! counts; memory for a share of the keys. The memcached is named by `MEMCACHED`, and asked over
//! loopback. It never judges: it prints.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench is told by its environment"
)]

use std::collections::HashSet;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::process::Command;

use super::common::{connect, free_port};
use super::simulated::Simulated;
use super::{has, key, put, store};

const REQUESTS: usize = 3_000_000;
const KEYS: u32 = 1_000_000;
const VALUE_LEN: usize = 200;

/// Memory for all keys, in KiB.
const FOOTPRINT: usize = 240 * 1024;

/// What is asked for beside keys of a Zipf distribution.
#[derive(Clone, Copy)]
enum Beside {
    Nothing,
    /// Every fifth request is for a key that nobody asked for before.
    Scan,
    /// Every other request stores.
    Stores,
    /// All keys one after another, again and again, and nothing else.
    Loop(usize),
}

/// A load: its name, how skewed it is, the share of its keys there is memory for in percent, and
/// what else is asked for.
struct Load(&'static str, f64, usize, Beside);

const LOADS: [Load; 15] = [
    Load("zipf 0.7", 0.7, 1, Beside::Nothing),
    Load("zipf 0.7", 0.7, 10, Beside::Nothing),
    Load("zipf 0.7", 0.7, 30, Beside::Nothing),
    Load("zipf 0.9", 0.9, 1, Beside::Nothing),
    Load("zipf 0.9", 0.9, 10, Beside::Nothing),
    Load("zipf 0.9", 0.9, 30, Beside::Nothing),
    Load("zipf 0.99", 0.99, 1, Beside::Nothing),
    Load("zipf 0.99", 0.99, 10, Beside::Nothing),
    Load("zipf 0.99", 0.99, 30, Beside::Nothing),
    Load("zipf 1.2", 1.2, 1, Beside::Nothing),
    Load("zipf 1.2", 1.2, 10, Beside::Nothing),
    Load("zipf 1.2", 1.2, 30, Beside::Nothing),
    Load("zipf 0.99, a fifth scans", 0.99, 10, Beside::Scan),
    Load("zipf 0.99, half stores", 0.99, 10, Beside::Stores),
    Load("a loop, 90 % fit", 0.99, 10, Beside::Loop(111_000)),
];

impl Load {
    fn memory_bytes(&self) -> usize {
        self.2 * FOOTPRINT / 100 * 1024
    }

    /// What is missed, in percent, by who tells of a key, and whether it is stored, whether it was
    /// missed.
    fn missed(&self, mut asked: impl FnMut(usize, bool) -> bool) -> f64 {
        let mut stream = Stream::new(self);
        let (mut gets, mut missed) = (0, 0);
        for request in 0..REQUESTS {
            let (number, is_store) = stream.next(request);
            let is_miss = asked(number, is_store);
            if request >= REQUESTS / 2 {
                gets += usize::from(!is_store);
                missed += usize::from(is_miss);
            }
        }
        missed as f64 / gets as f64 * 100.0
    }
}

/// What ours misses, beside the others.
pub(super) fn misses() {
    for load in &LOADS {
        let Load(name, _, percent, _) = load;
        let (ours, copied, largest) = our_misses(load);
        let simulated = simulated_misses(load);
        let more = (ours / simulated - 1.0) * 100.0;
        let theirs = match peer_misses(load) {
            Some(theirs) => format!(
                "; memcached {theirs:.2} %, ours {:.1} % fewer, {:+.2} points of hits",
                (1.0 - ours / theirs) * 100.0,
                theirs - ours
            ),
            None => String::new(),
        };
        println!(
            "misses, {name}, {percent} % fit: {ours:.2} %; simulated {simulated:.2} %, \
             {more:+.1} % of that{theirs}; {copied:.2} bytes copied per byte set, \
             {largest} KiB at most in one request"
        );
    }
    if std::env::var("MEMCACHED").is_err() {
        println!("SKIPPED memcached beside it: name one by MEMCACHED");
    }
}

/// What is missed, in percent; what is copied for each byte that is set; and what is copied at most
/// within one request, in KiB.
fn our_misses(load: &Load) -> (f64, f64, u64) {
    let store = store(load.memory_bytes());
    let value = vec![b'v'; VALUE_LEN];
    let (mut copied, mut largest) = (0, 0);
    let share = load.missed(|number, is_store| {
        let key = key(number);
        let is_miss = !is_store && !has(&store, &key);
        if is_miss || is_store {
            put(&store, &key, &value);
            let sum = store.tally().copied_bytes;
            largest = largest.max(sum - copied);
            copied = sum;
        }
        is_miss
    });
    let per_byte = copied as f64 / store.tally().set_bytes as f64;
    (share, per_byte, largest.div_ceil(1024))
}

/// What the policy by itself misses, in percent.
fn simulated_misses(load: &Load) -> f64 {
    let mut policy = Simulated::new(load.memory_bytes(), key(0).len() + VALUE_LEN);
    load.missed(|number, is_store| {
        let is_miss = !is_store && !policy.has(number);
        if is_miss || is_store {
            policy.put(number);
        }
        is_miss
    })
}

/// The requests of a load: ranks, the n-th wanted in proportion to 1 / n to some power.
struct Stream {
    sums: Vec<f64>,
    beside: Beside,
    state: u64,
    fresh: usize,
}

impl Stream {
    fn new(load: &Load) -> Self {
        let mut sum = 0.0;
        let weigh = |rank: u32| {
            sum += f64::from(rank).powf(-load.1);
            sum
        };
        Self {
            sums: (1..=KEYS).map(weigh).collect(),
            beside: load.3,
            state: 88_172_645_463_325_252,
            fresh: 10_000_000,
        }
    }

    fn chance(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state >> 11
    }

    /// The number of a key, and whether it is stored rather than asked for.
    fn next(&mut self, request: usize) -> (usize, bool) {
        match self.beside {
            Beside::Loop(keys) => return (request % keys, false),
            Beside::Scan if request.is_multiple_of(5) => {
                self.fresh += 1;
                return (self.fresh, false);
            }
            _ => {}
        }
        let is_store = matches!(self.beside, Beside::Stores) && self.chance().is_multiple_of(2);
        let share = self.chance() as f64 / (1_u64 << 53) as f64;
        let sum = share * self.sums.last().copied().unwrap_or(0.0);
        (self.sums.partition_point(|&other| other < sum), is_store)
    }
}

/// The peer's misses, asked in batches: what a batch missed is stored behind it. It takes whole
/// megabytes only.
fn peer_misses(load: &Load) -> Option<f64> {
    let program = std::env::var("MEMCACHED").ok()?;
    let memory = load.2 * FOOTPRINT / 100;
    if !memory.is_multiple_of(1024) {
        return None;
    }
    let memory = (memory / 1024).to_string();
    let port = free_port();
    let options = format!("-u root -l 127.0.0.1 -p {port} -m {memory}");
    let started = Command::new(program).args(options.split(' ')).spawn();
    let mut child = started.expect("MEMCACHED names a memcached");
    let missed = misses_of(connect(port), load);
    let _ = child.kill();
    let _ = child.wait();
    Some(missed.expect("it answers"))
}

fn misses_of(stream: TcpStream, load: &Load) -> io::Result<f64> {
    const BATCH: usize = 50;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = BufWriter::new(stream);
    let mut load = Stream::new(load);
    let (mut gets, mut missed) = (0, 0);
    let value = vec![b'v'; VALUE_LEN];
    for batch in 0..REQUESTS / BATCH {
        let requests = (0..BATCH).map(|at| load.next(batch * BATCH + at));
        let requests: Vec<([u8; 20], bool)> = requests
            .map(|(number, is_store)| (key(number), is_store))
            .collect();
        for (key, _) in requests.iter().filter(|(_, is_store)| !is_store) {
            let line = [b"mg ", key.as_slice(), b"\r\n"].concat();
            writer.write_all(&line)?;
        }
        writer.flush()?;
        let mut stored = HashSet::new();
        for (key, is_store) in &requests {
            let mut reply = *b"EN\r\n";
            if !is_store {
                reader.read_exact(&mut reply)?;
            }
            let is_new = &reply == b"EN\r\n" && stored.insert(*key);
            if batch * BATCH >= REQUESTS / 2 && !is_store {
                gets += 1;
                missed += usize::from(is_new);
            }
        }
        for key in &stored {
            let key = String::from_utf8_lossy(key);
            let head = format!("set {key} 0 0 {VALUE_LEN} noreply\r\n");
            let line = [head.as_bytes(), &value, b"\r\n"].concat();
            writer.write_all(&line)?;
        }
    }
    Ok(missed as f64 / gets as f64 * 100.0)
}
