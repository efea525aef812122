//! What is missed under which load (`loads.rs`): by ours, by its policy alone (`simulated.rs`), and
//! by a memcached; each is sent the same.
//!
//! Cache-aside: what a get misses is stored. Three million requests, of which the second half
//! counts; memory for a share of the keys. The memcached is asked over loopback, fifty at a time.
//! It judges one thing: whether ours has 0.5 points of hits less than that, or more.

use std::collections::HashSet;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use server::Time;
use server::store::{Draft, Expiry, Store};

use super::loads::{Act, Beside, LOADS, Load, REQUESTS, Request, Stream, VALUE_LEN};
use super::peer::Peer;
use super::simulated::Simulated;
use super::{MEBIBYTE, NOW, key, store};

/// So much worse than memcached ours may never be, in points of hits.
const POINTS_MAX: f64 = 0.5;

/// What ours misses, beside the others.
pub(super) fn misses() {
    let words: Vec<String> = std::env::args()
        .skip_while(|word| word != "misses")
        .collect();
    let words: Vec<_> = words
        .iter()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let is_wanted = |load: &&Load| {
        let name = format!("{}, {} % fit", load.0, load.2);
        words.is_empty() || words.iter().any(|word| name.contains(word.as_str()))
    };
    let (mut compared, mut worse) = (0, 0);
    for load in LOADS.iter().filter(is_wanted) {
        let (ours, copied, largest) = our_misses(load);
        let simulated = simulated_misses(load).map_or("not simulated".into(), |simulated| {
            let more = (ours / simulated - 1.0) * 100.0;
            format!("simulated {simulated:.2} %, {more:+.1} % of that")
        });
        let beside = match (load.3, Peer::start(load.mebibytes())) {
            (Beside::Expiry, _) => "memcached not asked: its clock is not to be set".into(),
            (_, None) => "memcached SKIPPED".into(),
            (_, Some(peer)) => {
                let theirs = their_misses(&peer, load);
                let points = theirs - ours;
                let is_kept = points >= -POINTS_MAX;
                compared += 1;
                worse += usize::from(!is_kept);
                let verdict = if is_kept { "kept" } else { "BROKEN" };
                let fewer = (1.0 - ours / theirs) * 100.0;
                format!(
                    "memcached {theirs:.2} %, ours {fewer:.1} % fewer, {points:+.2} points of \
                     hits: {verdict}"
                )
            }
        };
        println!(
            "misses, {}, {} % fit, {} MiB: {ours:.2} %; {simulated}; {beside}; {copied:.2} bytes \
             copied per byte set, {largest} KiB at most in one request",
            load.0,
            load.2,
            load.mebibytes()
        );
    }
    println!(
        "never more than {POINTS_MAX} points of hits below memcached: broken in {worse} of \
         {compared} loads"
    );
}

/// What is missed, in percent; what is copied for each byte that is set; and what is copied at most
/// within one request, in KiB.
fn our_misses(load: &Load) -> (f64, f64, u64) {
    let store = store(load.mebibytes() * MEBIBYTE);
    let largest = AtomicU64::new(0);
    let ask = |thread| {
        let value = vec![b'v'; 6000];
        let mut copied = 0;
        load.missed_by(thread, |request| {
            let is_miss = ask_ours(&store, load, request, &value);
            if (is_miss || request.act != Act::Get) && load.threads() == 1 {
                let sum = store.tally().copied_bytes;
                largest.fetch_max(sum - copied, Ordering::Relaxed);
                copied = sum;
            }
            is_miss
        })
    };
    let (gets, missed) = sum_of_threads(load, ask);
    let tally = store.tally();
    let per_byte = tally.copied_bytes as f64 / tally.set_bytes as f64;
    let largest = largest.into_inner().div_ceil(1024);
    (missed as f64 / gets as f64 * 100.0, per_byte, largest)
}

fn sum_of_threads(load: &Load, ask: impl Fn(usize) -> (usize, usize) + Sync) -> (usize, usize) {
    thread::scope(|scope| {
        let ask = &ask;
        let threads = (0..load.threads()).map(|thread| scope.spawn(move || ask(thread)));
        let threads: Vec<_> = threads.collect();
        threads.into_iter().fold((0, 0), |(gets, missed), thread| {
            let (more_gets, more_missed) = thread.join().expect("it does not panic");
            (gets + more_gets, missed + more_missed)
        })
    })
}

