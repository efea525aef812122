//! What each operation on the store takes: nanoseconds with one thread and with two, instructions.
//!
//! `cargo bench -p server --bench operations`. 200,000 items of 100 bytes under keys of 20, taken
//! in another order than they were stored in, with nothing around the store. Times move with the
//! machine; instructions, which valgrind counts, hardly do.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

#[path = "common/simple.rs"]
mod simple;

use std::io::Write as _;
use std::process::Command;
use std::sync::Barrier;
use std::time::Instant;
use std::{env, hint, thread};

use server::Time;
use server::store::{Configuration, Draft, Entry, Expiry, Item, Store, Trail};
use simple::Simple;

const NOW: Time = Time::from_seconds(1_800_000_000);
const ITEMS: usize = 200_000;
const ROUNDS: usize = 15;

/// Fewer where valgrind counts: it takes fifty times as long.
const COUNTED_ITEMS: usize = 20_000;

type Key = [u8; 20];

/// So many keys are asked for at once, as of a batch of requests.
const BATCH: usize = 64;

/// An operation: its name, and what it does with some keys in which round.
type Operation = (&'static str, fn(&Load, &[Key], usize));

const OPERATIONS: [Operation; 21] = [
    ("get, a hit", |load, keys, _| {
        for key in keys {
            get(&load.store, key, load.store.trail(key));
        }
    }),
    ("get, a hit, 64 at once", |load, keys, _| {
        let mut trails = [load.store.trail(b""); BATCH];
        for (trail, key) in trails.iter_mut().zip(keys) {
            *trail = load.store.trail(key);
        }
        load.store.approach(trails.into_iter().take(keys.len()));
        for (key, trail) in keys.iter().zip(trails) {
            get(&load.store, key, trail);
        }
    }),
    ("get, a hit, value copied out", |load, keys, _| {
        for key in keys {
            let value = load
                .store
                .serve((key, load.store.trail(key)), NOW, |item| item.share_value());
            let _ = hint::black_box(value);
        }
    }),
    ("get, a miss", |load, keys, _| {
        for key in keys {
            hint::black_box(
                load.store
                    .serve((key, load.store.trail(key)), NOW, |_| ())
                    .is_ok(),
            );
        }
    }),
    ("set, of the same length", |load, keys, _| {
        each(&load.store, keys, |entry| put(entry, 100));
    }),
    ("set, of another length", |load, keys, round| {
        each(&load.store, keys, |entry| put(entry, 90 + round % 2 * 10));
    }),
    ("delete and add", |load, keys, _| {
        each(&load.store, keys, |entry| {
            entry.remove();
            put(entry, 100);
        });
    }),
    ("incr", |load, keys, _| {
        each(&load.store, keys, |entry| {
            entry.overwrite(&[b'1'; 100], None)
        });
    }),
    ("add, refused", |load, keys, _| {
        each(&load.store, keys, |entry| {
            if entry.item().is_none() {
                put(entry, 100);
            }
        });
    }),
    ("replace", |load, keys, _| {
        each(&load.store, keys, |entry| {
            if entry.item().is_some() {
                put(entry, 100);
            }
        });
    }),
    ("append of 10 bytes, and back", |load, keys, round| {
        each(&load.store, keys, |entry| {
            let value = entry.item().map(Item::value).unwrap_or_default();
            let value = if round % 2 == 0 {
                [value, &[b'a'; 10]].concat()
            } else {
                value.get(10..).unwrap_or_default().to_vec()
            };
            entry.insert(Draft::new(&value)).expect("it evicts");
        });
    }),
    ("prepend of 10 bytes, and back", |load, keys, round| {
        each(&load.store, keys, |entry| {
            let value = entry.item().map(Item::value).unwrap_or_default();
            let value = if round % 2 == 0 {
                [&[b'p'; 10], value].concat()
            } else {
                value.get(10..).unwrap_or_default().to_vec()
            };
            entry.insert(Draft::new(&value)).expect("it evicts");
        });
    }),
    ("cas", |load, keys, _| {
        each(&load.store, keys, |entry| {
            let unique = entry.item().map(Item::unique);
            if hint::black_box(unique) == entry.item().map(Item::unique) {
                put(entry, 100);
            }
        });
    }),
    ("decr, with its digits", |load, keys, round| {
        each(&load.store, keys, |entry| {
            let mut digits = [b' '; 100];
            write!(&mut digits[..], "{}", u64::MAX - round as u64).expect("they fit");
            entry.overwrite(&digits, None);
        });
    }),
    ("gat", |load, keys, round| {
        let second = NOW.seconds() + 1000 + round as u64;
        each(&load.store, keys, |entry| {
            let sum = entry.serve().map(|item| checksum(item.value()));
            entry.set_expiry(Expiry::at(second));
            sum
        });
    }),
    ("set, behind a flush", |load, keys, _| {
        load.store.flush();
        each(&load.store, keys, |entry| put(entry, 100));
    }),
    ("flush", |load, keys, _| {
        keys.iter().for_each(|_| load.store.flush());
    }),
    ("simple store: get, a hit", |load, keys, _| {
        for key in keys {
            let sum = load.simple.serve(key, NOW.seconds(), checksum);
            let _ = hint::black_box(sum);
        }
    }),
    ("simple store: set, of the same length", |load, keys, _| {
        for key in keys {
            load.simple.put(key, &VALUE, NOW.seconds());
        }
    }),
    (
        "simple store: set, of another length",
        |load, keys, round| {
            for key in keys {
                let value = VALUE.get(..90 + round % 2 * 10).unwrap_or_default();
                load.simple.put(key, value, NOW.seconds());
            }
        },
    ),
    ("touch", |load, keys, round| {
        let second = NOW.seconds() + 1000 + round as u64;
        each(&load.store, keys, |entry| {
            entry.set_expiry(Expiry::at(second))
        });
    }),
];

#[inline(always)]
fn get(store: &Store, key: &Key, trail: Trail) {
    let sum = store.serve((key, trail), NOW, |item| checksum(item.value()));
    let _ = hint::black_box(sum);
}

#[inline(always)]
fn each<R>(store: &Store, keys: &[Key], act: impl Fn(&mut Entry<'_>) -> R) {
    for key in keys {
        store.entry(key, NOW, &act);
    }
}

/// Reads a value as cheaply as it can be read whole.
fn checksum(value: &[u8]) -> u64 {
    let (words, _) = value.as_chunks::<8>();
    words
        .iter()
        .fold(0, |sum, word| sum ^ u64::from_le_bytes(*word))
}

static VALUE: [u8; 100] = [b'v'; 100];

fn put(entry: &mut Entry<'_>, len: usize) {
    let draft = Draft::new(VALUE.get(..len).unwrap_or_default());
    entry.insert(draft).expect("it evicts");
}

fn key(number: usize) -> Key {
    let text = format!("key:{number:016}");
    text.as_bytes().try_into().expect("it has twenty bytes")
}

fn main() {
    if let Ok(text) = env::var("COUNTED") {
        let mut words = text.split(' ').filter_map(|word| word.parse().ok());
        if let (Some(operation), Some(rounds)) = (words.next(), words.next()) {
            Load::new(COUNTED_ITEMS, operation).run(operation, 0..rounds, 0);
        }
        return;
    }
    println!("200k items of 100 B, {ROUNDS} rounds: median (least to most) ns an operation");
    for (at, (name, _)) in OPERATIONS.iter().enumerate() {
        let counted = ["0", "2"].map(|rounds| count(&format!("{at} {rounds}")));
        let instructions = match counted {
            [Some(none), Some(two)] => {
                format!("{} instructions", (two - none) / (2 * COUNTED_ITEMS as u64))
            }
            _ => "SKIPPED instructions: there is no valgrind here".into(),
        };
        let (one, two) = (timed(at, 1), timed(at, 2));
        println!("{name:<37} {one:>18} with one thread, {two:>18} with two; {instructions}");
    }
}

/// Full stores, and keys to ask them for.
struct Load {
    store: Store,
    simple: Simple,
    keys: Vec<Key>,
}

impl Load {
    fn new(items: usize, operation: usize) -> Self {
        let store = Store::new(Configuration {
            memory_bytes: 64 * 1024 * 1024,
            evicts: true,
            has_uniques: true,
        });
        let simple = Simple::new();
        let name = OPERATIONS.get(operation).map_or("", |(name, _)| name);
        let is_simple = name.starts_with("simple");
        for number in 0..items {
            if is_simple {
                simple.put(&key(number), &VALUE, NOW.seconds());
            } else {
                store.entry(&key(number), NOW, |entry| put(entry, 100));
            }
        }
        let is_miss = name.ends_with("miss");
        let first = if is_miss { items } else { 0 };
        let keys = (0..items).map(|n| key(first + n * 7919 % items)).collect();
        Self {
            store,
            simple,
            keys,
        }
    }

    fn run(&self, operation: usize, rounds: impl Iterator<Item = usize>, skip: usize) {
        let Some((_, act)) = OPERATIONS.get(operation) else {
            return;
        };
        for round in rounds {
            let (before, after) = self.keys.split_at(skip);
            for keys in after.chunks(BATCH).chain(before.chunks(BATCH)) {
                act(self, keys, round);
            }
        }
    }
}

/// How long an operation takes each of so many threads, each with all keys, from its own place.
fn timed(operation: usize, threads: usize) -> String {
    let load = Load::new(ITEMS, operation);
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            let start = Barrier::new(threads + 1);
            thread::scope(|scope| {
                for thread in 0..threads {
                    let (load, start) = (&load, &start);
                    scope.spawn(move || {
                        start.wait();
                        load.run(operation, round..=round, thread * ITEMS / threads);
                    });
                }
                start.wait();
                Instant::now()
            })
            .elapsed()
            .as_nanos() as f64
                / ITEMS as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let at = |index: usize| times.get(index).copied().unwrap_or(f64::NAN);
    format!(
        "{:.0} ({:.0} to {:.0})",
        at(ROUNDS / 2),
        at(0),
        at(ROUNDS - 1)
    )
}

/// All instructions of a run of this program, by valgrind.
fn count(what: &str) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().ok()?)
        .env("COUNTED", what)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let collected = text.lines().find(|line| line.contains("Collected"))?;
    collected.rsplit(' ').next()?.parse().ok()
}
