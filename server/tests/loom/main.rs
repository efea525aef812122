//! The shipped files of the store under loom: every interleaving of two operations comes to what
//! one after the other would have, in one of the two orders.
//!
//! `cargo test -p server --test loom`. The files are the server's own; only `sync.rs` is another.
//! What the operations should do is in `plain.rs`, which knows nothing of the store.

// A copy of the store stands here with a part of its callers.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod plain;
#[path = "../../src/store/mod.rs"]
mod store;
mod sync;
#[path = "../../src/time.rs"]
mod time;

use std::collections::BTreeMap;
use std::panic;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize as Count;
use std::sync::atomic::Ordering::SeqCst;

use bytes::Bytes;
use loom::sync::Arc;

use plain::{ACTS, Act, Plain, Seen};
use store::fault::Fault;
use store::{Configuration, Draft, Entry, Expiry, Item, Marks, Store};
use time::Time;

const NOW: Time = Time::from_seconds(1000);
const DUE: u64 = 1001;
const LATER: Time = Time::from_seconds(DUE);
const SEGMENT_BYTES: usize = 512;
const MEMORY_BYTES: usize = 16 * 1024;

/// How often a thread may be interrupted unless `LOOM_MAX_PREEMPTIONS` says otherwise;
/// once only where an operation takes many steps.
const PREEMPTIONS: usize = 2;

/// The proofs take turns: a mistake of one is not to be another's.
static TURN: Mutex<()> = Mutex::new(());

fn name(key: u8) -> [u8; 2] {
    [b'k', b'a' + key]
}

fn empty(shards: usize) -> Store {
    let configuration = Configuration {
        memory_bytes: MEMORY_BYTES,
        evicts: true,
        has_uniques: true,
    };
    Store::shaped(configuration, shards, SEGMENT_BYTES)
}

fn seen(item: Item<'_>) -> Seen {
    let marks = item.marks();
    Seen {
        value: item.value().to_vec(),
        expires: item.expiry().second().map(|second| second - NOW.seconds()),
        fetched: marks.fetched,
        stale: marks.stale,
        won: marks.won,
        unique: item.unique(),
    }
}

fn put(entry: &mut Entry<'_>, value: &[u8], expires: Option<u64>) {
    let draft = Draft {
        value: Bytes::copy_from_slice(value),
        flags: 0,
        expiry: expires.map_or(Expiry::NEVER, |left| Expiry::at(NOW.seconds() + left)),
        unique: None,
        marks: Marks::default(),
    };
    entry.insert(draft).expect("it evicts");
}

/// Does to the store what `plain.rs` does to its map.
fn act(store: &Store, act: Act, key: u8, expected: u64, now: Time) -> Option<Seen> {
    match act {
        Act::Flush => store.flush(),
        Act::FlushWhenDue => store.flush_at(DUE),
        Act::Evict => store.set_limit(5 * SEGMENT_BYTES * store.parts(), now),
        Act::Compact => store.set_limit(8 * SEGMENT_BYTES * store.parts(), now),
        Act::Grow => {
            store.entry(&name(10), now, |entry| put(entry, b"0", None));
        }
        _ => return store.entry(&name(key), now, |entry| act_on(entry, act, expected)),
    }
    None
}

fn act_on(entry: &mut Entry<'_>, act: Act, expected: u64) -> Option<Seen> {
    let before = entry.item().map(seen);
    let value = before.as_ref().map_or(&[][..], |seen| &seen.value);
    let expires = before.as_ref().and_then(|seen| seen.expires);
    match (act, before.is_some()) {
        (Act::Set, _) | (Act::Add, false) => put(entry, b"set", None),
        (Act::Vivify, false) => put(entry, b"", Some(30)),
        (Act::Replace, true) => put(entry, b"replaced", None),
        (Act::Append, true) => put(entry, &[value, b"1"].concat(), expires),
        (Act::Prepend, true) => put(entry, &[b"1", value].concat(), expires),
        (Act::CompareAndSwap, true) if entry.item().map(Item::unique) == Some(expected) => {
            put(entry, b"swapped", None);
        }
        (Act::Empty, true) => put(entry, b"", None),
        (Act::Delete, _) => entry.remove(),
        (Act::Get, true) => entry.mark_fetched(),
        (Act::GetAndTouch | Act::Touch, true) => {
            entry.mark_fetched();
            entry.set_expiry(Expiry::at(NOW.seconds() + 60));
        }
        (Act::Increment, true) => increment(entry, value),
        (Act::Invalidate, true) => {
            entry.renumber(None);
            entry.mark_stale(true);
            entry.mark_won(false);
        }
        (Act::Win, true) => entry.mark_won(true),
        (Act::Bump, true) => entry.mark_bumped(),
        _ => {}
    }
    before
}

