//! A fault of ours in the middle of an operation: what it left halfway is emptied and counted, and
//! all else stays as it was. A key may be forgotten; it never has another value than was stored.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use server::Time;
use server::store::{Configuration, Draft, Store};

const NOW: Time = Time::from_seconds(1_800_000_000);
const KEYS: u64 = 1000;

fn store(memory_bytes: usize) -> Store {
    let configuration = Configuration {
        memory_bytes,
        evicts: true,
        has_uniques: true,
    };
    Store::shaped(configuration, 4, 1024)
}

/// A value that tells which key it is of: a short one, or one that lies aside.
fn value(key: u64) -> Vec<u8> {
    let len = if key.is_multiple_of(7) { 60 } else { 5 };
    key.to_le_bytes().repeat(len)
}

fn put(store: &Store, key: u64) {
    store.entry(&key.to_le_bytes(), NOW, |entry| {
        let stored = entry.insert(Draft::new(&value(key)));
        stored.map(drop).expect("it evicts");
    });
}

/// How many keys are there, each with its own value.
fn found(store: &Store) -> u64 {
    let is_there = |&key: &u64| {
        store.entry(&key.to_le_bytes(), NOW, |entry| {
            let item = entry.item();
            assert!(item.is_none_or(|item| item.value() == value(key)), "{key}");
            item.is_some()
        })
    };
    (0..2 * KEYS).filter(is_there).count() as u64
}

/// Does what panics, without a word.
fn breaks(act: impl FnOnce()) {
    panic::set_hook(Box::new(|_| ()));
    let ended = panic::catch_unwind(AssertUnwindSafe(act));
    let _ = panic::take_hook();
    assert!(ended.is_err(), "it was to panic");
}

#[test]
fn a_shard_that_was_left_halfway_is_emptied_and_counted_and_no_other() {
    let store = store(4 << 20);
    (0..KEYS).for_each(|key| put(&store, key));
    assert_eq!((found(&store), store.tally().mended), (KEYS, 0));
    breaks(|| {
        store.entry(&7_u64.to_le_bytes(), NOW, |entry| {
            entry.insert(Draft::new(b"half of it")).expect("it evicts");
            panic!("on purpose");
        });
    });
    let left = found(&store);
    let tally = store.tally();
    assert_eq!((tally.mended, tally.items), (1, left), "{tally:?}");
    assert!((KEYS / 2..KEYS * 9 / 10).contains(&left), "{left}");
    assert!(store.is_consistent(), "{tally:?}");

    (0..KEYS).for_each(|key| put(&store, key));
    assert_eq!((found(&store), store.tally().mended), (KEYS, 1));
    assert!(store.is_consistent());
}

/// Where room is made, a shard is in the middle of far more than where one key is looked at.
#[test]
fn one_that_was_left_while_room_was_made_is_emptied_and_counted() {
    let mut store = store(128 << 10);
    let is_armed = Arc::new(AtomicBool::new(false));
    let armed = Arc::clone(&is_armed);
    store.on_eviction(move |_, _| assert!(!armed.swap(false, Ordering::Relaxed), "on purpose"));
    (0..2 * KEYS).for_each(|key| put(&store, key));
    assert!(store.tally().evictions > 0);
    for round in 1..=20 {
        is_armed.store(true, Ordering::Relaxed);
        breaks(|| (0..2 * KEYS).for_each(|key| put(&store, key)));
        let left = found(&store);
        let tally = store.tally();
        assert_eq!((tally.mended, tally.items), (round, left), "{tally:?}");
        assert!(tally.used_bytes <= tally.limit_bytes, "{tally:?}");
        assert!(store.is_consistent(), "{tally:?}");
    }
}