/// Asks ours, and stores what was missed. Tells whether it was.
fn ask_ours(store: &Store, load: &Load, request: Request, value: &[u8]) -> bool {
    let key = key(request.number);
    let now = Time::from_seconds(NOW.seconds() + request.second);
    store.entry(&key, now, |entry| {
        let is_miss = entry.item().is_none();
        match request.act {
            Act::Delete => {
                entry.remove();
                return false;
            }
            Act::Get | Act::GetAndTouch if !is_miss => {
                entry.mark_fetched();
                if request.act == Act::GetAndTouch {
                    entry.set_expiry(Expiry::at(now.seconds() + 1_000_000));
                }
                return false;
            }
            _ => {}
        }
        let seconds = load.seconds(request.number);
        let expiry = seconds.map_or(Expiry::NEVER, |seconds| Expiry::at(now.seconds() + seconds));
        let value = value.get(..load.length(request.number)).unwrap_or_default();
        let draft = Draft {
            expiry,
            ..Draft::new(value)
        };
        entry.insert(draft).expect("it evicts");
        is_miss
    })
}

/// What the policy by itself misses, in percent: it knows items of one length, for ever, and one
/// thread.
fn simulated_misses(load: &Load) -> Option<f64> {
    if let Beside::Sizes | Beside::Expiry | Beside::Deletes | Beside::Threads = load.3 {
        return None;
    }
    let mut policy = Simulated::new(load.mebibytes() * MEBIBYTE, key(0).len() + VALUE_LEN);
    Some(load.missed(|request| {
        let is_store = request.act == Act::Store;
        let is_miss = !is_store && !policy.has(request.number);
        if is_miss || is_store {
            policy.put(request.number);
        }
        is_miss
    }))
}

/// The peer's misses, asked in batches: what a batch missed is stored behind it.
fn their_misses(peer: &Peer, load: &Load) -> f64 {
    let ask = |thread| misses_of(peer.connect(), load, thread).expect("it answers");
    let (gets, missed) = sum_of_threads(load, ask);
    missed as f64 / gets as f64 * 100.0
}

fn misses_of(stream: TcpStream, load: &Load, thread: usize) -> io::Result<(usize, usize)> {
    const BATCH: usize = 50;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = BufWriter::new(stream);
    let mut requests = Stream::new(load, thread);
    let (mut gets, mut missed) = (0, 0);
    let value = vec![b'v'; 6000];
    let all = REQUESTS / load.threads();
    for batch in 0..all / BATCH {
        let batch = batch * BATCH..(batch + 1) * BATCH;
        let counts = batch.start >= all / 2;
        let batch: Vec<Request> = batch.map(|at| requests.next(at)).collect();
        for request in &batch {
            let words: [&[u8]; 2] = match request.act {
                Act::Get => [b"mg ", b"\r\n"],
                Act::GetAndTouch => [b"mg ", b" T1000000\r\n"],
                Act::Delete => [b"delete ", b" noreply\r\n"],
                Act::Store => continue,
            };
            writer.write_all(&[words[0], &key(request.number), words[1]].concat())?;
        }
        writer.flush()?;
        let mut stored = HashSet::new();
        for request in &batch {
            let mut reply = *b"EN\r\n";
            if let Act::Get | Act::GetAndTouch = request.act {
                reader.read_exact(&mut reply)?;
            }
            let is_wanted = &reply == b"EN\r\n" && request.act != Act::Delete;
            let is_new = is_wanted && stored.insert(request.number);
            if counts && request.act == Act::Get {
                gets += 1;
                missed += usize::from(is_new);
            }
        }
        for &number in &stored {
            let length = load.length(number);
            let key = key(number);
            let head = format!(
                "set {} 0 0 {length} noreply\r\n",
                String::from_utf8_lossy(&key)
            );
            writer.write_all(head.as_bytes())?;
            writer.write_all(value.get(..length).unwrap_or_default())?;
            writer.write_all(b"\r\n")?;
        }
    }
    Ok((gets, missed))
}