fn increment(entry: &mut Entry<'_>, value: &[u8]) {
    let number = std::str::from_utf8(value).ok();
    if let Some(number) = number.and_then(|text| text.trim_end().parse::<u64>().ok()) {
        let digits = format!("{:<width$}", number + 1, width = value.len());
        entry.overwrite(Bytes::from(digits.into_bytes()), None);
    }
}

/// A store where some is dead, some is expired, and keys 0 and 1 hold numbers; and the same map.
fn furnish(shards: usize) -> (Store, Plain) {
    let store = empty(shards);
    let mut plain = Plain::default();
    for round in 0..2_u8 {
        for key in 0..10 {
            let value = vec![b'0' + round; 30 + usize::from(round) * 4];
            let value = if key < 2 {
                format!("{:0>1$}", 5, 10 - usize::from(round)).into_bytes()
            } else {
                value
            };
            plain.store(key, &value, None);
            store.entry(&name(key), NOW, |entry| {
                put(entry, &value, None);
            });
        }
    }
    for key in 0..3 {
        plain.act(Act::Get, key, 0);
        act(&store, Act::Get, key, 0, NOW);
    }
    (store, plain)
}

/// What is there now.
fn all(store: &Store, now: Time) -> BTreeMap<u8, Seen> {
    let mut all = BTreeMap::new();
    let mut shown = 0;
    for part in 0..store.parts() {
        store.visit(part, now, |_| shown += 1);
    }
    for key in 0..16 {
        if let Some(item) = store.entry(&name(key), now, |entry| entry.item().map(seen)) {
            all.insert(key, item);
        }
    }
    assert_eq!(shown, all.len(), "what is shown can be found, once");
    all
}

/// Whether one order of the two explains what was told and what is there now.
fn explains(
    mut plain: Plain,
    order: [(Act, u8, Option<Seen>); 2],
    mut end: BTreeMap<u8, Seen>,
    with_uniques: bool,
) -> bool {
    let forgets = |act| matches!(act, Act::Evict | Act::Compact);
    let forgets = order.iter().any(|&(act, ..)| forgets(act));
    let blank = |mut seen: Seen| {
        if !with_uniques {
            seen.unique = 0;
        }
        seen
    };
    let expected = plain.items.get(&0).map_or(0, |seen| seen.unique);
    for (act, key, told) in order {
        let on_key = !matches!(
            act,
            Act::Evict | Act::Compact | Act::Grow | Act::Flush | Act::FlushWhenDue
        );
        if forgets && on_key && told.is_none() {
            plain.items.remove(&key);
        }
        if plain.act(act, key, expected).map(blank) != told.map(blank) {
            return false;
        }
    }
    if plain.due {
        plain.items.clear();
    }
    let mut known = plain.items;
    if forgets {
        known.retain(|key, _| end.contains_key(key));
    }
    known
        .values_mut()
        .for_each(|seen| *seen = blank(seen.clone()));
    end.values_mut()
        .for_each(|seen| *seen = blank(seen.clone()));
    known == end
}

