//! Threads that do everything to a store at once: no value is ever another key's, or half of one.
//!
//! They really run at once, so nothing here is explored: that is `loom`'s. It is what sanitizers
//! watch (`.ci/sanitize`), and what finds the rest of what was forgotten.

use std::sync::mpsc::channel;
use std::thread;

use server::Time;
use server::store::{Configuration, Draft, Entry, Expiry, Item, Store};

const KIBIBYTE: usize = 1024;
const THREADS: u64 = 4;
const ROUNDS: u64 = 20_000;
const KEYS: u64 = 3_000;
const BEGAN: u64 = 1_800_000_000;

/// A value that says whose it is from its first to its last byte.
fn value(key: u64, len: usize) -> Vec<u8> {
    key.to_le_bytes().repeat(len.div_ceil(8))
}

fn is_own(key: u64, item: Item<'_>) -> bool {
    let (words, rest) = item.value().as_chunks::<8>();
    item.key() == key.to_le_bytes() && rest.is_empty() && words.iter().all(|w| w == item.key())
}

fn draft(value: &[u8], round: u64) -> Draft<'_> {
    let expiry = if round.is_multiple_of(5) {
        Expiry::at(BEGAN + round / 1000 + 2)
    } else {
        Expiry::NEVER
    };
    Draft {
        flags: u32::from(round.is_multiple_of(3)),
        expiry,
        ..Draft::new(value)
    }
}

/// One of all that can be done, on a key that others want too.
fn act(store: &Store, thread: u64, round: u64) {
    let chance = (round * THREADS + thread).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let key = chance % KEYS;
    let now = Time::from_seconds(BEGAN + round / 1000);
    let len = usize::try_from(if round.is_multiple_of(50) {
        chance % 20_000
    } else {
        chance % 600
    });
    let value = value(key, len.expect("small"));
    match chance / KEYS % 4000 {
        0 => return store.flush(),
        1 => return store.flush_at(now.seconds() + 1),
        2..6 => return store.set_limit(160 * KIBIBYTE, now),
        6..10 => return store.set_limit(256 * KIBIBYTE, now),
        10..20 => {
            store.sweep(1000, now);
            return assert!(store.tally().items <= KEYS);
        }
        20 => {
            return store.visit_while(now, |item| {
                assert!(item.value().len().is_multiple_of(8));
                true
            });
        }
        _ => {}
    }
    store.entry(&key.to_le_bytes(), now, |entry| {
        assert!(entry.item().is_none_or(|item| is_own(key, item)));
        let before = entry.item().map(Item::unique);
        match chance / KEYS % 9 {
            0..=2 => drop(entry.serve().map(|item| assert!(is_own(key, item)))),
            3 | 4 => {
                let unique = entry.insert(draft(&value, round)).expect("it evicts");
                assert!(
                    before.is_none_or(|before| before < unique),
                    "{before:?} {unique}"
                );
            }
            5 => entry.remove(),
            6 => entry.set_expiry(Expiry::at(now.seconds() + 9)),
            7 if entry.item().is_some() => {
                let same = entry.item().map(Item::share_value).unwrap_or_default();
                entry.overwrite(&same, None);
            }
            _ => entry.mark_stale(round.is_multiple_of(2)),
        }
    });
}

#[test]
fn many_threads_never_see_what_is_not_their_keys() {
    for shards in [1, 4] {
        let configuration = Configuration {
            memory_bytes: 256 * KIBIBYTE,
            evicts: true,
            has_uniques: true,
        };
        let store = Store::shaped(configuration, shards, 1024);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let store = &store;
                scope.spawn(move || (0..ROUNDS).for_each(|round| act(store, thread, round)));
            }
        });
        let tally = store.tally();
        assert!(store.is_consistent(), "{tally:?}");
        assert!(tally.evictions > 0 && tally.copied_bytes > 0, "{tally:?}");
        println!("{shards} shards: {tally:?}");
    }
}

/// Stores a large value, and small ones before it has made room, on whichever shard they come to.
fn small_beside_large(store: &Store, large_bytes: usize) {
    let put = |key: u64, len: usize, then: &dyn Fn()| {
        store.entry(&key.to_le_bytes(), Time::from_seconds(BEGAN), |entry| {
            let inserted = entry.insert(draft(&value(key, len), 1));
            then();
            inserted.map(drop)
        })
    };
    let (has_taken, taken) = channel();
    let (has_stored, stored) = channel();
    thread::scope(|scope| {
        let large = scope.spawn(move || {
            put(KEYS, large_bytes, &|| {
                has_taken.send(()).expect("somebody waits for it");
                stored.recv().expect("not all keys are of one shard");
            })
        });
        taken.recv().expect("the large value is stored");
        let small = (1..=64).map(|key| {
            let has_stored = has_stored.clone();
            scope.spawn(move || put(KEYS + key, 100, &|| has_stored.send(()).unwrap_or_default()))
        });
        for writer in small.collect::<Vec<_>>() {
            assert_eq!(writer.join().expect("it ends"), Ok(()));
        }
        assert_eq!(large.join().expect("it ends"), Ok(()));
    });
    let tally = store.tally();
    assert!(tally.used_bytes <= tally.limit_bytes, "{tally:?}");
    assert!(store.is_consistent(), "{tally:?}");
}

/// While one thread has taken far more than there is, and has had no chance yet to make room,
/// others may have nothing on their shards to give up for what they write.
#[test]
fn a_write_is_stored_while_another_has_yet_to_make_room() {
    let configuration = Configuration {
        memory_bytes: 64 * KIBIBYTE,
        evicts: true,
        has_uniques: true,
    };
    small_beside_large(&Store::shaped(configuration, 4, 1024), 80 * KIBIBYTE);
}

/// Nor may it be refused for want of memory that is only filled with what is dead.
#[test]
fn where_nothing_is_given_up_a_write_is_stored_as_long_as_there_is_room() {
    let configuration = Configuration {
        memory_bytes: 256 * KIBIBYTE,
        evicts: false,
        has_uniques: true,
    };
    let store = Store::shaped(configuration, 4, 1024);
    let now = Time::from_seconds(BEGAN);
    for key in 0..1000_u64 {
        let put = |entry: &mut Entry<'_>| entry.insert(Draft::new(&value(key, 96)));
        let stored = store.entry(&key.to_le_bytes(), now, put);
        stored.map(drop).expect("there is room");
    }
    for key in (0..1000_u64).filter(|key| key % 4 > 0) {
        store.entry(&key.to_le_bytes(), now, |entry| entry.remove());
    }
    small_beside_large(&store, 150 * KIBIBYTE);
    assert_eq!(store.tally().items, 250 + 65);
}
