//! What an operation touches, counted: shards that it locks and records that it reads. In tests
//! only.

use std::cell::Cell;

use super::{Configuration, Draft, Store};
use crate::time::Time;

thread_local! {
    pub(super) static SHARDS: Cell<usize> = const { Cell::new(0) };
    pub(super) static RECORDS: Cell<usize> = const { Cell::new(0) };
}

const NOW: Time = Time::from_seconds(1_800_000_000);
const LATER: Time = Time::from_seconds(1_800_000_001);

/// This file stands in the tests under loom as well, where a store is made in a model only.
fn is_shipped() -> bool {
    env!("CARGO_CRATE_NAME") == "server"
}

/// How many shards and records are touched by that.
fn touched(act: impl FnOnce()) -> (usize, usize) {
    SHARDS.set(0);
    RECORDS.set(0);
    act();
    (SHARDS.get(), RECORDS.get())
}

/// A store with so many items of some 60 bytes.
fn filled(items: u32) -> Store {
    let store = Store::new(Configuration {
        memory_bytes: 32 * 1024 * 1024,
        evicts: true,
        has_uniques: true,
    });
    for key in 0..items {
        store.entry(&key.to_le_bytes(), NOW, |entry| {
            entry.insert(Draft::new(&[1; 40])).expect("it evicts");
        });
    }
    store
}

const COUNTS: [u32; 3] = if cfg!(miri) {
    [10, 20, 40]
} else {
    [1000, 30_000, 300_000]
};

/// A flush is a number that is counted up, whatever there is; and so is one that comes due.
#[test]
fn a_flush_touches_no_shard_and_no_record() {
    for items in COUNTS.into_iter().filter(|_| is_shipped()) {
        let store = filled(items);
        assert_eq!(touched(|| store.flush()), (0, 0), "{items}");
        let store = filled(items);
        assert_eq!(touched(|| store.flush_at(LATER.seconds())), (0, 0));
        assert_eq!(touched(|| store.settle(LATER)), (0, 0), "{items}");
        let hidden = touched(|| {
            let absent = store.serve((&[0; 4], store.trail(&[0; 4])), LATER, |_| ());
            assert_eq!(absent, Err(super::Absence::Flushed));
        });
        let (shards, records) = hidden;
        assert!(shards <= 2 && records <= 3, "{items}: {hidden:?}");
    }
}

/// What a flush has hidden is taken back a segment at a time: one slice reads the records of one
/// segment of each shard at most, and all slices together read each record a few times.
#[test]
fn what_a_flush_has_hidden_is_taken_back_by_the_segment() {
    for items in COUNTS.into_iter().filter(|_| is_shipped()) {
        let store = filled(items);
        let segment_bytes = store.hold(&store.parts[0]).segment_bytes;
        let segments = store
            .parts
            .iter()
            .map(|part| store.hold(part).ids().count());
        let segments: usize = segments.sum();
        store.flush();
        let (mut slices, mut all, mut most) = (0, 0, 0);
        while store.tally().items > 0 {
            let (_, records) = touched(|| assert!(store.sweep(1, NOW).items > 0));
            (slices, all, most) = (slices + 1, all + records, most.max(records));
            assert!(
                slices <= segments,
                "{items}: more slices than {segments} segments"
            );
        }
        println!(
            "{items} items in {segments} segments: {slices} slices, {all} records read, \
             {most} in one at most"
        );
        assert!(all <= 4 * items as usize, "{items}: {all} records read");
        let segment_items = segment_bytes / 60;
        assert!(most <= 4 * segment_items * store.parts(), "{items}: {most}");
    }
}