/// Explores two operations at once. Tells in how many executions.
fn explore(first: Act, second: Act, keys: [u8; 2], shards: usize) -> usize {
    let executions = std::sync::Arc::new(Count::new(0));
    let counted = std::sync::Arc::clone(&executions);
    let copies = |act| act == Act::Evict;
    let interruptions = if copies(first) || copies(second) {
        1
    } else {
        PREEMPTIONS
    };
    let mut model = loom::model::Builder::new();
    model.max_branches = 1_000_000;
    model.preemption_bound = model.preemption_bound.or(Some(interruptions));
    model.check(move || {
        counted.fetch_add(1, SeqCst);
        let (store, plain) = furnish(shards);
        let store = Arc::new(store);
        let expected = plain.items.get(&0).map_or(0, |seen| seen.unique);
        let dues = [first, second].contains(&Act::FlushWhenDue);
        let now = if dues { LATER } else { NOW };
        let other = {
            let store = Arc::clone(&store);
            loom::thread::spawn(move || act(&store, second, keys[1], expected, now))
        };
        let told = act(&store, first, keys[0], expected, now);
        let other_told = other.join().expect("it does not panic");
        let tally = store.tally();
        assert!(tally.used_bytes <= tally.limit_bytes, "{tally:?}");
        let end = all(&store, now);
        let one = (first, keys[0], told);
        let two = (second, keys[1], other_told);
        let with_uniques = shards == 1 && ![first, second].contains(&Act::Grow);
        let explained = explains(
            plain.clone(),
            [one.clone(), two.clone()],
            end.clone(),
            with_uniques,
        ) || explains(plain, [two.clone(), one.clone()], end.clone(), with_uniques);
        assert!(explained, "{one:?} and {two:?} came to {end:?}");
        let uniques: std::collections::BTreeSet<u64> =
            end.values().map(|seen| seen.unique).collect();
        assert_eq!(uniques.len(), end.len(), "two items have one unique");
        settled(&store);
    });
    executions.load(SeqCst)
}

/// Whether the accounts are right: without items, nothing is live.
fn settled(store: &Store) {
    let items: u64 = store.tally().items;
    let end = all(store, LATER);
    assert!(items >= end.len() as u64);
    store.flush();
    store.set_limit(0, LATER);
    let tally = store.tally();
    assert_eq!(tally.items, 0, "{tally:?}");
    let table_bytes_max = 8 * 1024;
    assert!(tally.used_bytes <= table_bytes_max, "{tally:?}");
    assert_eq!(tally.bytes, 0, "{tally:?}");
}

fn every_pair(keys: [u8; 2], shards: usize) {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    sync::make(None);
    let mut pairs = 0;
    let mut executions = 0;
    for (at, &first) in ACTS.iter().enumerate() {
        for &second in ACTS.iter().skip(if keys[0] == keys[1] { at } else { 0 }) {
            let explored = explore(first, second, keys, shards);
            assert!(explored > 0, "{first:?} and {second:?} were not explored");
            pairs += 1;
            executions += explored;
        }
    }
    println!("loom: {pairs} pairs on keys {keys:?}, {shards} shards: {executions} executions");
    assert!(executions > pairs, "nothing was explored");
}

#[test]
fn every_pair_on_one_key_comes_to_what_one_after_the_other_would() {
    every_pair([0, 0], 1);
}

#[test]
fn every_pair_on_two_keys_of_a_shard_comes_to_what_one_after_the_other_would() {
    every_pair([0, 1], 1);
}

#[test]
fn every_pair_on_two_shards_comes_to_what_one_after_the_other_would() {
    every_pair([0, 1], 2);
}

/// Which pair finds a mistake.
const FAULTS: [(Fault, Act, Act, usize); 5] = [
    (Fault::KeepsBothRecords, Act::Append, Act::Get, 1),
    (Fault::TrustsTags, Act::Grow, Act::Get, 1),
    (Fault::AppendsAcrossFlushes, Act::Flush, Act::Set, 1),
    (Fault::EvictsWithoutRemoving, Act::Evict, Act::Get, 1),
    (Fault::SplitsWithoutMoving, Act::Grow, Act::Get, 1),
];

#[test]
fn every_mistake_on_purpose_is_found() {
    let _turn = TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut missed = Vec::new();
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    for (fault, first, second, shards) in FAULTS {
        sync::make(None);
        explore(first, second, [0, 1], shards);
        sync::make(Some(fault));
        let explored = panic::catch_unwind(|| explore(first, second, [0, 1], shards));
        if explored.is_ok() {
            missed.push(fault);
        }
    }
    panic::set_hook(hook);
    sync::make(None);
    println!(
        "loom: {} of {} mistakes found",
        FAULTS.len() - missed.len(),
        FAULTS.len()
    );
    assert!(missed.is_empty(), "not found: {missed:?}");
}
