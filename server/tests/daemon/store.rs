//! The store behind its interface: what it keeps, and what it gives up.

use server::Time;
use server::store::{Configuration, Draft, Item, NoMemory, Store};

const NOW: Time = Time::from_seconds(1_800_000_000);

fn store(memory_bytes: usize, evicts: bool) -> Store {
    Store::new(Configuration {
        memory_bytes,
        evicts,
        has_uniques: true,
    })
}

fn put(store: &Store, key: &str, length: usize) -> Result<u64, NoMemory> {
    let value = vec![b'x'; length];
    store.entry(key.as_bytes(), NOW, |entry| {
        entry.insert(Draft::new(&value))
    })
}

#[test]
fn the_memory_of_dead_items_is_given_back_without_a_read() {
    let store = store(1_000_000, true);
    for item in 0..100 {
        put(&store, &format!("key{item}"), 100).expect("it evicts");
    }
    store.flush();
    put(&store, "alive", 100).expect("it evicts");
    // Two places of each of the parts at a time: what is dead goes little by little.
    let first = store.sweep(1, NOW).items;
    assert!((1..100).contains(&first), "{first}");
    let rest: u64 = (0..100).map(|_| store.sweep(1, NOW).items).sum();
    assert_eq!(first + rest, 100);
    assert_eq!(store.tally().items, 1);
    assert!(has(&store, "alive"));
}

fn has(store: &Store, key: &str) -> bool {
    store.entry(key.as_bytes(), NOW, |entry| entry.item().is_some())
}

#[test]
fn nothing_is_lost_while_everything_fits() {
    let store = store(1_000_000, true);
    for round in 0..20 {
        for item in 0..800 {
            put(&store, &format!("key{item}"), 1000 + round).expect("it evicts");
        }
    }
    assert!((0..800).all(|item| has(&store, &format!("key{item}"))));
    assert_eq!(store.tally().evictions, 0);
}

#[test]
fn fetched_items_outlive_the_others() {
    let store = store(1_000_000, true);
    for item in 0..100 {
        put(&store, &format!("wanted{item}"), 1000).expect("it evicts");
    }
    for item in 0..5000 {
        put(&store, &format!("passing{item}"), 1000).expect("it evicts");
        for wanted in 0..100 {
            let key = format!("wanted{wanted}");
            store.entry(key.as_bytes(), NOW, |entry| entry.mark_fetched());
        }
    }
    let kept = (0..100)
        .filter(|item| has(&store, &format!("wanted{item}")))
        .count();
    assert!(kept >= 99, "{kept} of 100");
    let tally = store.tally();
    assert!(tally.bytes <= tally.limit_bytes, "{tally:?}");
}

#[test]
fn a_store_that_may_not_evict_refuses_and_keeps_what_it_has() {
    let store = store(100_000, false);
    let stored = (0..200).filter(|item| put(&store, &format!("{item:03}"), 1000).is_ok());
    let stored = stored.count();
    assert!((70..100).contains(&stored), "{stored}");
    assert!((0..stored).all(|item| has(&store, &format!("{item:03}"))));
}

#[test]
fn a_lower_limit_is_kept_at_once() {
    let store = store(1_000_000, true);
    for item in 0..900 {
        put(&store, &format!("{item}"), 1000).expect("it evicts");
    }
    store.set_limit(100_000, NOW);
    let tally = store.tally();
    assert!(tally.bytes <= 100_000, "{tally:?}");
}

#[test]
fn a_pending_flush_is_done_by_the_first_operation_after_its_second() {
    let store = store(1_000_000, true);
    put(&store, "old", 1).expect("it evicts");
    store.flush_at(NOW.seconds() + 10);
    let later = Time::from_seconds(NOW.seconds() + 10);
    let unique = store.entry(b"new", later, |entry| entry.insert(Draft::new(b"")));
    let found = store.entry(b"new", later, |entry| entry.item().map(Item::unique));
    assert_eq!(found, unique.ok());
    assert!(!store.entry(b"old", later, |entry| entry.item().is_some()));
}

#[test]
fn what_is_stored_from_an_item_that_a_flush_hides_meanwhile_is_hidden_too() {
    let store = store(1_000_000, true);
    put(&store, "log", 1).expect("it evicts");
    store.entry(b"log", NOW, |entry| {
        assert!(entry.item().is_some());
        store.flush();
        entry.insert(Draft::new(b"xy")).expect("it evicts");
    });
    assert!(!has(&store, "log"));
}

#[test]
fn the_age_of_items_is_told_by_those_that_are_the_next_to_go() {
    let store = store(1_000_000, true);
    assert_eq!(store.tail_second(NOW), None);
    put(&store, "old", 100).expect("it evicts");
    let later = Time::from_seconds(NOW.seconds() + 10);
    store.entry(b"new", later, |entry| {
        entry.insert(Draft::new(b"")).expect("it evicts")
    });
    assert_eq!(store.tail_second(later), Some(NOW.seconds()));
    store.entry(b"old", later, |entry| entry.mark_fetched());
    assert_eq!(store.tail_second(later), Some(later.seconds()));
    store.flush();
    assert_eq!(store.tail_second(later), None);
}
